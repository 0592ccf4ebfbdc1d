"""A first look at a source: its columns, the guessed mapping, usable questions at N = 1..10, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from skill_factory.build.prepare import described, settled_columns
from skill_factory.errors import ColumnError
from skill_factory.formats import format_of, overlap_sentence
from skill_factory.insight.proposal import Proposal, propose, without_empty_reflections
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import read
from skill_factory.judge.judge import judge, reach
from skill_factory.model import TraceFormat
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Columns, Recipe, new_recipe
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.canonical import canonical, tally_rows
from skill_factory.sources.columns import CANONICAL
from skill_factory.tally import Tally
from skill_factory.wording import many

SAMPLE_ROWS = 20_000
MOST = 10
ONE_LOOK = 20_000_000
"""Sources of up to this many bytes are read whole."""
LARGEST_LOOK = 200_000_000
"""Bytes of text after which every look ends: a compressed source may hold a thousand times its size."""


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
    usable: list[int] = field(default_factory=list)
    """Usable questions at N = 1, 2, … 10."""
    advice: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The inspection as JSON values."""
        return {
            "columns": dict(self.columns),
            "mapping": dict(self.mapping),
            "missing": self.missing,
            "rows_read": self.rows,
            "sampled": self.sampled,
            "usable_questions": {str(n): q for n, q in enumerate(self.usable, 1)},
            "advice": self.advice,
            **self.tally.to_json(),
        }


def inspect(
    source: str | RawSource,
    recipe: Recipe | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    whole: bool = False,
    token: str | None = None,
) -> Inspection:
    """Look at a source: all of a small one, or of any one with `whole`, otherwise its first rows. Errors: SourceError."""
    recipe = recipe or new_recipe()
    raw = open_source(source, recipe.source, token) if isinstance(source, str) else source
    names, head = raw.names(), raw.head(20)
    shown = [(name, _example(head, name)) for name in names]
    try:
        settled = settled_columns(raw, recipe.columns, columns)
    except ColumnError as error:
        return Inspection(shown, [], ["question", "response", "correct"], 0, True, Tally(), [], [str(error)])
    recipe = recipe.model_copy(update={"columns": settled})
    rows, tally, sampled = _sample(raw, recipe, whole or 0 < raw.size <= ONE_LOOK)
    reading = read(rows, recipe)
    judgement, recipe = without_empty_reflections(reading.facts, judge(reading.facts, recipe), recipe)
    tally.add(tally_judgement(reading.facts, judgement, recipe))
    usable = reach(judgement, recipe, format_of(recipe.traces.formats[0]).needs, MOST)
    missing = [
        f
        for f in ("answer", "extracted_answer", "reflections", "prompt_variant")
        if not getattr(recipe.columns, f)
    ]
    advice = advise(propose(reading.facts, judgement, recipe), tally, settled, recipe)
    read_rows = tally.ledger[Level.ROWS].read
    return Inspection(shown, described(recipe.columns), missing, read_rows, sampled, tally, usable, advice)


def advise(proposal: Proposal, tally: Tally, mapped: Columns, recipe: Recipe) -> list[str]:
    """
    What to do next, most important first.

    `mapped` is the mapping as it was settled; `recipe` maps no reflections if their column holds none.
    """
    advice = []
    if not recipe.columns.reflections:
        read = tally.ledger[Level.ROWS].read
        where = (
            f"The column {mapped.reflections[0]} holds no reflections in the {many(read, 'row')} read"
            if mapped.reflections
            else "No column holds reflections"
        )
        advice.append(
            f"{where}. Make them with `generate reflections`, or build the weaker `--format {TraceFormat.NO_REFLECTION}`."
        )
    if proposal.attempts:
        options = f"--attempts {proposal.attempts}{_format_options(mapped, recipe)}"
        advice.append(f"N = {proposal.attempts} suits this data: {proposal.reason} Build with {options}.")
    else:
        advice.append(proposal.reason)
    if overlap := overlap_sentence(recipe.traces.formats):
        advice.append(overlap)
    for level in (Level.ROWS, Level.RESPONSES, Level.REFLECTIONS):
        counted = tally.ledger[level]
        for reason, dropped in counted.dropped.most_common(2):
            if dropped * 10 >= counted.read:
                advice.append(
                    f"{dropped:,} of {counted.read:,} {level.value} are dropped: {sentence(level, reason)}."
                )
    return advice


def _format_options(mapped: Columns, recipe: Recipe) -> str:
    """What a command needs besides N for data without reflections; an empty column of reflections has to be unmapped."""
    if recipe.columns.reflections:
        return ""
    unmapped = " --map reflections=" if mapped.reflections else ""
    return f" --format {TraceFormat.NO_REFLECTION}{unmapped}"


def _sample(raw: RawSource, recipe: Recipe, whole: bool) -> tuple[pa.Table, Tally, bool]:
    tally = Tally()
    tables, size = [CANONICAL.empty_table()], 0
    for piece in raw.pieces():
        for batch in piece.batches(recipe.columns):
            rows = canonical(batch, recipe.columns)
            tally.add(tally_rows(rows))
            tables.append(rows.table)
            size += rows.table.nbytes
            enough = tally.ledger[Level.ROWS].read >= SAMPLE_ROWS and not whole
            if enough or size >= LARGEST_LOOK:
                more = not raw.rows or tally.ledger[Level.ROWS].read < raw.rows
                return pa.concat_tables(tables), tally, more
    return pa.concat_tables(tables), tally, False


def _example(head: list[dict[str, Any]], name: str) -> str:
    from skill_factory.sources.columns import excerpt

    values = [row.get(name) for row in head if row.get(name) not in (None, [], "")]
    return excerpt(values[0], 60) if values else "(empty)"
