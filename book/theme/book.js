"use strict";
// What the pages do besides being read: theme, contents, keys, copying, and the ticks of what is done.
// Everything works on the page itself; nothing is fetched. Without this script the pages can still be read.

/* The search script asks this before it takes a key. */
function mdbook_something_else_has_focus(event) {
    const target = event.composedPath()[0] || event.target;
    return /^(?:input|select|textarea)$/i.test(target.nodeName);
}

(function () {
    const html = document.documentElement;
    const byId = id => document.getElementById(id);
    const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
    const say = text => { byId("said").textContent = text; };
    const keep = {
        read(name) { try { return localStorage.getItem(name); } catch { return null; } },
        write(name, value) { try { localStorage.setItem(name, value); } catch { /* not kept */ } },
    };
    const element = (name, properties) => Object.assign(document.createElement(name), properties);

    // ---- theme: the system's, light, dark -------------------------------------------------------------------------
    function nextTheme() {
        const themes = ["system", "light", "dark"];
        const now = themes.find(theme => html.classList.contains(theme)) || "system";
        const next = themes[(themes.indexOf(now) + 1) % themes.length];
        html.classList.remove(...themes);
        html.classList.add(next);
        keep.write("kith-theme", next);
        say(`Theme: ${next}`);
    }

    // ---- contents: a column on wide screens, a drawer on narrow ones ----------------------------------------------
    const wide = () => window.innerWidth >= 1080;
    function showContents(yes) {
        html.classList.toggle("contents", yes);
        byId("contents-toggle").setAttribute("aria-expanded", yes);
        if (wide()) keep.write("kith-contents", yes ? "visible" : "hidden");
        else if (!yes) byId("contents-toggle").focus();
        else (current || links[0])?.focus();
    }

    // The first page is also index.html, and a server may leave `.html` out.
    const pageOf = link => new URL(link, document.baseURI).pathname.split("/").pop().replace(/\.html$/, "") || "index";
    const here = pageOf(location.href);
    const links = all("#contents a[href]");
    const current = links.find(link => pageOf(link.href) === here);
    if (current) {
        current.setAttribute("aria-current", "page");
        listSections(current);
        const contents = byId("contents");
        contents.scrollTop = current.offsetTop - contents.clientHeight / 3;
    }

    /* The sections of this page, below its line in the contents; the one being read is marked. */
    function listSections(link) {
        const sections = all("main h2[id]");
        if (sections.length < 2) return;
        const list = element("ol", { className: "sections" });
        const marks = new Map();
        for (const section of sections) {
            const entry = element("a", { href: "#" + section.id, textContent: section.textContent });
            const item = element("li", {});
            item.append(entry);
            list.append(item);
            marks.set(section, entry);
        }
        link.closest("li").append(list);
        const mark = () => {
            const read = sections.filter(section => section.getBoundingClientRect().top < innerHeight / 3).pop();
            for (const [section, entry] of marks) entry.classList.toggle("reading", section === read);
        };
        addEventListener("scroll", mark, { passive: true });
        mark();
        list.addEventListener("click", () => { if (!wide()) showContents(false); });
    }

    // ---- what is done ---------------------------------------------------------------------------------------------
    const post = document.querySelector(".post-end");
    const done = new Set((keep.read("kith-done") || "").split(" ").filter(name => name));
    function showDone() {
        for (const link of all("#contents .chapter-link-wrapper a, .posts a")) {
            const tick = link.parentNode.querySelector(":scope > .tick");
            if (done.has(pageOf(link.href)) === Boolean(tick)) continue;
            if (tick) tick.remove();
            else link.after(element("span", { className: "tick", innerHTML: '<span class="unseen">(done)</span>' }));
        }
        if (!post) return;
        const button = post.querySelector("button");
        button.setAttribute("aria-pressed", done.has(here));
        button.textContent = done.has(here) ? "Done" : "Mark this post as done";
    }
    function toggleDone() {
        if (!post) return;
        if (!done.delete(here)) done.add(here);
        keep.write("kith-done", [...done].join(" "));
        showDone();
        say(done.has(here) ? "Marked as done" : "Marked as not done");
    }
    if (post) {
        const button = element("button", { type: "button", className: "plain", title: "d" });
        button.addEventListener("click", toggleDone);
        post.append(button);
    }
    showDone();

    // ---- code: copying only what is to be typed -------------------------------------------------------------------
    const TYPED = { all: ".line", added: "ins.line", commands: ".typed" };
    const typedText = figure => all(TYPED[figure.dataset.copy], figure).map(line => line.textContent).join("");
    async function copy(figure) {
        const button = figure.querySelector("button.copy");
        if (!button) return;
        try {
            await navigator.clipboard.writeText(typedText(figure));
            say("Copied");
            button.textContent = "Copied";
        } catch {
            button.textContent = "Not allowed";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
    }
    for (const figure of all("figure[data-copy]")) {
        const name = figure.querySelector(".scroll").getAttribute("aria-label");
        const button = element("button", { type: "button", className: "copy", textContent: "Copy" });
        button.setAttribute("aria-label", `Copy what is to be typed: ${name}`);
        button.addEventListener("click", () => copy(figure));
        figure.querySelector("figcaption").append(button);
    }

    // Only what scrolls has to be reachable and to be announced as a region, each under a name of its own.
    const areas = all(".scroll, .table-wrapper");
    const names = new Map();
    for (const area of areas) {
        const name = area.getAttribute("aria-label") || "Table";
        const count = (names.get(name) || 0) + 1;
        names.set(name, count);
        area.dataset.name = count > 1 || name === "Table" ? `${name} (${count})` : name;
    }
    function regions() {
        for (const area of areas) {
            const scrolls = area.scrollWidth > area.clientWidth + 1;
            for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", area.dataset.name]]) {
                if (scrolls) area.setAttribute(key, value);
                else area.removeAttribute(key);
            }
        }
    }
    regions();
    addEventListener("resize", regions);
    document.fonts?.ready.then(regions);
    for (const fold of all("details")) fold.addEventListener("toggle", regions);

    function step(by) {
        const figures = all("main figure").filter(figure => figure.offsetParent);
        if (figures.length === 0) return;
        const edge = byId("menu").offsetHeight + 24;
        const tops = figures.map(figure => figure.getBoundingClientRect().top - edge);
        const at = by > 0 ? tops.findIndex(top => top > 8) : tops.findLastIndex(top => top < -8);
        if (at < 0) return;
        figures[at].tabIndex = -1;
        figures[at].focus({ preventScroll: true });
        figures[at].scrollIntoView({ block: "start" });
    }

    // ---- keys -----------------------------------------------------------------------------------------------------
    const go = relation => document.querySelector(`#neighbours a[rel=${relation}]`)?.click();
    const help = byId("help");
    const keys = {
        "?": () => help.showModal(),
        "c": () => showContents(!html.classList.contains("contents")),
        "t": nextTheme,
        "d": toggleDone,
        "n": () => step(1),
        "p": () => step(-1),
        "y": () => { const figure = document.activeElement.closest?.("figure[data-copy]"); if (figure) copy(figure); },
        "ArrowLeft": () => go("prev"),
        "ArrowRight": () => go("next"),
        "Escape": () => { if (!wide() && html.classList.contains("contents")) showContents(false); },
    };
    document.addEventListener("keydown", event => {
        if (event.altKey || event.ctrlKey || event.metaKey || help.open || mdbook_something_else_has_focus(event)) return;
        // In a block that scrolls, the arrows scroll.
        if (event.key.startsWith("Arrow") && event.target.closest?.("[role=region]")) return;
        const act = keys[event.key];
        if (!act) return;
        if (event.key !== "Escape") event.preventDefault();
        act();
    });

    byId("theme-toggle").addEventListener("click", nextTheme);
    byId("help-toggle").addEventListener("click", () => help.showModal());
    byId("contents-toggle").addEventListener("click", () => showContents(!html.classList.contains("contents")));
    byId("contents-toggle").setAttribute("aria-expanded", html.classList.contains("contents"));
    byId("shade").addEventListener("click", () => showContents(false));
    help.addEventListener("click", event => { if (event.target === help) help.close(); });
    // The search script takes this key everywhere else.
    help.addEventListener("keydown", event => { if (event.key === "Escape") { event.stopPropagation(); help.close(); } });

    // A fold that is linked to is opened; on paper all of them are.
    function openTarget() {
        const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
        for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    }
    openTarget();
    addEventListener("hashchange", openTarget);
    addEventListener("beforeprint", () => { for (const fold of all("details")) fold.open = true; });
    if (document.body.classList.contains("print-page")) {
        const button = element("button", { type: "button", className: "plain print-now", textContent: "Print the whole book" });
        button.addEventListener("click", () => print());
        document.querySelector("main").prepend(button);
    }
})();
