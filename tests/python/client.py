"""What does the Python client that people already use see? Everything here goes through qdrant-client.

Where the client's own local mode (`QdrantClient(":memory:")`) means the same, both are given the same random data and
must answer alike. Run with the address of a server: `python client.py http://127.0.0.1:6333`.

Not compared, because local mode is not the measure there: `values_count` of a missing key (it says no match, servers
say 0), `is_null` of `[null]` (only the top is looked at), `match` of a bool against 1 (equal in Python), an empty
`should` (nothing meets it), deleting a payload key by a path (it is not followed). Where scores are equal, any order
is right.
"""

import datetime
import json
import random
import sys
import time
import urllib.request
import uuid

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

import formulas

SEED = 20
POINTS = 400
DIMENSIONS = {"a": (16, models.Distance.COSINE), "b": (8, models.Distance.EUCLID), "d": (8, models.Distance.DOT)}
NAMES = list(DIMENSIONS)
WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa".split()

rng = random.Random(SEED)
failures = []


def numbers(size):
    return [rng.uniform(-1, 1) for _ in range(size)]


def vectors_of(chance=0.9):
    return {name: numbers(size) for name, (size, _) in DIMENSIONS.items() if rng.random() < chance}


def payload():
    """Every kind of value, every kind of absence."""
    day = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(hours=rng.randrange(9000))
    whole = {
        "kind": rng.choice(WORDS[:4]),
        "n": rng.randrange(-20, 20),
        "x": round(rng.uniform(-5, 5), 2),
        "flag": rng.random() < 0.5,
        "tags": rng.sample(WORDS, rng.randrange(4)),
        "when": day.isoformat(),
        "text": " ".join(rng.choices(WORDS, k=4)),
        "place": {"lat": rng.uniform(-60, 60), "lon": rng.uniform(-170, 170)},
        "parts": [{"size": rng.randrange(5), "kind": rng.choice(WORDS[:3])} for _ in range(rng.randrange(3))],
        "maybe": rng.choice([None, [], 1, "one", [1, 2]]),
        "deep": {"er": rng.choice(WORDS[:3])},
    }
    return {key: value for key, value in whole.items() if rng.random() < 0.85}


def point(number):
    id_ = number if number % 3 else str(uuid.UUID(int=number + (4 << 76) + (8 << 60)))
    return models.PointStruct(id=id_, vector=vectors_of(), payload=payload())


def expect(what, holds, detail=""):
    if not holds:
        failures.append(what)
        print(f"  WRONG {what} {detail}")


def match(key, **how):
    return models.FieldCondition(key=key, match=how["by"])


def field(key, **how):
    return models.FieldCondition(key=key, **how)


