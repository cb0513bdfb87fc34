"""The databases Kith is compared with, in process but for pgvector, behind the calls that `systems.py` describes.

Each writes into a folder of its own and is built when all its rows are stored and indexed; where there is something to
filter by, the fields `n0` and `n1` hold each row's numbers. They answer some hundred or thousand queries a second, so
they are asked fewer of them at fewer settings.
"""

import shutil
import tempfile

import numpy as np

from postgres import Pgvector
from systems import EF_CONSTRUCTION, M, THREADS

BATCH = 1_000


class Database:
    """What all of them have in common: a folder, which is copied to be saved."""

    few = True  # queries and settings

    def build(self, base, numbers=None):
        self.folder = tempfile.TemporaryDirectory()
        fields = {} if numbers is None else {"n0": numbers[:, 0], "n1": numbers[:, 1]}
        self.fill(self.folder.name + "/data", base, fields)

    def search(self, queries, k, ef):
        return self.asked(queries, k, ef, None)

    def accept(self, accepted):
        self.condition = self.below(f"n{accepted.column}", accepted.limit)

    def filtered(self, queries, k, ef):
        return self.asked(queries, k, ef, self.condition)

    def save(self, path):
        self.flush()
        shutil.copytree(self.folder.name + "/data", path / "data")

    def load(self, path):
        self.open(str(path / "data"))

    def flush(self):
        """Nothing, where everything is in the files at once."""


def batches(base, fields):
    """Ids, rows and what is stored with each, `BATCH` at a time."""
    for start in range(0, len(base), BATCH):
        ids = range(start, min(start + BATCH, len(base)))
        payloads = [{name: int(values[id]) for name, values in fields.items()} for id in ids]
        yield ids, base[start : start + BATCH], payloads


class QdrantEdge(Database):
    """8-bit codes in memory for the walk, the vectors for a second look at twice k candidates; one segment. Below 10 MB it
    compares every row, as it does unless told otherwise."""

    name, package = "Qdrant Edge SQ8", "qdrant-edge-py"

    def fill(self, path, base, fields):
        import qdrant_edge as edge

        config = edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(size=base.shape[1], distance=edge.Distance.Euclid),
            hnsw_config=edge.HnswIndexConfig(M, EF_CONSTRUCTION, 10_000, max_indexing_threads=THREADS),
            quantization_config=edge.ScalarQuantizationConfig(edge.ScalarType.Int8, always_ram=True),
            optimizers=edge.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1_000),
            max_search_threads=1,
        )
        self.shard = edge.EdgeShard.create(path, config)
        for field in fields:
            self.shard.update(edge.UpdateOperation.create_field_index(field, edge.PayloadSchemaType.Integer))
        for ids, rows, payloads in batches(base, fields):
            points = [edge.Point(id, row.tolist(), payload) for id, row, payload in zip(ids, rows, payloads)]
            self.shard.update(edge.UpdateOperation.upsert_points(points))
        while self.shard.optimize():
            pass
        self.flush()

    def open(self, path):
        import qdrant_edge as edge

        self.shard = edge.EdgeShard.load(path)

    def flush(self):
        self.shard.flush()

    def below(self, field, limit):
        import qdrant_edge as edge

        return edge.Filter(must=[edge.FieldCondition(field, range=edge.RangeFloat(lt=float(limit)))])

    def asked(self, queries, k, ef, condition):
        import qdrant_edge as edge

        again = edge.QuantizationSearchParams(rescore=True, oversampling=2.0)
        params, answers = edge.SearchParams(hnsw_ef=ef, quantization=again), []
        for query in queries:
            nearest = edge.Query.Nearest(query.tolist())
            request = edge.QueryRequest(k, query=nearest, filter=condition, params=params)
            answers.append([point.id for point in self.shard.query(request)])
        return answers


