"""Formulas and relevance feedback: does Kith compute what qdrant-client's local mode computes?

Called by `client.py`, with the collection that it has filled. Not compared: the words of the errors for a value that
is missing or no place and no date (those of servers are other than local mode's), and the order of relevance feedback
by Euclid's distance (local mode puts the worst first).
"""

import random

from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse

rng = random.Random(21)
DEFAULTS = {"n": 2, "x": [0.5], "when": "2024-06-01", "place": {"lat": 1.5, "lon": -2.0}, "parts[0].size": 3}
HERE = models.GeoPoint(lat=52.5, lon=13.4)


def numbers(size):
    return [rng.uniform(-1, 1) for _ in range(size)]


def total(*terms):
    return models.SumExpression(sum=list(terms))


def product(*factors):
    return models.MultExpression(mult=list(factors))


def divided(left, right, default=None):
    return models.DivExpression(div=models.DivParams(left=left, right=right, by_zero_default=default))


def power(base, exponent):
    return models.PowExpression(pow=models.PowParams(base=base, exponent=exponent))


def away():
    return models.GeoDistance(geo_distance=models.GeoDistanceParams(origin=HERE, to="place"))


def when(key="when"):
    return models.DatetimeKeyExpression(datetime_key=key)


def decays(**parameters):
    params = models.DecayParamsExpression(**parameters)
    return {
        "linear": models.LinDecayExpression(lin_decay=params),
        "exponential": models.ExpDecayExpression(exp_decay=params),
        "gauss": models.GaussDecayExpression(gauss_decay=params),
    }


def expressions():
    """Every operation, alone and together."""
    kind = models.FieldCondition(key="kind", match=models.MatchValue(value="alpha"))
    tagged = models.FieldCondition(key="tags", match=models.MatchAny(any=["beta", "zeta"]))
    both = models.Filter(must=[kind], must_not=[models.FieldCondition(key="x", range=models.Range(gt=0))])
    january = models.DatetimeExpression(datetime="2024-01-01T00:00:00Z")
    yield from {
        "a constant": 2.5,
        "the score": "$score",
        "the first score": "$score[0]",
        "the second score": "$score[1]",
        "a score that is nobody's": "$score[7]",
        "a whole number": "n",
        "a number": "x",
        "a number in an array": "parts[0].size",
        "sum": total("$score", "$score[1]", "x", 3.0),
        "product": product("$score", "$score[1]", "n"),
        "empty sum": total(),
        "empty product": product(),
        "a product of 0 and what is missing": product(0.0, "missing"),
        "0 divided by what is missing": divided(0.0, "missing"),
        "condition": kind,
        "conditions": total("$score", product(0.5, kind), product(0.25, tagged)),
        "a filter": product(both, total("$score", 2.0)),
        "has id": models.HasIdCondition(has_id=[0, 1, 2, 4, 5]),
        "has vector": models.HasVectorCondition(has_vector="b"),
        "is empty": models.IsEmptyCondition(is_empty=models.PayloadField(key="maybe")),
        "negative": models.NegExpression(neg="$score"),
        "absolute": models.AbsExpression(abs="x"),
        "quotient": divided("$score", 4.0),
        "quotient by 0": divided(3.0, "$score[1]", 100.0),
        "root": models.SqrtExpression(sqrt=models.AbsExpression(abs="x")),
        "square": power("x", 2.0),
        "power": power(models.AbsExpression(abs="x"), 0.7),
        "power of a negative number": power(-2.0, total("parts[0].size", 0.0)),
        "exp": models.ExpExpression(exp="$score"),
        "log10": models.Log10Expression(log10=total(models.AbsExpression(abs="n"), 1.0)),
        "ln": models.LnExpression(ln=total(models.AbsExpression(abs="x"), 0.1)),
        "distance": product(away(), 1e-6),
        "date": divided(total(when(), models.NegExpression(neg=january)), 86400.0),
    }.items()
    for name, decay in decays(x="x").items():
        yield f"{name} decay", decay
    for name, decay in decays(x="n", target="x", scale=3.0, midpoint=0.2).items():
        yield f"{name} decay from a value", decay
    for name, decay in decays(x=when(), target=january, scale=2e6).items():
        yield f"{name} decay of dates", product(decay, total(1.0, "$score"))
    for name, decay in decays(x=away(), scale=5e6, midpoint=0.9).items():
        yield f"{name} decay of distance", total(decay, "$score[1]")


