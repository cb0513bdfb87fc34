"""The process in which one other system is measured, as `benches/src/main.rs` is for Kith: a command per line of
standard input, as JSON, and an answer per line of standard output. Its argument is the system's name.

    {"do": "build", "base": "base.fbin", "numbers": null}
    {"do": "save", "path": "folder"}
    {"do": "accept", "numbers": "numbers.fbin", "column": 0, "limit": 600}
    {"do": "search", "queries": "queries.fbin", "k": 10, "ef": 64, "passes": 1, "filtered": false, "answers": …}
    {"do": "footprint", "path": "folder", "base": …, "queries": …, "k": 10, "ef": 64, "answers": …}
    {"do": "reopen", "path": "folder", "base": …, "queries": …, "k": 10, "ef": 64, "answers": …}
"""

import ctypes
import gc
import pathlib
import re
import sys
import time

import numpy as np

import data
import systems
from databases import DATABASES
from process import obey

SYSTEMS = {kind.name: kind for kind in [*systems.LIBRARIES, *DATABASES, systems.FlatScan]}
FIRST_ROWS = 1_000  # of which an index is made before memory or opening is measured


class Worker:
    def __init__(self, kind):
        self.kind = kind

    def cpu_seconds(self):
        """Of this process, and of those that work for the system elsewhere."""
        elsewhere = getattr(self.system, "cpu_seconds", float)
        return time.process_time() + elsewhere()

    def build(self, base, numbers):
        rows, self.system = data.read(base), self.kind()
        # Libraries filter by a bitmap, and have nowhere to put the numbers.
        extra = (data.read(numbers).astype(np.int64),) if numbers and self.kind in DATABASES else ()
        wall, cpu = time.monotonic(), self.cpu_seconds()
        self.system.build(rows, *extra)
        return {"cpu_s": self.cpu_seconds() - cpu, "wall_s": time.monotonic() - wall}

    def save(self, path):
        """Bytes of the files, unless the system says which of them are the index's."""
        said = self.system.save(pathlib.Path(path))
        files = (file for file in pathlib.Path(path).rglob("*") if file.is_file())
        return {"disk_bytes": said or sum(file.stat().st_size for file in files)}

    def accept(self, numbers, column, limit):
        self.system.accept(data.Accepted(data.read(numbers), column, limit))
        return {}

    def search(self, queries, k, ef, passes, filtered, answers):
        """CPU seconds of the whole process per query: what a system does in other threads counts too, and in other
        processes. The first query is asked before the clock starts, since some only then take a new `ef` in."""
        queries, latencies = data.read(queries), []
        call = self.system.filtered if filtered else self.system.search
        call(queries[:1], k, ef)
        cpu = self.cpu_seconds()
        for _ in range(passes):
            found = timed(call, queries, k, ef, latencies) if filtered else call(queries, k, ef)
        cpu = self.cpu_seconds() - cpu
        write_answers(answers, found, k)
        p50, p99 = np.percentile(latencies, (50, 99)) if latencies else (None, None)
        return {"cpu_s_per_query": cpu / (passes * len(queries)), "p50_us": p50, "p99_us": p99}

    def footprint(self, path, base, queries, k, ef, answers):
        """Resident bytes beyond those of the same process without the index: both after an index of a few rows was made,
        asked and dropped, so that code and buffers are there already, and with freed memory given back. The queries
        and the answers are there from the beginning."""
        self.rehearse(base, queries, k, ef)
        queries = data.read(queries)
        found = np.full((len(queries), k), -1)
        before = resident()
        self.system = self.kind()
        self.system.load(pathlib.Path(path))
        for row, query in enumerate(systems.one_by_one(queries)):
            ids = self.system.search(query, k, ef)[0]
            found[row, : len(ids)] = ids
        after = resident()
        write_answers(answers, found, k)
        return {"resident_bytes": after - before}

    def reopen(self, path, base, queries, k, ef, answers):
        """Seconds until each of the first queries was answered, from the call that loads the index on. The library is
        loaded, and an index of a few rows was asked, before."""
        self.rehearse(base, queries, k, ef)
        queries, found, times = data.read(queries), [], []
        self.system = self.kind()
        start = time.monotonic()
        self.system.load(pathlib.Path(path))
        opened = time.monotonic() - start
        for query in systems.one_by_one(queries):
            found += self.system.search(query, k, ef)
            times.append(time.monotonic() - start)
        write_answers(answers, found, k)
        return {"open_s": opened, "answered_s": times}

    def rehearse(self, base, queries, k, ef):
        self.system = self.kind()
        self.system.build(data.read(base, rows=FIRST_ROWS))
        self.system.search(data.read(queries, rows=10), k, ef)
        self.system = None


def timed(call, queries, k, ef, latencies):
    """Answers, one call each; appends the microseconds that each took on the wall."""
    found = []
    for query in systems.one_by_one(queries):
        start = time.perf_counter()
        found += call(query, k, ef)
        latencies.append((time.perf_counter() - start) * 1e6)
    return found


def write_answers(path, found, k):
    """As rows of k ids, -1 where one found fewer."""
    rows = np.full((len(found), k), -1, np.int32)
    for row, ids in zip(rows, found):
        row[: len(ids)] = ids
    with open(path, "wb") as file:
        np.array(rows.shape, np.uint32).tofile(file)
        rows.tofile(file)


def resident():
    """RssAnon + RssFile + RssShmem, in bytes, after what was freed is given back where the allocator is glibc's."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = pathlib.Path("/proc/self/status").read_text()
    return sum(int(kilobytes) << 10 for kilobytes in re.findall(r"^Rss\w+:\s+(\d+) kB", status, re.M))


if __name__ == "__main__":
    obey(Worker(SYSTEMS[sys.argv[1]]))
