"""Writes final/tests/data/embed-reference.bin: 1,000 texts and the vectors that embedder.bin gives them.

    python reference.py

Per text: its length in bytes (u32), the text in UTF-8, and its vector as i16 (each number times 32,767).
"""

import random
import struct
import unicodedata

import numpy as np

from table import Table
from texts import DATA, item_text, items

COUNT = 1000
HANDMADE = (
    "",
    " \t\r\n",
    "word",
    "Hello, World!",
    "[CLS] [UNK] [MASK] ##ing",
    "don't stop-believin' (it's 100% O.K.) #rust @home $5 a+b=c <T> ^~`|",
    "naïve café Ångström e\u0301 n\u0303 İstanbul straße ΣΊΣΥΦΟΣ ǅ ﬁne",
    "数据库 means database, データベース too; 데이터베이스 벡터 검색",
    "ベクトル検索 が゙ ﾊﾝｶｸ 漢字\U00020000\U0002a6df",
    "Векторная база данных ёЁ йЙ",
    "قاعدة بيانات مُتَّجَهَات",
    "מסד נתונים וֶקְטוֹרִי",
    "वेक्टर डेटाबेस हिन्दी",
    "ฐานข้อมูล เวกเตอร์",
    "emoji 😀👩‍👩‍👧‍👦🇩🇪 ✨ keycap 1️⃣",
    "a\u00adb\u200bc\u200dd\ufeffe\u0000f\u0007g\ufffdh",
    "a\u00a0b\u2003c\u3000d\u2028e\u2029f\u0085g\u000bh\u000ci",
    "¿Qué? «quoted» “curly” — dash… ·middle· ‽ ¡hola!",
    "x" * 99, "x" * 100, "x" * 101, "é" * 100, "e\u0301" * 101, "ab " * 300,
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "std::collections::HashMap::get_or_insert_with(|| 0x1F_u8)",
)  # fmt: skip


def random_text(generator, characters):
    length = generator.randint(1, 60)
    return "".join(" " if generator.random() < 0.15 else generator.choice(characters) for _ in range(length))


def texts():
    generator = random.Random(11)
    every = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cs", "Cn")]
    blocks = [range(0x20, 0x7F), range(0xA0, 0x250), range(0x300, 0x400), range(0x400, 0x530), range(0x590, 0x700)]
    blocks += [range(0x900, 0xE00), range(0x2000, 0x2C00), range(0x3000, 0x3100), range(0x4E00, 0x9FFF), range(0xAC00, 0xD7A4)]
    found = list(HANDMADE)
    found += [random_text(generator, every) for _ in range(100)]
    for block in blocks:
        known = [chr(c) for c in block if unicodedata.category(chr(c)) != "Cn"]
        found += [random_text(generator, known) for _ in range(25)]
    sample = generator.sample([item_text(item) for item in items()], COUNT - len(found) - 100)
    mangled = ["".join(generator.choice((c, c.upper(), c + "\u0301", c)) for c in text) for text in sample[:100]]
    return found + sample + mangled


def main():
    table = Table(DATA / "embedder.bin")
    out = b""
    chosen = texts()
    for text, vector in zip(chosen, table.embed(chosen)):
        raw = text.encode()
        out += struct.pack("<I", len(raw)) + raw + np.rint(vector * 32767).astype("<i2").tobytes()
    target = DATA.parent / "tests/data/embed-reference.bin"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(out)
    print(f"{len(chosen)} texts, {len(out)} bytes")


if __name__ == "__main__":
    main()
