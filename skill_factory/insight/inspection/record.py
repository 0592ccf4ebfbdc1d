"""What a first look at a source finds, and how `inspect --json` shows it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from skill_factory.grading.doubts import Doubt as LabelDoubt
from skill_factory.grading.doubts import as_row
from skill_factory.insight.doubts import Doubt
from skill_factory.insight.opinion import Opinion, opinion_of
from skill_factory.recipe.model import Recipe
from skill_factory.sources.trying import Choice
from skill_factory.tally import Tally

if TYPE_CHECKING:
    from skill_factory.overlap.ruling import Overlap

LISTED = 10
"""Labels in doubt that are shown."""


@dataclass(frozen=True)
class Found:
    """What was read, before any filter."""

    questions: int = 0
    responses: int = 0
    right: int = 0
    wrong: int = 0
    unlabelled: int = 0
    critiques: int = 0


@dataclass(frozen=True)
class Inspection:
    """What a source holds, as far as it was read."""

    columns: list[tuple[str, str]]
    """Every column, with an example of its values."""
    mapping: list[tuple[str, str]]
    """(field, column), as guessed or given."""
    missing: list[str]
    """Fields without a column."""
    rows: int
    """How many rows were read."""
    sampled: bool
    """Whether only the first rows were read."""
    tally: Tally
    recipe: Recipe
    """With the mapping and the rules by which the rows were read."""
    preset: str = ""
    """The known format that this data looks like."""
    about: str = ""
    """What that format is, and where its labels come from."""
    found: Found = Found()
    needs: list[str] = field(default_factory=list)
    """What is missing, by code: `grade`, `labels`, `answers`, `critiques`, `responses`."""
    doubts: list[Doubt] = field(default_factory=list)
    rules: list[Choice] = field(default_factory=list)
    """The choice of each rule that is in force, with its hits."""
    usable: list[int] = field(default_factory=list)
    """Usable questions at N = 1, 2, … 10."""
    advice: list[str] = field(default_factory=list)
    opinion: Opinion = field(default_factory=lambda: opinion_of(()))
    """Whether the data is ready, why or why not, and the next step with its price."""
    compared: int = 0
    """Responses whose labels were held against grading, the question's other answers and the reflections."""
    labels_in_doubt: list[LabelDoubt] = field(default_factory=list)
    """Those of them that more speaks against than for, the most doubtful first."""
    overlap: "Overlap | None" = None
    """Questions that benchmarks ask too, and near-duplicates; None where the recipe asks for neither."""

    def to_json(self) -> dict[str, Any]:
        """The inspection as JSON values."""
        return {
            "preset": self.preset,
            "found": vars(self.found),
            "needs": self.needs,
            "doubts": [doubt.to_json() for doubt in self.doubts],
            "rules": [
                {
                    "rule": choice.rule.value,
                    "choice": choice.code,
                    "title": choice.title,
                    "found": choice.found,
                    "of": choice.of,
                }
                for choice in self.rules
            ],
            "columns": dict(self.columns),
            "mapping": dict(self.mapping),
            "missing": self.missing,
            "rows_read": self.rows,
            "sampled": self.sampled,
            "usable_questions": {str(n): q for n, q in enumerate(self.usable, 1)},
            "advice": self.advice,
            "opinion": self.opinion.to_json(),
            "labels_compared": self.compared,
            "labels_in_doubt": [as_row(one) for one in self.labels_in_doubt[:LISTED]],
            **({} if self.overlap is None else self.overlap.to_json()),
            **self.tally.to_json(),
        }
