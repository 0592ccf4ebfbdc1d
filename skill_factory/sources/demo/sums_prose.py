"""How the model of the world of sums speaks. The sentences stand in `sums.toml`; every step is calculated here."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from skill_factory.sources.demo.draw import Draw
from skill_factory.sources.demo.sums import Problem, Slip, Step, Work, problem_at

WORDS: dict[str, Any] = tomllib.loads(
    files("skill_factory.sources.demo").joinpath("sums.toml").read_text("utf-8")
)
# Shares of the planted blemishes, per attempt or per reflection.
CUT_OFF, EMPTY, NO_VERDICT = 0.01, 0.005, 0.03


@dataclass(frozen=True)
class Attempt:
    """One response; `answer` is empty where it was cut off."""

    text: str
    answer: str
    correct: bool
    work: Work


@dataclass(frozen=True)
class SumsTask:
    """One problem, as it is asked."""

    problem: Problem
    question: str

    @property
    def gold(self) -> str:
        """The right answer."""
        return str(self.problem.answer)

    def attempt(self, variant: str, right: bool, draw: Draw) -> Attempt:
        """A worked attempt, right to the last step or with one slip."""
        other = variant == "alternatively"
        work = (self.problem.other_work if other else self.problem.work)(not right, draw)
        told = [self._say(draw, WORDS["open"][variant][self.problem.kind]), _listed(work.steps)]
        if draw.chance(CUT_OFF):
            return Attempt(" ".join([*told, draw.pick(WORDS["end"]["cut_off"])]), "", False, work)
        answer = str(work.result)
        told.append(self._say(draw, WORDS["end"]["answer"], answer=answer))
        return Attempt(f"{' '.join(told)}\n<answer>{answer}</answer>", answer, right, work)

    def reflection(self, attempt: Attempt, misjudges: bool, draw: Draw) -> str:
        """A reflection that goes through the steps, names the slip it finds, and closes with a verdict (mostly)."""
        if draw.chance(EMPTY):
            return ""
        words = WORDS["critique"]
        if draw.chance(NO_VERDICT):
            return self._say(draw, words["unsure"])
        if not attempt.answer:
            return f"{draw.pick(words['no_answer'])}\n<verdict>Incorrect</verdict>"
        verdict = attempt.correct != misjudges
        said = [self._say(draw, words["open"], answer=attempt.answer)]
        if verdict:
            said += [_listed(attempt.work.steps), draw.pick(words["holds"])]
        else:
            said.append(_fault(attempt.work.slip or _invented(attempt.work, draw), draw))
        said.append(self._say(draw, words["right" if verdict else "wrong"], answer=attempt.answer))
        return f"{' '.join(filter(None, said))}\n<verdict>{'Correct' if verdict else 'Incorrect'}</verdict>"

    def _say(self, draw: Draw, sentences: Sequence[str], **more: str) -> str:
        said: str = draw.pick(sentences)
        return said.format(a=self.problem.a, b=self.problem.b, **more)


def make_task(seed: int, number: int, draw: Draw) -> SumsTask:
    """The problem with this number, from 0."""
    problem = problem_at(seed, number)
    asked: Sequence[str] = WORDS["question"][problem.kind]
    return SumsTask(problem, draw.pick(asked).format(a=problem.a, b=problem.b))


def _listed(steps: Sequence[Step]) -> str:
    return "; ".join(f"{step.where}: {step}" if step.where else str(step) for step in steps) + "."


def _fault(slip: Slip, draw: Draw) -> str:
    """What is wrong with a step; where the right value would be the answer itself, it isn't told."""
    told, truth = slip
    sentence: str = draw.pick(WORDS["critique"]["slip" if told.where else "off"])
    return sentence.format(told=told, truth=truth, left=told.left, value=told.value)


def _invented(work: Work, draw: Draw) -> Slip:
    """A slip that isn't there, for a reflection that rejects a right attempt."""
    step = draw.pick(work.steps)
    if step.joint == "=":
        other = step._replace(value=str(int(step.value) + draw.pick((-1, 1))))
    else:
        other = step._replace(joint="is less than" if step.joint == "is more than" else "is more than")
    return Slip(step, other)
