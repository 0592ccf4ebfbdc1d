"""Results of a batch endpoint (OpenAI, vLLM, Anthropic) beside their requests: joined by `custom_id`, since results hold no question."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from skill_factory.errors import SourceError
from skill_factory.sources.columns import Batch
from skill_factory.sources.text import text_batches

LARGEST = 2_000_000_000
"""Bytes of requests, which are held in memory while their results are read."""


def requests_among(paths: Sequence[Path]) -> list[Path]:
    """The files that hold requests; none unless others hold results."""
    kinds = {path: _kind(path) for path in paths}
    if "results" not in kinds.values():
        return []
    return [path for path, kind in kinds.items() if kind == "requests"]


def _kind(path: Path) -> str:
    row = _first_row(path)
    if "custom_id" not in row:
        return ""
    if isinstance(_asked(row), Mapping) and not {"response", "result"} & row.keys():
        return "requests"
    return "results" if isinstance(row.get("response") or row.get("result"), Mapping) else ""


def _asked(row: Mapping[str, Any]) -> Any:
    """What a request asks: OpenAI calls it `body`, Anthropic `params`."""
    return row.get("body") or row.get("params")


def _first_row(path: Path) -> dict[str, Any]:
    try:
        batch = next(iter(text_batches(path, ".jsonl", 1)), None)
    except SourceError:
        return {}  # whoever reads the file says what is wrong with it
    return batch[0] if batch else {}


def joined_batches(batches: Iterator[Batch], requests: tuple[Path, ...]) -> Iterator[Batch]:
    """Rows of results, each with the body of its request under `request`. Errors: SourceError."""
    bodies = _bodies(requests)
    for batch in batches:
        rows = batch if isinstance(batch, list) else batch.to_pylist()
        yield [{**row, "request": _body(bodies, row)} for row in rows]


def _body(bodies: Mapping[str, str], row: Mapping[str, Any]) -> Any:
    text = bodies.get(str(row.get("custom_id")))
    return None if text is None else json.loads(text)


# Every piece of a source asks for the same requests.
@lru_cache(maxsize=1)
def _bodies(requests: tuple[Path, ...]) -> dict[str, str]:
    if sum(path.stat().st_size for path in requests) > LARGEST:
        raise SourceError(
            f"The requests have more than {LARGEST:,} bytes. Split the batch, or write each question into its result."
        )
    found: dict[str, str] = {}
    for path in requests:
        for batch in text_batches(path, ".jsonl", 2_000):
            # Kept as text: JSON objects in memory take several times the bytes of their text.
            found |= {str(row.get("custom_id")): json.dumps(_asked(row)) for row in batch}
    return found
