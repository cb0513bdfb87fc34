"""Measures how often a question finds one of its answers: BM25, tables, the teacher, and each fused with BM25.

    python evaluate.py [--cache CACHE] [--teacher] NAME=TABLE.bin ...      without a table: embedder.bin
"""

import argparse
import json
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from table import Table
from texts import DATA, item_text, items, search_text

K1, B = 1.2, 0.75
FUSION, TOP = 2, 100


def tokens(text):
    """Runs of letters and digits, lower-cased."""
    return re.findall(r"[^\W_]+", text.lower())


def bm25(documents, questions):
    """The best documents of each question by their words."""
    frequencies = [Counter(tokens(text)) for text in documents]
    lengths = np.array([sum(found.values()) for found in frequencies])
    shares = K1 * (1 - B + B * lengths / lengths.mean())
    postings = defaultdict(list)
    for number, found in enumerate(frequencies):
        for token, count in found.items():
            postings[token].append((number, count))
    scores = np.zeros((len(questions), len(documents)))
    for row, question in zip(scores, questions):
        for token in set(tokens(question)):
            found = postings.get(token, [])
            idf = math.log((len(documents) - len(found) + 0.5) / (len(found) + 0.5) + 1)
            for number, count in found:
                row[number] += idf * count * (K1 + 1) / (count + shares[number])
    return best(scores)


def best(scores):
    return [[int(i) for i in np.argsort(-row, kind="stable")[:TOP] if row[i] > 0] for row in scores]


def fuse(*rankings):
    """Reciprocal rank fusion."""
    fused = []
    for lists in zip(*rankings):
        scores = defaultdict(float)
        for ranked in lists:
            for rank, number in enumerate(ranked):
                scores[number] += 1 / (FUSION + rank)
        fused.append(sorted(scores, key=lambda number: (-scores[number], number)))
    return fused


class Report:
    def __init__(self, questions, all_items):
        places = defaultdict(list)
        for number, item in enumerate(all_items):
            places[item["path"]].append(number)
        self.answers = [{number for path in question["paths"] for number in places[path]} for question in questions]
        self.styles = np.array([question["style"] for question in questions])
        names = ("hit@1", "hit@5", "hit@10", "MRR@10", *(f"hit@5 {part}" for part in ("plain", "paraphrase", "odd", "even")))
        print(f"| | {' | '.join(names)} |\n|---{'|--:' * len(names)}|")

    def line(self, name, rankings):
        first = []
        for ranked, right in zip(rankings, self.answers):
            first.append(next((rank for rank, number in enumerate(ranked[:10]) if number in right), 99))
        first = np.array(first)
        hits = [(first < k).mean() for k in (1, 5, 10)]
        mrr = np.where(first < 10, 1 / (first + 1), 0).mean()
        by_style = [(first[self.styles == style] < 5).mean() for style in ("plain", "paraphrase")]
        halves = [(first[half::2] < 5).mean() for half in (0, 1)]
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in (*hits, mrr, *by_style, *halves)) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", nargs="*", default=[f"fitted={DATA / 'embedder.bin'}"])
    parser.add_argument("--teacher", action="store_true")
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    questions = [json.loads(line) for line in (DATA / "questions.jsonl").read_text().splitlines()]
    asked = [question["question"] for question in questions]
    all_items = items()
    documents = [item_text(item) for item in all_items]
    report = Report(questions, all_items)
    short = [f"{item['path']} {text}" for item, text in zip(all_items, documents)]
    report.line("BM25 without details and example", bm25(short, asked))
    words = bm25([search_text(item) for item in all_items], asked)
    report.line("BM25", words)
    models = [(name, Table(Path(file)).embed) for name, _, file in (entry.partition("=") for entry in arguments.tables)]
    if arguments.teacher:
        from teacher import Teacher

        teacher = Teacher()
        models.append(("teacher", lambda texts: teacher.encode(texts, arguments.cache)))
    for name, embed in models:
        near = best(embed(asked) @ embed(documents).T)
        report.line(name, near)
        report.line(f"BM25 + {name}", fuse(words, near))


if __name__ == "__main__":
    main()
