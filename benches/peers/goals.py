"""How far is Kith from where it wants to be? Each goal with what was found, from the figures of `results.json`."""

import re

LEVELS = (95, 99)
SHARES = {"30": "30 %", "5": "5 %", "1": "1 %", "0_1": "0.1 %"}
DATABASES = ("qdrant-edge-sq8", "zvec-hnsw", "lancedb-hnsw-sq", "chroma", "pgvector")
SERVERS = {"pgvector": 5, "chroma": 20}  # how many times as many answers
LEAN = ("kith-scalar", "kith-binary")
# Numbers per vector.
DIMENSIONS = {"fashion-mnist": 784, "demo": 256, "clusters-1000000x128": 128}


def table(figures):
    """A line for each goal and data set."""
    lines = ["| goal | found |", "|---|---|"]
    lines += [f"| {goal} | {'; '.join(found)} |" for goal, found in rows(figures) if found]
    return "\n".join(lines) + "\n"


def rows(figures):
    def ratio(one, other):
        above, below = figures.get(one), figures.get(other)
        return f"{above / below:.2f} ×" if above and below else None

    def noted(pairs):
        return [f"{name} {value}" for name, value in pairs if value]

    sets = [name for name in DIMENSIONS if f"search.{name}.kith.qps_at_95" in figures]
    for name in sets:
        at = f"search.{name}"
        found = [(f"at 0.{level}", ratio(f"{at}.kith.qps_at_{level}", f"{at}.symphonyqg.qps_at_{level}")) for level in LEVELS]
        yield f"{name}: 1.25 × SymphonyQG's speed", noted(found)
        found = [(peer, ratio(f"{at}.kith.build_cpu_s", f"{at}.{peer}.build_cpu_s")) for peer in ("symphonyqg", "qdrant-edge-sq8")]
        yield f"{name}: at most the CPU seconds of others to build", noted(found)
        raw = 4 * DIMENSIONS[name]
        kept = [(lean, figures.get(f"{at}.{lean}.memory_bytes_per_vector")) for lean in LEAN]
        yield f"{name}: lean, 27 % of the vectors in memory", [f"{lean} {bytes / raw:.0%}" for lean, bytes in kept if bytes]
        fast = [(lean, ratio(f"{at}.{lean}.qps_at_95", f"{at}.rabitq-hnsw-5-bits.qps_at_95")) for lean in LEAN]
        yield f"{name}: lean, RaBitQ HNSW's speed at 0.95", noted(fast)
    for name in ("fashion-mnist", "fashion-mnist-at-random"):
        best = [(words, faster(figures, name, share, DATABASES)) for share, words in SHARES.items()]
        flat = [(words, faster(figures, name, share, ("numpy-flat-scan",))) for share, words in SHARES.items()]
        yield f"filters, {name}: 5 × the fastest database", noted(best)
        yield f"filters, {name}: never below a flat scan of what is accepted", noted(flat)
    served = [key for key in figures if key.startswith("http.") and key.endswith(".server_less_in_process_us")]
    beyond = [(key.split(".")[2], figures[key], figures.get(key.replace("server_less_in_process", "mirror_cpu"))) for key in served]
    yield "HTTP: 30 µs beyond the search itself", [
        f"{name} {own:.0f} µs" + (f", {system:.0f} of them the system's" if system else "") for name, own, system in beyond
    ]
    tails = [(key.split(".")[2], figures[key] / figures[key.replace("p99", "p50")]) for key in figures if re.match(r"http\.[^.]+\.recall-.*p99_us$", key)]
    yield "HTTP: the 99th percentile at most 5 × the median", [f"{name} {tail:.1f} ×" for name, tail in tails]
    for server, times in SERVERS.items():
        yield f"HTTP, 8 connections: {times} × the answers of {server}", noted(beside(figures, server))
    taken = [(key.split(".")[2], figures[key]) for key in figures if key.endswith(".acknowledged_per_s")]
    yield "ingest: 20,000 durable vectors of 384 numbers per second", [f"{name} {rate:,.0f}" for name, rate in taken]
    warm = figures.get("open.clusters-1000000x128.kith-warm.first_correct_s")
    yield "1,000,000 × 128: 0.5 s from the start to the first correct answer", [f"{warm:.3f} s"] if warm else []


def faster(figures, name, share, others):
    """How many times as fast Kith answers as the fastest of the others, where one of them was measured."""
    own, *speeds = (figures.get(f"filters.{name}.{system}.qps_{share}pc") or 0 for system in ("kith", *others))
    return f"{own / max(speeds):.1f} ×" if own and max(speeds) else None


def beside(figures, server):
    """How many times as many answers Kith's server gave as another at the same recall, both asked by 8 connections."""
    for key, answers in figures.items():
        own = re.fullmatch(r"http\.([^.]+)\.(recall-([0-9]+)-([0-9]+)-8-connections\.queries_per_wall_s)", key)
        other = own and figures.get(f"http.{own[1]}.{server}-{own[2]}")
        if other:
            yield f"{own[1]} at {own[3]}.{own[4]}", f"{answers / other:.1f} ×"
