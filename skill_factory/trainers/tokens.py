"""Traces as tokens with labels: the user's tokenizer and chat template, and −100 wherever nothing is to be learned."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.asked import asked_in_row
from skill_factory.errors import HandoffError
from skill_factory.model import SegmentKind
from skill_factory.recipe.model import Tags
from skill_factory.traces.lengths import load_tokenizer
from skill_factory.trainers.bundle import Bundle
from skill_factory.trainers.chat_template import ChatTemplate, load_template
from skill_factory.trainers.loss import Chosen, Ranges

IGNORED = -100
"""The label that every trainer leaves out of the loss."""
ROWS_AT_ONCE = 256

ROWS = pa.schema(
    [
        ("input_ids", pa.list_(pa.int32())),
        ("attention_mask", pa.list_(pa.int8())),
        ("labels", pa.list_(pa.int32())),
        ("trace_id", pa.string()),
    ]
)
"""One row per trace, as trainers read data that is tokenized already."""


class Labelled(NamedTuple):
    """A trace as tokens: ids, labels, and how many tokens lay across a border and are not trained."""

    ids: list[int]
    labels: list[int]
    crossing: int


@dataclass(frozen=True)
class Encoder:
    """A tokenizer with its chat template."""

    tokenizer: Any
    template: ChatTemplate
    name: str

    def label(self, rows: Sequence[Mapping[str, Any]], chosen: Chosen, tags: Tags) -> Iterator[Labelled]:
        """Rows as tokens; a token is trained only if every character of it is."""
        pieces = [self._written(row) for row in rows]
        encodings = self.tokenizer.encode_batch([text for text, _ in pieces], add_special_tokens=False)
        for row, (text, start), encoding in zip(rows, pieces, encodings, strict=True):
            trained = _trained(text, start, row, chosen.ranges(row, tags))
            yield _labelled(encoding, trained)

    def _written(self, row: Mapping[str, Any]) -> tuple[str, int]:
        # The whole as one text: a trainer that tokenizes conversations reads the same tokens.
        trace = row["conversations"][-1]["content"]
        before, behind = self.template.around(asked_in_row(row))
        return before + trace + behind, len(before)


def _trained(text: str, start: int, row: Mapping[str, Any], ranges: Ranges) -> npt.NDArray[np.bool_]:
    """Which characters of the whole text are trained."""
    trained = np.zeros(len(text), bool)
    for first, last in ranges:
        trained[start + first : start + last] = True
    end = start + len(row["conversations"][-1]["content"])
    # The mark that ends the turn belongs to the answer: who learns to answer learns to stop.
    trained[end:] = end > start and trained[end - 1]
    return trained


def _labelled(encoding: Any, trained: npt.NDArray[np.bool_]) -> Labelled:
    ids = np.array(encoding.ids, np.int64)
    places = np.array(encoding.offsets, np.int64).reshape(len(ids), 2)
    # Trained characters up to each place, so that a token's share is one subtraction.
    up_to = np.concatenate([[0], np.cumsum(trained)])
    starts, ends = places[:, 0], places[:, 1]
    inside, width = up_to[ends] - up_to[starts], ends - starts
    whole = (inside == width) & (width > 0)
    return Labelled(ids.tolist(), np.where(whole, ids, IGNORED).tolist(), int(((inside > 0) & ~whole).sum()))


def load_encoder(tokenizer: str, template: str = "", token: str | None = None) -> Encoder:
    """A tokenizer with the template in a file, or the one beside it. Errors: HandoffError, as `load_tokenizer`."""
    from tokenizers import processors

    loaded, path, name = load_tokenizer(tokenizer, token)
    # Special tokens come from the template. Byte-level tokenizers would give places without a token's leading space.
    loaded.post_processor = processors.ByteLevel(trim_offsets=False)
    return Encoder(loaded, load_template(path, template), name)


@dataclass
class TokensWritten:
    """What became of the traces as tokens; `dropped` has a count for each reason."""

    rows: int = 0
    tokens: int = 0
    trained: int = 0
    crossing: int = 0
    longest: int = 0
    wrong_answers: int = 0
    """Traces whose final answer is trained and comes from a wrong attempt."""
    dropped: dict[str, int] = field(default_factory=dict)
    unnamed: int = 0

    def drop(self, reason: str) -> None:
        """Count a trace that isn't written."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


NOTHING_TRAINED, TOO_LONG = "nothing_to_train_on", "over_cutoff"


def write_tokens(
    bundle: Bundle, encoder: Encoder, chosen: Chosen, folder: Path | None, longest: int = 0
) -> TokensWritten:
    """
    Write the build's traces as tokens, a file per shard; traces over `longest` tokens (0: no limit) are dropped.

    Without a folder they are only counted.

    Errors: HandoffError if no trace is left, or the build lacks what the choice needs.
    """
    done, seen = TokensWritten(), set[str]()
    for shard in bundle.shards:
        with _writer(folder, shard.name) as write:
            for rows in _batches(pq.ParquetFile(shard)):
                seen.update(chosen.named.intersection(row.get("trace_id") or "" for row in rows))
                labelled = encoder.label(rows, chosen, bundle.recipe.tags)
                write(pa.Table.from_pylist(list(_kept(rows, labelled, longest, done)), schema=ROWS))
    done.unnamed = len(chosen.named - seen)
    if not done.rows:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in done.dropped.items())
        raise HandoffError(
            f"No trace is left to train on ({reasons}). Choose another --loss, or raise --cutoff-len."
        )
    return done


@contextmanager
def _writer(folder: Path | None, name: str) -> Iterator[Callable[[pa.Table], None]]:
    if folder is None:
        yield lambda table: None
        return
    folder.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(folder / name, ROWS) as writer:
        yield writer.write_table


def _batches(file: pq.ParquetFile) -> Iterator[list[dict[str, Any]]]:
    rows = (row for batch in file.iter_batches(ROWS_AT_ONCE) for row in batch.to_pylist())
    while taken := list(islice(rows, ROWS_AT_ONCE)):
        yield taken


def _kept(
    rows: Sequence[Mapping[str, Any]], labelled: Iterable[Labelled], longest: int, done: TokensWritten
) -> Iterator[dict[str, Any]]:
    for row, (ids, labels, crossing) in zip(rows, labelled, strict=True):
        trained = len(labels) - labels.count(IGNORED)
        # A row without a label has no loss: in a batch of its own it would be not a number.
        if not trained:
            done.drop(NOTHING_TRAINED)
            continue
        if longest and len(ids) > longest:
            done.drop(TOO_LONG)
            continue
        done.rows += 1
        done.tokens += len(ids)
        done.trained += trained
        done.crossing += crossing
        done.longest = max(done.longest, len(ids))
        done.wrong_answers += _answers_wrongly(row) and labels[-1] != IGNORED
        yield {
            "input_ids": ids,
            "attention_mask": [1] * len(ids),
            "labels": labels,
            "trace_id": row.get("trace_id"),
        }


def _answers_wrongly(row: Mapping[str, Any]) -> bool:
    # A closing that goes back goes back to a right attempt; any other trace answers with its last one.
    attempts: Sequence[Mapping[str, Any]] = row.get("attempts") or []
    spans: Sequence[Mapping[str, Any]] = row.get("spans") or []
    back = any(span["kind"] == SegmentKind.SAMPLE_AGAIN for span in spans)
    return bool(attempts) and not back and not attempts[-1]["correct"]
