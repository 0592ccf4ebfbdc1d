"""A built trace with the parts lit that a trainer would learn, before a tokenizer is chosen."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from skill_factory.build.folder import BuildFolder
from skill_factory.insight.html import frame, safe
from skill_factory.recipe.model import Tags
from skill_factory.trainers.loss import Chosen, Part, chosen_loss, stretches

CSS = {
    Part.WRONG_SAMPLES: "sf-tried sf-wrong",
    Part.RIGHT_SAMPLES: "sf-tried sf-right",
    Part.REFLECTIONS: "sf-said",
    Part.PHRASES: "sf-phrase",
    Part.CLOSING: "sf-phrase",
    Part.ANSWER: "sf-answer",
    Part.TAGS: "sf-layout",
}
LOOKED_AT = 200
"""Rows among which one is looked for that shows a wrong attempt and a right one."""


def example(folder: Path) -> dict[str, Any] | None:
    """A row that shows what the choices differ in: wrong and right attempts; else the first; None without lineage."""
    for shard in BuildFolder(folder).shards()[:1]:
        batch = next(pq.ParquetFile(shard).iter_batches(LOOKED_AT), None)
        rows = [row for row in batch.to_pylist() if row.get("spans") and row.get("attempts")] if batch else []
        mixed = (row for row in rows if {bool(one["correct"]) for one in row["attempts"]} == {True, False})
        return next(mixed, rows[0] if rows else None)
    return None


def lit_html(row: Mapping[str, Any], chosen: Chosen, tags: Tags, key: str = "lit") -> str:
    """The assistant's text with what is trained marked, and what isn't faded."""
    text = row["conversations"][-1]["content"]
    trained = np.zeros(len(text), bool)
    for start, end in chosen.ranges(row, tags):
        trained[start:end] = True
    pieces = "".join(_pieces(row, text, trained))
    share = trained.mean()
    head = f"<p>Marked is what is trained: {share:.0%} of this trace's characters.</p>"
    return frame(f'{head}<div class="sf-raw sf-lit sf-text">{pieces}</div>', key)


def _pieces(row: Mapping[str, Any], text: str, trained: Any) -> Iterator[str]:
    for part, start, end in stretches(row):
        # A choice may end within a stretch: that of the tags around an answer, for one.
        borders = [start, *(start + 1 + np.flatnonzero(np.diff(trained[start:end].astype(np.int8)))), end]
        for place, (first, last) in enumerate(pairwise(borders)):
            # ✓ or ✗ stands once, in front of the sample.
            css = CSS[part] if place == 0 else CSS[part].partition(" ")[0]
            tag = "mark" if trained[first] else "span"
            yield f'<{tag} class="{css}">{safe(text[first:last])}</{tag}>'


def lit_example(folder: Path, loss: str, tags: Tags) -> str:
    """The example of a build, lit; empty for a build without lineage. Errors: HandoffError for an unknown choice."""
    row = example(folder)
    return lit_html(row, chosen_loss(loss), tags) if row else ""
