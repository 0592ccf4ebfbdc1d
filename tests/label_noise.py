"""Planted label noise: some labels of the demo's responses are turned round, and the doubts queue must find them.

`python -m tests.label_noise` prints the table that docs/grading.md shows.
"""

import contextlib
import io
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.cli.main import main
from skill_factory.draws import text_id
from skill_factory.grading.doubts import labels_in_doubt
from skill_factory.judge.corrections import correction_key
from skill_factory.sources import open_source

QUESTIONS = 300
RESPONSE = "model_responses__mutated_prompts"
CORRECT = f"{RESPONSE}__eval_is_correct"
SHARES = (0.02, 0.05, 0.10)
WITNESSES: dict[str, Mapping[str, Any]] = {
    "gold answers, other answers, verdicts": {},
    "other answers and verdicts": {"answer": ""},
    "other answers alone": {"answer": "", "reflections": ()},
}
"""What the queue may look at."""


class Found(NamedTuple):
    """How well the head of the queue, as long as the noise, holds the noise, and all of the queue."""

    witnesses: str
    share: float
    planted: int
    queue: int
    precision: float
    recall: float
    recall_of_all: float


def noisy(folder: Path, share: float, seed: int) -> tuple[Path, set[str]]:
    """The demo's raw data with a share of labels turned round, and the keys of those."""
    path = folder / f"noisy-{share}.parquet"
    main(["demo", "--out", str(path), "--questions", str(QUESTIONS), "--json"])
    table = pq.read_table(path)
    dice, planted, labels = random.Random(seed), set[str](), list[list[bool]]()
    for row in table.to_pylist():
        turned = [flag != (dice.random() < share) for flag in row[CORRECT]]
        for text, before, after in zip(row[RESPONSE], row[CORRECT], turned, strict=True):
            if before != after:
                planted.add(correction_key(text_id(row["question"]), text_id(text)))
        labels.append(turned)
    place = table.schema.get_field_index(CORRECT)
    pq.write_table(table.set_column(place, CORRECT, pa.array(labels, table.schema.field(CORRECT).type)), path)
    return path, planted


def measured(seed: int = 0) -> list[Found]:
    """Precision and recall for each share of noise and each set of witnesses."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for share in SHARES:
            with contextlib.redirect_stdout(io.StringIO()):
                path, planted = noisy(Path(folder), share, seed)
            for name, columns in WITNESSES.items():
                _, queue = labels_in_doubt(open_source(str(path)), columns=columns)
                keys = [one.response.key for one in queue]
                head = set(keys[: len(planted)])
                hits = len(head & planted)
                found.append(
                    Found(
                        name,
                        share,
                        len(planted),
                        len(keys),
                        hits / max(1, len(head)),
                        hits / len(planted),
                        len(set(keys) & planted) / len(planted),
                    )
                )
    return found


def table(seed: int = 0) -> str:
    """The figures as a table."""
    lines = [
        "| witnesses | noise | labels turned round | queue | precision of its head | recall of its head | recall of all of it |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.witnesses} | {one.share:.0%} | {one.planted:,} | {one.queue:,} | {one.precision:.1%} | {one.recall:.1%} | {one.recall_of_all:.1%} |"
        for one in measured(seed)
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
