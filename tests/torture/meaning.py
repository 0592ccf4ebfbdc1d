"""Wrong in meaning is a fault too: one table in many disguises gives the plain table's training set, or a sentence.

Each disguise changes how the data is written and nothing of what it says. Lost is a build that ends with exit code 0 and
another set.
"""

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.command import python
from tests.make_raw import make_rows
from tests.torture.score import Score

Row = dict[str, Any]
Disguise = Callable[[random.Random, list[Row]], list[Row]]
WORDS = (
    ("correct", "incorrect"),
    ("yes", "no"),
    ("true", "false"),
    ("True", "False"),
    (1, 0),
    (1.0, 0.0),
    ("1", "0"),
    ("right", "wrong"),
    ("pass", "fail"),
)
NAMES = {
    "question": ("question", "problem", "prompt", "query"),
    "answer": ("answer", "gold_answer", "ground_truth", "reference", "expected_answer"),
    "response": ("response", "model_response", "completion", "generation"),
    "correct": ("correct", "is_correct", "label"),
    "reflections": ("reflections", "critiques", "reflection"),
}
DELIMITERS = (",", ";", "\t", "|")


def plain(rng: random.Random) -> list[Row]:
    """A table as the docs ask for: one row a response."""
    rows = []
    for row in make_rows(5, 4, 2, seed=rng.randrange(10**6)):
        known = {name: row.get(name) for name in ("question", "answer", "response", "correct", "reflections")}
        rows.append(known)
    return rows


def labels(rng: random.Random, rows: list[Row]) -> list[Row]:
    """Right and wrong in other words."""
    right, wrong = rng.choice(WORDS)
    return [{**row, "correct": right if row["correct"] else wrong} for row in rows]


def renamed(rng: random.Random, rows: list[Row]) -> list[Row]:
    """Columns under other names that people use."""
    names = {name: rng.choice(others) for name, others in NAMES.items()}
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


def shuffled(rng: random.Random, rows: list[Row]) -> list[Row]:
    """Columns and rows in another order."""
    order = list(dict.fromkeys(name for row in rows for name in row))
    rng.shuffle(order)
    mixed = [{name: row[name] for name in order if name in row} for row in rows]
    rng.shuffle(mixed)
    return mixed


def repeated(rng: random.Random, rows: list[Row]) -> list[Row]:
    """Some rows twice, as a careless join leaves them."""
    return [*rows, *rng.sample(rows, min(3, len(rows)))]


def beside(rng: random.Random, rows: list[Row]) -> list[Row]:
    """Columns that nobody asked for beside those that count."""
    more = {"id": 7, "model": "m", "tokens": 12, "split": "train", "note": None}
    return [{**row, **{name: more[name] for name in rng.sample(sorted(more), 2)}} for row in rows]


def spaced(rng: random.Random, rows: list[Row]) -> list[Row]:
    """White space around the gold answer."""
    return [
        {**row, "answer": f" {row['answer']}\n"}
        if isinstance(row.get("answer"), str) and rng.random() < 0.5
        else row
        for row in rows
    ]


def none(rng: random.Random, rows: list[Row]) -> list[Row]:
    """As it is."""
    return rows


def nested(rng: random.Random, rows: list[Row]) -> list[Row]:
    """One row a question, with its responses, labels and reflections in lists."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["question"], []).append(row)
    if any(len({row["answer"] for row in group}) > 1 for group in found.values()):
        return rows
    return [
        {"question": question, "answer": group[0]["answer"]}
        | {name: [row[name] for row in group] for name in ("response", "correct", "reflections")}
        for question, group in found.items()
    ]


DISGUISES: tuple[Disguise, ...] = (none, labels, spaced, repeated, nested, renamed, beside, shuffled)


def as_lines(rows: list[Row]) -> tuple[str, bytes]:
    """JSON lines."""
    return "x.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_list(rows: list[Row]) -> tuple[str, bytes]:
    """One JSON list, indented."""
    return "x.json", json.dumps(rows, indent=1).encode()


def as_csv(rng: random.Random, rows: list[Row]) -> tuple[str, bytes]:
    """Delimited text, lists in cells as JSON or as Python writes them, with or without a byte-order mark."""
    out, write = io.StringIO(), rng.choice((json.dumps, repr))
    writer = csv.writer(out, delimiter=rng.choice(DELIMITERS), lineterminator=rng.choice(("\n", "\r\n")))
    names = list(dict.fromkeys(name for row in rows for name in row))  # not every row has every column
    writer.writerow(names)
    cells = ([row.get(name) for name in names] for row in rows)
    writer.writerows([write(cell) if isinstance(cell, list) else cell for cell in row] for row in cells)
    return "x.csv", out.getvalue().encode(rng.choice(("utf-8", "utf-8-sig")))


def written(rng: random.Random, rows: list[Row]) -> tuple[str, bytes]:
    """The rows as a file of some kind."""
    return rng.choice((as_lines, as_list, lambda found: as_csv(rng, found)))(rows)


def digest(folder: Path, name: str, data: bytes) -> tuple[str, str]:
    """(digest of the set, what was said) of a build of a file; no digest where it was refused."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    done = python(
        "-m",
        "skill_factory",
        "build",
        str(folder / name),
        "--out",
        str(folder / "out"),
        "--attempts",
        "2",
        "--workers",
        "1",
    )
    if done.exit:
        return (
            "",
            done.err
            if done.exit == 2 and "Traceback" not in done.err
            else f"exit {done.exit}: {done.err[-300:]}",
        )
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    return str(report["rows_digest"]), done.err


def meaning(folder: Path, seed: int, count: int) -> Score:
    """So many tables in disguise → the plain table's set, or a sentence."""
    score = Score(
        "Meaning",
        "a table in disguise gives the plain table's training set, or a sentence; never another set with exit 0",
    )
    rng = random.Random(f"{seed}/meaning")
    same = 0
    for number in range(count):
        rows = plain(rng)
        chosen = rng.sample(DISGUISES, rng.randint(1, 3))
        disguised = rows
        for disguise in sorted(chosen, key=DISGUISES.index):
            disguised = disguise(rng, disguised)
        wanted, _ = digest(folder / f"{number}" / "plain", *as_lines(rows))
        found, said = digest(folder / f"{number}" / "other", *written(rng, disguised))
        same += found == wanted
        how = "+".join(one.__name__ for one in chosen)
        wrong = (
            ""
            if found == wanted or (not found and not said.startswith("exit"))
            else f"another set: {said[-200:]}"
            if found
            else said
        )
        score.note(f"{number} {how}", wrong)
    score.figures |= {
        "gave the same set": f"{same:,} of {count:,}",
        "refused in a sentence": f"{score.tried - same - len(score.lost):,}",
    }
    return score
