// What does the server hold? All collections, or one with its vectors and segments, kept up to date.

import { ask, by, bytes, collectionPath, count, counted, el, vectorsOf } from "./kit.js";

const EVERY = 3000;
const STATUS = { green: "ready", yellow: "optimizing", grey: "waiting", red: "failed" };

/** The collections view. */
export class Collections {
  constructor(failed) {
    Object.assign(this, { failed, name: null, shown: false, drawn: "", visit: 0 });
    document.addEventListener("visibilitychange", () => { if (this.shown) this.poll(); });
  }

  /** Shows one collection, or all without a name. */
  open(name) {
    Object.assign(this, { name, shown: true, drawn: "" });
    by("collections").replaceChildren(el("p", { class: "state" }, "Asking the server…"));
    this.poll();
  }

  close() {
    this.shown = false;
    clearTimeout(this.timer);
  }

  async poll() {
    clearTimeout(this.timer);
    if (!this.shown || document.hidden) return;
    const visit = this.visit += 1;
    try {
      const facts = this.name === null ? await all() : await one(this.name);
      if (visit !== this.visit || !this.shown) return;
      this.failed(null);
      this.draw(facts);
    } catch (error) {
      if (visit !== this.visit || !this.shown) return;
      this.failed(error);
      if (this.drawn === "") by("collections").replaceChildren(el("p", {}, el("a", { href: "#/collections" }, "All collections")));
      if (error.status === 401) return;
    }
    this.timer = setTimeout(() => this.poll(), EVERY);
  }

  // Draws only what has changed, and leaves the focus where it was.
  draw(facts) {
    const drawn = JSON.stringify(facts);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const focused = document.activeElement?.getAttribute("href");
    by("collections").replaceChildren(...(this.name === null ? list(facts) : detail(facts)));
    if (focused) by("collections").querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  }
}

async function one(name) {
  const [info, stats] = await Promise.all([ask(collectionPath(name)), ask(collectionPath(name, "/segments"))]);
  return { name, info: info.result, stats: stats.result };
}

async function all() {
  const { collections } = (await ask("collections")).result;
  const names = collections.map(({ name }) => name).sort();
  return Promise.all(names.map(one));
}

const address = (name) => `#/collections/${encodeURIComponent(name)}`;

function list(facts) {
  if (facts.length === 0) {
    return [el("h1", {}, "Collections"), el("p", {}, "There is none yet. Create one with PUT collections/NAME.")];
  }
  const rows = facts.map(({ name, info, stats }) => [
    el("a", { href: address(name) }, name), count(stats.points), status(info, stats), vectorNames(info),
    count(stats.segments.length), bytes(stats.disk_bytes), bytes(stats.memory_bytes), bytes(stats.log_bytes),
  ]);
  const heads = ["Collection", "Points", "Status", "Vectors", "Segments", "Disk", "Memory", "Log"];
  return [el("h1", {}, "Collections"), table(heads, rows, "All collections")];
}

function vectorNames(info) {
  const vectors = Object.entries(vectorsOf(info)).map(([name, { size, distance }]) => `${name ? `${name}: ` : ""}${size} ${distance}`);
  return vectors.join(", ") || "none";
}

function status(info, { optimizing }) {
  const word = STATUS[info.status] ?? info.status;
  const percent = optimizing && Number.isFinite(optimizing.progress) ? ` ${Math.round(100 * optimizing.progress)} %` : "";
  return el("span", { class: `status ${info.status}` }, word + percent);
}

function detail({ name, info, stats }) {
  const facts = [
    ["Status", status(info, stats)],
    ["Points", count(stats.points)],
    ["Vectors in graphs", count(stats.indexed_vectors)],
    ["On disk", bytes(stats.disk_bytes)],
    ["In memory", bytes(stats.memory_bytes)],
    ["Log", bytes(stats.log_bytes)],
    ["Last change", `no. ${count(stats.lsn)}`],
  ];
  return [
    el("p", { class: "trail" }, el("a", { href: "#/collections" }, "Collections"), " / ", el("span", { "aria-current": "page" }, name)),
    el("div", { class: "title" }, el("h1", {}, name),
      el("a", { class: "button", href: `#/search?${new URLSearchParams({ c: name })}` }, "Search it")),
    stats.failure && el("p", { class: "error" }, String(stats.failure)),
    progress(stats.optimizing),
    el("dl", { class: "tiles" }, facts.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value)))),
    el("h2", {}, "Vectors"),
    vectors(info, stats),
    el("h2", {}, counted(stats.segments.length, "segment")),
    segments(stats),
    ...fields(info),
  ].filter(Boolean);
}

function progress(optimizing) {
  if (!optimizing) return null;
  return el("p", { class: "progress" },
    el("label", { for: "optimizing" }, `Optimizing: ${optimizing.what}`),
    el("progress", { id: "optimizing", max: "1", value: String(optimizing.progress) }));
}

function vectors(info, stats) {
  const rows = Object.entries(vectorsOf(info)).map(([name, { size, distance }]) =>
    [name || "(unnamed)", count(size), distance, count(stats.vectors[name] ?? 0)]);
  if (rows.length === 0) return el("p", { class: "muted" }, "None: points here have payloads only.");
  return table(["Name", "Size", "Distance", "Points that have it"], rows, "Vectors");
}

function segments({ segments: all }) {
  const rows = all.map((segment) => [
    segment.number === null ? "mutable" : `no. ${segment.number}`, count(segment.rows), count(segment.deleted),
    Object.entries(segment.graphs).map(([name, by]) => `${name} by ${by}`.trim()).join(", ") || "none", bytes(segment.disk_bytes), bytes(segment.memory_bytes),
  ]);
  return table(["Segment", "Rows", "Dead", "Graph", "Disk", "Memory"], rows, "Segments");
}

function fields(info) {
  const rows = Object.entries(info.payload_schema ?? {}).map(([name, { data_type, points }]) => [name, data_type, count(points)]);
  return rows.length === 0 ? [] : [el("h2", {}, "Payload indexes"), table(["Field", "Type", "Points"], rows, "Payload indexes")];
}

// On narrow screens each row becomes a block, with the heads as labels before the values. The roles are spelled out
// because browsers drop those of a table that is shown as blocks.
function table(heads, rows, label) {
  const numbers = heads.map((_, column) => rows.every((row) => typeof row[column] === "string" && /^[\d.,]+( [KMGT]?i?B)?$/.test(row[column])));
  const kind = (column) => (numbers[column] ? "number" : null);
  return el("table", { "aria-label": label, role: "table" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads.map((head, column) => el("th", { scope: "col", role: "columnheader", class: kind(column) }, head)))),
    el("tbody", { role: "rowgroup" }, rows.map((row) => el("tr", { role: "row" }, row.map((cell, column) =>
      el(column === 0 ? "th" : "td", { scope: column === 0 ? "row" : null, role: column === 0 ? "rowheader" : "cell", "data-label": heads[column], class: kind(column) }, cell))))));
}
