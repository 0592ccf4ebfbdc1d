"""Outputs to look at: lists by what went wrong in them, and one of them taken apart. For as many as fit in memory."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skill_factory.errors import SourceError
from skill_factory.grading import task_named
from skill_factory.measure.cells import PLACE, Cells, cells_of
from skill_factory.measure.counting import Marked, count_outputs, marked
from skill_factory.measure.grades import Grades
from skill_factory.measure.harvesting import outputs_in
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.measuring import Settings, finished, how_of, settled
from skill_factory.measure.outputs import Output
from skill_factory.measure.piecework import counter_of, rules_of
from skill_factory.measure.reading import Asked, Opened
from skill_factory.recipe.model import Recipe
from skill_factory.wording import file_size

AT_ONCE = 500
EACH = 300
"""Bytes of an output besides its texts."""
KINDS: dict[str, tuple[str, ...]] = {
    "Broke a right answer": ("broken",),
    "Verdict wrong": ("right_incorrect", "wrong_correct"),
    "Stopped too early": ("incorrect_ends",),
    "Went round in circles": ("repeats",),
    "Cut off": ("cut_off",),
    "Malformed": ("malformed",),
    "Fixed a mistake": ("fixed",),
}
"""Lists by name, and the counts that put an output there. *Stopped too early*: it ended after its own *incorrect*."""
Report = Callable[[int], None]
"""Told how many outputs were counted."""


@dataclass(frozen=True)
class Looked:
    """A measurement whose outputs are at hand: row k of its table is output k."""

    found: Measurement
    outputs: Sequence[Output]
    openings: Sequence[Opened]
    opening_of: Sequence[int]
    """Which opening each output comes from."""
    settings: Settings

    @cached_property
    def cells(self) -> Cells:
        """What is counted of each output."""
        return cells_of(self.found.table)

    @cached_property
    def apart(self) -> dict[str, list[Opened]]:
        """Run → where its outputs were opened, of runs that share no file with another."""
        runs: dict[int, set[str]] = {}
        for number, output in zip(self.opening_of, self.outputs, strict=True):
            runs.setdefault(number, set()).add(output.run)
        shared = {run for together in runs.values() if len(together) > 1 for run in together}
        found: dict[str, list[Opened]] = {}
        for number, (run, *_) in sorted((number, [*together]) for number, together in runs.items()):
            if run not in shared:
                found.setdefault(run, []).append(self.openings[number])
        return found

    def listed(self, kind: str, run: str = "") -> npt.NDArray[np.int64]:
        """Places of the outputs of a kind (all for an unknown name), of one run or of all."""
        chosen = np.ones(len(self.outputs), bool)
        if kind in KINDS:
            chosen = self.cells.matrix[:, [PLACE[name] for name in KINDS[kind]]].sum(axis=1) > 0
        if run:
            chosen &= np.array([output.run == run for output in self.outputs])
        return np.flatnonzero(chosen)

    def read_by(self, place: int) -> tuple[Output, Recipe, Settings, bool]:
        """One output with what it is read by: what `taken_apart` takes."""
        recipe = self.openings[self.opening_of[place]].recipe
        return self.outputs[place], recipe, self.settings, settled(self.openings, self.settings)

    def taken_apart(self, place: int) -> Marked:
        """One output with its marks."""
        return taken_apart(*self.read_by(place))

    def shared_questions(self, a: str, b: str) -> list[str]:
        """Questions that two runs were both asked, in the order of their reading."""
        theirs = {output.question for output in self.outputs if output.run == b}
        return list(
            dict.fromkeys(
                output.question for output in self.outputs if output.run == a and output.question in theirs
            )
        )

    def places_of(self, question: str, run: str) -> list[int]:
        """Outputs of a run for a question."""
        return [
            k for k, output in enumerate(self.outputs) if output.run == run and output.question == question
        ]

    def telling(self) -> int:
        """An output that shows how all were read: the first with several attempts, else with any, else the first."""
        attempts = self.cells.matrix[:, PLACE["attempts"]]
        # An output with several attempts shows best whether tags and verdicts were read as meant.
        several, some = np.flatnonzero(attempts > 1), np.flatnonzero(attempts > 0)
        return int(several[0] if len(several) else some[0] if len(some) else 0)


def taken_apart(output: Output, recipe: Recipe, settings: Settings, stated: bool) -> Marked:
    """An output with its marks; `stated` says that what texts state are their answers."""
    return marked(output, rules_of(how_of(recipe, settings, stated, ())), Grades(task_named(settings.task)))


def look_at(
    openings: Sequence[Opened],
    asked: Asked,
    settings: Settings,
    most_bytes: int,
    report: Report = lambda n: None,
) -> Looked:
    """Measure outputs and keep them at hand. Errors: SourceError where they are more than fit, or none."""
    outputs: list[Output] = []
    tables: list[pa.Table] = []
    opening_of: list[int] = []
    size, stated = 0, settled(openings, settings)
    count, grades = counter_of(settings.tokenizer)[0], Grades(task_named(settings.task))
    dropped: Counter[str] = Counter()
    for number, opening in enumerate(openings):
        rules = rules_of(how_of(opening.recipe, settings, stated, asked.by))
        waiting: list[Output] = []
        for output in outputs_in(opening, dropped):
            waiting.append(output)
            # Told as soon as it is known, not once memory has run out.
            size += weight(output)
            if size > most_bytes:
                raise SourceError(_too_large(openings, most_bytes))
            if len(waiting) == AT_ONCE:
                tables.append(count_outputs(waiting, rules, grades, count, asked.by))
                outputs, waiting = outputs + waiting, []
                report(len(outputs))
        tables.append(count_outputs(waiting, rules, grades, count, asked.by))
        outputs += waiting
        opening_of += [number] * (len(outputs) - len(opening_of))
    table = pa.concat_tables(tables).unify_dictionaries()
    return Looked(
        finished(table, openings, asked, settings, dropped), outputs, openings, opening_of, settings
    )


def weight(output: Output) -> int:
    """About the bytes that an output takes in memory, one without any text too."""
    texts = (output.run, output.question, output.gold or "", output.text, *output.by)
    return EACH + sum(map(len, texts))


def _too_large(openings: Sequence[Opened], most: int) -> str:
    names = " ".join(opening.given for opening in openings)
    return (
        f"These outputs hold more than {file_size(most)} of text, too much for a page. Measure them with "
        f"`python -m skill_factory measure {names} --out report --html report.html` and open the page it writes."
    )