def filters(ids):
    """Every kind of condition, alone and together."""
    kind, tags = match("kind", by=models.MatchValue(value="alpha")), match("tags", by=models.MatchValue(value="zeta"))
    range_, small = field("x", range=models.Range(gte=-1.5, lt=2)), field("n", range=models.Range(lte=0))
    square = [(-30, -30), (-30, 40), (35, 40), (35, -30), (-30, -30)]
    inside = [(-5, -5), (-5, 5), (5, 5), (5, -5), (-5, -5)]
    ring = lambda corners: models.GeoLineString(points=[models.GeoPoint(lat=a, lon=o) for a, o in corners])
    nested = models.Filter(must=[
        field("size", range=models.Range(gt=1)), match("kind", by=models.MatchValue(value="beta")),
    ])
    conditions = {
        "match value": kind,
        "match int": match("n", by=models.MatchValue(value=3)),
        "match bool": match("flag", by=models.MatchValue(value=True)),
        "match in array": tags,
        "match any": match("kind", by=models.MatchAny(any=["alpha", "delta", "nothing"])),
        "match any int": match("n", by=models.MatchAny(any=[1, -7, 500])),
        "match any of none": match("kind", by=models.MatchAny(any=[])),
        "match except": match("kind", by=models.MatchExcept(**{"except": ["alpha", "beta"]})),
        "match text": match("text", by=models.MatchText(text="gamma delta")),
        "match text any": match("text", by=models.MatchTextAny(text_any="kappa iota")),
        "match deep": match("deep.er", by=models.MatchValue(value="beta")),
        "match part": match("parts[].kind", by=models.MatchValue(value="gamma")),
        "match first part": match("parts[0].kind", by=models.MatchValue(value="gamma")),
        "range": range_,
        "range of ints": field("n", range=models.Range(gt=-3, lte=4.5)),
        "range of nothing": field("n", range=models.Range(gt=4, lt=4)),
        "range in parts": field("parts[].size", range=models.Range(gte=3)),
        "dates": field("when", range=models.DatetimeRange(
            gte="2024-03-01T00:00:00Z", lt=datetime.datetime(2024, 9, 1, 12))),
        "box": field("place", geo_bounding_box=models.GeoBoundingBox(
            top_left=models.GeoPoint(lat=40, lon=-50), bottom_right=models.GeoPoint(lat=-20, lon=60))),
        "box over the date line": field("place", geo_bounding_box=models.GeoBoundingBox(
            top_left=models.GeoPoint(lat=50, lon=100), bottom_right=models.GeoPoint(lat=-50, lon=-100))),
        "radius": field("place", geo_radius=models.GeoRadius(center=models.GeoPoint(lat=10, lon=10), radius=4e6)),
        "polygon": field("place", geo_polygon=models.GeoPolygon(exterior=ring(square), interiors=[ring(inside)])),
        "empty": models.IsEmptyCondition(is_empty=models.PayloadField(key="maybe")),
        "null": models.IsNullCondition(is_null=models.PayloadField(key="maybe")),
        "ids": models.HasIdCondition(has_id=ids[:7] + [10**6]),
        "vector": models.HasVectorCondition(has_vector="b"),
        "nested": models.NestedCondition(nested=models.Nested(key="parts", filter=nested)),
        "nested []": models.NestedCondition(nested=models.Nested(key="parts[]", filter=nested)),
    }
    yield from ((name, models.Filter(must=[condition])) for name, condition in conditions.items())
    yield from (("not " + name, models.Filter(must_not=[condition])) for name, condition in conditions.items())
    yield "nothing", models.Filter()
    yield "both", models.Filter(must=[kind, range_])
    yield "either", models.Filter(should=[kind, tags])
    yield "either, but not", models.Filter(must=[small], should=[kind, tags], must_not=[range_])
    yield "two of four", models.Filter(min_should=models.MinShould(conditions=[kind, tags, range_, small], min_count=2))
    yield "filter in filter", models.Filter(must=[models.Filter(should=[kind, models.Filter(must_not=[small])]), range_])
    pool = list(conditions.values())
    for count in range(60):
        pick = lambda most: rng.sample(pool, rng.randrange(most))
        # No conditions are no filter; local mode takes an empty `should` for one that nothing meets.
        yield f"random {count}", models.Filter(must=pick(3), should=pick(4) or None, must_not=pick(2))


def ids_of(client, filter_):
    found, offset = [], None
    while True:
        page, offset = client.scroll("c", scroll_filter=filter_, limit=61, offset=offset, with_payload=False)
        found += [record.id for record in page]
        if offset is None:
            return found


def same_scored(what, ours, theirs):
    """The same scores in the same order, and the same points wherever the scores leave no choice."""
    ours, theirs = [(p.id, p.score) for p in ours], [(p.id, p.score) for p in theirs]
    close = len(ours) == len(theirs) and all(abs(a - b) < 2e-4 for (_, a), (_, b) in zip(ours, theirs))
    edge = theirs[-1][1] if theirs else 0
    certain = lambda found: {id_ for id_, score in found if abs(score - edge) > 1e-3}
    expect(what, close and certain(ours) == certain(theirs), f"\n    kith  {ours[:6]}\n    local {theirs[:6]}")


def same_points(remote, local):
    """Every point, whole."""
    ids = ids_of(local, None)
    expect("the ids", sorted(map(str, ids_of(remote, None))) == sorted(map(str, ids)))
    read = lambda client: {p.id: p for p in client.retrieve("c", ids, with_vectors=True)}
    ours, theirs = read(remote), read(local)
    for id_ in ids:
        one, other = ours[id_], theirs[id_]
        expect(f"payload of {id_}", one.payload == other.payload, f"{one.payload} {other.payload}")
        close = one.vector.keys() == other.vector.keys() and all(
            abs(x - y) < 1e-5 for name in one.vector for x, y in zip(one.vector[name], other.vector[name], strict=True)
        )
        expect(f"vectors of {id_}", close)


def create(clients):
    params = {name: models.VectorParams(size=size, distance=distance) for name, (size, distance) in DIMENSIONS.items()}
    for client in clients:
        expect("not there yet", not client.collection_exists("c"))
        expect("created", client.create_collection("c", vectors_config=params))
        expect("there", client.collection_exists("c"))
    info = clients[0].get_collection("c")
    expect("the settings come back", info.config.params.vectors == params)
    expect("green", info.status == models.CollectionStatus.GREEN)


