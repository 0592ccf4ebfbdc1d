"""A model's judgement of untagged habits: asked for a fair sample of outputs, and held against the tags where there are some.

The judge sees an output without its block tags, so that it can't just read them off. It says yes or no for each of four
habits. Where outputs do have tags, two of its answers can be checked: a reflection with a verdict is verification, a
second attempt is going back. How often it agrees there is what its word on untagged outputs is worth.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from skill_factory.draws import order_keys, text_id
from skill_factory.generate import generate
from skill_factory.generate.job import Job, Made
from skill_factory.generate.pilot import share_interval
from skill_factory.generate.planning import Plan
from skill_factory.generate.progress import Report, silent
from skill_factory.generate.prompts import Prompt
from skill_factory.generate.request import Request, Sampling, make_request
from skill_factory.generate.store import AnswerStore
from skill_factory.measure.habits import HABITS
from skill_factory.measure.harvesting import outputs_in
from skill_factory.measure.measuring import Settings, how_of, settled
from skill_factory.measure.outputs import Output
from skill_factory.measure.parts import NONE, Parts
from skill_factory.measure.piecework import rules_of
from skill_factory.measure.reading import Opened
from skill_factory.measure.taking_apart import take_apart
from skill_factory.model import hex_id

SAMPLE = 200
PROMPT = Prompt(
    "habits",
    """Below is what a model wrote while it solved a problem. Say for each of four habits whether the text shows it at least once.

verification: it checks a result it has, for instance by putting it back into the problem
backtracking: it gives up an approach or an answer and tries another
subgoals: it splits the problem into parts and works them off one by one
backward_chaining: it starts from what is asked for and works back to what is given

The text:
{question}

