// What do the checks have in common? A folder of pages on 127.0.0.1, and a browser to look at them.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
    ".png": "image/png", ".woff2": "font/woff2", ".json": "application/json",
};

/* Serves the folder as a plain server of files does; an address without a file is answered with 404. */
export async function serve(root) {
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
    return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/* Starts the browser, which is told to keep to itself. */
export function launch(executablePath) {
    const args = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--no-first-run",
    ];
    return chromium.launch({ executablePath, args });
}

/* Counts and prints what is wrong; `end` closes everything, and fails if there was something. */
export function faults() {
    let wrong = 0;
    return {
        add(where, what) { wrong += 1; console.log(`${where}: ${what}`); },
        end(summary) { console.log(`${summary}, ${wrong} faults`); process.exitCode = wrong === 0 ? 0 : 1; },
    };
}