def fill(clients):
    """By every road: batches of points, columns, upload_points, upload_collection."""
    points = [point(number) for number in range(POINTS)]
    columns = [point(number) for number in range(POINTS, POINTS + 30)]
    for column in columns:
        column.vector = {"a": numbers(16), "b": numbers(8)}
    batch = models.Batch(
        ids=[p.id for p in columns],
        vectors={name: [p.vector[name] for p in columns] for name in ("a", "b")},
        payloads=[p.payload for p in columns],
    )
    last = [point(number) for number in range(POINTS + 30, POINTS + 60)]
    for client in clients:
        for start in range(0, 200, 50):
            client.upsert("c", points[start:start + 50])
        client.upload_points("c", points[200:], batch_size=64, wait=True)
        client.upsert("c", batch)
        client.upload_collection(
            "c", vectors=[p.vector for p in last], ids=[p.id for p in last], payload=[p.payload for p in last], wait=True
        )
    # Half of them again, as other points.
    again = [point(number) for number in range(0, POINTS, 2)]
    for client in clients:
        client.upsert("c", again)
    expect("the count", clients[0].count("c").count == POINTS + 60, clients[0].count("c"))
    return [p.id for p in points]


def compare_filters(remote, local, ids):
    for name, filter_ in filters(ids):
        ours, theirs = ids_of(remote, filter_), ids_of(local, filter_)
        wrong = sorted(set(map(str, ours)) ^ set(map(str, theirs)))[:3]
        expect(f"filter {name}", not wrong and len(ours) == len(theirs), f"{len(ours)} {len(theirs)} {wrong}")
        expect(f"count {name}", remote.count("c", count_filter=filter_).count == len(theirs))
        using = rng.choice(NAMES)
        query = numbers(DIMENSIONS[using][0])
        ask = dict(query=query, using=using, query_filter=filter_, limit=8, search_params=models.SearchParams(exact=True))
        same_scored(f"search {name}", remote.query_points("c", **ask).points, local.query_points("c", **ask).points)


def compare_queries(remote, local, ids):
    filter_ = models.Filter(must=[field("n", range=models.Range(gte=-10))])
    for using in NAMES:
        size, distance = DIMENSIONS[using]
        has = models.Filter(must=[models.HasVectorCondition(has_vector=using)])
        known = [r.id for r in local.scroll("c", scroll_filter=has, limit=20)[0]]
        pairs = [models.ContextPair(positive=known[0], negative=known[1]),
                 models.ContextPair(positive=numbers(size), negative=known[2])]
        examples = dict(positive=[known[3], numbers(size)], negative=[known[4]])
        recommend = lambda strategy: models.RecommendQuery(
            recommend=models.RecommendInput(**examples, strategy=strategy))
        queries = {
            "vector": numbers(size),
            "id": known[5],
            "average": recommend(models.RecommendStrategy.AVERAGE_VECTOR),
            "best score": recommend(models.RecommendStrategy.BEST_SCORE),
            "sum of scores": recommend(models.RecommendStrategy.SUM_SCORES),
            "discover": models.DiscoverQuery(discover=models.DiscoverInput(target=numbers(size), context=pairs)),
            "context": models.ContextQuery(context=pairs),
            "mmr": models.NearestQuery(nearest=numbers(size), mmr=models.Mmr(diversity=0.4, candidates_limit=30)),
        }
        for name, query in queries.items():
            ask = dict(query=query, using=using, limit=10, query_filter=filter_ if name != "mmr" else None)
            ours, theirs = remote.query_points("c", **ask).points, local.query_points("c", **ask).points
            same_scored(f"{name} with {using} ({distance})", ours, theirs)
        ask = dict(query=queries["vector"], using=using, limit=5, offset=3, with_vectors=[using], with_payload=["n", "deep.er"])
        ours, theirs = remote.query_points("c", **ask).points, local.query_points("c", **ask).points
        same_scored(f"page with {using}", ours, theirs)
        expect("chosen payload", [p.payload for p in ours] == [p.payload for p in theirs])
        expect("chosen vectors", [list(p.vector) for p in ours] == [[using]] * 5)
        # Away from the score itself, which local mode knows to more digits.
        threshold = (theirs[2].score + theirs[3].score) / 2
        ask = dict(query=queries["vector"], using=using, score_threshold=threshold, limit=50)
        same_scored(f"threshold with {using}", remote.query_points("c", **ask).points, local.query_points("c", **ask).points)
    a, b = numbers(16), numbers(8)
    prefetch = [models.Prefetch(query=a, using="a", limit=20), models.Prefetch(query=b, using="d", limit=20, filter=filter_)]
    for fusion in models.Fusion:
        ask = dict(prefetch=prefetch, query=models.FusionQuery(fusion=fusion), limit=12)
        same_scored(f"fusion {fusion}", remote.query_points("c", **ask).points, local.query_points("c", **ask).points)
    ask = dict(prefetch=prefetch[0], query=b, using="b", limit=6)
    same_scored("ranked again", remote.query_points("c", **ask).points, local.query_points("c", **ask).points)
    requests = [models.QueryRequest(query=a, using="a", limit=3), models.QueryRequest(query=b, using="b", filter=filter_, limit=4)]
    pairs = zip(remote.query_batch_points("c", requests), local.query_batch_points("c", requests), strict=True)
    for number, (ours, theirs) in enumerate(pairs):
        same_scored(f"batch {number}", ours.points, theirs.points)
    ask = dict(query=a, using="a", group_by="kind", limit=4, group_size=3)
    ours, theirs = remote.query_points_groups("c", **ask).groups, local.query_points_groups("c", **ask).groups
    expect("groups", [group.id for group in ours] == [group.id for group in theirs])
    for one, other in zip(ours, theirs):
        same_scored(f"group {one.id}", one.hits, other.hits)
    expect("a sample", len(remote.query_points("c", query=models.SampleQuery(sample=models.Sample.RANDOM), limit=9).points) == 9)


