// What is near? The search form, its results as cards, and how they were found.

import { ask, by, collectionPath, copyable, count, counted, curl, el, vectorsOf } from "./kit.js";
import { FilterBuilder } from "./filter.js";
import { planTree } from "./plan.js";

const MODEL = "kith/mini";
const MODEL_SIZE = 256;
const TEXT_LABEL = {
  hybrid: "Text to search for, by meaning and by words",
  vectors: "Text to search for by meaning",
  words: "Words to search for",
  point: "Id of a point, to find what is near it",
};

/** The search view. `moved(state, lasting)` is told of each new state; lasting ones belong into the history. */
export class Search {
  constructor(moved, failed) {
    Object.assign(this, { moved, failed, collection: null, vectors: {}, preferred: "hybrid", running: null, typing: null, visit: 0 });
    this.filter = new FilterBuilder(() => this.soon());
    by("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      this.run(true);
    });
    by("text").addEventListener("input", () => this.soon());
    by("limit").addEventListener("input", () => this.soon());
    for (const id of ["using", "exact"]) by(id).addEventListener("change", () => { this.fit(); this.run(true); });
    by("ask").addEventListener("change", (event) => {
      if (event.target.name !== "mode") return;
      this.preferred = this.mode;
      this.fit();
      this.run(true);
    });
    by("collection").addEventListener("change", () => {
      this.open({ ...this.state, mode: this.preferred, using: "", filter: [] }, true);
    });
    by("results").addEventListener("keydown", (event) => this.walk(event));
    by("text").addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      by("results").firstElementChild?.focus();
    });
    // Where the columns stand below each other the results shall not be far down.
    by("plan").open = by("request").open = matchMedia("(min-width: 62rem)").matches;
  }

  get mode() {
    return document.querySelector("input[name=mode]:checked")?.value ?? "hybrid";
  }

  set mode(mode) {
    const known = Object.keys(TEXT_LABEL).includes(mode) ? mode : "hybrid";
    document.querySelector(`input[name=mode][value=${known}]`).checked = true;
  }

  get state() {
    return {
      c: by("collection").value, using: by("using").value, mode: this.mode, q: by("text").value,
      limit: by("limit").value, exact: by("exact").checked, filter: this.filter.rows,
    };
  }

  /** Shows a state: of the address, or of a collection just chosen. */
  async open(state, lasting = false) {
    const visit = this.visit += 1;
    try {
      await this.choose(state.c, () => visit === this.visit);
      if (this.collection === null || visit !== this.visit) return;
      this.fill(state);
      await this.run(lasting);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Another view is shown: whatever is under way is of no use. */
  close() {
    this.visit += 1;
    clearTimeout(this.typing);
    this.running?.abort();
  }

  fill(state) {
    by("using").value = state.using in this.vectors ? state.using : Object.keys(this.vectors)[0] ?? "";
    by("text").value = state.q ?? "";
    by("limit").value = state.limit ?? "10";
    by("exact").checked = Boolean(state.exact);
    this.mode = state.mode ?? "hybrid";
    this.filter.rows = state.filter ?? [];
    if (this.filter.rows.length > 0) by("filter").open = true;
    this.fit();
  }

  // Makes a collection the current one: its vectors, and its fields from a few points.
  async choose(wanted, current) {
    const { collections } = (await ask("collections")).result;
    const names = collections.map(({ name }) => name).sort();
    if (!current()) return;
    const name = wanted || (names[0] ?? null);
    by("collection").replaceChildren(...names.map((each) => el("option", { value: each }, each)));
    by("ask").hidden = name === null;
    if (name === null) {
      this.collection = null;
      by("state").textContent = "There is no collection yet. Create one with PUT collections/NAME, then search it here.";
      return;
    }
    by("collection").value = name;
    if (!names.includes(name)) {
      this.collection = null;
      for (const stale of ["results", "plan-tree", "curl"]) by(stale).replaceChildren();
      by("state").textContent = "";
      throw new Error(`There is no collection “${name}” here. Choose another.`);
    }
    if (name === this.collection) return;
    const [info, sample] = await Promise.all([
      ask(collectionPath(name)),
      ask(collectionPath(name, "/points/scroll"), { limit: 64, with_payload: true }),
    ]);
    if (!current()) return;
    this.collection = name;
    this.vectors = vectorsOf(info.result);
    this.filter.clear();
    sample.result.points.forEach(({ payload }) => this.filter.learn(payload));
    const vectors = Object.entries(this.vectors);
    by("using").replaceChildren(...vectors.map(([vector, { size }]) => el("option", { value: vector }, `${vector || "(unnamed)"}, ${size}`)));
    by("using-field").hidden = vectors.length < 2;
  }

  // Offers only what the chosen vector can answer, and says why.
  fit() {
    const vector = this.vectors[by("using").value];
    const fits = vector?.size === MODEL_SIZE;
    for (const mode of ["hybrid", "vectors"]) document.querySelector(`input[value=${mode}]`).disabled = !fits;
    document.querySelector("input[value=point]").disabled = !vector;
    by("fit").hidden = fits;
    if (!fits) {
      by("fit").textContent = vector
        ? `The vectors here have ${counted(vector.size, "number")} (${vector.distance}), and ${MODEL}, which turns text into a vector, makes ${MODEL_SIZE}. Search by words, or by the id of a point.`
        : "This collection has no vectors. Search by words.";
      if (this.mode === "hybrid" || this.mode === "vectors") document.querySelector("input[value=words]").checked = true;
    }
    by("exact").closest("label").hidden = this.mode === "words";
    const point = this.mode === "point";
    by("text-label").textContent = TEXT_LABEL[this.mode];
    by("text").placeholder = point ? "id of a point" : "What are you looking for?";
  }

  soon() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.run(false), 180);
  }

  /** The request for what the form says. Without a text, points are listed by id. */
  request() {
    const text = by("text").value.trim();
    const filter = this.filter.build();
    const limit = Number(by("limit").value);
    const named = by("using").value ? { using: by("using").value } : {};
    const params = by("exact").checked ? { params: { exact: true } } : {};
    const near = { query: { text, model: MODEL }, ...named, ...params };
    const words = { query: { bm25: { query: text } } };
    const fed = (inner) => ({ ...inner, limit: Math.max(50, limit) });
    const asked = text === "" ? {} : {
      hybrid: () => ({ prefetch: [fed(near), fed(words)], query: { fusion: "rrf" } }),
      vectors: () => near,
      words: () => words,
      point: () => ({ query: pointId(text), ...named, ...params }),
    }[this.mode]();
    return { ...asked, ...(filter && { filter }), limit, with_payload: true, explain: true };
  }

  async run(lasting) {
    if (this.collection === null) return;
    clearTimeout(this.typing);
    this.running?.abort();
    const running = this.running = new AbortController();
    this.moved(this.state, lasting);
    if (!by("limit").checkValidity()) return this.failed(new Error(`Limit: ${by("limit").validationMessage}`));
    by("results").setAttribute("aria-busy", "true");
    try {
      const [path, body] = [collectionPath(this.collection, "/points/query"), this.request()];
      by("curl").replaceChildren(copyable(curl(path, body), "the request as a curl line"));
      const { result, time } = await ask(path, body, running.signal);
      if (running === this.running) this.show(result, time, body);
    } catch (error) {
      if (error.name === "AbortError") return;
      by("state").textContent = "";
      by("results").replaceChildren();
      by("plan").hidden = true;
      this.failed(error);
    } finally {
      if (running === this.running) by("results").removeAttribute("aria-busy");
    }
  }

  show({ points, explain }, time, body) {
    this.failed(null);
    const ranked = "query" in body;
    points.forEach(({ payload }) => this.filter.learn(payload));
    const cards = points.map((point, place) => card(point, place, ranked, this.vectors, (id) => this.similar(id)));
    by("results").replaceChildren(...cards);
    by("plan").hidden = !explain;
    if (explain) by("plan-tree").replaceChildren(planTree(explain));
    by("state").textContent = points.length === 0
      ? `Nothing found${body.filter ? " that the filter lets through" : ""}.`
      : `${counted(points.length, ranked ? "result" : "point")} in ${(time * 1000).toFixed(2)} ms${ranked ? "" : ", by id"}`;
  }

  similar(id) {
    by("text").value = String(id);
    document.querySelector("input[value=point]").checked = true;
    this.fit();
    this.run(true);
    by("text").focus();
    scrollTo({ top: 0 });
  }

  // Arrows go from card to card, Enter opens the payload, Escape goes back to the text.
  walk(event) {
    const here = event.target.closest(".card");
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (step && (event.target === here || !event.target.closest("pre"))) {
      event.preventDefault();
      (here[step] ?? (event.key === "ArrowUp" ? by("text") : here)).focus();
    } else if (event.key === "Escape") {
      by("text").focus();
    } else if (event.key === "Enter" && event.target === here) {
      const payload = here.querySelector("details.payload");
      if (payload) payload.open = !payload.open;
    }
  }
}

