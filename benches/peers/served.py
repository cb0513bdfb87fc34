"""Other systems as servers on 127.0.0.1, asked as Kith's server is, over kept connections.

Each is started on what it has saved, and `ask(dataset, k, ef, connections)` gives its figures. A client shares the cores
with the server, so it does as little as it can: its requests are written out before the clock starts. Chroma is asked
by the client that asks Kith; pgvector through libpq, in a process for each connection.
"""

import contextlib
import http.client
import json
import pathlib
import socket
import subprocess
import sys
import time

import numpy as np

import data
import kith
import postgres
from databases import Chroma
from process import Process, family_cpu_seconds

CLIENT = kith.ROOT / "benches" / "peers" / "postgres_client.py"
WARM = 100  # queries that are asked after a start, before any counts


def free_port():
    """One that nobody listens at; whoever asks for it takes it soon."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class ServedPgvector:
    name = postgres.Pgvector.name

    def __init__(self, saved, _client):
        port = free_port()
        self.server = postgres.Server(saved / "data", port)
        self.where = f"host=127.0.0.1 port={port} user=postgres"
        self.clients = []

    def ask(self, dataset, k, ef, connections):
        while len(self.clients) < connections:
            self.clients.append(Process(sys.executable, CLIENT))
        clients, queries = self.clients[:connections], dataset.path(dataset.asked)
        for first, client in enumerate(clients):
            client.ask(do="prepare", where=self.where, queries=queries, first=first, step=connections, k=k, ef=ef)
        cpu = self.server.cpu_seconds()
        for client in clients:
            client.tell(do="ask")
        answers = [client.hear() for client in clients]
        cpu = self.server.cpu_seconds() - cpu
        found = np.full((len(dataset.queries), k), -1)
        for first, answer in enumerate(answers):
            for row, ids in zip(found[first::connections], answer["found"]):
                row[: len(ids)] = ids
        wall = max(answer["end"] for answer in answers) - min(answer["start"] for answer in answers)
        p50, p99 = np.percentile(sum((answer["latencies_us"] for answer in answers), []), (50, 99))
        return figures(dataset.recall(found, k), len(found), wall, p50, p99, cpu)

    def close(self):
        for client in self.clients:
            client.close()
        self.server.close()


class ServedChroma:
    """It takes a new `ef` in when it is started again."""

    name = Chroma.name
    COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"

    def __init__(self, saved, client):
        self.folder, self.client, self.child, self.ef = saved / "data", client, None, None
        self.start()

    def start(self):
        self.port = free_port()
        program = pathlib.Path(sys.executable).parent / "chroma"
        command = [program, "run", "--host", "127.0.0.1", "--port", str(self.port), "--path", self.folder]
        self.child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.collection = self.wait_until_ready()

    def wait_until_ready(self, limit=60):
        """The path of its one collection."""
        end = time.monotonic() + limit
        while True:
            with contextlib.suppress(OSError):
                return f"{self.COLLECTIONS}/{self.request('GET', self.COLLECTIONS)[0]['id']}"
            if self.child.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"Chroma does not start (status {self.child.poll()})")
            time.sleep(0.1)

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body), {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]}")
        return json.loads(text)

    def widen(self, dataset, k, ef):
        if ef != self.ef:
            self.request("PUT", self.collection, {"new_configuration": {"hnsw": {"ef_search": ef}}})
            self.stop()
            self.start()
            self.post(dataset.some(0, WARM), k, 1)
            self.ef = ef

    def ask(self, dataset, k, ef, connections):
        self.widen(dataset, k, ef)
        cpu = family_cpu_seconds(self.child)
        took, found = self.post(dataset, k, connections)
        cpu = family_cpu_seconds(self.child) - cpu
        wall = took["elapsed"]["wall_s"]
        return figures(dataset.recall(found, k), took["requests"], wall, took["p50_us"], took["p99_us"], cpu)

    def post(self, dataset, k, connections):
        """What it took, and the ids found."""
        target = {"address": f"127.0.0.1:{self.port}", "path": f"{self.collection}/query", "connections": connections}
        answers = dataset.path("answers.jsonl")
        took = self.client.ask(do="http_post", target=target, bodies=bodies(dataset, k), answers=answers)
        found = [json.loads(line)["ids"][0] for line in answers.read_text().splitlines()]
        return took, np.array([[int(id) for id in ids] + [-1] * (k - len(ids)) for ids in found])

    def stop(self):
        self.child.terminate()
        self.child.wait()

    close = stop


def bodies(dataset, k):
    """A file with the queries as Chroma takes them, each number as short as it can be."""
    path = dataset.path(f"chroma-{k}-{dataset.asked}").with_suffix(".jsonl")
    if not path.exists():
        rows = (",".join(np.format_float_positional(value, trim="-") for value in row) for row in dataset.queries)
        body = '{{"query_embeddings":[[{}]],"n_results":{},"include":[]}}\n'
        path.write_text("".join(body.format(row, k) for row in rows))
    return path


def figures(recall, requests, wall_s, p50_us, p99_us, server_cpu_s):
    """Of a load of requests."""
    return {
        "recall": recall,
        "queries_per_wall_s": requests / wall_s,
        "p50_us": p50_us,
        "p99_us": p99_us,
        "server_cpu_us": server_cpu_s / requests * 1e6,
    }


SERVED = {kind.name: kind for kind in (ServedPgvector, ServedChroma)}
