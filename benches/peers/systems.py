"""The libraries Kith is compared with, each behind the same few calls.

`build(base)` makes the index, `search(queries, k, ef)` asks one query at a time in one thread, `save(path)` and
`load(path)` write it and read it back. Those that can search with a filter also have `accept(accepted)` and
`filtered(queries, k, ef)`.

They are called through their Python bindings, which costs each query 1 to 3 microseconds; vectors of a cosine set have
length 1, so L2 finds the same neighbours. Graphs have M = 16 (32 links at level 0) or 32 links, and
ef_construction = 200; everything else is as the library has it unless a comment says why. `ef` is each one's breadth of
search, whatever it calls it.
"""

import importlib.metadata
import json
import shutil
import tempfile

import numpy as np

M, DEGREE, EF_CONSTRUCTION, THREADS = 16, 32, 200, 2


def one_by_one(queries):
    """Each query as a matrix of one row, for libraries that take nothing else."""
    return (queries[row : row + 1] for row in range(len(queries)))


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
        self.index.save_index(str(path / "index"))
        (path / "dimension").write_text(str(self.index.dim))

    def load(self, path):
        import hnswlib

        self.index = hnswlib.Index("l2", int((path / "dimension").read_text()))
        self.index.load_index(str(path / "index"))
        self.index.set_num_threads(1)


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
        return [self.index.search(query, k)[1][0] for query in one_by_one(queries)]

    def accept(self, accepted):
        import faiss

        self.bits = np.packbits(accepted.mask, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(self.bits)

    def filtered(self, queries, k, ef):
        import faiss

        parameters = faiss.SearchParametersHNSW(sel=self.selector, efSearch=ef)
        return [self.index.search(query, k, params=parameters)[1][0] for query in one_by_one(queries)]

    def save(self, path):
        import faiss

        faiss.write_index(self.index, str(path / "index"))

    def load(self, path):
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(str(path / "index"))


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
        self.index.save(str(path / "index"))

    def load(self, path):
        from usearch.index import Index

        self.index = Index.restore(str(path / "index"))


class SymphonyQg:
    name, package = "SymphonyQG", "rabitqlib"

    def build(self, base):
        import rabitqlib

        self.index = rabitqlib.SymqgIndex(dim=base.shape[1], max_degree=DEGREE, metric="l2")
        self.index.build(base, EF_CONSTRUCTION, num_threads=THREADS)

    def search(self, queries, k, ef):
        return [self.index.search(query, k, ef, num_threads=1)[0][0] for query in one_by_one(queries)]

    def save(self, path):
        self.index.save(str(path / "index"))

    def load(self, path):
        import rabitqlib

        self.index = rabitqlib.SymqgIndex.load(str(path / "index"))


class RabitqHnsw:
    """Codes of 5 bits and no vectors: small, and its recall ends where the codes do."""

    name, package = "RaBitQ HNSW 5 bits", "rabitqlib"

    def build(self, base):
        import rabitqlib

        clusters = rabitqlib.RaBitQKMeans(base.shape[1], 16)
        clusters.train(base)
        centroids, nearest = np.asarray(clusters.centroids), np.asarray(clusters.assignments)
        self.index = rabitqlib.HnswIndex(base.shape[1], len(base), M, EF_CONSTRUCTION, nbits=5)
        self.index.build(base, centroids, nearest, num_threads=THREADS)

    def search(self, queries, k, ef):
        return [self.index.search(query, k, max(ef, k), num_threads=1)[0][0] for query in one_by_one(queries)]

    def save(self, path):
        self.index.save(str(path / "index"))

    def load(self, path):
        import rabitqlib

        self.index = rabitqlib.HnswIndex.load(str(path / "index"))


class Pyglass:
    """8-bit codes in the walk, the vectors for a second look. Its file holds the graph alone, and only until the
    searcher has taken it; so it is written while building, and the vectors beside it, to be coded again on loading."""

    name, package = "pyglass SQ8U", "pyglass-portable"

    def build(self, base):
        import glass

        glass.set_num_threads(THREADS)
        graph = glass.Index("HNSW", "L2", "SQ8U", R=DEGREE, L=EF_CONSTRUCTION).build(base)
        self.folder = tempfile.TemporaryDirectory()
        graph.save(self.folder.name + "/graph")
        np.save(self.folder.name + "/base.npy", base)
        self.open(glass, graph, base)

    def open(self, glass, graph, base):
        self.searcher = glass.Searcher(graph, base, "L2", "SQ8U", "FP32")
        glass.set_num_threads(1)

    def search(self, queries, k, ef):
        self.searcher.set_ef(max(ef, k))
        return [self.searcher.search(query, k)[0] for query in queries]

    def save(self, path):
        shutil.copytree(self.folder.name, path, dirs_exist_ok=True)

    def load(self, path):
        import glass

        self.open(glass, glass.Graph(str(path / "graph")), np.load(path / "base.npy"))


class Vsag:
    name, package = "VSAG HGraph SQ8U", "pyvsag"

    def make(self, dimension):
        import pyvsag

        pyvsag.set_logger_off()
        index = {
            "base_quantization_type": "sq8_uniform",
            "use_reorder": True,
            "precise_quantization_type": "fp32",
            "max_degree": DEGREE,
            "ef_construction": EF_CONSTRUCTION,
            "build_thread_count": THREADS,
        }
        settings = {"dtype": "float32", "metric_type": "l2", "dim": dimension, "index_param": index}
        return pyvsag.Index("hgraph", json.dumps(settings))

    def build(self, base):
        self.dimension, self.index = base.shape[1], self.make(base.shape[1])
        self.index.build(base.reshape(-1), np.arange(len(base)), len(base), self.dimension)

    def search(self, queries, k, ef):
        settings = json.dumps({"hgraph": {"ef_search": max(ef, k)}})
        return [self.index.knn_search(query, k, settings)[0] for query in queries]

    def save(self, path):
        self.index.save(str(path / "index"))
        (path / "dimension").write_text(str(self.dimension))

    def load(self, path):
        self.index = self.make(int((path / "dimension").read_text()))
        self.index.load(str(path / "index"))


class Svs:
    name, package = "SVS Vamana", "scalable-vs"

    def build(self, base):
        import svs

        settings = svs.VamanaBuildParameters(alpha=1.2, graph_max_degree=DEGREE, window_size=EF_CONSTRUCTION)
        self.index = svs.Vamana.build(settings, base, svs.L2, num_threads=THREADS)
        self.index.num_threads = 1

    def search(self, queries, k, ef):
        self.index.search_window_size = max(ef, k)
        return [self.index.search(query, k)[0][0] for query in one_by_one(queries)]

    def save(self, path):
        self.index.save(*(str(path / part) for part in ("config", "graph", "data")))

    def load(self, path):
        import svs

        vectors = svs.VectorDataLoader(str(path / "data"), svs.float32)
        graph = svs.GraphLoader(str(path / "graph"))
        self.index = svs.Vamana(str(path / "config"), graph, vectors, svs.L2, num_threads=1)


class Scann:
    """No graph but lists: `ef` is how many candidates it looks at again; it reads a quarter as many lists, of some two
    times the root of the number of rows."""

    name, package = "ScaNN", "scann"

    def build(self, base):
        import scann

        lists = int(2 * len(base) ** 0.5)
        builder = scann.scann_ops_pybind.builder(base, 10, "squared_l2").set_n_training_threads(THREADS)
        builder = builder.tree(lists, max(1, lists // 20), training_sample_size=min(len(base), 250_000))
        self.index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100).build()

    def search(self, queries, k, ef):
        return [self.index.search(query, k, max(ef, k), ef // 4)[0] for query in queries]

    def save(self, path):
        self.index.serialize(str(path), relative_path=True)

    def load(self, path):
        import scann

        self.index = scann.scann_ops_pybind.load_searcher(str(path))


class FlatScan:
    """Compares every accepted row, one matrix-vector product a query: what a filter must never be slower than. The
    accepted rows were brought together before."""

    name, package = "numpy flat scan", "numpy"

    def build(self, base):
        self.base = base

    def accept(self, accepted):
        self.rows = np.flatnonzero(accepted.mask)
        self.accepted = self.base[self.rows]
        self.squares = (self.accepted**2).sum(axis=1)

    def filtered(self, queries, k, _ef):
        answers = []
        for query in queries:
            distances = self.squares - 2 * (self.accepted @ query)
            near = np.argpartition(distances, k)[:k] if len(distances) > k else np.arange(len(distances))
            answers.append(self.rows[near[np.argsort(distances[near])]])
        return answers


LIBRARIES = [SymphonyQg, RabitqHnsw, Hnswlib, Faiss, FaissSq8, Usearch, Pyglass, Vsag, Svs, Scann]


def version(package):
    """Its version, or None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
