"""What was found: `results.json` for programs, `RESULTS.md` for people, both written here and never by hand.

`figures` maps a stable key such as `search.fashion-mnist.kith.qps_at_95` to a number (null: not reached), `curves` a
key to points of (ef, recall, queries per CPU second), `runs` a section to the run that measured it, `skipped` what
could not be measured to the reason. A run replaces the sections it measures and keeps the others.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

import systems

LEVELS = (90, 95, 99)
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_vpopcntdq", "amx_int8", "asimd")
COLUMNS = (
    *("ef", "default_recall", *(f"qps_at_{level}" for level in LEVELS), "default_qps"),
    *("open_s", "open_cpu_s", "first_answer_s", "first_recall", "anon_mb_at_open", "file_mb_at_open"),
    *("acknowledged_per_s", "at_rest_per_s", "recall", "queries_per_wall_s", "p50_us", "p99_us", "server_cpu_us"),
    *("build_cpu_s", "build_wall_s", "disk_mb", "segments"),
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


def run():
    """Where, when, how, and with what."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, cwd=pathlib.Path(__file__).parent).stdout.strip()
    packages = {kind.package for kind in systems.ALL} | {"numpy"}
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "command": "python3 benches/peers/peers.py " + " ".join(sys.argv[1:]),
        "machine": machine(),
        "versions": {package: systems.version(package) for package in sorted(packages)},
        "load_average_before": os.getloadavg()[0],
    }


class Results:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data = {"runs": {}, "figures": {}, "curves": {}, "skipped": {}}
        self.this_run = run()
        if (self.folder / "results.json").exists():
            self.data = json.loads((self.folder / "results.json").read_text())

    def begin(self, section):
        """Forgets what an earlier run found of a section, and notes this run for it."""
        for part in ("figures", "curves", "skipped"):
            kept = {key: value for key, value in self.data[part].items() if not key.startswith(section + ".")}
            self.data[part] = kept
        self.data["runs"][section] = self.this_run

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

    def skip(self, section, name, reason):
        print(f"SKIPPED: {section}: {name}: {reason}", flush=True)
        self.data["skipped"][f"{section}.{slug(name)}"] = f"{name}: {reason}"

    def save(self):
        text = json.dumps(self.data, indent=1, sort_keys=True)
        # A point of a curve stays on one line.
        text = re.sub(r"\[\s+([^\[\]{}]+?)\s+\]", lambda match: "[" + re.sub(r"\s+", " ", match[1]) + "]", text)
        (self.folder / "results.json").write_text(text + "\n")
        (self.folder / "RESULTS.md").write_text(markdown(self.data))


def markdown(results):
    text = [INTRODUCTION]
    for section in sorted(results["runs"], key=lambda section: (order(section), section)):
        kind = section.split(".")[0]
        title, notes = SECTIONS[kind]
        name = section.partition(".")[2]
        text.append(f"## {title}{': ' + name if name else ''}\n")
        text.append(notes + "\n")
        text.append(table(results["figures"], section))
        for key, reason in sorted(results["skipped"].items()):
            if key.startswith(section + "."):
                text.append(f"Skipped: {reason}\n")
        text.append(provenance(results["runs"][section]))
    return "\n".join(text)


INTRODUCTION = """# What was measured

Written by `benches/peers/peers.py`, which says how; the same figures under stable keys are in `results.json`. k = 10,
recall@10 by distance against exact neighbours, one query at a time, one thread. **qps** are queries per *CPU* second.
The machines do other work too: CPU time is far steadier on them than time on the wall, and still varies by a tenth or two.
"""

SECTIONS = {
    "search": (
        "Search and build",
        "Each system's fastest setting that reaches the recall; `–`: none tried does. Builds use 2 threads. Kith is built\n"
        "as its server does it: durable batches, flushes, merges until it is at rest. `kith-fewer-segments`: the same,\n"
        "flushed only when its log is long, not by the size of what is in memory. Graphs have M = 16; ef_construction is\n"
        "200, Kith's default 100.",
    ),
    "filters": (
        "Filters",
        "The fastest setting with recall ≥ 0.98, else the one with the best recall. Accepted are the points numbered\n"
        "below a limit, an arbitrary subset of the images.",
    ),
    "open": (
        "Open and memory",
        "A process opens a collection and answers one query, then all of them. Resident memory in MB, as the system counts\n"
        "it: `anon` is the process's own, `file` are the pages of mapped files it has touched; below, the files' sizes.\n"
        "Points without payloads. The command says how thoroughly the graph was built, which decides the recall, not its size.",
    ),
    "http": (
        "HTTP",
        "The server and its client on the same cores, 784 numbers as JSON in each request, at the setting given. In process:\n"
        "the library on the same files.",
    ),
    "ingest": (
        "Ingest over HTTP",
        "Points are durable (fsync) and searchable, by comparing rows, when they are acknowledged. At rest: in graphs, with\n"
        "nothing left to merge; this includes the 5 s without writes after which the newest points are sealed.",
    ),
}


def order(section):
    return list(SECTIONS).index(section.split(".")[0])


def table(figures, section):
    """A row for each system, a column for each figure that any of them has; settings stand in the JSON only."""
    rows = {}
    for key, value in figures.items():
        if key.startswith(section + "."):
            name, figure = key[len(section) + 1 :].rsplit(".", 1)
            rows.setdefault(name, {})[figure] = value
    columns = {figure for row in rows.values() for figure in row if not figure.startswith("ef_at_")}
    columns = sorted(columns, key=column_order)
    lines = ["| | " + " | ".join(column.replace("_", " ") for column in columns) + " |"]
    lines.append("|---|" + "--:|" * len(columns))
    first = "qps_at_95" if "qps_at_95" in columns else None
    ranked = sorted(rows, key=lambda name: -(rows[name].get(first) or 0) if first else 0)
    for name in ranked:
        cells = [cell(rows[name].get(column)) for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def column_order(figure):
    """First what matters most; by selectivity, the widest filter first."""
    share = re.search(r"_([0-9_]+)pc$", figure)
    place = COLUMNS.index(figure) if figure in COLUMNS else len(COLUMNS)
    return place, -float(share[1].replace("_", ".")) if share else 0.0, figure


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
