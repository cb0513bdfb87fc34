"""Writes and reads embedder.bin; its layout is described where Kith parses it, in final/src/embed.rs."""

import struct

import crc32c
import numpy as np
import scipy.sparse as sparse
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

MAGIC, VERSION = b"KITHEMB\0", 1
REMOVED, SPACE, IDEOGRAPH, MARK, PUNCTUATION = 1, 2, 3, 4, 5


def character_classes():
    """How the teacher's tokenizer treats each character, found by asking it: (first, last, class), ascending."""
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    clean = normalizers.BertNormalizer(**off | dict(clean_text=True))
    ideographs = normalizers.BertNormalizer(**off | dict(handle_chinese_chars=True))
    accents = normalizers.BertNormalizer(**off | dict(strip_accents=True))
    split = pre_tokenizers.BertPreTokenizer()

    def class_of(c):
        cleaned = clean.normalize_str(f"a{c}b")
        if cleaned in ("ab", "a b"):
            return REMOVED if cleaned == "ab" else SPACE
        if ideographs.normalize_str(f"a{c}b") != f"a{c}b":
            return IDEOGRAPH
        if accents.normalize_str(f"a{c}") == "a":
            return MARK
        return PUNCTUATION if len(split.pre_tokenize_str(f"a{c}b")) == 3 else 0

    ranges = []
    for code in range(0x110000):
        kind = 0 if 0xD800 <= code < 0xE000 else class_of(chr(code))
        if kind and ranges and ranges[-1][1:] == (code - 1, kind):
            ranges[-1] = (ranges[-1][0], code, kind)
        elif kind:
            ranges.append((code, code, kind))
    return ranges


def quantise(vectors):
    """int8 rows and the scale of each."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12).astype(np.float32) / 127
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales


def write(path, pieces, vectors):
    """`pieces`: texts, those with a vector first; `vectors`: one row for each of these, weight included."""
    table, scales = quantise(vectors)
    texts = [piece.encode() for piece in pieces]
    ranges = character_classes()
    body = struct.pack("<4I", vectors.shape[1], len(pieces), len(vectors), len(ranges))
    body += b"".join(struct.pack("<2I", first, last | kind << 24) for first, last, kind in ranges)
    body += np.cumsum([len(text) for text in texts]).astype("<u4").tobytes()
    body += scales.astype("<f4").tobytes() + table.tobytes() + b"".join(texts)
    path.write_bytes(MAGIC + struct.pack("<2I", VERSION, crc32c.crc32c(body)) + body)


class Table:
    """embedder.bin as Kith uses it: the independent second implementation that the tests compare with."""

    def __init__(self, path):
        raw = path.read_bytes()
        self.dimension, pieces, rows, ranges = struct.unpack_from("<4I", raw, 16)
        at = 32 + 8 * ranges
        ends = np.frombuffer(raw, "<u4", pieces, at)
        at += 4 * pieces
        scales = np.frombuffer(raw, "<f4", rows, at)
        at += 4 * rows
        table = np.frombuffer(raw, np.int8, rows * self.dimension, at).reshape(rows, self.dimension)
        text = raw[at + rows * self.dimension :]
        self.vectors = np.zeros((pieces + 1, self.dimension), np.float32)
        self.vectors[:rows] = table * scales[:, None]
        vocabulary = {text[a:b].decode(): i for i, (a, b) in enumerate(zip([0, *ends[:-1]], ends))}
        vocabulary["[UNK]"] = pieces  # its vector is zero
        self.tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
        self.tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        self.tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def embed(self, texts):
        lists = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        return unit(counts(lists, len(self.vectors)) @ self.vectors)


def counts(lists, width):
    """A sparse matrix: how often each piece occurs in each text."""
    ends = np.cumsum([0] + [len(ids) for ids in lists])
    columns = np.fromiter((i for ids in lists for i in ids), np.int64, ends[-1])
    matrix = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), (len(lists), width))
    matrix.sum_duplicates()
    return matrix


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
