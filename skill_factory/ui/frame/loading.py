"""What pages know about the chosen source, each thing read once: its rows, its narrow table, what a recipe would give.

Everything is kept in the session under what it depends on. The narrow tables, which hold no texts, are shared by all
sessions unless the source was opened with a token. A source too large to read at once is read by a separate process
while the pages show a sample, marked as one.
"""

import os
import re
import secrets
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import streamlit as st

from skill_factory.build import pipeline
from skill_factory.build.pipeline import Preview, build_partition
from skill_factory.build.prepare import SAMPLE_ROWS, check_refused, settle, settled_columns
from skill_factory.errors import ColumnError, NothingUsable, SourceError
from skill_factory.hosting import hosted
from skill_factory.insight.expected import Outlook
from skill_factory.insight.fitness import fitness
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.insight.simulated import forecast
from skill_factory.judge import source_facts
from skill_factory.judge.first_questions import MORE, first_rows
from skill_factory.judge.judge import Judgement, judge, judge_questions
from skill_factory.judge.source_facts import Narrow, facts_key, sample_facts
from skill_factory.judge.trials import answers_found
from skill_factory.reasons import Level
from skill_factory.recipe.model import Columns, Recipe, Source, Traces
from skill_factory.sources import open_source
from skill_factory.sources.check import check_upload
from skill_factory.sources.columns import CANONICAL
from skill_factory.sources.files import looks_like_path
from skill_factory.tally import Tally
from skill_factory.ui.frame import exact_tables, workspace
from skill_factory.ui.frame.opening import Seen, first_part, look, once, source
from skill_factory.work.home import place
from skill_factory.work.reading import Progress

__all__ = [
    "SAMPLE_ROWS",
    "Evidence",
    "Seen",
    "choose",
    "evidence",
    "first_table",
    "identity",
    "inspection",
    "key",
    "look",
    "narrow",
    "once",
    "preview",
    "progress",
    "recipe",
    "rule_trials",
    "source",
    "suit",
    "typical",
]

SMALL = 30_000_000
"""Bytes; a source that is read from end to end in about a second."""

LARGEST_DEMO = 20_000
"""Questions on a shared server: each costs its memory."""

# -- the source ----------------------------------------------------------------------------------------------------


def choose(text: str, label: str = "", asked: Source | None = None) -> None:
    """
    Open a source and make it the workspace's, with its columns guessed. Errors: SourceError, HubError.

    A recipe that was opened before keeps its columns if the source has them all.
    """
    mine = workspace.current()
    if hosted() and not _open_to_all(text):
        raise SourceError(
            "This server is shared, so it doesn't open files from its own disk. Upload the file instead."
        )
    if hosted() and (demo := re.fullmatch(r"demo:0*(\d+)", text)) and int(demo[1][:9]) > LARGEST_DEMO:
        raise SourceError(
            f"On a shared server, the demo has at most {LARGEST_DEMO:,} questions. Try demo:500."
        )
    if hosted() and not text.startswith("demo") and os.path.isfile(text):
        check_upload(Path(text))
    found = Seen(open_source(text, asked or first_part(text), mine.token or None))
    names, rows = found.names(), found.head(SAMPLE_ROWS)
    if not names or not rows:
        raise SourceError(f"{label or text} has no rows. Choose data with at least one.")
    known = mine.recipe.columns
    workspace.forget_proposals()
    columns = known if _all_there(known, found) else Columns()
    settled = settle(found, mine.recipe.model_copy(update={"columns": columns}))
    check_refused(settled)
    workspace.choose_source(text, label or called(found.spec), found.spec, settled.columns)
    workspace.take_proposals(settled.recipe)
    st.session_state.pop("_kept", None)
    exact_tables.forget_failed()
    suit()


def _open_to_all(text: str) -> bool:
    """Whether a text names no path of this machine, or one upload by its path, whose folder nobody can guess."""
    if not (os.path.exists(os.path.expanduser(text)) or looks_like_path(text)):
        return True
    # The very file: a folder or a glob above it would be everybody's uploads.
    path = Path(text)
    return os.path.isfile(text) and not path.is_symlink() and path.parent.parent == place("uploads")


def called(spec: Source) -> str:
    """What a source is called on the page."""
    return f"Demo: {spec.name} Countdown puzzles" if spec.kind == "demo" else spec.name


def suit() -> bool:
    """Start from the number of attempts that suits the data: once, and only if the visitor has chosen nothing yet."""
    mine = workspace.current()
    if mine.suited or mine.recipe.traces != Traces():
        return False
    try:
        seen = evidence()
    except ColumnError:
        return False  # the Data page asks for the missing columns
    if not seen.narrow.telling:
        return False
    mine.suited = True
    before = mine.recipe
    report = fitness(seen.narrow.facts, seen.judgement, seen.narrow.rows, seen.recipe)
    workspace.change(dict(report.proposal.changes))
    return mine.recipe != before


def _all_there(columns: Columns, found: Seen) -> bool:
    if not columns.response:
        return False
    try:
        return settled_columns(found, columns) == columns
    except ColumnError:
        return False


def recipe() -> Recipe:
    """The recipe with its source; its columns are there. Errors: ColumnError, SourceError, HubError."""
    mine, found = workspace.current(), source()
    columns = mine.recipe.columns
    once("columns", (found.spec, id(found), columns), lambda: settled_columns(found, columns))
    return mine.recipe.model_copy(update={"source": found.spec})