// Ids are whole numbers or UUIDs. Numbers above 2^53 are out of a browser's reach and are refused here.
function pointId(text) {
  if (!/^\d+$/.test(text)) return text;
  if (Number.isSafeInteger(Number(text))) return Number(text);
  throw new Error(`Point ${text}: numbers above ${Number.MAX_SAFE_INTEGER} are out of a browser's reach.`);
}

function card({ id, score, payload = {} }, place, ranked, vectors, similar) {
  const item = typeof payload.path === "string" && typeof payload.summary === "string";
  const near = Object.keys(vectors).length > 0 &&
    el("button", { type: "button", class: "quiet", "aria-label": `Find similar to ${id}`, click: () => similar(id) }, "Find similar");
  const head = el("div", { class: "card-head" },
    el("span", { class: "muted id" }, `${place + 1} · id ${id}`),
    near,
    ranked && el("span", { class: "score", title: `Score ${score}` }, scored(score)));
  const whole = Object.keys(payload).length;
  return el("li", { class: "card", tabindex: "-1", "aria-label": item ? payload.path : `Point ${id}` },
    head,
    item ? described(payload) : null,
    whole === 0 ? el("p", { class: "muted" }, "No payload") : item
      ? el("details", { class: "payload" }, el("summary", {}, "Payload"), json(payload))
      : json(payload));
}

