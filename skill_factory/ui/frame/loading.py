"""What pages know about the chosen source, each thing read once: its rows, its narrow table, what a recipe would give.

Everything is kept in the session under what it depends on. The narrow tables, which hold no texts, are shared by all
sessions unless the source was opened with a token. A source too large to read at once is read by a separate process
while the pages show a sample, marked as one.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import streamlit as st

from skill_factory.errors import ColumnError, RecipeError, SourceError
from skill_factory.hosting import hosted
from skill_factory.insight.expected import Outlook
from skill_factory.insight.fitness import Fitness
from skill_factory.insight.inspection import Inspection
from skill_factory.judge import source_facts
from skill_factory.judge.judge import Judgement
from skill_factory.judge.source_facts import Narrow, facts_key
from skill_factory.judge.trials import answers_found
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe, Review, Source, Traces
from skill_factory.sources import source_of_recipe
from skill_factory.sources.demo.worlds import WORLDS, world_named
from skill_factory.sources.files import looks_like_path
from skill_factory.tally import Tally
from skill_factory.ui.frame import away, exact_tables, workspace
from skill_factory.ui.frame.mixed import mixing
from skill_factory.ui.frame.opening import Seen, forget, once, parts, seen, settled, source
from skill_factory.work import check, looking, quota
from skill_factory.work.home import place
from skill_factory.work.reading import Progress
from skill_factory.work.wire import Shared

__all__ = [
    "Evidence",
    "Seen",
    "bearing",
    "check_given",
    "choose",
    "choose_again",
    "choose_mixture",
    "evidence",
    "first_rows",
    "first_table",
    "fit",
    "forget",
    "identity",
    "inspection",
    "key",
    "key_of",
    "narrow",
    "once",
    "parts",
    "progress",
    "recipe",
    "rule_trials",
    "seen",
    "shared",
    "source",
    "suit",
    "typical",
]

SMALL = 30_000_000
"""Bytes; a source that is read from end to end in about a second."""

LARGEST_DEMO = 20_000
"""Questions on a shared server: each costs its memory."""

# -- the source ----------------------------------------------------------------------------------------------------


def choose(text: str, label: str = "", asked: Source | None = None, beside: bool = False) -> None:
    """
    Open a source and make it the workspace's, with its columns guessed; `beside` the others, or in place of the shown one.

    A recipe that was opened before keeps its columns if the source has them all. Errors: SourceError, HubError.
    """
    check_given(text)
    if beside:
        mixing.check_room()
    base = mixing.fresh() if beside else workspace.without_proposals()
    found, fitting = settled(text, asked, base, label or text)
    with workspace.one_change():
        # A shown source that keeps its usual name is called after its data; one that a visitor has named keeps that
        # name.
        was = "" if beside else workspace.current().label
        if beside:
            mixing.make_room()
        workspace.forget_proposals()
        workspace.choose_source(text, label or called(found.spec), found.spec, fitting.columns)
        mixing.name_shown(was)
        workspace.take_proposals(fitting)
        st.session_state.pop("_kept", None)
        exact_tables.forget_failed()
        suit()


def choose_again(text: str, label: str) -> None:
    """The same data from another place: what was chosen and decided for it stays. Errors: SourceError."""
    mine = workspace.current()
    check_given(text)
    found, fitting = settled(text, None, mine.recipe, label)
    with workspace.one_change():
        mine.source, mine.label = text, label
        mine.recipe = mine.recipe.model_copy(update={"source": found.spec, "columns": fitting.columns})
    st.session_state.pop("_kept", None)
    exact_tables.forget_failed()


def choose_mixture(mixture: Mixture, places: Mapping[str, str]) -> None:
    """Open the sources of a saved mixture, and make them the workspace's. Errors: SourceError, HubError, RecipeError."""
    recipes, opened = [], {}
    for one in mixture.sources:
        spec = one.recipe.source
        if not places.get(one.name) and spec.kind not in ("demo", "hub"):
            raise RecipeError(
                f"The source {one.name!r} is a file, and a mixture doesn't know where that is. Add the sources on Data, or build "
                "the mixture on the command line, with --from."
            )
        text = opened[one.name] = places.get(one.name) or source_of_recipe(spec)
        check_given(text)
        found, fitting = settled(text, spec if spec.kind == "hub" else None, one.recipe, one.name)
        recipes.append(fitting.model_copy(update={"source": found.spec}))
    with workspace.one_change():
        mixing.open_mixture(mixture.with_recipes(tuple(recipes)), opened)
        workspace.current().job = ""
        st.session_state.pop("_kept", None)


def check_given(text: str) -> None:
    """Errors: SourceError for a source that a shared server doesn't open."""
    if not hosted():
        return
    if not _open_to_all(text):
        raise SourceError(
            "This server is shared, so it doesn't open files from its own disk. Upload the file instead."
        )
    if (demo := re.fullmatch(r"demo:(?:[a-z]+:)?0*(\d+)", text)) and int(demo[1][:9]) > LARGEST_DEMO:
        raise SourceError(
            f"On a shared server, the demo has at most {LARGEST_DEMO:,} questions. Try demo:500."
        )
    if not text.startswith("demo") and os.path.isfile(text) and check.needs_check(Path(text)):
        unpacked = away.run(check.read_through, Path(text), what=Path(text).name, seconds=check.SECONDS)
        quota.note_unpacked(Path(text), unpacked)


def _open_to_all(text: str) -> bool:
    """Whether a text names no path of this machine, or one upload by its path, whose folder nobody can guess."""
    if not (os.path.exists(os.path.expanduser(text)) or looks_like_path(text)):
        return True
    # The very file: a folder or a glob above it would be everybody's uploads.
    path = Path(text)
    return os.path.isfile(text) and not path.is_symlink() and path.parent.parent == place("uploads")


