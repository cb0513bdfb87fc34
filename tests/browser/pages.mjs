// Is every page of the book right in a browser? `node pages.mjs CHROMIUM HTML [SHOTS]` opens each page of the folder HTML,
// narrow and wide, light and dark, and prints one line for everything that is wrong:
//
//   * the page scrolls sideways
//   * a script complains, or fails
//   * something is asked for that is not there, or is elsewhere
//   * axe, which knows the rules of accessibility, finds a violation
//
// With SHOTS, a folder, it also takes pictures. Not here: what happens when somebody presses a key (`deeds.mjs`).

import { mkdir, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { faults, launch, serve } from "./browser.mjs";

const [, , executable, root, shots] = process.argv;
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const found = faults();

const names = (await readdir(root)).filter(name => name.endsWith(".html")).sort();
if (names.length === 0) throw new Error(`no pages in ${root}`);
if (shots) await mkdir(shots, { recursive: true });

const server = await serve(root);
const browser = await launch(executable);
const context = await browser.newContext({ reducedMotion: "reduce" });
// A machine that compiles at the same time is slow.
context.setDefaultTimeout(120_000);
for (const name of names) await check(name);
await browser.close();
server.close();
found.end(`${names.length} pages`);

async function check(name) {
    const page = await context.newPage();
    let where = name;
    const complain = what => found.add(where, what);
    page.on("console", message => {
        if (["error", "warning"].includes(message.type())) complain(`the console says: ${message.text()}`);
    });
    page.on("pageerror", error => complain(`a script fails: ${error.message}`));
    page.on("request", request => {
        if (!request.url().startsWith(server.origin)) complain(`asks for ${request.url()}`);
    });
    page.on("response", response => {
        if (response.status() >= 400) complain(`${response.status()} for ${response.url()}`);
    });
    for (const width of [360, 1280]) {
        for (const colorScheme of ["light", "dark"]) {
            where = `${name} (${width} px, ${colorScheme})`;
            await page.setViewportSize({ width, height: 800 });
            await page.emulateMedia({ colorScheme });
            if (colorScheme === "light") {
                // Width decides when a page is loaded, colours follow at once.
                await page.goto(`${server.origin}/${name}`);
                await page.addScriptTag({ path: axe });
                await page.evaluate(unfold);
                const wide = await page.evaluate(sideways);
                if (wide) complain(wide);
            }
            for (const violation of await page.evaluate(violations, rules(name, width, colorScheme))) complain(violation);
            if (shots && name !== "print.html") await picture(page, join(shots, `${name.replace(".html", "")}-${width}-${colorScheme}`));
        }
    }
    await page.close();
}

/* What axe looks at: everything but colours at either width, colours in either theme; `null` is nothing. The page with
   all the others on it has their colours. */
function rules(name, width, colorScheme) {
    const colours = width === 1280 && name !== "print.html";
    if (colorScheme === "dark") return colours ? { runOnly: ["color-contrast"] } : null;
    return { rules: { "color-contrast": { enabled: colours } } };
}

// ---- in the page ------------------------------------------------------------------------------------------------------

/* Folds hide what they hold: everything is looked at. */
async function unfold() {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    await document.fonts.ready;
    await new Promise(painted => requestAnimationFrame(() => requestAnimationFrame(painted)));
}

function sideways() {
    const limit = document.documentElement.clientWidth;
    const over = document.scrollingElement.scrollWidth - limit;
    if (over <= 0) return null;
    const culprit = [...document.querySelectorAll("body *")].find(element =>
        element.getBoundingClientRect().right > limit + 1 && !element.parentElement.closest(".scroll, .table-wrapper"));
    return `${over} px wider than the screen: ${culprit ? culprit.outerHTML.slice(0, 160) : "nothing in particular"}`;
}

async function violations(options) {
    if (!options) return [];
    const found = await window.axe.run(document, { ...options, resultTypes: ["violations"] });
    return found.violations.map(violation => {
        const nodes = violation.nodes.slice(0, 3).map(node => node.html.slice(0, 200));
        return `${violation.id}: ${violation.help}, ${violation.nodes.length} times\n    ${nodes.join("\n    ")}`;
    });
}

/* The whole page, in pieces of the size of a screen. */
async function picture(page, path) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const { width } = page.viewportSize();
    const step = 1500;
    await page.setViewportSize({ width, height: step });
    for (let top = 0, i = 1; top < height; top += step - 60, i += 1) {
        await page.evaluate(top => window.scrollTo(0, top), top);
        await page.screenshot({ path: `${path}-${i}.png` });
    }
    await page.setViewportSize({ width, height: 800 });
}