Answer with four lines and nothing else, each with yes or no:
<verification>yes or no</verification>
<backtracking>yes or no</backtracking>
<subgoals>yes or no</subgoals>
<backward_chaining>yes or no</backward_chaining>""",
    about="which habits an output shows",
)
SCHEMA = pa.schema(
    [
        ("output_id", pa.string()),
        ("run", pa.string()),
        *((habit, pa.bool_()) for habit in HABITS),
        ("tagged_verification", pa.bool_()),
        ("tagged_backtracking", pa.bool_()),
    ]
)
"""One row per judged output; a habit is empty where the judge said neither yes nor no, a tagged one without tags."""


@dataclass(frozen=True)
class Judged:
    """What the judge said of a sample."""

    rows: Sequence[dict[str, Any]]
    made: Made
    model: str

    def to_json(self) -> dict[str, Any]:
        """Shares by habit with their intervals, and the agreement with the tags."""
        return {
            "model": self.model,
            "outputs": len(self.rows),
            "habits": {habit: self._share(habit) for habit in HABITS},
            "agreement": {habit: self._agreement(habit) for habit in HABITS[:2]},
            "missing": self.made.missing,
        }

    def _share(self, habit: str) -> dict[str, float | int | None]:
        answers = [row[habit] for row in self.rows if row[habit] is not None]
        # The sample is taken for one of endlessly many outputs, so no correction for a small whole.
        low, high = share_interval(sum(answers), len(answers), 1 << 60)
        value = sum(answers) / len(answers) if answers else None
        return {
            "value": value,
            "low": low if answers else None,
            "high": high if answers else None,
            "of": len(answers),
        }

    def _agreement(self, habit: str) -> dict[str, float | int | None]:
        """How often the judge says what the tags say; null without an output that has tags."""
        pairs = [
            (row[habit], row[f"tagged_{habit}"])
            for row in self.rows
            # Agreement is counted only where both sides said something.
            if row[habit] is not None and row[f"tagged_{habit}"] is not None
        ]
        agreed = sum(said == tagged for said, tagged in pairs)
        return {"of": len(pairs), "agreed": agreed, "share": agreed / len(pairs) if pairs else None}


@dataclass(frozen=True)
class JudgeHabits:
    """The work: one request for each output of a fair sample."""

    openings: Sequence[Opened]
    settings: Settings
    chosen: frozenset[int]
    model: str
    sampling: Sampling
    kind: str = "outputs"
    schema: pa.Schema = SCHEMA
    rounds: int = 1

    def requests(self, number: int, store: AnswerStore) -> Iterator[Request]:
        """One for each chosen output; equal outputs are asked about once."""
        for _, parts in self._outputs():
            # In the same order each time; the store asks for an id it holds only once.
            yield self._request(parts)

    def rows(self, store: AnswerStore, counts: Counter[str]) -> Iterator[dict[str, Any]]:
        """What was said of each output, beside what its tags say."""
        for output, parts in self._outputs():
            counts["wanted"] += 1
            answer = store.get(self._request(parts).id)
            counts[f"finish_{answer.finish}" if answer else "unanswered"] += 1
            if answer is None:
                continue
            said = {habit: _said(answer.text, habit) for habit in HABITS}
            counts["rows"] += 1
            counts["unreadable"] += None in said.values()
            yield {"output_id": hex_id(identity(output)), "run": output.run, **said, **_tagged(parts)}

    def _outputs(self) -> Iterator[tuple[Output, Parts]]:
        stated = settled(self.openings, self.settings)
        for opening in self.openings:
            rules = rules_of(how_of(opening.recipe, self.settings, stated, ()))
            for output in outputs_in(opening, Counter()):
                if identity(output) in self.chosen:
                    yield output, take_apart(output.text, rules)

    def _request(self, parts: Parts) -> Request:
        return make_request(PROMPT.messages(without_tags(parts.text)), self.model, self.sampling, 0)


def identity(output: Output) -> int:
    """The id of an output, as its row in the table has it."""
    return text_id(f"{output.question}\x1f{output.text}")


_BLOCK_TAG = re.compile(r"</?(?:think|sample|reflect|response|critique|verdict|answer)>")


def without_tags(text: str) -> str:
    """A text without tags: a judge that sees them has nothing to judge."""
    return _BLOCK_TAG.sub("", text)


def _said(text: str, habit: str) -> bool | None:
    match = re.search(rf"<{habit}>\s*(yes|no)\s*</{habit}>", text, re.IGNORECASE)
    return None if match is None else match[1].lower() == "yes"


def _tagged(parts: Parts) -> dict[str, bool | None]:
    tagged = bool(parts.reflections or parts.attempts)
    verified = any(one.verdict != NONE for one in parts.reflections)
    return {
        "tagged_verification": verified if tagged else None,
        "tagged_backtracking": len(parts.attempts) > 1 if tagged else None,
    }


def fair_sample(ids: "np.ndarray[tuple[int], np.dtype[np.uint64]]", size: int, seed: int) -> frozenset[int]:
    """The outputs with the smallest keyed hashes: the same ones whatever the order of the rows."""
    unique = np.unique(ids)
    order = np.argsort(order_keys(seed, unique), kind="stable")[:size]
    return frozenset(unique[order].tolist())


def judge_habits(
    openings: Sequence[Opened],
    settings: Settings,
    ids: "np.ndarray[tuple[int], np.dtype[np.uint64]]",
    job: Job,
    size: int = SAMPLE,
    key: str | None = None,
    report: Report = silent,
) -> Judged:
    """
    Ask a model about a sample of outputs, into the folder of the job; a pilot asks about a part of the sample.

    Errors: SkillFactoryError.
    """
    # A judge that says something else the next time can't be held against the tags.
    sampling = job.sampling.model_copy(update={"temperature": 0.0})
    job = replace(job.checked(), endpoint=job.endpoint.checked(), sampling=sampling)
    # A pilot's outputs are the first of the sample, so that its answers serve the whole sample later.
    chosen = fair_sample(ids, min(size, job.pilot) if job.pilot else size, settings.seed)
    total = min(size, len(np.unique(ids)))
    work = JudgeHabits(openings, settings, chosen, job.endpoint.model, sampling)
    plan = Plan(openings[0].source, (PROMPT,), work, len(chosen), total)
    made = generate(job, key, report, None, plan)
    with AnswerStore.open(job.out / ".store" / "answers.sqlite") as store:
        return Judged(list(work.rows(store, Counter())), made, job.endpoint.model)
