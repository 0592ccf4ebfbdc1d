"""How many tokens each row of a training has: as written, or estimated."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from pyarrow.compute import list_value_length

from skill_factory.errors import HandoffError
from skill_factory.traces.lengths import TokenCounter, estimating_counter, load_counter, template_tokens
from skill_factory.trainers.bundle import open_bundle
from skill_factory.training.plan import Plan

SAMPLE = 2_000
"""Traces whose median length stands for that of answers which nobody knows yet."""


def counter_of(plan: Plan) -> TokenCounter:
    """The tokenizer of a model that lies here, else an estimate: a first answer doesn't wait for a download."""
    try:
        return load_counter(plan.model) if Path(plan.model).is_dir() else estimating_counter()
    except HandoffError:
        return estimating_counter()


def lengths_of(data: Path, source: Path, counter: TokenCounter) -> tuple[npt.NDArray[np.int32], bool]:
    """Tokens of each row: as written, or estimated from characters."""
    paths = sorted(data.glob("train*.parquet"))
    names = pq.read_schema(paths[0]).names
    if "input_ids" in names:
        columns = [pq.read_table(path, columns=["input_ids"]).column(0) for path in paths]
        lengths = [list_value_length(column).to_numpy() for column in columns]
        return np.concatenate(lengths).astype(np.int32), True
    count = counter.count
    found: list[int] = []
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(1_000, columns=_texts(names)):
            rows = batch.to_pylist()
            counted = count(["".join(_written(row)) for row in rows])
            found += [template_tokens(_turns(row)) + n for row, n in zip(rows, counted, strict=True)]
    if "completion" not in names and (source / "report.json").is_file():
        # Of the model's own answers nobody knows the length yet; traces of the same questions are the best guess.
        # Rows are ordered by a hash, so the first ones are a fair sample.
        first = islice(open_bundle(source).rows(), SAMPLE)
        traces = [row["conversations"][-1]["content"] for row in first]
        found = [int(np.median(count(traces)))] * len(found)
        return np.array(found, np.int32), False
    return np.array(found, np.int32), counter.exact


def _written(row: Mapping[str, Any]) -> Iterator[str]:
    """All that a model reads of a row: its tools, and the text of each message, or the JSON of one with calls."""
    for cell in row.values():
        for turn in [cell] if isinstance(cell, str) else cell or ():
            yield str(turn["content"]) if isinstance(turn, dict) else str(turn)


def _turns(row: Mapping[str, Any]) -> int:
    """How many messages a row has; a prompt or a completion that is one text is one."""
    cells = [cell for name, cell in row.items() if name != "tools"]
    return sum(1 if isinstance(cell, str) else len(cell or ()) for cell in cells)


def _texts(names: list[str]) -> list[str]:
    return [name for name in ("tools", "prompt", "completion") if name in names]
