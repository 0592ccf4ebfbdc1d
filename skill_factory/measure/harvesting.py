"""Round two: a model's own attempts and reflections become raw data, in the columns that a build reads without a mapping.

Each attempt becomes a response, labelled by its grade, and each reflection one of that response; run, output and place
say where they come from. What can't become a row is counted with its reason.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.draws import text_id
from skill_factory.errors import SourceError
from skill_factory.generate.work import STAGE
from skill_factory.grading import task_named
from skill_factory.measure.counting import Marked, marked
from skill_factory.measure.grades import Grades
from skill_factory.measure.measuring import Settings, how_of, settled
from skill_factory.measure.outputs import RIGHT, UNJUDGED, Output
from skill_factory.measure.parts import Rules
from skill_factory.measure.piecework import rules_of
from skill_factory.measure.reading import Asked, Opened, distinct_names, opened, outputs_of
from skill_factory.model import hex_id
from skill_factory.recipe.model import Recipe
from skill_factory.traces.lengths import in_batches
from skill_factory.whole_files import replaced_whole

SCHEMA = pa.schema(
    [
        ("question", pa.large_string()),
        ("answer", pa.large_string()),
        (STAGE, pa.list_(pa.large_string())),
        (f"{STAGE}__eval_is_correct", pa.list_(pa.bool_())),
        (f"{STAGE}__eval_extracted_answers", pa.list_(pa.large_string())),
        (f"{STAGE}_reflection", pa.list_(pa.large_string())),
        ("run", pa.string()),
        ("output_id", pa.string()),
        ("attempt", pa.int32()),
    ]
)
"""The published script's columns, and behind them where a response comes from."""
ROWS_AT_ONCE = 5_000
REASONS = {
    "no_attempt": "outputs without an attempt",
    "unjudged": "attempts that could not be judged",
    "reflections_unpaired": "reflections before any attempt",
    "no_question": "rows without a question",
    "no_output": "rows without an output",
    "not_text": "outputs that are not text",
}
"""What was left out, in words."""


@dataclass
class Harvest:
    """What came of a harvest."""

    outputs: int = 0
    responses: int = 0
    right: int = 0
    reflections: int = 0
    questions: set[int] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "outputs": self.outputs,
            "questions": len(self.questions),
            "responses": self.responses,
            "right": self.right,
            "wrong": self.responses - self.right,
            "reflections": self.reflections,
            "left_out": dict(self.left_out),
        }

    def lines(self) -> list[str]:
        """The counts in sentences."""
        made = (
            f"{self.responses:,} responses to {len(self.questions):,} questions from {self.outputs:,} outputs: "
            f"{self.right:,} right, {self.responses - self.right:,} wrong, with {self.reflections:,} reflections."
        )
        return [made, *(f"Left out: {n:,} {REASONS.get(why, why)}." for why, n in self.left_out.items())]


def harvest(
    outputs: str | Sequence[str],
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    run: str = "",
    settings: Settings | None = None,
    token: str | None = None,
) -> Harvest:
    """
    Write the attempts and reflections of outputs as raw data (Parquet), which `inspect` and `build` read as it is.

    Errors: SourceError where nothing could be taken from them, or the file can't be written.
    """
    given = [outputs] if isinstance(outputs, str) else list(outputs)
    asked = Asked(recipe or Recipe(), tuple((columns or {}).items()), run)
    openings = distinct_names([opened(name, asked, token) for name in given])
    return harvest_opened(openings, Path(out), (settings or Settings()).checked())


def harvest_opened(openings: Sequence[Opened], path: Path, settings: Settings) -> Harvest:
    """The harvest of what was opened. Errors: SourceError."""
    counted = Harvest()
    try:
        # Under another name until it is complete: a harvest that stops leaves the old file as it was.
        with replaced_whole(path) as partial:
            with pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer:
                for rows in in_batches(_rows(openings, settings, counted), ROWS_AT_ONCE):
                    writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
            # Inside the block, so that an empty file never takes the place of a good one.
            if not counted.responses:
                raise SourceError(_nothing(counted, [opening.given for opening in openings]))
    except OSError as error:
        raise SourceError(f"{path} can't be written: {error.strerror or error}.") from None
    return counted


def _nothing(counted: Harvest, given: Sequence[str]) -> str:
    why = ", ".join(f"{n:,} {REASONS.get(reason, reason)}" for reason, n in counted.left_out.items())
    return (
        f"Nothing could be harvested from {', '.join(given)}: {why or 'no outputs'}. Outputs need attempts "
        "(<sample> blocks, or <answer> tags inside their thinking) and a gold answer or labels."
    )


def _rows(openings: Sequence[Opened], settings: Settings, counted: Harvest) -> Iterator[dict[str, Any]]:
    grades = Grades(task_named(settings.task))
    for opening in openings:
        rules = rules_of(how_of(opening.recipe, settings, settled(openings, settings), ()))
        for output in outputs_in(opening, counted.left_out):
            yield from rows_of(output, rules, grades, counted)


def outputs_in(opening: Opened, dropped: Counter[str]) -> Iterator[Output]:
    """All outputs of a source in its order."""
    for piece in opening.source.pieces():
        for batch in piece.batches(opening.layout.columns()):
            slices = (
                [batch]
                if isinstance(batch, list)
                else (batch.slice(k, 256).to_pylist() for k in range(0, len(batch), 256))
            )
            for rows in slices:
                for row in rows:
                    yield from outputs_of(row, opening.layout, dropped)


def rows_of(output: Output, rules: Rules, grades: Grades, counted: Harvest) -> Iterator[dict[str, Any]]:
    """A raw row for each judged attempt of an output; what was seen on the way is counted."""
    one = marked(output, rules, grades)
    counted.outputs += 1
    counted.left_out["no_attempt"] += not one.parts.attempts
    counted.left_out["reflections_unpaired"] += one.parts.unpaired
    counted.left_out["unjudged"] += one.marks.count(UNJUDGED)
    # Adding an empty counter drops entries of zero.
    counted.left_out += Counter()  # reasons without a case are none
    reflections = _reflections(one)
    where = hex_id(text_id(f"{output.question}\x1f{output.text}"))
    for place, (tried, mark) in enumerate(zip(one.parts.attempts, one.marks, strict=True)):
        # A response without a label can't become part of a trace: it would be neither a right nor a wrong attempt.
        if mark == UNJUDGED:
            continue
        counted.responses += 1
        counted.right += mark == RIGHT
        counted.reflections += len(reflections[place])
        # Ids, not texts: a harvest of millions of outputs may not hold all questions in memory.
        counted.questions.add(text_id(output.question))
        values = (
            output.question,
            output.gold,
            [_inside(output.text, tried.start, tried.end)],
            [mark == RIGHT],
            [tried.answer],
            reflections[place],
            output.run,
            where,
            place + 1,
        )
        yield dict(zip(SCHEMA.names, values, strict=True))


def _reflections(one: Marked) -> list[list[str]]:
    by_attempt: list[list[str]] = [[] for _ in one.parts.attempts]
    for place, reflection in one.parts.judging():
        if place >= 0:
            by_attempt[place].append(_inside(one.parts.text, reflection.start, reflection.end))
    return by_attempt


def _inside(text: str, start: int, end: int) -> str:
    """The content of a block, without the line breaks that belong to a trace's layout."""
    return text[start:end].removeprefix("\n").removesuffix("\n")
