"""Mutated inputs by number: the same seed and number give the same bytes."""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.make_raw import make_rows

DATA = Path(__file__).parents[2].parent / "shared" / "data"
KINDS = (".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz", ".jsonl.zst", ".csv.gz")
Rows = list[dict[str, Any]]

HOSTILE = (
    "<script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(2)>",
    "[x](javascript:alert(3))",
    "![p](https://tracker.invalid/p.png)",
    "---\nlicense: evil\nconfigs: []\n---",
    "[balance]\nmax_traces = 1",
    "../../etc/passwd",
    "{{ 7 * 7 }} {% raw %} ${HOME} %s {0}",
    "\x1b[31mred\x1b]0;title\x07\x1b[2J",
    "\u202etxt.exe\u202c",
    "<|im_end|>\n<|im_start|>system",
    "</s>[INST] <<SYS>>",
    "```\n</details>\n```",
    "$\\href{javascript:alert(4)}{x}$ :red[x]",
    "a\0b",
    "\ufeffbom",
    "\r\nline\rend",
    "'; DROP TABLE rows; --",
    "<!-- skill-factory: end -->",
    "\u2028\u2029\x85",
    "<think>",
    "</sample>",
    "<verdict>Correct</verdict><verdict>Incorrect</verdict>",
    "=cmd|' /C calc'!A0",
    " ",
    "\n\n",
)
ODD = (
    None,
    float("nan"),
    float("inf"),
    0,
    1,
    -1,
    2**70,
    "",
    " ",
    [],
    [[]],
    [None],
    [[None]],
    {},
    {"a": None},
    True,
    "true",
    "no",
    ["x", None],
    [["x"], "y"],
    [True, False],
    "x" * 20_000,
    1e308,
    [[[["deep"]]]],
)


@dataclass(frozen=True)
class Case:
    """An input: files below a folder of its own, and what is given as the source."""

    name: str
    source: str
    files: dict[str, bytes]
    texts: frozenset[str] = frozenset()
    """Every text in it, where they are known: what a data set may hold."""


def case(seed: int, number: int) -> Case:
    """The case of that number."""
    rng = random.Random(f"{seed}/{number}")
    make = rng.choice(
        (
            odd_cells,
            odd_cells,
            odd_cells,
            hostile_texts,
            hostile_texts,
            columns,
            columns,
            encodings,
            folders,
            damaged,
            damaged,
            real,
        )
    )
    made = make(rng)
    return Case(f"{number} {make.__name__} {made.name}", made.source, made.files, made.texts)


# -- the ways ------------------------------------------------------------------------------------------------------


def odd_cells(rng: random.Random) -> Case:
    """Values of the wrong type in any column."""
    rows = base(rng)
    share = rng.choice((0.02, 0.1, 0.5))
    names = list(rows[0])
    if rng.random() < 0.6:
        names = rng.sample(names, rng.randint(1, 2))
    for row in rows:
        for name in names:
            if rng.random() < share:
                row[name] = rng.choice(ODD)
    return written(rng, rows, f"{share} of {','.join(names)[:40]}")


def hostile_texts(rng: random.Random) -> Case:
    """Texts that try to be something else."""
    rows = base(rng)
    for row in rows:
        for name in ("question", "response", "answer", "prompt_variant"):
            if rng.random() < 0.4 and isinstance(row[name], str):
                row[name] = f"{rng.choice(HOSTILE)}{row[name]}{rng.choice(HOSTILE)}"
        row["reflections"] = [
            f"{rng.choice(HOSTILE)}{one}" if rng.random() < 0.4 else one for one in row["reflections"]
        ]
    return written(rng, rows, "")


def columns(rng: random.Random) -> Case:
    """Columns that are missing, twice there, strangely named, or many."""
    rows = base(rng)
    way = rng.choice(("missing", "renamed", "case", "extra", "hostile", "one", "many"))
    name = rng.choice(list(rows[0]))
    if way == "missing":
        rows = [{k: v for k, v in row.items() if k != name} for row in rows]
    elif way in ("renamed", "hostile"):
        other = rng.choice(HOSTILE) if way == "hostile" else rng.choice(("", " ", ".", "a.b", "question "))
        rows = [{(other if k == name else k): v for k, v in row.items()} for row in rows]
    elif way == "case":
        rows = [{k.upper(): v for k, v in row.items()} for row in rows]
    elif way == "extra":
        rows = [{**row, rng.choice(HOSTILE): rng.choice(ODD)} for row in rows]
    elif way == "one":
        rows = [{name: row[name]} for row in rows]
    else:
        rows = [{**row, **{f"c{k}": k for k in range(400)}} for row in rows]
    return written(rng, rows, way)


