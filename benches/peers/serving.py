"""Sections `open`, `http` and `ingest`: Kith as it is used, from the start of a process to the answers of a server."""

import shutil
import statistics
import time

import data
import kith
import systems
from contestants import K, Kith
from databases import Chroma, Pgvector
from searching import EFS, Field
from served import SERVED, figures

REOPENED = [systems.SymphonyQg, systems.Hnswlib, systems.Faiss]
LEVELS = (0.90, 0.95, 0.99)
CONNECTIONS = (1, 8)
OTHERS_QUERIES = 2_000  # which other servers are asked, being slower


def opening(dataset, binaries, results, arguments):
    """How long until the first correct answer, with the files in the page cache and without."""
    section = f"open.{dataset.name}"
    results.begin(section)
    with Field(section, results) as field:
        graph = {"m": 16, "ef_construct": arguments.ef_construct}
        ours = Kith(binaries[0], f"to open {arguments.ef_construct}", hnsw=graph)
        if not ours.folder(dataset).exists():
            print(f"{section}: building Kith", flush=True)
            ours.build(dataset)
        ours.close()
        field.enter(REOPENED, arguments.systems)
        field.each(lambda peer: saved(peer, dataset))
    for temperature in ("warm", "cold"):

        def reopen(contestant, name):
            figures = contestant.reopen(dataset, temperature == "cold")
            print(f"  {name} {temperature}: {figures}", flush=True)
            results.put(section, f"{name} {temperature}", **figures)

        reopen(ours, "kith")
        field.each(lambda peer: reopen(peer, peer.name))
    sizes = kith.files(ours.folder(dataset))
    results.put(section, "kith files", **{f"{kind}_mb": size / 1e6 for kind, size in sizes.items()})
    results.save()


def saved(peer, dataset):
    """Has it build and save its index, unless that was done already."""
    if not peer.saved(dataset).exists():
        print(f"building {peer.name}", flush=True)
        peer.build(dataset)
        peer.save(dataset)


def over_http(dataset, binaries, results, arguments):
    """What an answer costs the server beyond the search itself, how fast and how late answers are, and those of other
    servers."""
    section = f"http.{dataset.name}"
    results.begin(section)
    served, copy = dataset.path("served"), dataset.path("served-copy")
    with kith.Engine(binaries[0]) as client, kith.Engine(binaries[0]) as library, Field(section, results) as field:
        for folder in (served, copy):
            shutil.rmtree(folder, ignore_errors=True)
        with kith.Server(binaries[1], served) as server:
            fill(server, client, dataset, optimizers_config={"indexing_threshold": 1_000})
            server.wait_until_indexed(dataset.name, len(dataset.base))
        # Two processes cannot have one collection open.
        shutil.copytree(served / "collections" / dataset.name, copy)
        library.ask(do="open", dir=copy)
        field.enter([Pgvector, Chroma], arguments.systems)
        field.each(lambda peer: saved(peer, dataset))
        field.each(lambda peer: field.change(peer, SERVED[peer.name](peer.saved(dataset), client)))
        others = Others(dataset.some(0, OTHERS_QUERIES))
        field.each(others.find)
        with kith.Server(binaries[1], served) as server, kith.Mirror(binaries[0]) as mirror:
            breadths = narrowest("in process", lambda ef: dataset.recall(library.search(dataset, K, ef)[1], K))
            efs, rounds = sorted(set(breadths.values())), []
            for _ in range(arguments.rounds):
                rounds.append(one_round(dataset, server, mirror, client, library, efs))
                field.each(others.turn)
        put_levels(results, section, "", breadths, rounds)
        for other in field.there:
            put_levels(results, section, f"{other.name}, ", others.breadths[other.name], others.rounds[other.name])
    results.save()