class Lance(Database):
    """8-bit codes in one HNSW; three times k candidates are looked at again with the vectors, so it walks no narrower
    than that."""

    name, package = "LanceDB HNSW-SQ", "lancedb"

    def fill(self, path, base, fields):
        import lancedb
        import pyarrow
        from lancedb.index import HnswSq

        vectors = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(base.reshape(-1)), base.shape[1])
        columns = {"id": np.arange(len(base)), "vector": vectors, **fields}
        self.table = lancedb.connect(path).create_table("rows", pyarrow.table(columns))
        for field in fields:
            self.table.create_scalar_index(field)
        index = HnswSq(distance_type="l2", num_partitions=1, m=M, ef_construction=EF_CONSTRUCTION)
        self.table.create_index("vector", config=index)

    def open(self, path):
        import lancedb

        self.table = lancedb.connect(path).open_table("rows")

    def below(self, field, limit):
        return f"{field} < {limit}"

    def asked(self, queries, k, ef, condition):
        answers = []
        for query in queries:
            search = self.table.search(query).limit(k).ef(max(ef, 3 * k)).refine_factor(3).select(["id", "_distance"])
            search = search if condition is None else search.where(condition, prefilter=True)
            answers.append(search.to_arrow()["id"].to_numpy())
        return answers


class Chroma(Database):
    """It takes a new `ef` in when the collection is opened again."""

    name, package = "Chroma", "chromadb"

    def collections(self, path):
        import chromadb
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()
        return chromadb.PersistentClient(path, chromadb.Settings(anonymized_telemetry=False))

    def fill(self, path, base, fields):
        settings = {"space": "l2", "max_neighbors": M, "ef_construction": EF_CONSTRUCTION, "num_threads": THREADS}
        self.rows = self.collections(path).create_collection("rows", configuration={"hnsw": settings})
        self.path, self.ef = path, None
        for ids, rows, payloads in batches(base, fields):
            self.rows.add([str(id) for id in ids], rows, payloads if fields else None)

    def open(self, path):
        self.rows = self.collections(path).get_collection("rows")
        self.path, self.ef = path, None

    def below(self, field, limit):
        return {field: {"$lt": limit}}

    def widen(self, ef):
        if ef != self.ef:
            self.rows.modify(configuration={"hnsw": {"ef_search": ef, "num_threads": 1}})
            self.open(self.path)
            self.ef = ef

    def asked(self, queries, k, ef, condition):
        self.widen(ef)
        answers = []
        for query in queries:
            found = self.rows.query(query_embeddings=[query], n_results=k, where=condition, include=[])
            answers.append([int(id) for id in found["ids"][0]])
        return answers


class Zvec(Database):
    name, package = "zvec HNSW", "zvec"

    def start(self):
        import zvec

        try:
            zvec.init(log_level=zvec.LogLevel.ERROR, query_threads=1, optimize_threads=THREADS)
        except RuntimeError:
            pass  # It was started before, by this process.
        return zvec

    def fill(self, path, base, fields):
        zvec = self.start()
        graph = zvec.HnswIndexParam(zvec.MetricType.L2, m=M, ef_construction=EF_CONSTRUCTION)
        ordered = zvec.InvertIndexParam(enable_range_optimization=True)
        numbers = [zvec.FieldSchema(field, zvec.DataType.INT64, index_param=ordered) for field in fields]
        vector = zvec.VectorSchema("vector", zvec.DataType.VECTOR_FP32, base.shape[1], index_param=graph)
        self.rows = zvec.create_and_open(path, zvec.CollectionSchema("rows", numbers, vector))
        for ids, rows, payloads in batches(base, fields):
            points = zip(ids, rows, payloads)
            self.rows.insert([zvec.Doc(str(id), vectors={"vector": row}, fields=own) for id, row, own in points])
        self.rows.optimize(zvec.OptimizeOption(concurrency=THREADS))
        self.rows.flush()

    def open(self, path):
        self.rows = self.start().open(path)

    def flush(self):
        self.rows.flush()

    def below(self, field, limit):
        return f"{field} < {limit}"

    def asked(self, queries, k, ef, condition):
        import zvec

        param, answers = zvec.HnswQueryParam(ef=max(ef, k)), []
        for query in queries:
            nearest = zvec.Query("vector", vector=query, param=param)
            found = self.rows.query(nearest, topk=k, filter=condition, output_fields=[])
            answers.append([int(row.id) for row in found])
        return answers


DATABASES = [QdrantEdge, Lance, Chroma, Zvec, Pgvector]
