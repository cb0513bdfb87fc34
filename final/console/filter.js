// Which points may be found? Rows of conditions that become the JSON filter of a request.

import { by, copyable, counted, el } from "./kit.js";

class Fault extends Error {}

const CLAUSES = { must: "must", should: "should", must_not: "must not" };

// `values` is how many inputs the operator has; `make` builds the condition or throws a Fault.
const OPERATORS = {
  is: { label: "is", values: 1, make: (key, [value], types) => ({ key, match: { value: scalar(value, types) } }) },
  any: { label: "is any of", values: 1, many: true, make: (key, [list], types) => ({ key, match: { any: scalars(list, types) } }) },
  except: { label: "is none of", values: 1, many: true, make: (key, [list], types) => ({ key, match: { except: scalars(list, types) } }) },
  text: { label: "contains text", values: 1, make: (key, [text]) => ({ key, match: { text: some(text) } }) },
  words: { label: "contains any word of", values: 1, make: (key, [text]) => ({ key, match: { text_any: some(text) } }) },
  gte: { label: "≥", values: 1, make: (key, [value]) => ({ key, range: { gte: place(value) } }) },
  lte: { label: "≤", values: 1, make: (key, [value]) => ({ key, range: { lte: place(value) } }) },
  gt: { label: ">", values: 1, make: (key, [value]) => ({ key, range: { gt: place(value) } }) },
  lt: { label: "<", values: 1, make: (key, [value]) => ({ key, range: { lt: place(value) } }) },
  between: { label: "between", values: 2, make: (key, ends) => ({ key, range: between(ends) }) },
  exists: { label: "exists", values: 0, make: (key) => ({ must_not: [{ is_empty: { key } }] }) },
  empty: { label: "is empty", values: 0, make: (key) => ({ is_empty: { key } }) },
  null: { label: "is null", values: 0, make: (key) => ({ is_null: { key } }) },
};

function some(text) {
  if (text.trim() === "") throw new Fault("give a value");
  return text;
}

// Matching is typed: 1 is not "1". Fields that held only text get text; quotes make anything text.
function scalar(text, types) {
  const value = some(text).trim();
  const quoted = value.match(/^"(.*)"$/s);
  if (quoted) return quoted[1];
  if (types.size === 1 && types.has("string")) return value;
  if (value === "true" || value === "false") return value === "true";
  if (/^-?\d+$/.test(value)) {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw new Fault(`${value} is too large for a number in a browser; put it in quotes if it is text`);
  }
  if (/^-?\d*\.\d+$/.test(value)) {
    throw new Fault(`only text, whole numbers, true and false can be equal; for ${value} use “between”, or quotes if it is text`);
  }
  return value;
}

function scalars(list, types) {
  const parts = list.match(/"[^"]*"|[^,]+/g)?.map((part) => part.trim()).filter((part) => part !== "") ?? [];
  if (parts.length === 0) throw new Fault("give values, separated by commas");
  const values = parts.map((part) => scalar(part, types));
  const kinds = new Set(values.map((value) => typeof value));
  if (kinds.has("boolean")) throw new Fault("lists are of texts or of whole numbers; for true and false use “is”");
  return kinds.size === 1 ? values : values.map(String);
}

// A number, or a date for the server to read.
function place(text) {
  const value = some(text).trim();
  if (Number.isFinite(Number(value))) return Number(value);
  if (/^\d{4}-\d{2}-\d{2}/.test(value)) return value;
  throw new Fault(`“${value}” is neither a number nor a date such as 2024-05-31`);
}

function between([from, to]) {
  const [gte, lte] = [place(from), place(to)];
  if (typeof gte !== typeof lte) throw new Fault("both ends have to be numbers, or both dates");
  if (gte > lte) throw new Fault(`nothing is between ${gte} and ${lte}: the first is the larger`);
  return { gte, lte };
}

// A filter as JSON, one condition to a line.
function lines(filter) {
  const clauses = Object.entries(filter).map(([clause, conditions]) =>
    `  "${clause}": [\n${conditions.map((condition) => `    ${JSON.stringify(condition)}`).join(",\n")}\n  ]`);
  return `{\n${clauses.join(",\n")}\n}`;
}

/** What has been seen of each payload field: its types and some of its values. */
class Fields {
  constructor() {
    this.seen = new Map();
  }

  learn(payload, path = "") {
    for (const [name, value] of Object.entries(payload ?? {})) {
      const key = /[.[\]"]/.test(name) ? `"${name}"` : name;
      this.note(path + key, value);
    }
  }

  note(path, value) {
    if (Array.isArray(value)) {
      for (const element of value.slice(0, 20)) {
        const inner = element !== null && typeof element === "object";
        this.note(inner ? `${path}[]` : path, element);
      }
      return;
    }
    if (value !== null && typeof value === "object") return this.learn(value, `${path}.`);
    if (!this.seen.has(path)) this.seen.set(path, { types: new Set(), values: new Set() });
    const { types, values } = this.seen.get(path);
    if (value === null) return;
    types.add(typeof value);
    if (values.size < 40 && String(value).length < 60) values.add(String(value));
  }

  types(path) {
    return this.seen.get(path)?.types ?? new Set();
  }

  values(path) {
    return [...(this.seen.get(path)?.values ?? [])].sort();
  }
}

/** The filter of the search form. `changed` is called whenever the filter is another one. */
export class FilterBuilder {
  constructor(changed) {
    this.changed = changed;
    this.clear();
    by("add-row").addEventListener("click", () => {
      this.add(["must", "", "is", "", ""]);
      by("filter-rows").lastElementChild.querySelector(".key").focus();
    });
  }

