"""The other systems, each behind the same three calls: build, search one query, and how large it is on disk.

They run in this process, through their Python bindings, which costs each query 1 to 3 microseconds; vectors of a
cosine set have length 1, so L2 finds the same neighbours. Graphs have M = 16 (32 links at level 0) and
ef_construction = 200; SymphonyQG has 32 links.
"""

import importlib.metadata
import os
import pathlib
import tempfile

import numpy as np

M, EF_CONSTRUCTION, THREADS = 16, 200, 2


class Hnswlib:
    name, package = "hnswlib", "hnswlib"

    def build(self, base):
        import hnswlib

        self.index = hnswlib.Index("l2", base.shape[1])
        self.index.init_index(len(base), M=M, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(base, num_threads=THREADS)
        self.index.set_num_threads(1)

    def search(self, queries, k, ef):
        self.index.set_ef(max(ef, k))
        return [self.index.knn_query(query, k, num_threads=1)[0][0] for query in queries]

    def save(self, path):
        self.index.save_index(path)


class Faiss:
    name, package = "faiss HNSW", "faiss-cpu"

    def make(self, faiss, dimension):
        return faiss.IndexHNSWFlat(dimension, M)

    def build(self, base):
        import faiss

        faiss.omp_set_num_threads(THREADS)
        self.index = self.make(faiss, base.shape[1])
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.train(base)
        self.index.add(base)
        faiss.omp_set_num_threads(1)

    def search(self, queries, k, ef):
        self.index.hnsw.efSearch = ef
        return [self.index.search(queries[row : row + 1], k)[1][0] for row in range(len(queries))]

    def filtered(self, queries, k, ef, accepted):
        import faiss

        bits = np.packbits(np.arange(self.index.ntotal) < accepted, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)
        parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=ef)
        rows = range(len(queries))
        return [self.index.search(queries[row : row + 1], k, params=parameters)[1][0] for row in rows]

    def save(self, path):
        import faiss

        faiss.write_index(self.index, path)


class FaissSq8(Faiss):
    name, package = "faiss HNSW SQ8", "faiss-cpu"

    def make(self, faiss, dimension):
        return faiss.IndexHNSWSQ(dimension, faiss.ScalarQuantizer.QT_8bit, M)


class Usearch:
    name, package = "usearch", "usearch"

    def build(self, base):
        from usearch.index import Index

        self.index = Index(
            ndim=base.shape[1], metric="l2sq", dtype="f32", connectivity=M, expansion_add=EF_CONSTRUCTION
        )
        self.index.add(np.arange(len(base)), base, threads=THREADS)

    def search(self, queries, k, ef):
        self.index.expansion_search = max(ef, k)
        return [self.index.search(query, k, threads=1).keys for query in queries]

    def save(self, path):
        self.index.save(path)


class SymphonyQg:
    name, package = "SymphonyQG", "rabitqlib"

    def build(self, base):
        import rabitqlib

        self.index = rabitqlib.SymqgIndex(dim=base.shape[1], max_degree=32, metric="l2")
        self.index.build(base, EF_CONSTRUCTION, num_threads=THREADS)

    def search(self, queries, k, ef):
        rows = range(len(queries))
        return [self.index.search(queries[row : row + 1], k, ef, num_threads=1)[0][0] for row in rows]

    def save(self, path):
        self.index.save(path)


class FlatScan:
    """Compares every accepted row, one matrix-vector product a query: what a filter must never be slower than."""

    name, package = "numpy flat scan", "numpy"

    def build(self, base):
        self.base, self.squares = base, (base**2).sum(axis=1)

    def filtered(self, queries, k, _ef, accepted):
        base, squares, answers = self.base[:accepted], self.squares[:accepted], []
        for query in queries:
            distances = squares - 2 * (base @ query)
            near = np.argpartition(distances, k)[:k] if len(base) > k else np.arange(len(base))
            answers.append(near[np.argsort(distances[near])])
        return answers


ALL = [Hnswlib, Faiss, FaissSq8, Usearch, SymphonyQg]


def version(package):
    """Its version, or None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def available(kinds=None):
    """One of each system that is installed, and the names of those that are not."""
    kinds = ALL if kinds is None else kinds
    there = [kind() for kind in kinds if version(kind.package)]
    return there, [kind.name for kind in kinds if not version(kind.package)]


def bytes_on_disk(system):
    """How large what it saves is, vectors included."""
    with tempfile.TemporaryDirectory() as folder:
        system.save(os.path.join(folder, "index"))
        return sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*") if file.is_file())
