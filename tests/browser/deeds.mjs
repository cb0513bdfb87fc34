// Do the pages do what they should when somebody uses them? `node deeds.mjs CHROMIUM HTML`, where HTML is the built
// fixture: a page with one of everything, and pages around it.

import assert from "node:assert/strict";
import { launch, serve } from "./browser.mjs";

const [, , executable, root] = process.argv;
const server = await serve(root);
const browser = await launch(executable);
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", colorScheme: "light" });
// A machine that compiles at the same time is slow.
context.setDefaultTimeout(120_000);
await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
const page = await context.newPage();
const open = name => page.goto(`${server.origin}/${name}`);
const copied = async caption => {
    await page.locator("figure[data-copy]", { hasText: caption }).first().getByRole("button").click();
    await page.waitForFunction(() => document.getElementById("said").textContent === "Copied");
    await page.evaluate(() => { document.getElementById("said").textContent = ""; });
    return page.evaluate(() => navigator.clipboard.readText());
};
const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

const deeds = {
    async "copies only what is to be typed"() {
        await open("03-everything.html");
        const added = await copied("Cargo.toml");
        assert.equal(added, 'serde = { version = "1.0.229", features = ["derive", "rc"] }\nserde_json = "1.0.154" # payloads are JSON\n');
        const whole = await copied("try it, then undo");
        assert.ok(whole.startsWith("fn main() {\n    let name") && whole.endsWith("}\n"), whole);
        const commands = await copied("a_new_collection_is_empty");
        assert.ok(commands.startsWith("cargo run\ncurl -s -X PUT"), commands);
        assert.ok(commands.endsWith("cargo test\n") && !commands.includes("listening"), commands);
    },

    async "remembers what is done"() {
        await open("03-everything.html");
        assert.equal(await page.locator("#contents .tick").count(), 0);
        await page.keyboard.press("d");
        assert.equal(await page.locator("#contents .tick").count(), 1);
        await open("index.html");
        assert.equal(await page.locator("#contents .tick").count(), 1);
        assert.equal(await page.locator(".posts .tick").count(), 1);
        await open("03-everything.html");
        await page.getByRole("button", { name: "Done" }).click();
        assert.equal(await page.locator("#contents .tick").count(), 0);
    },

    async "changes the theme, and keeps it"() {
        await open("04-short.html");
        const light = await background();
        await page.keyboard.press("t");
        await page.keyboard.press("t");
        const dark = await background();
        assert.notEqual(dark, light);
        await page.reload();
        assert.equal(await background(), dark);
        await page.keyboard.press("t");
        assert.equal(await background(), light);
    },

    async "goes on and back by keys"() {
        await open("index.html");
        await page.keyboard.press("ArrowRight");
        await page.waitForURL("**/03-everything.html");
        await page.keyboard.press("ArrowRight");
        await page.waitForURL("**/04-short.html");
        await page.keyboard.press("ArrowLeft");
        await page.waitForURL("**/03-everything.html");
        await page.keyboard.press("n");
        assert.equal(await page.evaluate(() => document.activeElement.tagName), "FIGURE");
    },

    async "finds words"() {
        await open("index.html");
        await page.keyboard.press("/");
        await page.locator("#mdbook-searchbar").pressSequentially("ownership");
        await page.locator("#mdbook-searchresults li").first().waitFor();
        await page.keyboard.press("Enter");
        await page.waitForURL("**/03-everything.html?highlight=ownership*");
        assert.ok(await page.locator("mark").count() > 0);
    },

    async "shows its keys"() {
        await open("04-short.html");
        await page.keyboard.press("?");
        assert.ok(await page.locator("#help").isVisible());
        await page.keyboard.press("Escape");
        assert.ok(!await page.locator("#help").isVisible());
    },

    async "keeps the contents in a drawer on a phone"() {
        await page.setViewportSize({ width: 360, height: 700 });
        await open("03-everything.html");
        const contents = page.locator("#contents");
        assert.ok(!await contents.isVisible());
        await page.getByRole("button", { name: "Contents" }).click();
        assert.ok(await contents.isVisible());
        assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-current")), "page");
        await page.keyboard.press("Escape");
        assert.ok(!await contents.isVisible());
        await page.setViewportSize({ width: 1280, height: 800 });
    },

    async "reaches by tab what scrolls, and only that"() {
        await page.setViewportSize({ width: 360, height: 700 });
        await open("03-everything.html");
        const areas = await page.evaluate(() => [...document.querySelectorAll(".scroll")].filter(area => area.offsetParent).map(area => ({
            scrolls: area.scrollWidth > area.clientWidth + 1,
            reached: area.tabIndex === 0 && area.getAttribute("role") === "region",
        })));
        assert.ok(areas.some(area => area.scrolls) && areas.some(area => !area.scrolls));
        for (const area of areas) assert.equal(area.reached, area.scrolls);
        await page.setViewportSize({ width: 1280, height: 800 });
    },
};

for (const [name, deed] of Object.entries(deeds)) {
    try {
        await deed();
    } catch (error) {
        process.exitCode = 1;
        console.log(`${name}: ${error.stack}`);
    }
}
await browser.close();
server.close();
console.log(`${Object.keys(deeds).length} deeds`);