# -- the narrow table ----------------------------------------------------------------------------------------------


def key() -> str:
    """The name of the narrow table of this source and recipe; one read with a token stays with its session."""
    mine = workspace.current()
    made = facts_key(source(), mine.recipe)
    return f"{made}-{once('salt', mine.token, lambda: secrets.token_hex(8))}" if mine.secret else made


def narrow() -> Narrow:
    """The facts of the whole source if they are known, else those of a sample while the rest is being read."""
    chosen, name = recipe(), key()
    found = exact_tables.known(name) or once("sample", name, lambda: sample_facts(source(), chosen))
    if found.whole:
        exact_tables.keep(name, found)
    else:
        mine = workspace.current()
        exact_tables.start(name, mine.source, chosen, mine.token if mine.secret else "")
    return found


def progress() -> Progress:
    """How far the reading of the whole source has got. Errors: as `source`."""
    return exact_tables.progress(key())


# -- what a recipe would give --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evidence:
    """What is known about the source under the recipe; if `exact` is false, the counts are those of a sample."""

    recipe: Recipe
    narrow: Narrow
    judgement: Judgement
    outlook: Outlook
    scale: float
    """How many times larger the source is than what was read: 1 if all was read, 0 if unknown."""

    @property
    def exact(self) -> bool:
        return self.narrow.whole


def evidence() -> Evidence:
    """Facts, judgement and outlook of the present recipe: milliseconds once the facts are there. Errors: as `narrow`."""
    chosen, found = recipe(), narrow()
    return once("evidence", (key(), found.whole, chosen.fingerprint()), lambda: _evidence(chosen, found))


def _evidence(chosen: Recipe, found: Narrow) -> Evidence:
    by_filters = (key(), found.whole, chosen.columns, chosen.filters)
    judged = judge_questions(
        found.facts, once("judged", by_filters, lambda: judge(found.facts, chosen)), chosen
    )
    # A sample's draws aren't those of the whole source, so an expectation says more there.
    seen = forecast(found.facts, judged, chosen, **({} if found.whole else {"most": 0}))
    return Evidence(chosen, found, judged, seen, _scale(found))


def _scale(found: Narrow) -> float:
    read, every = found.rows.ledger[Level.ROWS].read, source().rows
    return 1.0 if found.whole else (every / read if read and every else 0.0)


def first_table(questions: int) -> tuple[pa.Table, bool]:
    """Canonical rows of the first questions in written order, and whether these are all of them."""
    chosen = recipe()
    at = (source_facts.identity(source()), chosen.columns, chosen.traces.seed, questions)
    return once(f"rows{questions}", at, lambda: first_rows(source(), chosen, questions))


def preview(questions: int = 20) -> Preview:
    """`pipeline.preview` of the present recipe, or an empty one; the rows are kept, so no file is read twice."""
    chosen = recipe()
    # More rows than are shown: they are kept for other settings, under which fewer questions may be usable.
    more = (first_table(questions * MORE**times) for times in count(1))
    try:
        return pipeline.preview(source(), chosen, questions=questions, read_first=lambda *_: more)
    except NothingUsable:
        return Preview([], Tally(), chosen)  # a state that pages speak of, not an error


def typical(rows: int = 480) -> Tally:
    """The tally of the traces from the first rows of the source, for lengths, which the narrow table doesn't hold."""
    chosen = recipe()
    at = (source_facts.identity(source()), chosen.columns)
    table = once("typical rows", at, lambda: _some_rows(chosen, rows))
    made = once("typical", (key(), chosen.fingerprint()), lambda: _all_made(table, chosen))
    if made.ledger[Level.TRACES].kept or source().size > SMALL:
        return made
    # A question's rows may lie far apart; in a small source, its first questions are found quickly.
    return once("typical here", (key(), chosen.fingerprint()), lambda: _all_made(first_table(60)[0], chosen))


def _some_rows(chosen: Recipe, rows: int) -> pa.Table:
    tables, _, _ = source_facts.first_tables(source(), chosen.columns, 1_500_000)
    return pa.concat_tables(tables).slice(0, rows) if tables else CANONICAL.empty_table()


def _all_made(table: pa.Table, chosen: Recipe) -> Tally:
    part = build_partition(table, chosen)
    for _ in part.rows:
        pass
    return part.tally


def identity() -> Any:
    """What tells the chosen data from others."""
    return source_facts.identity(source())


LOOKED_AT = 1_000
"""Rows from which the page says what is doubtful."""


def inspection() -> Inspection | None:
    """What the first rows look like and what is doubtful in their reading; None while question or response is missing."""
    mine, found = workspace.current(), source()
    recipe_now = mine.recipe.model_copy(update={"source": found.spec})
    at = (source_facts.identity(found), recipe_now.fingerprint())
    return once("inspection", at, lambda: _inspected(found, recipe_now))


def _inspected(found: Seen, recipe_now: Recipe) -> Inspection | None:
    try:
        return inspect(found, recipe_now, most_rows=LOOKED_AT)
    except (ColumnError, SourceError):
        return None  # the pickers say which column is missing


def rule_trials() -> dict[str, tuple[int, int]]:
    """Answer rule → (first responses in which it finds an answer, first responses)."""
    chosen = recipe()
    key = (source_facts.identity(source()), chosen.columns)
    table = once("typical rows", key, lambda: _some_rows(chosen, 480))
    return once("trials", key, lambda: answers_found(table))
