"""The texts that the table is fitted on: the items, and the descriptions of Debian's packages."""

import json
import re
import subprocess
from pathlib import Path

import lz4.frame

from items import collect, html_root

DATA = Path(__file__).resolve().parent.parent
# What a question adds around its subject; the fit learns from these that such words mean little.
TEMPLATES = ("how do I {}", "how can I {} in Rust", "what is the way to {}", "{}", "which function can {}", "I want to {}")


def items():
    raw = lz4.frame.decompress((DATA / "items.jsonl.lz4").read_bytes())
    return [json.loads(line) for line in raw.decode().splitlines()]


def words(path: str) -> str:
    """A path as words: std::collections::HashMap::get_mut reads "collections hash map get mut"."""
    path = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", path.removeprefix("std::"))
    return " ".join(re.split(r"[:_ ]+", path)).lower()


def item_text(item) -> str:
    """The text recipe: what of an item is embedded."""
    return f"{words(item['path'])}: {item['summary']}"


def search_text(item) -> str:
    """What of an item is searched by words."""
    return " ".join(filter(None, (item["path"], item_text(item), item["details"], item["example"])))


def question_of(item, i):
    """A summary ("Returns the length.") as somebody might ask for it ("how do I return the length")."""
    first, _, rest = item["summary"].split(". ")[0].rstrip(".").partition(" ")
    verb = first.lower()
    for ending, base in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("s", "")):
        if verb.endswith(ending) and not verb.endswith("is"):
            verb = verb[: -len(ending)] + base
            break
    return TEMPLATES[i % len(TEMPLATES)].format(f"{verb} {rest}".strip())


def explanations(all_items):
    """What the documentation says of each item beyond its summary, with the item's words before it."""
    found = {item["url"]: item["explanation"] for item in collect(html_root() / "std")}
    return [f"{words(item['path'])}: {found[item['url']]}" for item in all_items]


def debian():
    """One line per package of the release whose package lists apt has; numbers of versions and variants left as they are."""
    dump = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True, text=True).stdout
    lines = re.findall(r"^Description(?:-en)?: (.+)$", dump, re.MULTILINE)
    return list(dict.fromkeys(lines))
