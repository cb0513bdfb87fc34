"""How fast is Kith, and how fast are others, on the same files in one run?

    python3 -m venv target/peers && target/peers/bin/pip install -r benches/peers/requirements.txt
    target/peers/bin/python benches/peers/peers.py search            # fashion-mnist and the demo's data: 10 minutes
    target/peers/bin/python benches/peers/peers.py open filters http ingest          # opens 1,000,000 x 128
    target/peers/bin/python benches/peers/peers.py search --sets synthetic           # 1,000,000 x 128: an hour

It compiles Kith, makes the data under `target/bench-data`, and writes what it finds into `benches/RESULTS.md` and
`benches/results.json`, section by section. A system that is not installed is named there as skipped. The images are
Debian's package dataset-fashion-mnist; Linux only.
"""

import argparse
import os
import statistics
import sys
import time

# One thread for the products of numpy too; set before it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", os.environ.get("BLAS_THREADS", "1"))

import numpy as np

import data
import kith
import report
import systems

K = 10
EFS = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
ENOUGH, GAIN = 0.995, 0.0005  # nothing wider is tried once a system's recall is there, or grows by less than that
SHARES = (0.3, 0.05, 0.01, 0.001)
LEAST_QUERIES = 5_000  # fewer are asked several times over, for the clock's sake


class Peer:
    """A system in this process."""

    def __init__(self, system):
        self.system, self.name = system, system.name

    def build(self, dataset):
        wall, cpu = time.monotonic(), time.process_time()
        self.system.build(dataset.base)
        spent = {"build_cpu_s": time.process_time() - cpu, "build_wall_s": time.monotonic() - wall}
        return {**spent, "disk_mb": systems.bytes_on_disk(self.system) / 1e6}

    def search(self, dataset, ef, accepted, passes):
        """CPU seconds per query, and the ids found."""
        limited = () if accepted is None else (accepted,)
        call = self.system.search if accepted is None else self.system.filtered
        start = time.thread_time()
        for _ in range(passes):
            answers = call(dataset.queries, K, ef, *limited)
        seconds = time.thread_time() - start
        found = np.full((len(answers), K), -1, np.int64)
        for row, ids in zip(found, answers):
            row[: len(ids)] = ids
        return seconds / (passes * len(answers)), found


class Kith:
    """Kith's library, in a process of its own."""

    def __init__(self, engine, name="kith", numbered=False, **settings):
        self.engine, self.name, self.numbered, self.settings = engine, name, numbered, settings

    def folder(self, dataset):
        return dataset.path(report.slug(self.name))

    def build(self, dataset):
        built = self.engine.build(dataset, self.folder(dataset), self.numbered, **self.settings)
        spent = {"build_cpu_s": built["at_rest"]["process_cpu_s"], "build_wall_s": built["at_rest"]["wall_s"]}
        return {**spent, "disk_mb": built["disk_bytes"] / 1e6, "segments": len(built["segments"])}

    def search(self, dataset, ef, accepted, passes):
        took, found = self.engine.search(dataset, K, ef, accepted, passes)
        return took["elapsed"]["thread_cpu_s"] / took["queries"], found.astype(np.int64)