def index(remote):
    kinds = {"kind": "keyword", "n": "integer", "x": "float", "flag": "bool", "tags": "keyword", "when": "datetime", "place": "geo"}
    for key, kind in kinds.items():
        result = remote.create_payload_index("c", key, field_schema=models.PayloadSchemaType(kind))
        expect("index", result.status == models.UpdateStatus.COMPLETED)
    schema = remote.get_collection("c").payload_schema
    expect("declared", {key: entry.data_type.value for key, entry in schema.items()} == kinds, schema)


def compare_order_and_facets(remote, local):
    for key in ("n", "x", "when"):
        for direction in models.Direction:
            order = models.OrderBy(key=key, direction=direction)
            values = lambda client: [r.payload[key] for r in client.scroll("c", order_by=order, limit=1000)[0]]
            expect(f"order by {key} {direction}", values(remote) == values(local))
    order = models.OrderBy(key="n", start_from=5)
    values = [r.payload["n"] for r in remote.scroll("c", order_by=order, limit=1000)[0]]
    expect("order from", values and min(values) == 5 and values == sorted(values))
    for key in ("kind", "tags", "n", "flag"):
        hits = lambda client: [(hit.value, hit.count) for hit in client.facet("c", key, limit=100, exact=True).hits]
        expect(f"facet {key}", sorted(hits(remote), key=str) == sorted(hits(local), key=str), hits(remote))


def edit(clients, ids):
    some = models.Filter(must=[match("kind", by=models.MatchValue(value="beta"))])
    vector = numbers(8)
    for client in clients:
        client.set_payload("c", {"added": [1, {"b": None}]}, points=ids[:5])
        client.set_payload("c", {"er": "changed"}, points=ids[5:8], key="deep")
        client.set_payload("c", {"seen": True}, points=some)
        client.overwrite_payload("c", {"only": 1.5}, points=ids[8:10])
        client.delete_payload("c", ["n", "deep"], points=ids[10:14])
        client.clear_payload("c", points_selector=ids[14:16])
        client.update_vectors("c", [models.PointVectors(id=ids[16], vector={"b": vector, "d": vector})])
        client.delete_vectors("c", ["a"], points=ids[17:20])
        client.delete("c", points_selector=ids[20:30])
        client.delete("c", points_selector=models.FilterSelector(
            filter=models.Filter(must=[field("x", range=models.Range(gt=4))])))
        client.batch_update_points("c", [
            models.DeleteOperation(delete=models.PointIdsList(points=[ids[32]])),
            models.UpsertOperation(upsert=models.PointsList(points=[models.PointStruct(id=7777, vector={"b": vector})])),
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"batch": 1}, points=[7777])),
        ])


