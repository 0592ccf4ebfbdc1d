"""Files and Hub repositories that a stranger may give to stop a server: small to send, endless to read."""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.make_raw import make_rows

Make = Callable[[Path], None]
GOOD = ("question", "answer", "response", "correct", "reflections")


def _rows(count: int = 20) -> list[dict[str, object]]:
    return [dict(row) for row in make_rows(count // 4 or 1, 4, 2, seed=1)]


def nested_json(path: Path) -> None:
    """JSON lines nested ten thousand deep: Arrow's reader, and the stack of others, fall over it."""
    deep = "[" * 10_000 + "]" * 10_000
    path.write_text(f'{{"question": "q", "response": {deep}}}\n' * 3, encoding="utf-8")


def long_line(path: Path) -> None:
    """A packed file of 3 MB with one line of 3 GB."""
    with path.open("wb") as file:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        file.write(packer.compress(b'{"question": "'))
        block = b"a" * (1 << 24)
        for _ in range(180):
            file.write(packer.compress(block))
        file.write(packer.compress(b'"}\n') + packer.flush())


def parquet_pages(path: Path) -> None:
    """Pages that unpack a thousandfold."""
    table = pa.table(
        {"question": pa.array(["a" * 3_000_000] * 400, pa.large_string()), "response": ["r"] * 400}
    )
    pq.write_table(table, path, compression="zstd", use_dictionary=False, row_group_size=400)


def parquet_dictionary(path: Path) -> None:
    """One long text in a dictionary that all rows point at."""
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 4000, pa.int32()), pa.array(["b" * 1_000_000]))
    table = pa.table({"question": values, "response": ["r"] * 4000})
    pq.write_table(table, path, row_group_size=4000)


def csv_lists(path: Path) -> None:
    """Cells that look like lists of Python, with what its reader takes ages for."""
    cell = "[" + "-" * 9_000 + "1]"
    text = "[" + "f'" + "{" * 3_000 + "]"
    lines = ["question,answer,response,correct"] + [
        f'q,a,"{one}",True' for one in (cell, text) for _ in range(20)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def many_columns(path: Path) -> None:
    """A million columns."""
    path.write_text(
        ",".join(f"c{k}" for k in range(1_000_000)) + "\n" + ",".join("1" * 1_000_000) + "\n",
        encoding="utf-8",
    )


def wide_json(path: Path) -> None:
    """Rows that each have names of their own: a table of them would have a column for each."""
    with path.open("w", encoding="utf-8") as file:
        for row in range(200):
            file.write(json.dumps({f"n{row}_{k}": 1 for k in range(500)}) + "\n")


def many_values(path: Path) -> None:
    """58 kB that become millions of values."""
    path.write_text('{"question": ' + "[" + "[]," * 19_000 + "1]}\n", encoding="utf-8")


def blanks(path: Path) -> None:
    """Nothing but white space and line ends."""
    path.write_text(" \n\t" * 10_000, encoding="utf-8")


def empty(path: Path) -> None:
    """No byte at all."""
    path.write_bytes(b"")


def digits(path: Path) -> None:
    """A number of half a million digits."""
    path.write_text('{"question": "q", "response": ' + "9" * 500_000 + "}\n", encoding="utf-8")


def torn_parquet(path: Path) -> None:
    """The second half of a file."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(_rows(200)), sink)
    data = bytearray(sink.getvalue())
    for place in range(4, len(data) // 2, 7):
        data[place] = (data[place] * 31 + 7) % 256
    path.write_bytes(bytes(data))


def gzip_of_nothing(path: Path) -> None:
    """A packed file that unpacks to zeros without end."""
    path.write_bytes(gzip.compress(b"\0" * 50_000_000))


FILES: dict[str, Make] = {
    "nested.jsonl": nested_json,
    "nested.json": nested_json,
    "line.jsonl.gz": long_line,
    "pages.parquet": parquet_pages,
    "dictionary.parquet": parquet_dictionary,
    "lists.csv": csv_lists,
    "columns.csv": many_columns,
    "wide.jsonl": wide_json,
    "values.jsonl": many_values,
    "blanks.csv": blanks,
    "blanks.json": blanks,
    "empty.jsonl": empty,
    "empty.parquet": empty,
    "digits.jsonl": digits,
    "torn.parquet": torn_parquet,
    "zeros.csv.gz": gzip_of_nothing,
}
"""Name of a file → what writes it."""


# -- cards ---------------------------------------------------------------------------------------------------------


def aliases() -> str:
    """A kilobyte of YAML that names a billion lists."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 10)]
    return "\n".join(lines) + "\nconfigs: *a9"


def deep_yaml() -> str:
    """YAML nested twenty thousand deep."""
    return "configs: " + "[" * 20_000 + "]" * 20_000


def much_yaml() -> str:
    """Five megabytes of YAML."""
    return "configs:\n" + "- config_name: a\n  data_files: x.parquet\n" * 120_000


ODD = (
    "configs: 5",
    "configs: {a: b}",
    "configs: [null, 3, [], {config_name: null}]",
    "configs: [{config_name: [a], data_files: 7}]",
    "configs: [{config_name: a, data_files: [{split: [x], path: {y: z}}]}]",
    "configs: [{config_name: a, data_files: [{path: x}]}]",
    "configs: [{config_name: a, data_files: [{split: train}]}]",
    "configs: [{config_name: a, data_dir: [b], data_files: '*'}]",
    "configs: [{config_name: a, data_files: {train: [1, 2]}}]",
    "dataset_info: [7, null]\nconfigs: []",
    "dataset_info: {splits: 9, config_name: default}",
    "dataset_info: {splits: [{name: train, num_examples: many}]}",
    "dataset_info: {splits: [{name: [a], num_examples: -3}]}",
    "dataset_info: {config_name: default, splits: [3, [], null]}",
    "configs: [{config_name: a, default: {}, data_files: '" + "*a" * 300 + "b'}]",
    "2023-13-45: !!timestamp nonsense",
    "? [a, b]\n: c\nconfigs: *missing",
)
"""Cards whose fields have kinds that nobody expects."""


def cards() -> Iterator[tuple[str, bytes]]:
    """(what it is, README.md) of hostile cards."""
    for name, text in (("aliases", aliases()), ("deep", deep_yaml()), ("much", much_yaml())):
        yield name, f"---\n{text}\n---\n".encode()
    for number, text in enumerate(ODD):
        yield f"odd {number}", f"---\n{text}\n---\n".encode()
    yield "large", b"---\nconfigs: []\n---\n" + b"word " * 60_000_000
    yield "not text", b"---\n\xff\xfe\x00---\n"
    yield "open", b"---\n" * 200_000