def compare(remote, local, expect, same_scored):
    some = models.Filter(must=[models.FieldCondition(key="x", range=models.Range(lt=2))])
    # Many of the points are in one of the lists only. The third list's scores are distances.
    prefetch = [
        models.Prefetch(query=numbers(16), using="a", limit=40),
        models.Prefetch(query=numbers(8), using="d", limit=40, filter=some),
        models.Prefetch(query=numbers(8), using="b", limit=20),
    ]

    def same(what, formula, defaults=DEFAULTS, prefetch=prefetch, **ask):
        query = models.FormulaQuery(formula=formula, defaults=defaults)
        ask = {"prefetch": prefetch, "query": query, "limit": 200, **ask}
        same_scored(f"formula: {what}", remote.query_points("c", **ask).points, local.query_points("c", **ask).points)

    for what, formula in expressions():
        same(what, formula)
    scores = total("$score", "$score[1]", product("$score[2]", -0.1))
    same("three lists", scores)
    same("defaults of scores", scores, {"$score": 0.5, "$score[1]": -2.0, "$score[2]": 9})
    same("a limit", scores, limit=7)
    same("a page", scores, limit=7, offset=5)
    same("a threshold", scores, score_threshold=0.31)
    same("one list", scores, prefetch=prefetch[0])
    same("points by id", total("$score", "x"), prefetch=models.Prefetch(limit=30))
    inner = models.Prefetch(prefetch=prefetch[:2], query=models.FormulaQuery(formula=scores), limit=15)
    same("a formula of a formula", product("$score", 2.0, total("$score[1]", 1.0)), prefetch=[inner, prefetch[1]])
    fused = models.Prefetch(prefetch=prefetch[:2], query=models.FusionQuery(fusion=models.Fusion.RRF), limit=100)
    same("a formula of a fusion", total("$score", product(0.1, "n")), prefetch=fused)
    refusals(remote, local, expect, prefetch)
    compare_feedback(remote, local, same_scored, some)


def refusals(remote, local, expect, prefetch):
    """Both refuse; where local mode's words are a server's, with the same words."""
    infinite = "produced a non-finite number"
    wrong = "in the payload and/or in the formula defaults"
    number = lambda key: f"Expected number value for {key} {wrong}. Error: "
    place = models.GeoDistance(geo_distance=models.GeoDistanceParams(origin=HERE, to="yes"))
    for what, formula, theirs, ours in [
        ("quotient by 0", divided(1.0, "$score[7]"), infinite, infinite),
        ("root", models.SqrtExpression(sqrt=-1.0), infinite, infinite),
        ("power", power(-2.0, 0.5), infinite, infinite),
        ("power of 0", power(0.0, -1.0), "", infinite),
        ("exp", models.ExpExpression(exp=1000.0), infinite, infinite),
        ("log10", models.Log10Expression(log10=0.0), infinite, infinite),
        ("ln", models.LnExpression(ln=-1.0), infinite, infinite),
        ("beyond 32 bits", 1e39, infinite, infinite),
        ("no value", "missing", "", number("missing") + "No value found"),
        ("a text", "kind", number("kind"), number("kind")),
        ("a bool", "yes", number("yes"), number("yes")),
        ("several values", "several", number("several"), number("several")),
        ("no place", place, wrong, f"Expected geo point value for yes {wrong}"),
        ("no date", when("word"), wrong, f"Expected datetime value for word {wrong}"),
        ("no variable", "$score[x]", "Invalid score pattern", "Invalid score pattern"),
        ("midpoint", decays(x="$score", midpoint=1.0)["gauss"], "Midpoint", "must be above 0 and below 1"),
        ("scale", decays(x="$score", scale=0.0)["linear"], "Scale", "must be above 0"),
    ]:
        defaults = {"kind": "alpha", "yes": True, "several": [1, 2], "word": "word"}
        ask = dict(prefetch=prefetch, query=models.FormulaQuery(formula=formula, defaults=defaults))
        for who, client, text in [("local", local, theirs), ("kith", remote, ours)]:
            try:
                client.query_points("c", **ask)
            except UnexpectedResponse as error:
                said = error.content.decode()
                expect(f"refused: {what}", error.status_code in (400, 422) and text in said, said)
            except ValueError as error:
                expect(f"refused by local mode: {what}", who == "local" and text in str(error), error)
            else:
                expect(f"refused by {who}: {what}", False, "was not refused")


def compare_feedback(remote, local, same_scored, some):
    for using, size in [("a", 16), ("b", 8), ("d", 8)]:
        has = models.Filter(must=[models.HasVectorCondition(has_vector=using)])
        known = [record.id for record in local.scroll("c", scroll_filter=has, limit=30)[0]]
        item = lambda example, score: models.FeedbackItem(example=example, score=score)
        judged = [item(known[7], 0.9), item(known[11], 0.2), item(numbers(size), 0.5), item(numbers(size), 0.5)]
        for what, target, feedback, naive, ask in [
            ("a vector", numbers(size), judged, (0.7, 1.3, 0.4), {}),
            ("a point", known[3], judged, (1.0, 0.5, 2.0), {}),
            ("no feedback", known[3], [], (2.0, 1.0, 1.0), {}),
            ("one example", known[3], judged[:1], (1.0, 1.0, 1.0), {}),
            ("a filter", numbers(size), judged, (1.0, 1.0, -0.3), {"query_filter": some}),
            ("a prefetch", known[5], judged, (0.5, 2.0, 1.0), {"prefetch": models.Prefetch(limit=60)}),
        ]:
            params = models.NaiveFeedbackStrategyParams(**dict(zip("abc", naive)))
            query = models.RelevanceFeedbackQuery(relevance_feedback=models.RelevanceFeedbackInput(
                target=target, feedback=feedback, strategy=models.NaiveFeedbackStrategy(naive=params)))
            ask = dict(query=query, using=using, **ask)
            ours = remote.query_points("c", **ask, limit=12).points
            theirs = local.query_points("c", **ask, limit=1000).points
            best_first = reversed(theirs) if using == "b" else theirs
            same_scored(f"feedback by {what} with {using}", ours, list(best_first)[:12])