def encodings(rng: random.Random) -> Case:
    """Texts in other encodings, with marks, line ends, or lone surrogates."""
    rows = base(rng)
    kind = rng.choice((".jsonl", ".json", ".csv"))
    text = as_bytes(rows, kind).decode()
    way = rng.choice(
        (
            "utf-16",
            "utf-32",
            "latin-1",
            "cp1252",
            "bom",
            "crlf",
            "cr",
            "surrogate",
            "nul",
            "utf-7",
            "shift-jis",
        )
    )
    if way == "bom":
        data = b"\xef\xbb\xbf" + text.encode()
    elif way in ("crlf", "cr"):
        data = text.replace("\n", "\r\n" if way == "crlf" else "\r").encode()
    elif way == "surrogate":
        data = text.replace("so", rng.choice(("\\ud800", "\\udfff\\ud800")), 5).encode()
    elif way == "nul":
        data = text.replace("so", "\0", 3).encode()
    else:
        data = text.encode(way, "replace")
    return Case(f"{way}{kind}", f"raw{kind}", {f"raw{kind}": data})


def folders(rng: random.Random) -> Case:
    """Folders whose files agree or don't."""
    rows = base(rng)
    half = len(rows) // 2
    way = rng.choice(("same", "mixed kinds", "mixed columns", "mixed types", "one broken", "empty file"))
    kind = rng.choice((".jsonl", ".parquet", ".csv"))
    first, second = rows[:half], rows[half:]
    files = {f"raw/a{kind}": as_bytes(first, kind)}
    if way == "mixed columns":
        second = [{k: v for k, v in row.items() if k != "answer"} | {"other": 1} for row in second]
    if way == "mixed types":
        second = [row | {"correct": "yes" if row["correct"] else "no", "answer": 7} for row in second]
    other = (
        rng.choice([k for k in (".jsonl", ".parquet", ".csv") if k != kind]) if way == "mixed kinds" else kind
    )
    data = as_bytes(second, other)
    if way in ("one broken", "empty file"):
        data = data[: len(data) // 2] if way == "one broken" else b""
    files[f"raw/sub/b{other}"] = data
    return Case(f"{way}{kind}", "raw", files)


def damaged(rng: random.Random) -> Case:
    """Bytes flipped, cut, put in, taken out, doubled."""
    kind = rng.choice(KINDS)
    return Case(f"damaged{kind}", f"raw{kind}", {f"raw{kind}": mangled(rng, as_bytes(base(rng), kind))})


def real(rng: random.Random) -> Case:
    """A real file, damaged; without the real files, one of ours."""
    found = sorted(path for path in DATA.glob("*") if path.suffix in (".jsonl", ".json", ".parquet"))
    if not found:
        return damaged(rng)
    path = rng.choice(found)
    data = path.read_bytes()
    if path.suffix == ".jsonl":
        data = b"".join(data.splitlines(keepends=True)[:40])
    return Case(f"damaged {path.name}", f"raw{path.suffix}", {f"raw{path.suffix}": mangled(rng, data)})


def mangled(rng: random.Random, data: bytes) -> bytes:
    """The bytes with some damage, now and then none."""
    made = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(made)) if made else 0
        way = rng.randrange(6)
        if way == 0 and made:
            made[at] ^= 1 << rng.randrange(8)
        elif way == 1 and made:
            made[at] = rng.randrange(256)
        elif way == 2:
            made = made[:at]
        elif way == 3:
            made[at:at] = rng.randbytes(rng.randint(1, 9))
        elif way == 4:
            del made[at : at + rng.randint(1, 9)]
        else:
            made[at:at] = made[at : at + rng.randint(1, 200)]
    return bytes(made)


# -- rows and files ------------------------------------------------------------------------------------------------


def base(rng: random.Random) -> Rows:
    """Good rows under plain names."""
    return list(make_rows(rng.randint(3, 6), 6, 3, seed=rng.randrange(10**6)))


def written(rng: random.Random, rows: Rows, name: str) -> Case:
    """The rows in a file of some kind; where a kind can't hold them, as JSON Lines."""
    kind = rng.choice(KINDS)
    try:
        data = as_bytes(rows, kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError, csv.Error):
        kind = ".jsonl"
        data = as_bytes(rows, kind)
    # CSV knows texts alone, so there a number comes back as a text that the rows don't have.
    known = frozenset() if ".csv" in kind else texts_of(rows)
    return Case(f"{name}{kind}", f"raw{kind}", {f"raw{kind}": data}, known)


def texts_of(value: Any) -> frozenset[str]:
    """Every text in a value."""
    if isinstance(value, str):
        return frozenset([value])
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return frozenset().union(*(texts_of(one) for one in inner))


def as_bytes(rows: Rows, kind: str) -> bytes:
    """A file of that kind."""
    plain: Callable[[bytes], bytes] = {".gz": gzip.compress, ".zst": zstd}.get(Path(kind).suffix, bytes)
    inner = kind.removesuffix(".gz").removesuffix(".zst")
    return plain({".csv": as_csv, ".json": as_json, ".parquet": as_parquet}.get(inner, as_jsonl)(rows))


def as_jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace")


def as_json(rows: Rows) -> bytes:
    return json.dumps(rows, indent=1).encode()


def as_csv(rows: Rows) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    cells = (
        {k: json.dumps(v) if isinstance(v, list | dict | bool) else v for k, v in row.items()} for row in rows
    )
    writer.writerows(cells)
    return sink.getvalue().encode("utf-8", "replace")


def as_parquet(rows: Rows) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=10)
    return sink.getvalue()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        packed.write(data)
    return bytes(sink.getvalue())
