"""Reflections: critiques of each response by a model that is not told the truth; more of them where none is kept yet."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skill_factory.draws import text_id
from skill_factory.generate.prompts import Prompt
from skill_factory.generate.request import Answer, Finish, Request, Sampling, make_request
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.work import STAGE, slices
from skill_factory.judge.reflections import CORRECT, MISSING, verdict_rule
from skill_factory.recipe.model import Columns, Verdicts
from skill_factory.sources import RawSource
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import CANONICAL

SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("answer", pa.string()),
        ("prompt_variant", pa.string()),
        (STAGE, pa.list_(pa.string())),
        (f"{STAGE}__eval_is_correct", pa.list_(pa.bool_())),
        (f"{STAGE}__eval_extracted_answers", pa.list_(pa.string())),
        (f"{STAGE}_reflection", pa.list_(pa.string())),
        ("reflection_model", pa.string()),
    ]
)
"""The published script's columns, and one of our own behind them."""

Row = dict[str, Any]
_says = verdict_rule(Verdicts())


@dataclass(frozen=True)
class Reflect:
    """Critiques to be asked for."""

    source: RawSource
    columns: Columns
    prompt: Prompt
    k: int
    """Critiques of each response, those that it has included."""
    max_k: int
    """The most that a response gets while none of its critiques judges it rightly."""
    model: str
    sampling: Sampling
    only: frozenset[int] | None = None
    kind: str = "reflections"
    schema: pa.Schema = SCHEMA

    @property
    def rounds(self) -> int:
        """The first for k critiques, then one for each more."""
        return 1 + max(0, self.max_k - self.k)

    def requests(self, number: int, store: AnswerStore) -> Iterator[Request]:
        """Round 0: k for each response. Round r: the (k + r)-th where no critique so far would be kept."""
        for row in self._responses(Counter()):
            have = len(row["reflections"])
            if number == 0:
                yield from (self._request(row, n) for n in range(self.k - have))
            elif (n := self.k + number - 1 - have) >= 0 and not self._has_kept(row, n, store):
                yield self._request(row, n)

    def rows(self, store: AnswerStore, counts: Counter[str]) -> Iterator[Row]:
        """One row per response, with the critiques it had and those it got."""
        for row in self._responses(counts):
            made = self._made(row, store, counts)
            texts = [*row["reflections"], *made]
            truth = int(row["correct"])
            # How well the model judges is read from its own critiques, not from those that were there.
            said = [_says(text, "") for text in made]
            kept = truth in said or any(_says(text, "") == truth for text in row["reflections"])
            counts["rows"] += 1
            counts["reflections"] += len(texts)
            counts["reflections_made"] += len(made)
            counts["responses_with_kept"] += kept
            counts["verdict_missing"] += said.count(MISSING)
            name = "right" if row["correct"] else "wrong"
            counts[f"verdict_true_on_{name}"] += said.count(truth)
            counts[f"verdict_false_on_{name}"] += said.count(CORRECT - truth)
            values = (
                row["question"], row["answer"], row["variant"], [row["response"]], [row["correct"]],
                [row["extracted"]], texts, self.model,
            )  # fmt: skip
            yield dict(zip(SCHEMA.names, values, strict=True))

    def _responses(self, counts: Counter[str]) -> Iterator[Row]:
        for piece in self.source.pieces():
            for batch in piece.batches(self.columns):
                read = canonical(batch, self.columns)
                counts["rows_read"] += read.rows
                for error in read.errors:
                    counts[f"rows_{error.reason}"] += 1
                for part in read.table.cast(CANONICAL).to_batches(max_chunksize=65_536):
                    for rows in slices(part):
                        yield from (row for row in rows if self._wanted(row))

    def _wanted(self, row: Row) -> bool:
        return self.only is None or text_id(row["question"]) in self.only

    def _request(self, row: Row, sample: int) -> Request:
        messages = self.prompt.messages(row["question"], row["response"])
        return make_request(messages, self.model, self.sampling, sample)

    def _has_kept(self, row: Row, before: int, store: AnswerStore) -> bool:
        truth = int(row["correct"])
        if any(_says(text, "") == truth for text in row["reflections"]):
            return True
        answers = (store.get(self._request(row, n).id) for n in range(before))
        return any(
            answer is not None and _counts(answer) and _says(answer.text, "") == truth for answer in answers
        )

    def _made(self, row: Row, store: AnswerStore, counts: Counter[str]) -> list[str]:
        """The critiques in the store, those of the bound included where they were asked for."""
        have = len(row["reflections"])
        texts = []
        for n in range(max(0, max(self.k, self.max_k) - have)):
            answer = store.get(self._request(row, n).id)
            if answer is None:
                counts["unanswered"] += n < self.k - have
                continue
            counts[f"finish_{answer.finish}"] += 1
            if _counts(answer):
                texts.append(answer.text)
        return texts


def _counts(answer: Answer) -> bool:
    return bool(answer.text.strip()) and answer.finish is not Finish.REFUSED
