// What all parts of the console need: elements made of text, numbers for humans, and the server.

/** An element. Functions become listeners, everything else attributes; children are nodes or plain text. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const by = (id) => document.getElementById(id);

export const count = (number) => Number(number).toLocaleString("en");

export const counted = (number, one, many = one + "s") => `${count(number)} ${number === 1 ? one : many}`;

/** 1536 → "1.5 KiB". */
export function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; number >= 1024 && unit < units.length - 1; unit += 1) number /= 1024;
  return `${unit === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`;
}

/** Text in a box with a button that copies it. */
export function copyable(text, label) {
  const code = el("pre", { tabindex: "0", "aria-label": label }, el("code", {}, text));
  const said = el("span", { role: "status" }, "Copy");
  const copy = async () => {
    said.textContent = (await copied(text, code)) ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => { said.textContent = "Copy"; }, 2000);
  };
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${label}`, click: copy }, said);
  return el("div", { class: "copyable" }, code, button);
}

// The clipboard is closed to pages that came over plain HTTP from another machine; there the text is selected.
async function copied(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return false;
  }
}

/** Where the API is: the directory above the console. */
export const BASE = new URL("..", location.href.split("#")[0]);

const KEY = "kith-api-key";

/** The server refused, in its own words. */
export class Refused extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** Sends a request (POST if there is a body) and returns its result. Asks the user for a key if the server does. */
export async function ask(path, body, signal) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const answer = await send(path, body, key, signal);
    const text = await answer.text();
    if (answer.ok) return read(text, path);
    if (answer.status !== 401) throw new Refused(words(text) || `${path}: the server answered ${answer.status}.`, answer.status);
    const changed = sessionStorage.getItem(KEY) !== key;
    if (!changed && !(await askForKey(text))) throw new Refused(text, answer.status);
  }
}

async function send(path, body, key, signal) {
  const headers = key ? { "api-key": key } : {};
  if (body) headers["content-type"] = "application/json";
  try {
    return await fetch(new URL(path, BASE), {
      method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(`No answer from ${BASE.host}. Is the server running?`);
  }
}

function read(text, path) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(`${path}: the answer is not JSON.`);
  }
}

function words(text) {
  try {
    return JSON.parse(text).status.error;
  } catch {
    return text;
  }
}

let asking = null;

// Requests that fail together ask once. True: a key was given.
function askForKey(reason) {
  asking ??= new Promise((given) => {
    const dialog = by("key");
    by("key-reason").textContent = reason;
    by("key-value").value = "";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      asking = null;
      const key = by("key-value").value.trim();
      const use = dialog.returnValue === "use" && key !== "";
      if (use) sessionStorage.setItem(KEY, key);
      given(use);
    }, { once: true });
    by("key-cancel").onclick = () => dialog.close();
    dialog.showModal();
    by("key-value").focus();
  });
  return asking;
}

/** The request as a line for a shell. The key is named, never shown. */
export function curl(path, body) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const key = sessionStorage.getItem(KEY) ? ` \\\n  -H "api-key: $KITH_API_KEY"` : "";
  const content = ` \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(JSON.stringify(body))}`;
  return `curl ${quoted(String(new URL(path, BASE)))}${key}${content}`;
}

/** The path of a collection. */
export const collectionPath = (name, rest = "") => `collections/${encodeURIComponent(name)}${rest}`;

/** The vectors of a collection by name, of its `config.params.vectors`. The unnamed one is "". */
export function vectorsOf(info) {
  const vectors = info.config.params.vectors ?? {};
  return typeof vectors.size === "number" ? { "": vectors } : vectors;
}