def edit_by_path(remote):
    """What local mode does not follow."""
    remote.upsert("c", [models.PointStruct(id=8888, vector={}, payload={"deep": {"er": 1, "x": [{"y": 1, "z": 2}]}, "k": 0})])
    remote.delete_payload("c", ["deep.er", "deep.x[].y", "nothing.here"], points=[8888])
    payload = remote.retrieve("c", [8888])[0].payload
    expect("deleted by path", payload == {"deep": {"x": [{"z": 2}]}, "k": 0}, payload)
    values = lambda **count: models.Filter(must=[
        models.HasIdCondition(has_id=[8888]), field("missing", values_count=models.ValuesCount(**count))])
    expect("a missing key has no values", remote.count("c", count_filter=values(lt=1)).count == 1)
    expect("and not one", remote.count("c", count_filter=values(gte=1)).count == 0)


def refused(what, status, text, call):
    try:
        call()
    except UnexpectedResponse as error:
        said = error.content.decode()
        expect(what, error.status_code == status and text in said, f"{error.status_code} {said}")
    else:
        expect(what, False, "was not refused")


def errors(remote):
    refused("no collection", 404, "doesn't exist", lambda: remote.get_collection("none"))
    refused("there already", 409, "already exists", lambda: remote.create_collection(
        "c", vectors_config=models.VectorParams(size=4, distance=models.Distance.DOT)))
    refused("dimension", 400, "expected dim: 16, got 2", lambda: remote.query_points("c", query=[1.0, 2.0], using="a"))
    refused("vector name", 400, "Not existing vector name", lambda: remote.query_points("c", query=[1.0], using="z"))
    refused("no name", 400, "Not existing vector name", lambda: remote.query_points("c", query=[1.0]))
    refused("NaN", 400, "", lambda: remote.upsert("c", [models.PointStruct(id=1, vector={"b": [float("nan")] * 8})]))
    refused("no point", 404, "No point with id 123456", lambda: remote.query_points("c", query=123456, using="a"))
    refused("no order", 400, "No range index", lambda: remote.scroll("c", order_by="none"))
    refused("model", 400, "not available", lambda: remote.query_points(
        "c", query=models.Document(text="x", model="other/model"), using="a"))


def texts(remote, address):
    remote.create_collection("t", vectors_config=models.VectorParams(size=256, distance=models.Distance.COSINE))
    document = lambda text: models.Document(text=text, model="kith/mini")
    lines = ["sorts a list of numbers", "opens a network socket", "reads a file line by line", "maps keys to values"]
    remote.upsert("t", [
        models.PointStruct(id=id_, vector=document(line), payload={"line": line}) for id_, line in enumerate(lines)
    ])
    for text, best in [("put values in order", 0), ("TCP connection", 1), ("load the lines of a document", 2), ("dictionary", 3)]:
        found = remote.query_points("t", query=document(text), limit=1, with_payload=True).points[0]
        expect(f"text {text}", found.id == best, found)
    vector = remote.retrieve("t", [1], with_vectors=True)[0].vector
    found = remote.query_points("t", query=vector, limit=1).points[0]
    expect("what is stored is what is searched with", found.id == 1 and abs(found.score - 1) < 1e-5, found)
    # The client has no name for a search by words; HTTP has.
    body = json.dumps({"query": {"bm25": {"query": "network of sockets", "fields": ["line"]}}, "limit": 1}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{address}/collections/t/points/query", data=body, headers=headers)
    with urllib.request.urlopen(request) as answer:
        found = json.load(answer)["result"]["points"]
    expect("by words", [point["id"] for point in found] == [1], found)
    expect("dropped", remote.delete_collection("t") and not remote.collection_exists("t"))


def main(address):
    remote = QdrantClient(url=address, cloud_inference=True, timeout=60)
    local = QdrantClient(":memory:")
    started = time.monotonic()

    def done(what):
        nonlocal started
        print(f"{what}: {time.monotonic() - started:.1f} s", flush=True)
        started = time.monotonic()

    create([remote, local])
    ids = fill([remote, local])
    same_points(remote, local)
    done("filled")
    compare_filters(remote, local, ids)
    done("filters")
    compare_queries(remote, local, ids)
    done("queries")
    formulas.compare(remote, local, expect, same_scored)
    done("formulas and feedback")
    index(remote)
    compare_order_and_facets(remote, local)
    compare_filters(remote, local, ids)
    done("with declared indexes")
    edit([remote, local], ids)
    same_points(remote, local)
    compare_filters(remote, local, ids)
    done("edited")
    edit_by_path(remote)
    errors(remote)
    texts(remote, address)
    names = [c.name for c in remote.get_collections().collections]
    expect("the collections", names == ["c"], names)
    expect("dropped", remote.delete_collection("c"))
    done("errors and texts")
    print(f"{len(failures)} differences" if failures else "all as expected")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
