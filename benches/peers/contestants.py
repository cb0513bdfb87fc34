"""Kith and the others, all measured by the same calls: build, search, footprint, reopen.

`footprint` is what an index keeps in memory, counted in a process of its own that loads the saved index and asks all
queries: RssAnon + RssFile + RssShmem of that process, less the same before the index was loaded, less rows x numbers x
4 bytes for the raw vectors. Before that, the process makes, asks and drops a small index, so that code, buffers and
threads are not counted; the queries and the answers are there from the beginning. It is negative where the vectors are
not kept, or are in mapped files and no query touched all of them.
"""

import shutil
import sys
import time
from dataclasses import dataclass

import numpy as np

import data
import kith
import report
from process import Process

K = 10
WIDTH = 128  # `ef` where memory and opening are measured
WORKER = kith.ROOT / "benches" / "peers" / "worker.py"
FIRST_QUERIES = 100  # of which one should be answered correctly soon after an open
FEW_QUERIES = 500  # for databases


@dataclass
class Found:
    """What asking all queries took, and the ids found for each."""

    cpu_s: float  # per query
    ids: np.ndarray
    p50_us: float | None
    p99_us: float | None


class Peer:
    """Another system."""

    def __init__(self, kind):
        self.name, self.few = kind.name, getattr(kind, "few", False)
        self.worker = self.process()

    def process(self):
        return Process(sys.executable, WORKER, self.name)

    def saved(self, dataset):
        return dataset.path("saved") / report.slug(self.name)

    def build(self, dataset, numbered=False):
        numbers = dataset.path("numbers.fbin") if numbered else None
        built = self.worker.ask(do="build", base=dataset.path("base.fbin"), numbers=numbers)
        return {"build_cpu_s": built["cpu_s"], "build_wall_s": built["wall_s"]}

    def save(self, dataset):
        folder = self.saved(dataset)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return {"disk_mb": self.worker.ask(do="save", path=folder)["disk_bytes"] / 1e6}

    def accept(self, dataset, accepted):
        if accepted is not None:
            numbers = dataset.path("numbers.fbin")
            self.worker.ask(do="accept", numbers=numbers, column=accepted.column, limit=accepted.limit)

    def search(self, dataset, ef, accepted=None, passes=1):
        query = {"queries": dataset.path(dataset.asked), "answers": dataset.path("found.ibin")}
        filtered = accepted is not None
        took = self.worker.ask(do="search", k=K, ef=ef, passes=passes, filtered=filtered, **query)
        return Found(took["cpu_s_per_query"], answers(dataset), took["p50_us"], took["p99_us"])

    def again(self, what, dataset, queries):
        """What a new process says that loads what was saved."""
        files = {"path": self.saved(dataset), "base": dataset.path("base.fbin"), "queries": queries}
        worker = self.process()
        try:
            return worker.ask(do=what, k=K, ef=WIDTH, answers=dataset.path("found.ibin"), **files)
        finally:
            worker.close()

    def footprint(self, dataset):
        """Bytes per vector beyond the raw data."""
        kept = self.again("footprint", dataset, dataset.path(dataset.asked))["resident_bytes"]
        if dataset.recall(answers(dataset), K) < 0.5:
            raise RuntimeError("what was saved and loaded answers wrongly")
        return kept / len(dataset.base) - 4 * dataset.base.shape[1]

    def reopen(self, dataset, cold):
        """Seconds until it was open, and until the first correct answer."""
        first = dataset.some(0, FIRST_QUERIES)
        if cold:
            kith.forget_pages(self.saved(dataset))
        took = self.again("reopen", first, first.path(first.asked))
        return {"open_s": took["open_s"], **first_correct(first, took["answered_s"], answers(first))}

    def close(self):
        self.worker.close()


