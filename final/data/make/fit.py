"""Fits the table of word pieces to the teacher and writes embedder.bin.

    python fit.py CACHE        CACHE: a folder for the teacher's vectors, which take most of the time
"""

import argparse
from pathlib import Path

import numpy as np
import scipy.sparse as sparse

import table
from table import counts, unit
from teacher import CLS, SEP, Teacher
from texts import DATA, debian, explanations, item_text, items, question_of

DIMENSION = 256
SIF = 1e-3  # a piece of relative frequency p weighs SIF / (SIF + p)
RIDGE = 4.0  # how strongly a piece holds on to its first vector, in texts
STEPS = 15
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused")


def training_set(teacher, cache):
    """Groups of (weight, texts, teacher's vectors).

    An item's target lies between the teacher's opinion of its text and that of its longer explanation: what the summary leaves
    out is learnt by the pieces of its name.
    """
    all_items, packages = items(), debian()
    summaries = [item["summary"] for item in all_items]
    asked = [question_of(item, i) for i, item in enumerate(all_items)]
    texts = [item_text(item) for item in all_items]
    longer = teacher.encode(explanations(all_items), cache, 122)
    return [
        (4, texts, unit(teacher.encode(texts, cache) + longer)),
        (1, asked, unit(teacher.encode(asked, cache) + longer / 2)),
        (1, summaries, teacher.encode(summaries, cache)),
        (1, packages, teacher.encode(packages, cache)),
    ]


def fit(first, texts, targets, weights):
    """Ridge least squares by conjugate gradient: the vectors nearest to `first` whose sums point where the teacher does.

    A text's row is divided by the length of its first sum, so that short and long texts count the same.
    """
    lengths = np.maximum(np.linalg.norm(texts @ first, axis=1), 1e-3)
    weights = np.sqrt(weights)
    rows = (sparse.diags(weights / lengths) @ texts).tocsr().astype(np.float32)
    columns = rows.T.tocsr()
    scale = 1 / (np.asarray(rows.multiply(rows).sum(axis=0)).ravel() + RIDGE)[:, None]
    vectors = first.copy()
    rest = columns @ (targets * weights[:, None] - rows @ vectors)
    step = rest * scale
    energy = (rest * step).sum(axis=0)
    for number in range(STEPS):
        pulled = columns @ (rows @ step) + RIDGE * step
        reach = energy / np.maximum((step * pulled).sum(axis=0), 1e-20)
        vectors += reach * step
        rest -= reach * pulled
        better = rest * scale
        before, energy = energy, (rest * better).sum(axis=0)
        step = better + energy / np.maximum(before, 1e-20) * step
        print(f"step {number + 1}: {np.sqrt(energy.sum()):.4f}", flush=True)
    return vectors


def first_vectors(teacher, vocabulary, cache, frequency):
    """Each piece alone through the teacher, centred, weighted by how rare it is."""
    file = cache / "pieces.npy"
    if not file.exists():
        np.save(file, teacher.encode_pieces([[CLS, piece, SEP] for piece in range(len(vocabulary))]))
    alone = np.load(file)
    return (alone - alone.mean(axis=0)) * (SIF / (SIF + frequency / frequency.sum()))[:, None]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cache", type=Path)
    parser.add_argument("--unfitted", action="store_true", help="stop before the fit: the pieces alone")
    parser.add_argument("--out", type=Path, default=DATA / "embedder.bin")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    teacher = Teacher()
    vocabulary = sorted(teacher.tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    groups = training_set(teacher, arguments.cache)
    encoded = teacher.tokenizer.encode_batch([text for _, group, _ in groups for text in group], add_special_tokens=False)
    texts = counts([encoding.ids for encoding in encoded], len(vocabulary))
    targets = np.vstack([vectors for *_, vectors in groups])
    weights = np.concatenate([np.full(len(group), weight, np.float32) for weight, group, _ in groups])
    targets = targets - targets.mean(axis=0)
    _, axes = np.linalg.eigh(targets.T @ targets)
    axes = axes[:, ::-1][:, :DIMENSION]
    first = first_vectors(teacher, vocabulary, arguments.cache, np.asarray(texts.sum(axis=0)).ravel())
    kept = [i for i, (piece, _) in enumerate(vocabulary) if not piece.startswith(SPECIAL)]
    special = np.setdiff1d(np.arange(len(vocabulary)), kept)
    first[special] = 0
    vectors = first @ axes
    if not arguments.unfitted:
        vectors = fit(vectors, texts, unit(targets @ axes), weights)
    table.write(arguments.out, [vocabulary[i][0] for i in kept], vectors[kept].astype(np.float32))
    print(f"{len(kept)} pieces, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
