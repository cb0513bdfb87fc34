"""Sections `search` and `filters`: recall against queries per CPU second."""

import statistics

import contestants
import systems
from contestants import K, Kith, Peer
from data import Accepted
from databases import DATABASES

EFS = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768)
FEW_EFS = (16, 48, 128, 384)
# Nothing wider is tried once a system's recall is there, or has grown by less than that since half the breadth.
ENOUGH, GAIN = 0.995, 0.0005
LEAST_EF = 4 * K  # some are as wide as that whatever they are asked, so that they grow only from there on
SHARES = (0.3, 0.05, 0.01, 0.001)
GOOD = 0.98  # recall that is asked of a filtered search
LEAST_SECONDS, MOST_PASSES = 0.3, 50  # queries that take less are asked several times over, for the clock's sake


class Field:
    """Those that take part in a section of the results; who fails is named there with the reason, and is out."""

    def __init__(self, section, results):
        self.section, self.results, self.there = section, results, []

    def enter(self, kinds, wanted):
        for kind in kinds:
            if wanted and kind.name not in wanted:
                continue
            if systems.version(kind.package):
                self.there.append(Peer(kind))
            else:
                self.results.skip(self.section, kind.name, "not installed")

    def each(self, do):
        """`do(contestant)` for every one that is still there; figures it gives are noted."""
        for contestant in list(self.there):
            try:
                self.results.put(self.section, contestant.name, **(do(contestant) or {}))
            except (RuntimeError, ValueError) as error:
                self.results.skip(self.section, contestant.name, str(error))
                self.there.remove(contestant)
                contestant.close()

    def change(self, contestant, into):
        """Goes on with another in its place."""
        contestant.close()
        self.there[self.there.index(contestant)] = into

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for contestant in self.there:
            contestant.close()


def fewer(dataset):
    """What databases are asked."""
    return dataset.some(0, contestants.FEW_QUERIES)


class Curves:
    """By contestant, what was found at each `ef`: in every round all take their turn, and the median counts."""

    def __init__(self, dataset, accepted=None):
        self.dataset, self.accepted = dataset, accepted
        self.rounds, self.recalls = {}, {}

    def turn(self, contestant):
        """One round of one contestant; the first decides how wide it goes. What the system has dropped of its files
        meanwhile is brought in again before the clock counts."""
        dataset = fewer(self.dataset) if contestant.few else self.dataset
        contestant.accept(dataset, self.accepted)
        contestant.search(dataset, EFS[-1], self.accepted)
        if contestant.name in self.recalls:
            for ef in self.recalls[contestant.name]:
                self.measure(contestant, dataset, ef)
            return
        recalls = self.recalls.setdefault(contestant.name, {})
        for ef in FEW_EFS if contestant.few else EFS:
            found = self.measure(contestant, dataset, ef)
            before = max((recalls[narrower] for narrower in recalls if LEAST_EF <= narrower <= ef / 2), default=-1.0)
            recalls[ef] = dataset.recall(found.ids, K, self.accepted)
            print(f"  {contestant.name:20} ef {ef:4} recall {recalls[ef]:.4f} {1 / found.cpu_s:9,.0f}/s", flush=True)
            if recalls[ef] >= ENOUGH or recalls[ef] < before + GAIN:
                break

    def measure(self, contestant, dataset, ef):
        found = contestant.search(dataset, ef, self.accepted)
        seconds = found.cpu_s * len(dataset.queries)
        if seconds < LEAST_SECONDS:
            passes = min(MOST_PASSES, int(LEAST_SECONDS / max(seconds, 1e-6)) + 1)
            found = contestant.search(dataset, ef, self.accepted, passes)
        self.rounds.setdefault((contestant.name, ef), []).append(found)
        return found

    def points(self, name):
        """(ef, recall, queries per CPU second)."""
        seconds = {ef: self.median(name, ef, "cpu_s") for ef in self.recalls[name]}
        return [(ef, recall, 1 / seconds[ef]) for ef, recall in self.recalls[name].items()]

    def median(self, name, ef, what):
        return statistics.median(getattr(found, what) for found in self.rounds[name, ef])