class Kith:
    """Kith's library."""

    few = False

    def __init__(self, binary, name="kith", **settings):
        self.binary, self.name, self.settings = binary, name, settings
        self.engine = kith.Engine(binary)

    def folder(self, dataset):
        return dataset.path(report.slug(self.name))

    def build(self, dataset, numbered=False):
        numbers = dataset.path("numbers.fbin") if numbered else None
        built = self.engine.build(dataset, self.folder(dataset), numbers=numbers, **self.settings)
        self.built = {"disk_mb": built["disk_bytes"] / 1e6, "segments": len(built["segments"])}
        return {"build_cpu_s": built["at_rest"]["process_cpu_s"], "build_wall_s": built["at_rest"]["wall_s"]}

    def save(self, _dataset):
        """It has been since it was built."""
        return self.built

    def accept(self, _dataset, _accepted):
        """Each query says it."""

    def search(self, dataset, ef, accepted=None, passes=1):
        below = None if accepted is None else {"column": accepted.column, "limit": accepted.limit}
        took, found = self.engine.search(dataset, K, ef, below, passes)
        seconds = took["elapsed"]["thread_cpu_s"] / took["queries"]
        return Found(seconds, found, took["p50_us"], took["p99_us"])

    def footprint(self, dataset):
        """Bytes per vector beyond the raw data."""
        small = small_collection(dataset, self.binary)
        with kith.Engine(self.binary) as engine:
            engine.ask(do="open", dir=small)
            engine.search(dataset.some(0, FIRST_QUERIES), K, WIDTH)
            engine.ask(do="close")
            before = engine.ask(do="resident")["VmRSS"]
            engine.ask(do="open", dir=self.folder(dataset))
            for start in range(0, len(dataset.queries), 1_000):
                engine.search(dataset.some(start, start + 1_000), K, WIDTH)
            kept = engine.ask(do="resident")["VmRSS"] - before
        return kept / len(dataset.base) - 4 * dataset.base.shape[1]

    def reopen(self, dataset, cold):
        """Seconds from the start of the process until it was open, and until the first correct answer at the default
        settings; and what is resident at the open and after all queries."""
        first = dataset.some(0, FIRST_QUERIES)
        singles = [dataset.some(row, row + 1) for row in range(len(first.queries))]
        if cold:
            kith.forget_pages(self.folder(dataset))
        found, times = [], []
        start = time.monotonic()
        with kith.Engine(self.binary) as engine:
            opened = engine.ask(do="open", dir=self.folder(dataset))
            took = {"open_s": time.monotonic() - start, "open_cpu_s": opened["process_cpu_s"]}
            took |= megabytes(engine, "at_open")
            for single in singles:
                found.append(engine.search(single, K)[1][0])
                times.append(time.monotonic() - start)
            recall = dataset.recall(engine.search(dataset, K)[1], K)
            took |= megabytes(engine, "after_all_queries")
        return {**took, **first_correct(first, times, np.array(found)), "recall": recall}

    def close(self):
        self.engine.close()


def megabytes(engine, when):
    """What of the process is resident: its own, and the pages of mapped files it has touched."""
    resident = engine.ask(do="resident")
    return {f"anon_mb_{when}": resident["RssAnon"] / 1e6, f"file_mb_{when}": resident["RssFile"] / 1e6}


def answers(dataset):
    return data.read(dataset.path("found.ibin"), np.int32)


def small_collection(dataset, binary):
    """The folder of a collection of the first rows, all of them in a graph."""
    folder = dataset.path("small")
    rows = data.DataSet(dataset.name, dataset.metric, folder, dataset.base[:1_000], dataset.queries)
    folder.mkdir(exist_ok=True)
    data.write(folder / "base.fbin", rows.base)
    with kith.Engine(binary) as engine:
        engine.build(rows, folder / "kith", indexing_threshold=100)
    return folder / "kith"


def first_correct(dataset, seconds, found):
    """When the first answer came whose recall is 1, and how many were asked for it."""
    correct = np.flatnonzero(dataset.hits(found, K) == K)
    if not len(correct):
        return {"first_correct_s": None, "queries_until_correct": None}
    return {"first_correct_s": seconds[correct[0]], "queries_until_correct": int(correct[0]) + 1}
