"""Kith in process and as a server: child processes that take turns with the other systems."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import time

import data
from process import Process, cpu_seconds

ROOT = pathlib.Path(__file__).resolve().parents[2]


def compile():
    """The two programs, from what is in the working tree."""
    subprocess.run(["cargo", "build", "--release", "-p", "benches", "-p", "kith"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "benches", target / "release" / "kith"


class Engine(Process):
    """The process of `benches/src/main.rs`."""

    def build(self, dataset, folder, **settings):
        """A collection of the set's rows in a new folder, through Kith's own write path, until it is at rest."""
        shutil.rmtree(folder, ignore_errors=True)
        settings = {"metric": dataset.metric, "indexing_threshold": 1_000, **settings}
        return self.ask(do="build", dir=folder, base=dataset.path("base.fbin"), settings=settings)

    def search(self, dataset, k, ef=None, below=None, passes=1):
        """What it took, and the ids found, -1 where there were fewer; `ef=None` is Kith's default."""
        found = dataset.path("found.ibin")
        search = {"k": k, "ef": ef, "below": below, "passes": passes}
        answer = self.ask(do="search", queries=dataset.path(dataset.asked), search=search, answers=found)
        return answer, data.read(found, data.np.int32)


class Mirror(Process):
    """The same process as a server that answers without looking: what the system itself takes for an answer."""

    def __init__(self, binary):
        super().__init__(binary)
        self.address = self.ask(do="mirror")["address"]


class Server:
    """`kith serve` on a free port."""

    def __init__(self, binary, folder):
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--log", "warn"]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.child.stdout.readline().strip()
        self.address = line.removeprefix("kith listening on http://")
        if self.address == line:
            raise RuntimeError(f"instead of its address the server said {line!r}")

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=600)
        with contextlib.closing(connection):
            body = json.dumps(body) if body is not None else None
            connection.request(method, path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text)["result"]

    def cpu_seconds(self):
        return cpu_seconds(self.child.pid)

    def wait_until_indexed(self, collection, points, limit=1800):
        """Until all points are in graphs and nothing is being built."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            info = self.request("GET", f"/collections/{collection}")
            if info["status"] == "green" and info["indexed_vectors_count"] >= points:
                return info
            time.sleep(0.1)
        raise RuntimeError(f"{collection} is not indexed after {limit} s: {info}")

    def close(self):
        self.child.terminate()
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def files(folder):
    """Bytes of the files that the newest manifest names, by kind of file; older manifests keep theirs for a while."""
    newest = max(pathlib.Path(folder).glob("manifest-*.json"))
    sizes = {}
    for segment in json.loads(newest.read_text())["manifest"]["segments"]:
        for file in segment["files"]:
            kind = file["name"].removesuffix(".bin")
            sizes[kind] = sizes.get(kind, 0) + file["len"]
    return sizes


def forget_pages(folder):
    """Drops a folder's files from the page cache, so that reading them means reading the disk."""
    os.sync()
    for file in pathlib.Path(folder).rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
