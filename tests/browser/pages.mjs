// Is every page of the book right in a browser? `node pages.mjs CHROMIUM HTML [SHOTS]` opens each file of the folder HTML,
// narrow and wide, light and dark, and prints one line for everything that is wrong:
//
//   * the page scrolls sideways
//   * a script complains, or fails
//   * something is asked for that is not there, or from elsewhere
//   * axe, which knows the rules of accessibility, finds a violation
//
// With SHOTS, a folder, it also takes pictures. Not here: installing anything; `browser.rs` does.

import { createServer } from "node:http";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const [, , executablePath, root, shots] = process.argv;
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

const KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
    ".png": "image/png", ".woff2": "font/woff2", ".json": "application/json",
};

const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)).replace(/\/$/, "/index.html");
    try {
        const body = await readFile(join(root, path));
        response.writeHead(200, { "content-type": KINDS[extname(path)] ?? "application/octet-stream" }).end(body);
    } catch {
        response.writeHead(404).end();
    }
});
await new Promise(listening => server.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
    executablePath,
    args: [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--no-first-run",
    ],
});

const pages = (await readdir(root)).filter(name => name.endsWith(".html")).sort();
if (pages.length === 0) throw new Error(`no pages in ${root}`);
if (shots) await mkdir(shots, { recursive: true });

let wrong = 0;
const complain = (where, what) => { wrong += 1; console.log(`${where}: ${what}`); };

for (const width of [360, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
        const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, reducedMotion: "reduce" });
        for (const name of pages) await check(context, name, width, colorScheme);
        await context.close();
    }
}
await browser.close();
server.close();
console.log(`${pages.length} pages, ${wrong} faults`);
process.exitCode = wrong === 0 ? 0 : 1;

async function check(context, name, width, colorScheme) {
    const where = `${name} (${width} px, ${colorScheme})`;
    const page = await context.newPage();
    page.on("console", message => {
        if (["error", "warning"].includes(message.type())) complain(where, `the console says: ${message.text()}`);
    });
    page.on("pageerror", error => complain(where, `a script fails: ${error.message}`));
    page.on("request", request => {
        if (!request.url().startsWith(origin)) complain(where, `asks for ${request.url()}`);
    });
    page.on("response", response => {
        if (response.status() >= 400) complain(where, `${response.status()} for ${response.url()}`);
    });
    await page.goto(`${origin}/${name}`, { waitUntil: "load" });
    // Folds hide what they hold: everything is looked at.
    await page.evaluate(() => {
        for (const fold of document.querySelectorAll("details")) fold.open = true;
        return document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
    });
    const sideways = await page.evaluate(() => {
        const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth;
        if (wide <= 0) return null;
        const limit = document.documentElement.clientWidth;
        const culprit = [...document.querySelectorAll("main *")].find(element =>
            element.getBoundingClientRect().right > limit + 1 && !element.parentElement.closest(".scroll, .table-wrapper"));
        return `${wide} px wider than the screen: ${culprit ? culprit.outerHTML.slice(0, 120) : "something around the text"}`;
    });
    if (sideways) complain(where, sideways);
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of violations) {
        const nodes = violation.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join("\n    ");
        complain(where, `${violation.id}: ${violation.help}, ${violation.nodes.length} times\n    ${nodes}`);
    }
    if (shots && name !== "print.html") await picture(page, join(shots, `${name.replace(".html", "")}-${width}-${colorScheme}`));
    await page.close();
}

/* The first screen, and the whole page in pieces that can be looked at. */
async function picture(page, path) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const { width } = page.viewportSize();
    const step = width < 500 ? 1600 : 1400;
    await page.setViewportSize({ width, height: step });
    for (let top = 0, i = 1; top < height; top += step - 60, i += 1) {
        await page.evaluate(top => window.scrollTo(0, top), top);
        await page.screenshot({ path: `${path}-${i}.png` });
    }
}
