"""What was found: `results.json` for programs, `RESULTS.md` for people, both written here and never by hand, and so are
the figures in the tables of `README.md`.

`figures` maps a stable key such as `search.fashion-mnist.kith.qps_at_95` to a number (null: not reached), `curves` a
key to points of (ef, recall, queries per CPU second), `runs` a section to the run that measured it, `skipped` what
could not be measured to the reason. A run replaces the sections it measures and keeps the others. Beside them stands a
plot of each set's curves.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

import databases
import goals
import plot
import systems
from words import GOALS_NOTES, INTRODUCTION, NOTES, TIME_NOTES, YARDSTICK_NOTES

LEVELS = (90, 95, 99)
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_vpopcntdq", "amx_int8", "asimd")
QPS = tuple(f"qps_at_{level}" for level in LEVELS)
YARDSTICK = (*QPS, "build_cpu_s", "memory_bytes_per_vector")
COLUMNS = (
    *("ef", "default_recall", *QPS, "best_recall", "default_qps"),
    *("first_correct_s", "queries_until_correct", "open_s", "open_cpu_s", "anon_mb_at_open", "file_mb_at_open"),
    *("acknowledged_per_s", "at_rest_per_s", "recall", "queries_per_wall_s", "p50_us", "p99_us", "server_cpu_us"),
    *("in_process_cpu_us", "server_less_in_process_us", "mirror_cpu_us"),
    *("build_cpu_s", "build_wall_s", "memory_bytes_per_vector", "disk_mb", "segments"),
)


def slug(name):
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = dict(re.findall(r"^([^\t\n]+)\t*: (.+)$", text, re.M))
    flags = found.get("flags", found.get("Features", "")).split()
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    return {
        "cpu": found.get("model name", "unknown"),
        "family": f"{found.get('vendor_id', '?')} {found.get('cpu family', '?')}/{found.get('model', '?')}",
        "cores": os.cpu_count(),
        "features": [flag for flag in CPU_FLAGS if flag in flags],
        "memory_gb": round(memory / 2**20, 1),
    }


def commit():
    """The newest, and whether anything but these results was changed since."""
    own = ("benches/RESULTS.md", "benches/results.json", "benches/*.svg", "README.md")
    git = ["git", "-C", pathlib.Path(__file__).resolve().parents[2]]
    name = subprocess.run([*git, "describe", "--always"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ".", *(f":!{file}" for file in own)])
    return name + ("-dirty" if changed.returncode else "")


def run():
    """Where, when, how, and with what."""
    packages = {kind.package for kind in [*systems.LIBRARIES, *databases.DATABASES]} | {"numpy"}
    return {
        "date": datetime.datetime.now().isoformat(sep=" ", timespec="minutes"),
        "commit": commit(),
        "command": "python3 benches/peers/peers.py " + " ".join(sys.argv[1:]),
        "machine": machine(),
        "versions": {package: systems.version(package) for package in sorted(packages)},
        "load_average_before": os.getloadavg()[0],
    }


class Results:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = {"runs": {}, "figures": {}, "curves": {}, "skipped": {}}
        if (self.folder / "results.json").exists():
            self.data = json.loads((self.folder / "results.json").read_text())

    def begin(self, section):
        """Forgets what an earlier run found of a section, and notes this run for it."""
        for part in ("figures", "curves", "skipped"):
            kept = {key: value for key, value in self.data[part].items() if not key.startswith(section + ".")}
            self.data[part] = kept
        self.data["runs"][section] = run()

    def put(self, section, name, **figures):
        for key, value in figures.items():
            value = float(f"{value:.4g}") if isinstance(value, float) else value
            self.data["figures"][f"{section}.{slug(name)}.{key}"] = value

    def curve(self, section, name, points):
        """Points of (ef, recall, queries per CPU second); the levels of recall are read off them."""
        self.data["curves"][f"{section}.{slug(name)}"] = [
            [ef, float(f"{recall:.4f}"), float(f"{rate:.4g}")] for ef, recall, rate in points
        ]
        for level in LEVELS:
            reached = [(rate, ef) for ef, recall, rate in points if recall >= level / 100]
            rate, ef = max(reached, default=(None, None))
            self.put(section, name, **{f"qps_at_{level}": rate, f"ef_at_{level}": ef})
        self.put(section, name, best_recall=max(recall for _, recall, _ in points))

    def skip(self, section, name, reason):
        print(f"SKIPPED: {section}: {name}: {reason}", flush=True)
        self.data["skipped"][f"{section}.{slug(name)}"] = f"{name}: {reason}"

    def save(self):
        text = json.dumps(self.data, indent=1, sort_keys=True)
        # A point of a curve stays on one line.
        text = re.sub(r"\[\s+([^\[\]{}]+?)\s+\]", lambda match: "[" + re.sub(r"\s+", " ", match[1]) + "]", text)
        (self.folder / "results.json").write_text(text + "\n")
        (self.folder / "RESULTS.md").write_text(markdown(self.data))
        readme = self.folder.parent / "README.md"
        if readme.exists():
            readme.write_text(refreshed(readme.read_text(), self.data["figures"]))
        for section in of_kind(self.data, "search"):
            name = section.partition(".")[2]
            picture = plot.svg(name, below(self.data["curves"], section))
            (self.folder / f"search-{name}.svg").write_text(picture)


def of_kind(results, kind):
    return sorted(section for section in results["runs"] if section.split(".")[0] == kind)


def below(entries, section):
    """What stands under a section, by the rest of its key."""
    prefix = section + "."
    return {key[len(prefix) :]: value for key, value in sorted(entries.items()) if key.startswith(prefix)}


def markdown(results):
    text = [INTRODUCTION, "## The yardstick\n", YARDSTICK_NOTES]
    for section in of_kind(results, "search"):
        text += [f"### {section.partition('.')[2]}\n", table(rows(results, section), YARDSTICK)]
    text += ["## The goals\n", GOALS_NOTES, goals.table(results["figures"]), TIME_NOTES]
    for kind, (title, notes) in NOTES.items():
        body = {"search": plotted, "filters": by_share}.get(kind, plain)
        for section in of_kind(results, kind):
            text += [f"## {title}: {section.partition('.')[2]}\n", notes, body(results, section)]
            text += [f"Skipped: {reason}\n" for reason in below(results["skipped"], section).values()]
            text.append(provenance(results["runs"][section]))
    return "\n".join(text)


def rows(results, section):
    """The figures of each system."""
    found = {}
    for key, value in below(results["figures"], section).items():
        name, figure = key.rsplit(".", 1)
        found.setdefault(name, {})[figure] = value
    return found


def plain(results, section):
    """A column for each figure that any system has; settings stand in the JSON only."""
    found = rows(results, section)
    figures = {figure for row in found.values() for figure in row if not figure.startswith("ef_at_")}
    return table(found, sorted(figures, key=column_order))


def column_order(figure):
    """First what matters most."""
    return COLUMNS.index(figure) if figure in COLUMNS else len(COLUMNS), figure


def plotted(results, section):
    name = section.partition(".")[2]
    return f"![Recall against queries per CPU second](search-{name}.svg)\n\n" + plain(results, section)


def by_share(results, section):
    """A table for each share of accepted rows, the largest first."""
    shares = {}
    for name, row in rows(results, section).items():
        for figure, value in row.items():
            if match := re.fullmatch(r"(.+?)_([0-9_]+)pc", figure):
                share = float(match[2].replace("_", "."))
                shares.setdefault(share, {}).setdefault(name, {})[match[1]] = value
    columns = ("qps", "recall", "p50_us", "p99_us")
    return "\n".join(table(shares[share], columns, f"{share:g} % accepted") for share in sorted(shares, reverse=True))


def table(found, columns, corner=""):
    """A row for each system, the fastest first."""
    lines = [f"| {corner} | " + " | ".join(column.replace("_", " ") for column in columns) + " |"]
    lines.append("|---|" + "--:|" * len(columns))
    speed = next((column for column in ("qps_at_95", "qps") if column in columns), None)
    for name in sorted(found, key=lambda name: -(found[name].get(speed) or 0)):
        lines.append(f"| {name} | " + " | ".join(cell(found[name].get(column)) for column in columns) + " |")
    return "\n".join(lines) + "\n"


def refreshed(text, figures):
    """A page with the figures of now in its tables. Above a table a comment names the figure of each column, `*` being
    the system that a row is of: `<!-- figures: search.demo.*.qps_at_95 search.demo.*.build_cpu_s -->`."""
    table = r"(<!-- figures: (.+) -->\n\n\|.+\n\|.+\n)((?:\|.+\n)+)"
    return re.sub(table, lambda match: match[1] + filled(match[2].split(), match[3], figures), text)


def filled(keys, lines, figures):
    names = [line.split("|")[1].strip() for line in lines.splitlines()]
    columns = []
    for key in keys:
        values = [figures.get(key.replace("*", slug(name))) for name in names]
        best = (max if ".qps" in key else min)((value for value in values if value is not None), default=None)
        columns.append([f"**{cell(value)}**" if value == best is not None else cell(value) for value in values])
    return "".join("| " + " | ".join(row) + " |\n" for row in zip(names, *columns))


def cell(value):
    if value is None:
        return "–"
    if isinstance(value, float) and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}" if isinstance(value, (int, float)) else str(value)


def provenance(run):
    machine, versions = run["machine"], run["versions"]
    peers = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return (
        f"{run['date']}, commit {run['commit']}: `{run['command']}` on {machine['cores']} cores of "
        f"{machine['cpu']} ({machine['family']}; {', '.join(machine['features'])}), {machine['memory_gb']} GB, "
        f"load average {run['load_average_before']:.1f} before it began. {peers}.\n"
    )
