"""Responses: each question in each prompt variant, several times; graded where there is a gold answer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skill_factory.asked import asked, question_in
from skill_factory.draws import text_id
from skill_factory.generate.notes import count_answer, count_equal
from skill_factory.generate.prompts import Prompt
from skill_factory.generate.request import Finish, Request, Sampling, make_request
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.work import STAGE, questions
from skill_factory.grading import Decision, final_answer, judge
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource

SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("answer", pa.string()),
        ("prompt_variant", pa.string()),
        (STAGE, pa.list_(pa.string())),
        (f"{STAGE}__eval_is_correct", pa.list_(pa.bool_())),
        (f"{STAGE}__eval_extracted_answers", pa.list_(pa.string())),
        ("finish_reason", pa.string()),
        ("response_model", pa.string()),
    ]
)
"""The columns of the paper's published script, and two of our own behind them. A label is null where nothing could be judged."""


@dataclass(frozen=True)
class Sample:
    """Responses to be sampled."""

    source: RawSource
    columns: Columns
    prompts: tuple[Prompt, ...]
    per_variant: int
    model: str
    sampling: Sampling
    task: str = "auto"
    only: frozenset[int] | None = None
    """Ids of the questions to sample for, in a pilot."""
    kind: str = "responses"
    schema: pa.Schema = SCHEMA
    rounds: int = 1

    def requests(self, number: int, store: AnswerStore) -> Iterator[Request]:
        """The requests, question by question and variant by variant."""
        for question, _ in self._questions(Counter()):
            for prompt in self.prompts:
                yield from self._samples(question, prompt)

    def rows(self, store: AnswerStore, counts: Counter[str]) -> Iterator[dict[str, Any]]:
        """One row per response."""
        for question, gold in self._questions(counts):
            counts["questions"] += 1
            # All variants of a question: a cache that answers by question alone shows itself here too.
            texts = []
            for prompt in self.prompts:
                for request in self._samples(question, prompt):
                    counts["wanted"] += 1
                    answer = store.get(request.id)
                    if answer is None:
                        counts["unanswered"] += 1
                        continue
                    count_answer(answer, counts)
                    # A refusal isn't an attempt at the question, and an empty text none at all.
                    if answer.whole.strip() and answer.finish is not Finish.REFUSED:
                        texts.append(answer.whole)
                        yield self._row(question, gold, prompt.name, answer.whole, answer.finish, counts)
            count_equal(texts, counts)

    def _samples(self, question: str, prompt: Prompt) -> Iterator[Request]:
        messages = prompt.messages(question)
        return (make_request(messages, self.model, self.sampling, n) for n in range(self.per_variant))

    def _questions(self, counts: Counter[str]) -> Iterator[tuple[str, str | None]]:
        pairs = questions(self.source, self.columns, counts)
        return (pair for pair in pairs if self.only is None or text_id(pair[0]) in self.only)

    def _row(
        self, question: str, gold: str | None, variant: str, text: str, finish: Finish, counts: Counter[str]
    ) -> dict[str, Any]:
        final = final_answer(text)
        decision = (
            judge(final, gold, self.task, question_in(question)) if gold is not None else Decision.UNJUDGED
        )
        counts["rows"] += 1
        counts[f"label_{decision}"] += 1
        counts["no_final_answer"] += final is None
        counts[f"variant_{variant}_{decision}"] += 1
        # Null, not false: nobody found the answer wrong.
        label = None if decision is Decision.UNJUDGED else decision is Decision.RIGHT
        values = (asked(question).cell, gold, variant, [text], [label], [final], finish.value, self.model)
        return dict(zip(SCHEMA.names, values, strict=True))
