// How was the answer found? The server's explanation, drawn as a tree of boxes.

import { count, counted, el } from "./kit.js";

const DRAWN = ["hits", "plan", "cost", "instead_of", "instead_of_cost", "expected_matching", "matching", "rows"];

const MEANING = {
  distances: "Vectors that were compared with the query",
  hops: "Places of the graph that were visited",
  ef: "Breadth of the walk through the graph",
  scored: "Points that contain a word of the query",
};

/** The tree of a query's `explain`. */
export function planTree(explain) {
  return el("ul", { class: "plan" }, step(explain));
}

function step({ step: name, facts, inputs }) {
  const head = el("div", { class: "step-head" },
    el("strong", {}, name),
    facts.plan && el("span", { class: "chosen" }, facts.plan),
    facts.hits !== undefined && el("span", { class: "muted" }, counted(facts.hits, "hit")),
    facts.rows !== undefined && el("span", { class: "muted" }, counted(facts.rows, "row")));
  const box = el("div", { class: "step" }, head, costs(facts), matching(facts), others(facts));
  return el("li", {}, box, inputs.length > 0 && el("ul", {}, inputs.map(step)));
}

function costs(facts) {
  if (facts.cost === undefined) return null;
  const most = Math.max(facts.cost, facts.instead_of_cost ?? 0);
  return el("div", { class: "bars", title: "Expected cost, in comparisons" },
    bar(`cost${facts.plan ? `, ${facts.plan}` : ""}`, facts.cost, most, "taken"),
    facts.instead_of && bar(`cost, ${facts.instead_of}`, facts.instead_of_cost, most, "spared"));
}

function matching(facts) {
  if (facts.expected_matching === undefined) return null;
  const most = Math.max(facts.rows ?? 0, facts.expected_matching, facts.matching ?? 0);
  return el("div", { class: "bars", title: "Rows that match the filter, of all rows" },
    bar("matching, expected", facts.expected_matching, most, "spared"),
    facts.matching !== undefined && bar("matching, counted", facts.matching, most, "taken"));
}

function bar(label, value, most, kind) {
  const fill = el("span", { class: `fill ${kind}` });
  fill.style.width = `${most > 0 ? Math.max(1, (100 * value) / most) : 0}%`;
  return el("div", { class: "bar" },
    el("span", {}, label),
    el("span", { class: "track", "aria-hidden": "true" }, fill),
    el("span", { class: "number" }, count(value)));
}

function others(facts) {
  const rest = Object.entries(facts).filter(([name]) => !DRAWN.includes(name));
  if (rest.length === 0) return null;
  const fact = ([name, value]) => el("div", { title: MEANING[name] },
    el("dt", {}, name.replaceAll("_", " ")),
    el("dd", {}, typeof value === "number" ? count(value) : String(value)));
  return el("dl", { class: "facts" }, rest.map(fact));
}