def called(spec: Source) -> str:
    """What a source is called on the page."""
    if spec.kind != "demo":
        return spec.name
    *world, questions = spec.name.split(":")
    return f"Demo: {questions} {world_named(world[0] if world else next(iter(WORLDS))).title}"


def suit() -> bool:
    """Start from the number of attempts that suits the data: once, and only if the visitor has chosen nothing yet."""
    mine = workspace.current()
    if mine.suited or mine.recipe.traces != Traces():
        return False
    try:
        known = evidence()
    except ColumnError:
        return False  # the Data page asks for the missing columns
    # A sample that cuts questions in two would propose too few attempts.
    if not known.narrow.telling:
        return False
    proposed = fit(known).proposal
    if not proposed.attempts:
        return False  # nothing can be used until the Data page has an answer to its question
    mine.suited = True
    before = mine.recipe
    workspace.change(dict(proposed.changes))
    return mine.recipe != before


def recipe() -> Recipe:
    """The recipe with its source; its columns are there. Errors: ColumnError, SourceError, HubError."""
    mine, found = workspace.current(), source()
    columns = mine.recipe.columns
    once("columns", (found.spec, id(found), columns), lambda: away.run(looking.settled, found, columns))
    return mine.recipe.model_copy(update={"source": found.spec})


# -- the narrow table ----------------------------------------------------------------------------------------------


def key() -> str:
    """The name of the narrow table of the shown source and its recipe."""
    return key_of(source(), workspace.current().recipe)


def key_of(found: Seen, chosen: Recipe) -> str:
    """The name of the narrow table of a source under a recipe; one read with a token stays with its session."""
    mine = workspace.current()
    made = facts_key(found, chosen)
    # Who has no token must not find such a table by asking for the same data, so its name holds a secret of the
    # session.
    salted = mine.secret_under(chosen)
    return f"{made}-{once('salt', mine.token, lambda: secrets.token_hex(8))}" if salted else made


def narrow() -> Narrow:
    """The facts of the whole source if they are known, else those of a sample while the rest is being read."""
    chosen, name = recipe(), key()
    found = exact_tables.known(name) or once(
        "sample", name, lambda: away.run(looking.sample, source(), chosen)
    )
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
        """Whether the whole source was read."""
        return self.narrow.whole

    @property
    def hedge(self) -> str:
        """What stands before a number of the whole source: nothing, "about", or "at least" if its size is unknown."""
        return "" if self.exact else "about " if self.scale else "at least "


def evidence() -> Evidence:
    """Facts, judgement and outlook of the present recipe: milliseconds once the facts are there. Errors: as `narrow`."""
    chosen, found = recipe(), narrow()
    known = once("evidence", (key(), found.whole, bearing(chosen)), lambda: _evidence(chosen, found))
    return known if known.recipe == chosen else replace(known, recipe=chosen)


def bearing(chosen: Recipe) -> str:
    """The fingerprint of what bears on the traces: to accept one, or to note something on it, changes none of them."""
    review = Review(rejected=chosen.review.rejected)
    return chosen.model_copy(update={"review": review}).fingerprint()


def _evidence(chosen: Recipe, found: Narrow) -> Evidence:
    most = None if found.whole else 0  # a sample's draws aren't those of the whole source
    judged, outlook = away.run(looking.judged, shared(found), key(), chosen, most)
    return Evidence(chosen, found, judged, outlook, found.scale(source().rows))


def shared(found: Narrow) -> Shared:
    """The narrow table as it travels: once to each child, whatever is asked of it."""
    return Shared(f"{key()} {found.whole}", found)


def fit(known: Evidence) -> Fitness:
    """The report on what is known of the data."""
    at = (key(), known.exact, known.recipe.fingerprint())
    return once(
        "fitness", at, lambda: away.run(looking.fit, shared(known.narrow), known.judgement, known.recipe)
    )


def first_table(questions: int) -> tuple[pa.Table, bool]:
    """Canonical rows of the first questions in written order, and whether these are all of them."""
    chosen = recipe()
    at = (source_facts.identity(source()), chosen.columns, chosen.traces.seed, questions)
    return once(f"rows{questions}", at, lambda: away.run(looking.first_table, source(), chosen, questions))


def typical(rows: int = 480) -> Tally:
    """The tally of the traces from the first rows of the source, for lengths, which the narrow table doesn't hold."""
    chosen, table = recipe(), first_rows(rows)
    sent = Shared(f"{key()} typical", table)
    made = once("typical", (key(), bearing(chosen)), lambda: away.run(looking.made_of, sent, chosen))
    if made.ledger[Level.TRACES].kept or source().size > SMALL:
        return made
    # A question's rows may lie far apart; in a small source, its first questions are found quickly.
    return once(
        "typical here",
        (key(), bearing(chosen)),
        lambda: away.run(looking.made_of, first_table(60)[0], chosen),
    )


def first_rows(rows: int = 480) -> pa.Table:
    """Canonical rows from the head of the source, read once for all that a page shows of them."""
    chosen = recipe()
    at = (source_facts.identity(source()), chosen.columns)
    return once("typical rows", at, lambda: _some_rows(chosen, rows))


def _some_rows(chosen: Recipe, rows: int) -> pa.Table:
    return away.run(looking.first_bytes, source(), chosen.columns, 1_500_000, rows)


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
    return once("inspection", at, lambda: away.run(looking.inspected, found, recipe_now, LOOKED_AT))


def rule_trials() -> dict[str, tuple[int, int]]:
    """Answer rule → (first responses in which it finds an answer, first responses)."""
    chosen = recipe()
    key = (source_facts.identity(source()), chosen.columns)
    return once("trials", key, lambda: away.run(answers_found, first_rows()))