def run_rounds(field, curves, rounds):
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", flush=True)
        field.each(curves.turn)


def building(field, dataset, numbered=False):
    def build(contestant):
        print(f"{field.section}: building {contestant.name}", flush=True)
        return contestant.build(dataset, numbered)

    field.each(build)


def search(dataset, binaries, results, arguments):
    """Recall, speed, build, memory and size, of everything that is installed: of Kith and the libraries, and when they
    are gone of the databases, since all indexes of a large set do not fit into memory at once."""
    section = f"search.{dataset.name}"
    results.begin(section)
    kith = Kith(binaries[0])
    lean = [Kith(binaries[0], f"kith, {kind}", quantization=kind) for kind in ("scalar", "binary")]
    ours = [kith] if arguments.systems else [kith, *lean]
    for own, kinds in ((ours, systems.LIBRARIES), ([], DATABASES)):
        with Field(section, results) as field:
            field.there += own
            field.enter(kinds, arguments.systems)
            building(field, dataset)
            field.each(lambda contestant: contestant.save(dataset))
            curves = Curves(dataset)
            run_rounds(field, curves, arguments.rounds)
            for contestant in field.there:
                results.curve(section, contestant.name, curves.points(contestant.name))
            if kith in field.there:
                results.put(section, kith.name, **by_default(kith, dataset))
        memory(field, dataset)
    results.save()


def by_default(kith, dataset):
    """Recall and speed where nobody has chosen a width."""
    found = kith.search(dataset, None)
    recall = dataset.recall(found.ids, K)
    print(f"  {kith.name} at its default settings: recall {recall:.4f}", flush=True)
    return {"default_recall": recall, "default_qps": 1 / found.cpu_s}


def memory(field, dataset):
    """Of each in a process of its own, now that the others are gone."""

    def footprint(contestant):
        kept = contestant.footprint(fewer(dataset) if contestant.few else dataset)
        print(f"  {contestant.name:20} {kept:9,.0f} bytes per vector beyond the raw data", flush=True)
        return {"memory_bytes_per_vector": kept}

    field.each(footprint)


def filters(dataset, binaries, results, arguments):
    """Recall and speed where only a part of the points is accepted: the first ones, or some at random."""
    dataset = dataset.some(0, 1_000)
    numbers = dataset.numbers()
    sections = [f"filters.{dataset.name}", f"filters.{dataset.name}-at-random"]
    for section in sections:
        results.begin(section)
    with Field(sections[0], results) as field:
        field.there.append(Kith(binaries[0]))
        field.enter([systems.Faiss, systems.FlatScan, *DATABASES], arguments.systems)
        building(field, dataset, numbered=True)
        for column, field.section in enumerate(sections):
            for share in SHARES:
                accepted = Accepted(numbers, column, max(1, int(share * len(dataset.base))))
                print(f"{field.section}: {share:.1%} accepted", flush=True)
                curves = Curves(dataset, accepted)
                run_rounds(field, curves, arguments.rounds)
                for contestant in field.there:
                    results.put(field.section, contestant.name, **best(curves, contestant.name, share))
    results.save()


def best(curves, name, share):
    """The fastest setting with a good recall, else the one with the best."""
    points = curves.points(name)
    good = [point for point in points if point[1] >= GOOD] or [max(points, key=lambda point: point[1])]
    ef, recall, rate = max(good, key=lambda point: point[2])
    figures = {"recall": recall, "qps": rate, "ef_at": ef}
    figures |= {figure: curves.median(name, ef, figure) for figure in ("p50_us", "p99_us")}
    percent = f"{share * 100:g}".replace(".", "_")
    return {f"{figure}_{percent}pc": value for figure, value in figures.items()}
