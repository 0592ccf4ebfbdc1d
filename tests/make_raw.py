"""A small writer of raw data for the tests: seeded rows of one response each, and three file kinds to put them in.

A *row* is a dict with the fields of `FIELDS`; a value of None means that the row lacks it. `STAGE` names the columns
in the published script's way.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

STAGE = "model_responses__mutated_prompts"
COLUMNS = {
    "question": "question",
    "answer": "answer",
    "response": STAGE,
    "correct": f"{STAGE}__eval_is_correct",
    "extracted_answer": f"{STAGE}__eval_extracted_answers",
    "reflections": f"{STAGE}_reflection",
    "prompt_variant": "prompt_variant",
}
FIELDS = tuple(COLUMNS)
VARIANTS = ("original", "plan_and_execute", "alternatively", "rephrase")
SENTENCE = (
    "add first then halve the rest and compare with what was asked another way is to divide before adding "
    "since order matters 7 x 6 = 42 $\\frac{a}{b}$ naïve 数 🧮 ideal breakfast so"
)


def prose(rng: random.Random, low: int, high: int) -> str:
    """Between `low` and `high` words of no meaning, some of them not ASCII."""
    return " ".join(rng.choices(SENTENCE.split(), k=rng.randint(low, high)))


def verdict(correct: bool, remark: str = "Checked.") -> str:
    """A reflection that ends in the verdict tag for `correct`."""
    return f"{remark}\n<verdict>{'Correct' if correct else 'Incorrect'}</verdict>"


def row(
    question: str,
    response: Any,
    correct: Any,
    reflections: Any = None,
    *,
    extracted: Any = None,
    variant: str | None = "original",
    answer: str = "42",
) -> Row:
    """One raw row; without `reflections` it has one that agrees with the label."""
    return {
        "question": question,
        "answer": answer,
        "response": response,
        "correct": correct,
        "extracted_answer": extracted,
        "reflections": [verdict(bool(correct))] if reflections is None else reflections,
        "prompt_variant": variant,
    }


def _response(rng: random.Random, correct: bool) -> tuple[str, str]:
    final = "42" if correct else str(rng.randint(43, 99))
    early = f"<answer>{rng.randint(1, 9)}</answer> no, wait\n" if rng.random() < 0.2 else ""
    edge = rng.choice(["", "", "", "\n", "  ", "\n\n"])
    return f"{edge}{prose(rng, 4, 20)}\n{early}{prose(rng, 2, 9)}\n<answer> {final}</answer>{edge}", final


def _reflection(rng: random.Random, correct: bool) -> str:
    draw = rng.random()
    if draw < 0.05:
        return prose(rng, 3, 12)
    says = correct if draw < 0.75 else not correct
    word = rng.choice(
        ["Correct", " correct\n", "CORRECT"] if says else ["Incorrect", "incorrect ", "INCORRECT"]
    )
    return f"{prose(rng, 3, 12)}\n<verdict>{word}</verdict>{rng.choice(['', chr(10)])}"


def make_rows(
    questions: int,
    responses: int = 8,
    reflections: int = 4,
    seed: int = 0,
    share_correct: float = 0.45,
) -> Iterator[Row]:
    """Countdown-like rows: questions that are all right or all wrong, twins, edges of white space, missing answers."""
    rng = random.Random(seed)
    for number in range(questions):
        share = share_correct if number % 7 else rng.choice([0.0, 1.0])
        question = f"Problem {number}: make 42 from {rng.randint(1, 9)} and 7."
        made: list[Row] = []
        for place in range(rng.randint(2, responses)):
            correct = rng.random() < share
            text, final = _response(rng, correct)
            critiques = [_reflection(rng, correct) for _ in range(rng.randint(0, reflections))]
            extracted = None if rng.random() < 0.2 else final
            made.append(
                row(question, text, correct, critiques, extracted=extracted, variant=VARIANTS[place % 4])
            )
        if number % 5 == 0:
            twin = dict(
                made[0], reflections=[_reflection(rng, made[0]["correct"]), *made[0]["reflections"][:1]]
            )
            made.append(dict(twin, extracted_answer=made[0]["extracted_answer"]))
        yield from made


def _in_list(value: Any) -> Any:
    return value if value is None or isinstance(value, list) else [value]


def published(rows: Iterable[Row]) -> list[Row]:
    """The rows under the published script's column names, responses, labels and answers as lists."""
    wrapped = {"response", "correct", "extracted_answer"}
    return [
        {COLUMNS[field]: _in_list(r[field]) if field in wrapped else r[field] for field in FIELDS}
        for r in rows
    ]


def write_parquet(rows: Iterable[Row], path: Path, leave_out: Sequence[str] = ()) -> Path:
    """Write `rows` as Parquet in the published columns, without the fields named in `leave_out`."""
    table = pa.Table.from_pylist(published(rows))
    pq.write_table(table.drop_columns([COLUMNS[field] for field in leave_out]), path, row_group_size=5000)
    return path


def write_jsonl(rows: Iterable[Row], path: Path) -> Path:
    """Write `rows` as JSON lines in the published columns."""
    lines = (json.dumps(r, ensure_ascii=False) + "\n" for r in published(rows))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def read_published(path: Path) -> list[Row]:
    """Parquet in the published columns, lists of one each → rows."""
    unwrap = {"response", "correct", "extracted_answer"}
    return [
        {f: r[c][0] if f in unwrap else r[c] for f, c in COLUMNS.items()}
        for r in pq.read_table(path).to_pylist()
    ]
