// Which view is shown? The part of the address after `#` says it, so that every state can be shared.

import { by, el } from "./kit.js";
import { Collections } from "./collections.js";
import { Search } from "./search.js";

const THEME = "kith-theme";
const THEMES = { auto: "light", light: "dark", dark: "auto" };

/** Says what went wrong, in the words of whoever said so; null takes it back. */
function failed(error) {
  const text = error ? String(error.message) : "";
  if (by("error").textContent !== text) by("error").textContent = text;
  by("error").hidden = !error;
}

const search = new Search(moved, failed);
const collections = new Collections(failed);

function moved(state, lasting) {
  const given = { c: state.c, using: state.using, mode: state.mode, q: state.q, limit: state.limit };
  if (state.exact) given.exact = "1";
  if (state.filter.length > 0) given.filter = JSON.stringify(state.filter);
  const kept = Object.entries(given).filter(([name, value]) => value !== "" && !(name === "limit" && value === "10"));
  const address = `#/search?${new URLSearchParams(kept)}`;
  by("to-search").setAttribute("href", address);
  if (address === location.hash) return;
  history[lasting ? "pushState" : "replaceState"](null, "", address);
}

// The filter of an address somebody sent: rows of five texts, or nothing.
function rowsOf(text) {
  try {
    const rows = JSON.parse(text ?? "[]");
    const whole = (row) => Array.isArray(row) && row.length === 5 && row.every((part) => typeof part === "string");
    return Array.isArray(rows) ? rows.filter(whole) : [];
  } catch {
    return [];
  }
}

// A name in an address; one that is garbled is taken as it stands.
function named(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function route() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  const [, view, name] = path.split("/");
  const listing = view === "collections";
  failed(null);
  by("search").hidden = listing;
  by("collections").hidden = !listing;
  for (const [id, current] of [["to-search", !listing], ["to-collections", listing]]) {
    if (current) by(id).setAttribute("aria-current", "page");
    else by(id).removeAttribute("aria-current");
  }
  document.title = listing ? `${name ? named(name) : "Collections"} · Kith` : "Search · Kith";
  if (listing) search.close();
  if (listing) return collections.open(name ? named(name) : null);
  collections.close();
  const given = Object.fromEntries(new URLSearchParams(query));
  return search.open({ ...given, filter: rowsOf(given.filter) });
}

function theme(chosen) {
  document.documentElement.dataset.theme = chosen;
  const [sign, word] = { auto: ["◐", "Auto"], light: ["○", "Light"], dark: ["●", "Dark"] }[chosen];
  by("theme").replaceChildren(el("span", { "aria-hidden": "true" }, sign), el("span", { class: "word" }, word));
  by("theme").setAttribute("aria-label", `Colours: ${chosen}. Change to ${THEMES[chosen]}.`);
}

theme(localStorage.getItem(THEME) in THEMES ? localStorage.getItem(THEME) : "auto");
by("theme").addEventListener("click", () => {
  const next = THEMES[document.documentElement.dataset.theme];
  localStorage.setItem(THEME, next);
  theme(next);
});

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, select, textarea, dialog");
  if (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey || by("search").hidden) return;
  event.preventDefault();
  by("text").focus();
  by("text").select();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  by("main").focus();
});
addEventListener("popstate", route);
route();