function scored(score) {
  return Math.abs(score) >= 1000 ? count(Math.round(score)) : score.toPrecision(4);
}

function described({ path, kind, module, since, stable, signature, summary }) {
  const tag = (value, label = "") => typeof value === "string" && el("span", { class: "tag" }, label + value);
  return [
    el("h3", {}, path),
    el("p", { class: "tags" }, tag(kind), tag(module), tag(since, "since "), stable === false && el("span", { class: "tag warn" }, "unstable")),
    typeof signature === "string" && el("pre", { class: "signature", tabindex: "0", "aria-label": "Signature" }, el("code", {}, signature)),
    el("p", {}, summary),
  ].filter(Boolean);
}

// A payload as it is: objects and lists fold, deep ones are closed.
function json(value, depth = 0) {
  if (value === null || typeof value !== "object") return leaf(value);
  const entries = Object.entries(value).map(([name, inner]) => {
    const nested = inner !== null && typeof inner === "object" && Object.keys(inner).length > 0;
    const flat = Array.isArray(inner) && inner.length <= 16 && inner.every((each) => each === null || typeof each !== "object");
    if (nested && flat) return el("div", {}, el("span", { class: "name" }, name), " [", inner.flatMap((each) => [", ", leaf(each)]).slice(1), "]");
    if (!nested) return el("div", {}, el("span", { class: "name" }, name), " ", leaf(inner));
    const size = Array.isArray(inner) ? `[${inner.length}]` : `{${Object.keys(inner).length}}`;
    return el("details", { open: depth < 1 },
      el("summary", {}, el("span", { class: "name" }, name), " ", el("span", { class: "muted" }, size)), json(inner, depth + 1));
  });
  return el("div", { class: "json" }, entries);
}

function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  return el("span", { class: `value ${kind}` }, kind === "string" ? `"${value}"` : JSON.stringify(value));
}
