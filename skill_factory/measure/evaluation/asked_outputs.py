"""The work of an evaluation: which requests ask for a model's outputs, and which rows their answers become."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skill_factory.asked import asked, question_in
from skill_factory.draws import text_id
from skill_factory.generate.notes import JOINED, count_equal
from skill_factory.generate.prompts import Message, Prompt
from skill_factory.generate.request import Answer, Finish, Request, Sampling, make_request
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.work import questions
from skill_factory.grading import Decision, final_answer, judge
from skill_factory.measure.evaluation.asking import PROMPT
from skill_factory.measure.evaluation.chat_template import Rendered
from skill_factory.measure.evaluation.forcing import CONTINUES, Evaluation, begun_text
from skill_factory.measure.parts import with_thinking
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource
from skill_factory.traces.lengths import load_counter

SCHEMA = pa.schema(
    [
        ("question", pa.large_string()),
        ("answer", pa.large_string()),
        ("response", pa.large_string()),
        ("model", pa.string()),
        ("sample", pa.int32()),
        ("forced", pa.bool_()),
        ("finish_reason", pa.string()),
        ("completion_tokens", pa.int64()),
    ]
)
"""One row per output, as `measure` reads it; `forced` where the model was made to go on."""


@dataclass(frozen=True)
class Outputs:
    """The work: outputs of a model for each question, and what continues them."""

    source: RawSource
    columns: Columns
    prompt: Prompt
    samples: int
    model: str
    sampling: Sampling
    task: str
    evaluation: Evaluation
    render: Rendered
    only: frozenset[int] | None = None
    kind: str = "outputs"
    schema: pa.Schema = SCHEMA

    @property
    def rounds(self) -> int:
        """The second round continues what the first one cut."""
        return 1 if self.evaluation.forcing is None else 2

    def requests(self, number: int, store: AnswerStore) -> Iterator[Request]:
        """Question by question, sample by sample; in the second round those that still think at the first bound."""
        for question, _ in self._questions(Counter()):
            for sample, first in enumerate(self._first(question)):
                # All first halves before any second one: what is to be continued is known only from the answers.
                if number == 0:
                    yield first
                elif (answer := store.get(first.id)) and (second := self._second(first, answer, sample)):
                    yield second

    def rows(self, store: AnswerStore, counts: Counter[str]) -> Iterator[dict[str, Any]]:
        """One row per output: an empty text is one, too."""
        for question, gold in self._questions(counts):
            counts["questions"] += 1
            texts = list[str]()
            for sample, first in enumerate(self._first(question)):
                counts["wanted"] += 1
                # Made from the store each time, so a resumed run writes the same file as one that wasn't stopped.
                whole = self._whole(first, store, sample)
                counts[f"finish_{whole[1]}" if whole else "unanswered"] += 1
                if whole:
                    texts.append(whole[0])
                    counts[JOINED] += bool((answer := store.get(first.id)) and answer.thinking)
                    yield self._row(question, gold, sample, *whole, counts)
            count_equal(texts, counts)

    def _questions(self, counts: Counter[str]) -> Iterator[tuple[str, str | None]]:
        pairs = questions(self.source, self.columns, counts)
        return (pair for pair in pairs if self.only is None or text_id(pair[0]) in self.only)

    def _first(self, question: str) -> Iterator[Request]:
        messages: Sequence[Message] = self.prompt.messages(question)
        if self.evaluation.completions:
            messages = [{"role": PROMPT, "content": self.render(messages)}]
        sampling = self._without_continuation()
        forcing = self.evaluation.forcing
        if forcing is not None:
            sampling = sampling.model_copy(update={"max_tokens": forcing.first})
        return (make_request(messages, self.model, sampling, n) for n in range(self.samples))

    def _without_continuation(self) -> Sampling:
        """The first request begins a turn, so nothing is to be continued."""
        extra = {k: v for k, v in self.sampling.extra.items() if k not in CONTINUES}
        return self.sampling.model_copy(update={"extra": extra})

    def _second(self, first: Request, answer: Answer, sample: int) -> Request | None:
        """What continues a cut output; None where it ended by itself, or its thinking is closed."""
        forcing = self.evaluation.forcing
        if forcing is None or answer.finish is not Finish.LENGTH:
            return None
        # Cut behind its thinking it was giving the answer; another attempt would begin in the wrong place.
        if f"</{self.evaluation.names.think}>" in (text := self._text(answer)):
            return None
        left = forcing.second - self._used(answer)
        # A server may count more tokens than were asked for.
        if left <= 0:
            return None
        begun = begun_text(text, forcing.trigger)
        # Two samples may begin alike; each goes on with a seed of its own.
        sampling = self._without_continuation().model_copy(update={"max_tokens": left})
        if self.evaluation.completions:
            whole = first.messages[0]["content"] + begun
            return make_request([{"role": PROMPT, "content": whole}], self.model, sampling, sample)
        sampling = sampling.model_copy(update={"extra": {**sampling.extra, **CONTINUES}})
        turn = {"role": "assistant", "content": begun}
        return make_request([*first.messages, turn], self.model, sampling, sample)

    def _text(self, answer: Answer) -> str:
        """The output with its thinking between its tags again, where a server moved it into a field of its own."""
        # vLLM with a reasoning parser, and most providers, cut the thinking out; measured is the whole output.
        return with_thinking(answer.thinking, answer.text, self.evaluation.names)

    def _used(self, answer: Answer) -> int:
        """Tokens of the output so far: by the model's tokenizer, else as the server counted them."""
        if self.evaluation.tokenizer:
            return int(load_counter(self.evaluation.tokenizer).count([self._text(answer)])[0])
        return answer.completion_tokens

    def _whole(self, first: Request, store: AnswerStore, sample: int) -> tuple[str, str, bool, int] | None:
        """Text, ending, whether it was forced, and tokens of an output; None while a part of it is missing."""
        answer = store.get(first.id)
        if answer is None:
            return None
        second = self._second(first, answer, sample)
        if second is None:
            return self._text(answer), answer.finish.value, False, answer.completion_tokens
        more, forcing = store.get(second.id), self.evaluation.forcing
        if more is None or forcing is None:
            return None
        text = begun_text(self._text(answer), forcing.trigger) + more.text
        return text, more.finish.value, True, answer.completion_tokens + more.completion_tokens

    def _row(
        self,
        question: str,
        gold: str | None,
        sample: int,
        text: str,
        finish: str,
        forced: bool,
        tokens: int,
        counts: Counter[str],
    ) -> dict[str, Any]:
        # Graded here for the pilot's figures alone; `measure` grades again, by its own options.
        took = final_answer(text, self.evaluation.names)
        decision = (
            judge(took, gold, self.task, question_in(question)) if gold is not None else Decision.UNJUDGED
        )
        counts["rows"] += 1
        counts["forced"] += forced
        counts[f"label_{decision}"] += 1
        counts["no_final_answer"] += took is None
        values = (asked(question).cell, gold, text, self.model, sample, forced, finish, tokens)
        return dict(zip(SCHEMA.names, values, strict=True))
