"""Ask a trained model, to measure it: each question so many times, on the machinery that generates raw data.

Budget forcing (arXiv 2512.04072, section 7): an output that still thinks at the first bound is cut there, a sample tag is
appended, and the model goes on to the second bound. That continues a text which the model began, so it needs raw
completions, or a chat server that continues an assistant's turn.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from skill_factory.build.prepare import SAMPLE_ROWS
from skill_factory.draws import text_id
from skill_factory.errors import EndpointError, RecipeError, SourceError
from skill_factory.generate import generate
from skill_factory.generate.flow import AskThrough, Plan
from skill_factory.generate.job import Job, Made
from skill_factory.generate.net.endpoint import asker
from skill_factory.generate.notes import JOINED, count_equal
from skill_factory.generate.progress import Report, silent
from skill_factory.generate.prompts import Message, Prompt
from skill_factory.generate.request import Answer, Finish, Request, Sampling, make_request
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.work import check_question, pilot_questions, questions
from skill_factory.grading import BlockNames, Decision, final_answer, judge
from skill_factory.measure.evaluation.asking import PROMPT, completion_asker
from skill_factory.measure.evaluation.chat_template import Rendered, chat_template, plain_text
from skill_factory.measure.parts import with_thinking
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.guessing import guess
from skill_factory.traces.lengths import load_counter

PLAIN = Prompt("question", "{question}", about="the question as it is, as in training")
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
CONTINUES = {"continue_final_message": True, "add_generation_prompt": False}
"""What a chat server that continues an assistant's turn is told (vLLM, SGLang)."""


@dataclass(frozen=True)
class Forcing:
    """The two bounds, in tokens of the output, and what is appended at the first."""

    first: int
    second: int
    trigger: str

    def checked(self) -> "Forcing":
        """Errors: RecipeError for bounds that leave no room."""
        if not 0 < self.first < self.second:
            raise RecipeError(
                f"--budget takes two bounds that grow, e.g. 4096:8192; found {self.first}:{self.second}."
            )
        return self


@dataclass(frozen=True)
class Evaluation:
    """How a model is asked, beside the job."""

    forcing: Forcing | None = None
    completions: bool = False
    tokenizer: str = ""
    names: BlockNames = BlockNames()  # noqa: RUF009 - a named tuple of strings

    def checked(self, job: Job) -> "Evaluation":
        """Errors: RecipeError, EndpointError for what can't be done with this server."""
        if self.completions and not job.endpoint.url:
            raise EndpointError("Raw completions need a server of your own: give --endpoint URL.")
        if self.completions and job.endpoint.stream:
            raise EndpointError("Raw completions are asked for whole. Leave --stream out.")
        if self.forcing is None:
            return self
        self.forcing.checked()
        if not self.completions and not job.sampling.extra.get("continue_final_message"):
            raise RecipeError(
                "Budget forcing continues a text that the model began, which a chat server doesn't do. Ask for raw "
                "completions (--completions --tokenizer FOLDER), or, if your server continues an assistant's turn, say so: "
                "--parameter continue_final_message=true."
            )
        return self


def bounds_of(text: str, names: BlockNames) -> Forcing | None:
    """`4096:8192` as bounds; None for an empty text. Errors: RecipeError."""
    if not text:
        return None
    first, colon, second = text.partition(":")
    if not colon or not first.isdecimal() or not second.isdecimal():
        raise RecipeError(f"--budget takes two numbers of tokens, e.g. 4096:8192; found {text!r}.")
    return Forcing(int(first), int(second), f"<{names.sample}>").checked()


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
                found = self._whole(first, store, sample)
                counts[f"finish_{found[1]}" if found else "unanswered"] += 1
                if found:
                    texts.append(found[0])
                    counts[JOINED] += bool((answer := store.get(first.id)) and answer.thinking)
                    yield self._row(question, gold, sample, *found, counts)
            count_equal(texts, counts)

    def _questions(self, counts: Counter[str]) -> Iterator[tuple[str, str | None]]:
        found = questions(self.source, self.columns, counts)
        return (one for one in found if self.only is None or text_id(one[0]) in self.only)

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
        if f"</{self.evaluation.names.think}>" in (text := self._text(answer)):
            return None
        left = forcing.second - self._used(answer)
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
        took = final_answer(text, self.evaluation.names)
        decision = judge(took, gold, self.task, question) if gold is not None else Decision.UNJUDGED
        counts["rows"] += 1
        counts["forced"] += forced
        counts[f"label_{decision}"] += 1
        counts["no_final_answer"] += took is None
        values = (question, gold, text, self.model, sample, forced, finish, tokens)
        return dict(zip(SCHEMA.names, values, strict=True))


def begun_text(text: str, trigger: str) -> str:
    """A cut text with the trigger on a line of its own."""
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{trigger}"


def evaluate(
    job: Job,
    evaluation: Evaluation,
    key: str | None = None,
    report: Report = silent,
    token: str | None = None,
) -> Made:
    """
    Ask for all outputs that a job wants and has not got, and write them as rows that `measure` reads.

    A run that was stopped, killed or cut short by its budget goes on where it was. Errors: SkillFactoryError.
    """
    job = replace(job.checked(), endpoint=job.endpoint.checked())
    evaluation.checked(job)
    plan = _planned(job, evaluation, token)
    ask: AskThrough = completion_asker if evaluation.completions else asker
    return generate(job, key, report, token, plan, ask)


def _planned(job: Job, evaluation: Evaluation, token: str | None) -> Plan:
    source = open_source(job.source, job.part, token)
    names, rows = source.names(), source.head(SAMPLE_ROWS)
    if not rows:
        raise SourceError(
            f"{source.spec.name or 'The source'} holds no rows. Give a source with at least one."
        )
    columns = check_question(Columns(**{**guess(names, rows).model_dump(), **job.columns}), names)
    only, total = None, 0
    if job.pilot:
        only, total = pilot_questions(source, columns, job.pilot, job.sampling.seed or 0)
    render = (
        chat_template(evaluation.tokenizer, token)
        if evaluation.tokenizer and evaluation.completions
        else plain_text
    )
    work = Outputs(
        source,
        columns,
        PLAIN,
        job.per_variant,
        job.endpoint.model,
        job.sampling,
        job.task,
        evaluation,
        render,
        only,
    )
    return Plan(source, (PLAIN,), work, len(only or ()), total)