  /** Forgets rows and fields: another collection was chosen. */
  clear() {
    this.fields = new Fields();
    this.names = el("datalist", { id: "field-names" });
    by("filter-rows").replaceChildren(this.names);
    this.refresh();
  }

  learn(payload) {
    this.fields.learn(payload);
    const names = [...this.fields.seen.keys()].sort();
    if (names.length !== this.names.children.length) {
      this.names.replaceChildren(...names.map((name) => el("option", { value: name })));
    }
  }

  /** The rows as `[clause, field, operator, value, value]`, for the address. */
  get rows() {
    return this.lines().map((line) => {
      const part = (name) => line.querySelector(name).value;
      return [part(".clause"), part(".key"), part(".operator"), part(".first"), part(".second")];
    });
  }

  set rows(rows) {
    this.lines().forEach((line) => line.remove());
    rows.forEach((row) => this.add(row));
    this.refresh();
  }

  lines() {
    return [...by("filter-rows").querySelectorAll(".row")];
  }

  add([clause, key, operator, first, second]) {
    const edited = () => { this.shape(line); this.refresh(); this.changed(); };
    const choice = (name, label, options, chosen) => el("select", { class: name, "aria-label": label, change: edited },
      Object.entries(options).map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
    const operators = Object.fromEntries(Object.entries(OPERATORS).map(([name, { label }]) => [name, label]));
    const values = `values-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    const entry = (name, label, value) => el("input", { class: name, "aria-label": label, value, list: values, input: edited });
    const remove = () => {
      const next = line.nextElementSibling?.querySelector(".key") ?? by("add-row");
      line.remove();
      this.refresh();
      this.changed();
      next.focus();
    };
    const line = el("div", { class: "row", role: "group", "aria-label": "Condition" },
      choice("clause", "Clause", CLAUSES, clause),
      el("input", { class: "key", "aria-label": "Field", placeholder: "field", value: key, list: "field-names", input: edited }),
      choice("operator", "Operator", operators, operator),
      el("span", { class: "values" }, entry("first", "Value", first), entry("second", "Upper value", second)),
      el("button", { type: "button", class: "quiet remove", "aria-label": "Remove this condition", title: "Remove", click: remove }, "×"),
      el("datalist", { id: values }),
      el("p", { class: "fault", id: `${values}-fault`, hidden: true }));
    by("filter-rows").append(line);
    this.shape(line);
    this.refresh();
  }

  // Shows as many inputs as the operator has, and what to write into them.
  shape(line) {
    const operator = OPERATORS[line.querySelector(".operator").value];
    const [first, second] = [line.querySelector(".first"), line.querySelector(".second")];
    first.hidden = operator.values < 1;
    second.hidden = operator.values < 2;
    first.placeholder = operator.many ? "one, another" : operator.values === 2 ? "from" : "value";
    second.placeholder = "to";
    const known = operator.many ? [] : this.fields.values(line.querySelector(".key").value.trim());
    line.querySelector("datalist").replaceChildren(...known.map((value) => el("option", { value })));
  }

  // The condition of a row; a row that is not whole yet or wrong says so and has none.
  condition(line) {
    const [clause, key, name, ...values] = ["clause", "key", "operator", "first", "second"]
      .map((part) => line.querySelector(`.${part}`).value);
    const untouched = key === "" && values.every((value) => value === "");
    let condition = null;
    let fault = "";
    try {
      if (key.trim() === "") throw new Fault("name a field");
      condition = OPERATORS[name].make(key.trim(), values, this.fields.types(key.trim()));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      fault = untouched ? "" : `Left out: ${error.message}.`;
    }
    const note = line.querySelector(".fault");
    note.textContent = fault;
    note.hidden = fault === "";
    for (const input of line.querySelectorAll("input")) {
      input.setAttribute("aria-invalid", String(fault !== ""));
      input.setAttribute("aria-describedby", note.id);
    }
    return condition && { clause, condition };
  }

  /** The filter as the API takes it, or null if no row makes a condition. */
  build() {
    const filter = {};
    for (const line of this.lines()) {
      const found = this.condition(line);
      if (found) (filter[found.clause] ??= []).push(found.condition);
    }
    return Object.keys(filter).length > 0 ? filter : null;
  }

  refresh() {
    const filter = this.build();
    const text = filter && lines(filter);
    if (text !== this.text) {
      this.text = text;
      by("filter-json").hidden = !filter;
      by("filter-json").replaceChildren(...(filter ? [copyable(text, "the filter as JSON")] : []));
    }
    const used = filter ? Object.values(filter).flat().length : 0;
    by("filter-count").textContent = used > 0 ? counted(used, "condition") : "";
  }
}
