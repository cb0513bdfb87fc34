"""What is searched: data sets, their queries, and the exact neighbours of each query.

A set is made once, into a folder, as files that every system reads: `base.fbin`, `queries.fbin` (two u32, rows and
numbers per row, then f32, little-endian). Exact neighbours come from comparing every row, in 64-bit floats.
"""

import dataclasses
import gzip
import pathlib
from dataclasses import dataclass

import numpy as np

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class Accepted:
    """The rows whose number is below a limit. Each row has a number in each column: its own place in column 0, its
    place in a fixed random order in column 1."""

    numbers: np.ndarray
    column: int
    limit: int

    @property
    def mask(self):
        return self.numbers[:, self.column] < self.limit


@dataclass
class DataSet:
    """Rows, queries, and where they lie."""

    name: str
    metric: str  # as Kith calls it; the rows of a cosine set have length 1, so that L2 gives the same order
    folder: pathlib.Path
    base: np.ndarray
    queries: np.ndarray
    asked: str = "queries.fbin"

    def path(self, name):
        return self.folder / name

    def some(self, start, stop):
        """The same rows with only some of the queries."""
        name, queries = f"queries-{start}-{stop}.fbin", self.queries[start:stop]
        write(self.path(name), queries)
        return dataclasses.replace(self, queries=queries, asked=name)

    def numbers(self):
        """What rows are filtered by, as `Accepted` has it; also in the file `numbers.fbin`, where f32 holds them all."""
        places = np.arange(len(self.base))
        numbers = np.stack([places, np.random.default_rng(30).permutation(places)], axis=1)
        write(self.path("numbers.fbin"), numbers)
        return numbers

    def exact(self, k, accepted=None):
        """The distance of the k-th nearest row of each query, among the accepted rows; as far as one wants where there
        are fewer than k."""
        which = "all" if accepted is None else f"{accepted.column}-{accepted.limit}"
        cache = self.folder / f"exact-{k}-{which}-{pathlib.Path(self.asked).stem}.npy"
        if not cache.exists():
            base = self.base if accepted is None else self.base[accepted.mask]
            np.save(cache, kth_distances(base, self.queries, min(k, len(base))))
        return np.load(cache)

    def hits(self, found, k, accepted=None):
        """How many of the k answers to each query are as near as the k-th exact one: of rows at one distance any is
        right. A row that comes twice, or was not accepted, counts for nothing. Answers may be of the first queries
        only."""
        mask = np.ones(len(self.base), bool) if accepted is None else accepted.mask
        counts = []
        for query, ids, limit in zip(self.queries, found[:, :k].astype(np.int64), self.exact(k, accepted)):
            ids = np.unique(ids)
            ids = ids[(ids >= 0) & (ids < len(mask))]
            ids = ids[mask[ids]]
            distances = ((self.base[ids].astype(np.float64) - query) ** 2).sum(axis=1)
            counts.append(int((distances <= limit * (1 + 1e-6) + 1e-9).sum()))
        return np.array(counts)

    def recall(self, found, k, accepted=None):
        """The share of the k nearest (of all accepted, where they are fewer) that was found."""
        there = len(self.base) if accepted is None else int(accepted.mask.sum())
        return float(self.hits(found, k, accepted).mean()) / min(k, there)


def kth_distances(base, queries, k):
    """Squared L2 to the k-th nearest row, from the few nearest by matrix product, looked at again exactly."""
    squares = (base.astype(np.float64) ** 2).sum(axis=1).astype(np.float32)
    result = np.empty(len(queries))
    step = max(1, min(500, 200_000_000 // len(base)))
    for start in range(0, len(queries), step):
        some = queries[start : start + step]
        rough = squares - 2 * (some @ base.T)
        near = np.argpartition(rough, min(4 * k, len(base) - 1), axis=1)[:, : 4 * k]
        for index, (query, rows) in enumerate(zip(some, near)):
            exact = ((base[rows].astype(np.float64) - query) ** 2).sum(axis=1)
            result[start + index] = np.partition(exact, k - 1)[k - 1]
    return result


def read(path, kind=np.float32, rows=None):
    """The matrix in a file, or its first rows."""
    there, width = (int(number) for number in np.fromfile(path, np.uint32, 2))
    rows = there if rows is None else min(rows, there)
    return np.fromfile(path, kind, rows * width, offset=8).reshape(rows, width)


def write(path, matrix):
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        np.array(matrix.shape, np.uint32).tofile(file)
        matrix.astype(np.float32, copy=False).tofile(file)
    part.replace(path)


def load(name, metric, folder, make):
    """The set in a folder, made there by `make(folder)` if it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    base, queries = folder / "base.fbin", folder / "queries.fbin"
    if not queries.exists():
        make(folder)
    return DataSet(name, metric, folder, read(base), read(queries))


def fashion_mnist(root):
    """The images of Debian's package dataset-fashion-mnist: 60,000 rows, 10,000 queries, 784 numbers from 0 to 255."""

    def images(file):
        with gzip.open(FASHION / file) as stream:
            return np.frombuffer(stream.read(), np.uint8, offset=16).reshape(-1, 784)

    def make(folder):
        write(folder / "base.fbin", images("train-images-idx3-ubyte.gz"))
        write(folder / "queries.fbin", images("t10k-images-idx3-ubyte.gz"))

    return load("fashion-mnist", "Euclid", root / "fashion-mnist", make)


def demo(root, kith):
    """The demo's items and the questions about them, embedded by Kith."""

    def make(folder):
        kith.ask(do="demo", items=folder / "base.fbin", questions=folder / "queries.fbin", scratch=folder / "scratch")

    return load("demo", "Cosine", root / "demo", make)


def synthetic(root, rows, dimension, queries=2_000):
    """Clusters of some thousand rows, from a fixed seed; the queries are drawn as the rows are. As embeddings do, the rows
    of a cluster differ in a few directions of its own, and hardly in the others."""

    def make(folder):
        random = np.random.default_rng(20)
        clusters, directions = max(1, rows // 1_000), 12
        chosen = random.integers(clusters, size=rows + queries)
        centres = 0.5 * random.standard_normal((clusters, dimension), np.float32)
        matrix = centres[chosen] + 0.05 * random.standard_normal((rows + queries, dimension), np.float32)
        for cluster in range(clusters):
            own = np.flatnonzero(chosen == cluster)
            spread = random.standard_normal((directions, dimension), np.float32) / np.sqrt(directions)
            matrix[own] += random.standard_normal((len(own), directions), np.float32) @ spread
        write(folder / "base.fbin", matrix[:rows])
        write(folder / "queries.fbin", matrix[rows:])

    name = f"clusters-{rows}x{dimension}"
    return load(name, "Euclid", root / name, make)
