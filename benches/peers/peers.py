"""How fast is Kith, and how fast are others, on the same files in one run?

    python3 -m venv target/peers && target/peers/bin/pip install -r benches/peers/requirements.txt
    target/peers/bin/python benches/peers/peers.py all               # everything below with its own sets: over three hours
    target/peers/bin/python benches/peers/peers.py search --sets demo                # one section, one set
    target/peers/bin/python benches/peers/peers.py search --sets synthetic --systems SymphonyQG,hnswlib

It compiles Kith, makes the data and the indexes under `target/bench-data`, and writes what it finds into
`benches/RESULTS.md`, `benches/results.json`, `benches/search-SET.svg` and the tables of `README.md`, section by section.
A system that is not installed or fails is named there with the reason; PostgreSQL runs as nobody where root starts it,
and everybody must be able to read the folders for that. It takes Linux, Debian's package
dataset-fashion-mnist for the images, 8 GB of memory and 10 GB of disk; for the synthetic set with all systems three times as much.

| section | measures | its sets | about, on 2 cores |
|---|---|---|---|
| search | recall against queries per CPU second; build; memory; size | fashion-mnist, demo, synthetic | 25 min, synthetic 2 h |
| filters | the same with 30 to 0.1 % of the rows accepted | fashion-mnist | 15 min |
| http | the server's answers at each level of recall, beside other servers' | fashion-mnist | 10 min |
| ingest | how fast the server takes points in | 50,000 x 384 | 3 min |
| open | from the start of a process to the first correct answer | 1,000,000 x 128 | 25 min |
"""

import argparse
import os
import sys

# One thread for the products of numpy too, here and in the processes that are started; set before it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import data
import kith
import report
import searching
import serving

SECTIONS = {
    "search": searching.search,
    "filters": searching.filters,
    "http": serving.over_http,
    "ingest": serving.ingest,
    "open": serving.opening,
}
DEFAULT_SETS = {
    "search": "fashion-mnist,demo,synthetic",
    "filters": "fashion-mnist",
    "http": "fashion-mnist",
    "ingest": "ingest",
    "open": "synthetic",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="+", choices=[*SECTIONS, "all"])
    parser.add_argument("--sets", help="comma-separated: fashion-mnist, demo, synthetic; each has its own")
    parser.add_argument("--systems", type=lambda names: names.split(","), help="only these beside Kith, comma-separated")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the synthetic set, 128 numbers each")
    parser.add_argument("--ef-construct", type=int, default=100, help="of the collection that is opened; less is sooner")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", default=kith.ROOT / "benches", help="folder of the results")
    arguments = parser.parse_args()
    binaries, root = kith.compile(), kith.ROOT / "target" / "bench-data"
    results = report.Results(arguments.out)
    for section in SECTIONS if "all" in arguments.sections else arguments.sections:
        for name in (arguments.sets or DEFAULT_SETS[section]).split(","):
            SECTIONS[section](make(name, root, binaries, arguments), binaries, results, arguments)


def make(name, root, binaries, arguments):
    if name == "fashion-mnist":
        return data.fashion_mnist(root)
    if name == "demo":
        with kith.Engine(binaries[0]) as engine:
            return data.demo(root, engine)
    if name == "synthetic":
        return data.synthetic(root, arguments.rows, 128)
    if name == "ingest":
        return data.synthetic(root, 50_000, 384)
    sys.exit(f"no data set {name!r}")


if __name__ == "__main__":
    main()