def curves(dataset, contestants, rounds, accepted=None):
    """Points of (ef, recall, queries per CPU second) by contestant: in every round all take their turn; the median of
    the rounds counts."""
    times, recalls = {}, {}
    passes = max(1, -(-LEAST_QUERIES // len(dataset.queries)))
    passes = passes if accepted is None else 1
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", flush=True)
        for contestant in contestants:
            before = 0.0
            for ef in EFS:
                key = contestant.name, ef
                if number > 0 and key not in times:
                    break
                seconds, found = contestant.search(dataset, ef, accepted, passes)
                times.setdefault(key, []).append(seconds)
                if number == 0:
                    recalls[key] = dataset.recall(found, K, accepted)
                    print(f"  {contestant.name:20} ef {ef:4} recall {recalls[key]:.4f} {1 / seconds:9,.0f}/s", flush=True)
                    if recalls[key] >= ENOUGH or recalls[key] < before + GAIN:
                        break
                    before = recalls[key]
    found = {contestant.name: [] for contestant in contestants}
    for (name, ef), seconds in times.items():
        found[name].append((ef, recalls[name, ef], 1 / statistics.median(seconds)))
    return found


def search(dataset, binaries, results, arguments):
    """Recall, speed, build and size, of everything that is installed."""
    section = f"search.{dataset.name}"
    results.begin(section)
    there, missing = systems.available()
    for name in missing:
        results.skip(section, name, "not installed")
    with kith.Engine(binaries[0]) as first, kith.Engine(binaries[0]) as second:
        fewer = Kith(second, "kith, fewer segments", flush_bytes=1 << 40)
        contestants = [Kith(first), fewer, *map(Peer, there)]
        for contestant in contestants:
            print(f"{section}: building {contestant.name}", flush=True)
            results.put(section, contestant.name, **contestant.build(dataset))
        for name, points in curves(dataset, contestants, arguments.rounds).items():
            results.curve(section, name, points)
        for contestant in contestants[:2]:
            seconds, found = contestant.search(dataset, None, None, 1)
            recall = dataset.recall(found, K)
            results.put(section, contestant.name, default_recall=recall, default_qps=1 / seconds)
            print(f"  {contestant.name} at its default settings: recall {recall:.4f}", flush=True)
    results.save()


def opening(dataset, binaries, results, arguments):
    """How long an open takes until the first answer, and what is resident then. A graph that was built in haste has the
    size of a good one, and answers worse."""
    section = f"open.{dataset.name}"
    folder = dataset.path(f"to-open-{arguments.ef_construct}")
    if not folder.exists():
        with kith.Engine(binaries[0]) as engine:
            print(f"{section}: building", flush=True)
            engine.build(dataset, folder, hnsw={"m": 16, "ef_construct": arguments.ef_construct})
    results.begin(section)
    one = dataset.path("one.fbin")
    data.write(one, dataset.queries[:1])
    for name, cold in (("warm", False), ("cold", True)):
        if cold:
            kith.forget_pages(folder)
        start = time.monotonic()
        with kith.Engine(binaries[0]) as engine:
            opened = engine.ask(do="open", dir=folder)
            at_open = engine.ask(do="resident")
            _, found = engine.search(dataset, K, queries=one)
            first = time.monotonic() - start
            _, all_found = engine.search(dataset, K)
            after = engine.ask(do="resident")
        results.put(section, name, open_s=opened["wall_s"], open_cpu_s=opened["process_cpu_s"], first_answer_s=first)
        results.put(section, name, first_recall=dataset.recall(found, K), recall=dataset.recall(all_found, K))
        for when, resident in (("at_open", at_open), ("after_all_queries", after)):
            figures = {f"{kind}_mb_{when}": resident[key] / 1e6 for kind, key in (("anon", "RssAnon"), ("file", "RssFile"))}
            results.put(section, name, **figures)
    results.put(section, "files", **{f"{kind}_mb": size / 1e6 for kind, size in kith.files(folder).items()})
    results.save()


def filters(dataset, binaries, results, arguments):
    """Recall and speed where only a part of the points is accepted."""
    queries = dataset.queries[:1_000]
    folder = dataset.folder / "filtered"
    folder.mkdir(exist_ok=True)
    data.write(folder / "base.fbin", dataset.base)
    data.write(folder / "queries.fbin", queries)
    dataset = data.DataSet(dataset.name, dataset.metric, folder, dataset.base, queries)
    section = f"filters.{dataset.name}"
    results.begin(section)
    there, missing = systems.available([systems.Faiss, systems.FlatScan])
    for name in missing:
        results.skip(section, name, "not installed")
    with kith.Engine(binaries[0]) as engine:
        contestants = [Kith(engine, numbered=True), *(Peer(system) for system in there)]
        for contestant in contestants:
            print(f"{section}: building {contestant.name}", flush=True)
            (contestant.system.build(dataset.base) if isinstance(contestant, Peer) else contestant.build(dataset))
        for share in SHARES:
            accepted = int(share * len(dataset.base))
            for name, points in curves(dataset, contestants, arguments.rounds, accepted).items():
                good = [point for point in points if point[1] >= 0.98] or [max(points, key=lambda point: point[1])]
                ef, recall, rate = max(good, key=lambda point: point[2])
                percent = f"{share * 100:g}".replace(".", "_")
                figures = {f"recall_{percent}pc": recall, f"qps_{percent}pc": rate, f"ef_at_{percent}pc": ef}
                results.put(section, name, **figures)
    results.save()


def over_http(dataset, binaries, results, _arguments):
    """The server's answers: how fast, how late, at what cost beyond the search itself."""
    section = f"http.{dataset.name}"
    results.begin(section)
    folder = dataset.path("served")
    found, ef = dataset.path("found.ibin"), 64
    kith.shutil.rmtree(folder, ignore_errors=True)
    with kith.Engine(binaries[0]) as engine, kith.Server(binaries[1], folder) as server:
        fill(server, engine, dataset)
        server.wait_until_indexed(dataset.name, len(dataset.base))
        for connections in (1, 8):
            target = {"address": server.address, "collection": dataset.name, "connections": connections}
            query = {"queries": dataset.path("queries.fbin"), "k": K, "ef": ef, "answers": found}
            cpu = server.cpu_seconds()
            took = engine.ask(do="http_search", target=target, **query)
            cpu = server.cpu_seconds() - cpu
            recall = dataset.recall(data.read(found, np.uint32), K)
            results.put(
                section,
                f"{connections} connections",
                ef=ef,
                recall=recall,
                queries_per_wall_s=took["requests"] / took["elapsed"]["wall_s"],
                p50_us=took["p50_us"],
                p99_us=took["p99_us"],
                server_cpu_us=cpu / took["requests"] * 1e6,
            )
    with kith.Engine(binaries[0]) as engine:
        engine.ask(do="open", dir=folder / "collections" / dataset.name)
        took, answers = engine.search(dataset, K, ef)
        recall, cpu = dataset.recall(answers, K), took["elapsed"]["thread_cpu_s"] / took["queries"] * 1e6
        times = {key: took[key] for key in ("p50_us", "p99_us")}
        results.put(section, "in process", ef=ef, recall=recall, **times, server_cpu_us=cpu)
    results.save()


def fill(server, engine, dataset, connections=4, batch=100):
    """Puts the set's rows into a collection of its name; what the client saw."""
    vectors = {"size": dataset.base.shape[1], "distance": dataset.metric}
    server.request("PUT", f"/collections/{dataset.name}", {"vectors": vectors})
    target = {"address": server.address, "collection": dataset.name, "connections": connections}
    return engine.ask(do="http_ingest", target=target, base=dataset.path("base.fbin"), batch=batch)


def ingest(dataset, binaries, results, _arguments):
    """How fast points are taken in over HTTP."""
    section = f"ingest.{dataset.name}"
    results.begin(section)
    folder = dataset.path("served")
    for connections, batch in ((1, 100), (4, 100), (4, 1_000)):
        kith.shutil.rmtree(folder, ignore_errors=True)
        with kith.Engine(binaries[0]) as engine, kith.Server(binaries[1], folder) as server:
            took = fill(server, engine, dataset, connections, batch)
            start, cpu = time.monotonic(), server.cpu_seconds()
            server.wait_until_indexed(dataset.name, len(dataset.base))
            rest = took["elapsed"]["wall_s"] + time.monotonic() - start
            results.put(
                section,
                f"{connections} connections, batches of {batch}",
                acknowledged_per_s=len(dataset.base) / took["elapsed"]["wall_s"],
                p50_ms=took["p50_us"] / 1e3,
                p99_ms=took["p99_us"] / 1e3,
                server_cpu_s_acknowledged=cpu,
                at_rest_per_s=len(dataset.base) / rest,
                server_cpu_s_at_rest=server.cpu_seconds(),
            )
    results.save()


SECTIONS = {"search": search, "open": opening, "filters": filters, "http": over_http, "ingest": ingest}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="+", choices=SECTIONS)
    parser.add_argument("--sets", help="comma-separated: fashion-mnist, demo, synthetic; each section has its own default")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the synthetic set, 128 numbers each")
    parser.add_argument("--ef-construct", type=int, default=100, help="of the collection that is opened; less is sooner")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", default=kith.ROOT / "benches", help="folder of the results")
    arguments = parser.parse_args()
    binaries, root = kith.compile(), kith.ROOT / "target" / "bench-data"
    results = report.Results(arguments.out)
    for section in arguments.sections:
        for name in (arguments.sets or DEFAULT_SETS[section]).split(","):
            SECTIONS[section](make(name, root, binaries, arguments), binaries, results, arguments)


DEFAULT_SETS = {
    "search": "fashion-mnist,demo",
    "open": "synthetic",
    "filters": "fashion-mnist",
    "http": "fashion-mnist",
    "ingest": "ingest",
}


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
