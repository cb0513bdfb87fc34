"""Turns the installed documentation of Rust's standard library into items.jsonl.lz4.

    python items.py            reads "$(rustc --print sysroot)/share/doc/rust/html/std"

One line per documented module, type, trait, function, macro, primitive, keyword, constant and method, sorted by path.
"""

import json
import re
import subprocess
from pathlib import Path

import lz4.frame
import lxml.html

DATA = Path(__file__).resolve().parent.parent
# Compiler internals, CPU intrinsics, second addresses, and unstable twins of what is there already.
SKIPPED = ("arch/", "autodiff/", "intrinsics/", "prelude/", "simd/", "os/", "range/", "sync/nonpoison/")
TWINS = re.compile(r"(^|/)(primitive\.)?(f16|f128)(/|\.html)")
PAGE = re.compile(r"^(attr|constant|enum|fn|keyword|macro|primitive|static|struct|trait|type|union)\.(.+)\.html$")
# Sections inside a page that belong to the page's own item, as opposed to a trait it implements or derefs to.
OWN = "//*[@id='implementations-list']//section | //div[@class='methods']/details//section"
DETAILS, EXAMPLE = 300, 200  # characters
MEMBERS = {"method": "method", "tymethod": "method", "associatedconstant": "constant"}


def html_root() -> Path:
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    return Path(sysroot) / "share/doc/rust/html"


def plain(element) -> str:
    """The text of an element on one line, without rustdoc's buttons and line-break hints; 2<sup>31</sup> reads 2^31."""
    for raised in element.xpath(".//sup[not(starts-with(text(), '^'))]"):
        raised.text = "^" + (raised.text or "")
    for part in element.xpath(".//div[contains(@class, 'where')]"):
        part.text = " " + (part.text or "")
    return " ".join(element.text_content().replace("\u200b", "").replace("ⓘ", " ").replace("§", " ").split())


def first(element, path):
    found = element.xpath(path)
    return found[0] if found else None


def since_of(element):
    mark = first(element, ".//span[@class='since']")
    found = re.match(r"\d+\.\d+\.\d+", mark.text_content()) if mark is not None else None
    return found.group() if found else None


def summary_of(docblock) -> str:
    paragraph = first(docblock, "./p") if docblock is not None else None
    return plain(paragraph) if paragraph is not None else ""


def explanation_of(docblock) -> str:
    """The paragraphs and lists before the first heading that follows them: what the item is, without its examples."""
    found = []
    for part in docblock if docblock is not None else ():
        if part.tag in ("h2", "h3", "h4", "h5", "h6") and found:
            break
        if part.tag in ("p", "ul"):
            found.append(plain(part))
    return " ".join(found)[:700]


def details_of(docblock):
    """The paragraphs and lists after the summary, with whatever heading and without code, up to a word's end."""
    parts = docblock.xpath(".//*[self::p or self::ul or self::ol][not(ancestor::ul or ancestor::ol)]") if docblock is not None else ()
    text = " ".join(plain(part) for part in parts[1:])
    return (text if len(text) <= DETAILS else text[:DETAILS].rpartition(" ")[0]) or None


def example_of(docblock):
    """The beginning of the first example, up to a line's end."""
    code = first(docblock, ".//div[contains(@class, 'example-wrap')]//pre") if docblock is not None else None
    text = code.text_content().strip("\n") if code is not None else ""
    return (text if len(text) <= EXAMPLE else text[:EXAMPLE].rpartition("\n")[0]) or None


def signature_of(element, kind):
    """What is declared; of a body in braces only the fact that it is there."""
    if element is None:
        return None
    text = plain(element)
    if kind in ("trait", "struct", "enum", "union"):
        text = text.split("{")[0].rstrip()
    return text


def page_item(main, relative: Path):
    module = "::".join(("std",) + relative.parent.parts)
    found = PAGE.match(relative.name)
    kind, name = found.groups() if found else ("module", None)
    if kind == "module":
        path, module = module, module.rpartition("::")[0] or "std"
    elif kind in ("primitive", "keyword", "attr"):
        path = name
    else:
        path = f"{module}::{name}"
    head = first(main, "./div[@class='main-heading']")
    doc = first(main, "./details[contains(@class, 'top-doc')]/div[@class='docblock']")
    unstable = first(main, "./span[@class='item-info']/div[contains(@class, 'unstable')]") is not None
    return {
        "path": path,
        "kind": "attribute" if kind == "attr" else kind,
        "module": module,
        "since": since_of(head),
        "stable": not unstable,
        "signature": signature_of(first(main, "./pre[contains(@class, 'item-decl')]"), kind),
        "summary": summary_of(doc),
        "details": details_of(doc),
        "example": example_of(doc),
        "url": relative.as_posix(),
        "explanation": explanation_of(doc),
    }


def members(main, page):
    """The methods and constants of a page's own item."""
    for section in main.xpath(OWN):
        anchor = section.get("id", "")
        kind, _, name = anchor.partition(".")
        if kind not in MEMBERS or "trait-impl" in section.get("class", ""):
            continue
        details = section.getparent().getparent()
        doc = first(details, "./div[@class='docblock']") if details.tag == "details" else None
        info = first(details, ".//span[@class='item-info']/div[contains(@class, 'unstable')]")
        stable = page["stable"] and info is None
        yield {
            "path": f"{page['path']}::{re.sub(r'-[0-9]+$', '', name)}",
            "kind": MEMBERS[kind],
            "module": page["module"],
            "since": since_of(section) or (page["since"] if stable else None),
            "stable": stable,
            "signature": signature_of(first(section, ".//*[@class='code-header']"), kind),
            "summary": summary_of(doc),
            "details": details_of(doc),
            "example": example_of(doc),
            "url": f"{page['url']}#{anchor}",
            "explanation": explanation_of(doc),
        }


def items_of(html: Path, relative: Path):
    main = lxml.html.parse(str(html / relative)).getroot().get_element_by_id("main-content", None)
    if main is None or first(main, "./div[@class='main-heading']") is None:
        return  # a redirect
    page = page_item(main, relative)
    source = first(main, "./div[@class='main-heading']//a[@class='src']")
    declared = source.get("href").lstrip("./") if source is not None else page["url"]
    key = (page["kind"], page["path"].rpartition("::")[2], declared)
    yield key, page
    for member in members(main, page):
        yield (*key, member["url"].partition("#")[2]), member


def collect(html: Path):
    """Every item that has a summary, once, under its shortest path; with its explanation, which only the fit reads."""
    best = {}
    for file in sorted(html.rglob("*.html")):
        relative = file.relative_to(html)
        name = relative.name
        skipped = relative.as_posix().startswith(SKIPPED) or TWINS.search(relative.as_posix())
        if skipped or not (name == "index.html" or PAGE.match(name)):
            continue
        for key, item in items_of(html, relative):
            rank = (item["path"].count("::"), item["path"])
            if item["summary"] and (key not in best or rank < best[key][0]):
                best[key] = (rank, item)
    unique = {}
    for _, item in best.values():
        unique.setdefault((item["path"], item["kind"]), item)
    return [unique[key] for key in sorted(unique)]


def main():
    items = collect(html_root() / "std")
    for item in items:
        del item["explanation"]
    lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
    packed = lz4.frame.compress(lines.encode(), compression_level=12, content_checksum=True)
    (DATA / "items.jsonl.lz4").write_bytes(packed)
    print(f"{len(items)} items, {len(lines)} characters, {len(packed)} bytes packed")


if __name__ == "__main__":
    main()
