"""A sample of a training, measured as an output: its attempts and what its reflections say of them."""

from dataclasses import dataclass

from skill_factory.grading import Task
from skill_factory.measure.counting import Marked, marked
from skill_factory.measure.grades import Grades
from skill_factory.measure.outputs import Output
from skill_factory.measure.parts import CORRECT, NONE, Parts
from skill_factory.measure.piecework import How, rules_of
from skill_factory.measure.taking_apart import take_apart
from skill_factory.recipe.model import Recipe
from skill_factory.training.events import Sample
from skill_factory.wording import many


@dataclass(frozen=True)
class Counted:
    """What stands in one sample."""

    parts: Parts

    @property
    def attempts(self) -> int:
        """The attempts."""
        return len(self.parts.attempts)

    @property
    def verdicts(self) -> int:
        """The attempts that a reflection judges, right or wrong."""
        return sum(verdict != NONE for verdict in self.parts.verdicts)

    @property
    def words(self) -> str:
        """Attempts, verdicts and ending in words."""
        right = sum(verdict == CORRECT for verdict in self.parts.verdicts)
        verdicts = f"{many(self.verdicts, 'verdict')} ({right:,} correct)" if self.verdicts else "no verdicts"
        answer = "an answer" if self.parts.final else "no answer"
        return f"{many(self.attempts, 'attempt')}, {verdicts}, {answer}"


def counted(text: str, recipe: Recipe | None = None) -> Counted:
    """The parts of a sample by the rules of its recipe; without one by the usual tags."""
    return Counted(take_apart(text, rules_of(How(recipe or Recipe()))))


def marked_sample(sample: Sample, gold: str | None, recipe: Recipe | None = None) -> Marked:
    """A sample with a mark for each attempt, as Measure shows outputs; without a gold answer where the question has none."""
    output = Output("", float(sample.step), sample.question, gold, sample.text)
    return marked(output, rules_of(How(recipe or Recipe())), Grades(Task.AUTO))
