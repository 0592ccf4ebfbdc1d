"""Reflections on each response by a model that isn't told the truth; more of them where none can be kept yet."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skill_factory.asked import asked
from skill_factory.draws import text_id
from skill_factory.generate.notes import count_answer, count_equal
from skill_factory.generate.prompts import Prompt
from skill_factory.generate.request import Answer, Finish, Request, Sampling, make_request
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.work import STAGE, slices
from skill_factory.judge.reflections import CORRECT, MISSING, verdict_rule
from skill_factory.recipe.model import Columns, Verdicts
from skill_factory.sources import RawSource
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import CANONICAL
from skill_factory.sources.thinking import think_rule_of_reflections

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
"""The columns of the paper's published script, and one of our own behind them."""

Row = dict[str, Any]
_verdict_in = verdict_rule(Verdicts())
_behind_thinking = think_rule_of_reflections("after")


def verdict_of(reflection: str) -> int:
    """The verdict of a reflection as the narrow table holds it; one that is weighed in the thinking doesn't count."""
    return _verdict_in(_behind_thinking(reflection)[0], "")


@dataclass(frozen=True)
class Reflect:
    """Reflections to be asked for."""

    source: RawSource
    columns: Columns
    prompt: Prompt
    k: int
    """Reflections on each response, including those that it has."""
    max_k: int
    """The most that a response gets while none of its reflections judges it rightly."""
    model: str
    sampling: Sampling
    only: frozenset[int] | None = None
    """Ids of the questions whose responses are reflected on, for a pilot."""
    kind: str = "reflections"
    schema: pa.Schema = SCHEMA

    @property
    def rounds(self) -> int:
        """The first for k reflections, then one for each more."""
        return 1 + max(0, self.max_k - self.k)

    def requests(self, number: int, store: AnswerStore) -> Iterator[Request]:
        """Round 0: k for each response. Round r: the (k + r)-th where no reflection so far could be kept."""
        for row in self._responses(Counter()):
            have = len(row["reflections"])
            if number == 0:
                yield from (self._request(row, n) for n in range(self.k - have))
            # Reflections that were there count towards k, so a response may have no place left in early rounds.
            elif (n := self.k + number - 1 - have) >= 0 and not self._has_kept(row, n, store):
                yield self._request(row, n)

    def rows(self, store: AnswerStore, counts: Counter[str]) -> Iterator[Row]:
        """One row per response, with the reflections it had and those it got."""
        for row in self._responses(counts):
            answers = self._answers(row, store, counts)
            self._count(row, answers, counts)
            texts = [*row["reflections"], *(answer.whole for answer in answers)]
            counts["reflections"] += len(texts)
            values = (
                asked(row["question"]).cell,
                row["answer"],
                row["variant"],
                [row["response"]],
                [row["correct"]],
                [row["extracted"]],
                texts,
                self.model,
            )
            yield dict(zip(SCHEMA.names, values, strict=True))

    def _count(self, row: Row, answers: list[Answer], counts: Counter[str]) -> None:
        truth = int(row["correct"])
        # How well the model judges is read from its own reflections, not from those that were there.
        verdicts = [verdict_of(answer.text) for answer in answers]
        kept = truth in verdicts or any(verdict_of(text) == truth for text in row["reflections"])
        side = "right" if row["correct"] else "wrong"
        counts["rows"] += 1
        counts["reflections_made"] += len(answers)
        counts["responses_with_kept"] += kept
        counts["verdict_missing"] += verdicts.count(MISSING)
        counts[f"verdict_true_on_{side}"] += verdicts.count(truth)
        counts[f"verdict_false_on_{side}"] += verdicts.count(CORRECT - truth)
        count_equal((answer.whole for answer in answers), counts)

    def _responses(self, counts: Counter[str]) -> Iterator[Row]:
        for piece in self.source.pieces():
            for batch in piece.batches(self.columns):
                read = canonical(batch, self.columns)
                counts["rows_read"] += read.rows
                for error in read.errors:
                    counts[f"rows_{error.reason}"] += 1
                for part in read.table.cast(CANONICAL).to_batches(max_chunksize=65_536):
                    for rows in slices(part):
                        yield from (row for row in rows if self._is_wanted(row))

    def _is_wanted(self, row: Row) -> bool:
        return self.only is None or text_id(row["question"]) in self.only

    def _request(self, row: Row, sample: int) -> Request:
        messages = self.prompt.messages(row["question"], row["response"])
        return make_request(messages, self.model, self.sampling, sample)

    def _has_kept(self, row: Row, before: int, store: AnswerStore) -> bool:
        truth = int(row["correct"])
        if any(verdict_of(text) == truth for text in row["reflections"]):
            return True
        answers = (store.get(self._request(row, n).id) for n in range(before))
        return any(
            answer and _is_reflection(answer) and verdict_of(answer.text) == truth for answer in answers
        )

    def _answers(self, row: Row, store: AnswerStore, counts: Counter[str]) -> list[Answer]:
        """The reflections in the store, including those beyond k where they were asked for."""
        have = len(row["reflections"])
        answers = []
        for n in range(max(0, max(self.k, self.max_k) - have)):
            answer = store.get(self._request(row, n).id)
            if answer is None:
                # Those beyond k were asked for only where they were needed; they aren't missing elsewhere.
                counts["unanswered"] += n < self.k - have
                continue
            count_answer(answer, counts)
            if _is_reflection(answer):
                answers.append(answer)
        return answers


def _is_reflection(answer: Answer) -> bool:
    # Thinking alone judges nothing: the model was cut off before it came to its reflection.
    return bool(answer.text.strip()) and answer.finish is not Finish.REFUSED