def put_levels(results, section, whose, breadths, rounds):
    """The medians of the rounds at each level of recall."""
    for level in LEVELS:
        if level not in breadths:
            results.skip(section, f"{whose}recall {level:.2f}", f"not reached with ef up to {EFS[-1]}")
            continue
        for connections in CONNECTIONS:
            all_rounds = [one[breadths[level], connections] for one in rounds]
            medians = {name: statistics.median(one[name] for one in all_rounds) for name in all_rounds[0]}
            name = f"{whose}recall {level:.2f}, {connections} connection{'s' if connections > 1 else ''}"
            results.put(section, name, ef=breadths[level], **medians)


def narrowest(who, recall_at):
    """The least `ef` of those tried that reaches each level of recall."""
    found = {}
    for ef in EFS:
        recall = recall_at(ef)
        print(f"  {who}: ef {ef} recall {recall:.4f}", flush=True)
        found |= {level: ef for level in LEVELS if recall >= level and level not in found}
        if len(found) == len(LEVELS):
            break
    return found


class Others:
    """The servers beside Kith's: the breadth of each at each level of recall, and its figures in every round."""

    def __init__(self, dataset):
        self.dataset, self.breadths, self.rounds = dataset, {}, {}

    def find(self, other):
        self.breadths[other.name] = narrowest(other.name, lambda ef: other.ask(self.dataset, K, ef, 1)["recall"])

    def turn(self, other):
        found = {}
        for ef in sorted(set(self.breadths[other.name].values())):
            for connections in CONNECTIONS:
                asked = found[ef, connections] = other.ask(self.dataset, K, ef, connections)
                say(other.name, ef, connections, asked)
        self.rounds.setdefault(other.name, []).append(found)


def say(name, ef, connections, asked):
    print(f"  {name}: ef {ef}, {connections} connections: {asked['queries_per_wall_s']:,.0f}/s", flush=True)


def one_round(dataset, server, mirror, client, library, efs):
    """Figures by `ef` and number of connections; server, mirror and library take turns."""
    found = {}
    for ef in efs:
        took, _ = library.search(dataset, K, ef)
        in_process = took["elapsed"]["thread_cpu_s"] / took["queries"] * 1e6
        for connections in CONNECTIONS:
            asked = ask_server(dataset, server, client, ef, connections)
            asked["in_process_cpu_us"] = in_process
            asked["mirror_cpu_us"] = ask_server(dataset, mirror, client, ef, connections)["server_cpu_us"]
            asked["server_less_in_process_us"] = asked["server_cpu_us"] - in_process
            found[ef, connections] = asked
            say("kith", ef, connections, asked)
    return found


def ask_server(dataset, server, client, ef, connections):
    target = {"address": server.address, "path": f"/collections/{dataset.name}", "connections": connections}
    queries, found = dataset.path(dataset.asked), dataset.path("found.ibin")
    cpu = server.cpu_seconds()
    took = client.ask(do="http_search", target=target, queries=queries, k=K, ef=ef, answers=found)
    cpu, recall = server.cpu_seconds() - cpu, dataset.recall(data.read(found, data.np.int32), K)
    return figures(recall, took["requests"], took["elapsed"]["wall_s"], took["p50_us"], took["p99_us"], cpu)


def fill(server, engine, dataset, connections=4, batch=100, **settings):
    """Puts the set's rows into a collection of its name; what the client saw."""
    vectors = {"size": dataset.base.shape[1], "distance": dataset.metric}
    server.request("PUT", f"/collections/{dataset.name}", {"vectors": vectors, **settings})
    target = {"address": server.address, "path": f"/collections/{dataset.name}", "connections": connections}
    return engine.ask(do="http_ingest", target=target, base=dataset.path("base.fbin"), batch=batch)


def ingest(dataset, binaries, results, _arguments):
    """How fast points are taken in over HTTP."""
    section = f"ingest.{dataset.name}"
    results.begin(section)
    folder = dataset.path("served")
    for connections, batch in ((1, 100), (4, 100), (4, 1_000)):
        shutil.rmtree(folder, ignore_errors=True)
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
