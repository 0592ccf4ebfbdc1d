"""Before anything is read in bulk: the columns get settled, the formats checked, the source pinned."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any

from skill_factory import wording
from skill_factory.build.settling import (
    SAMPLE_ROWS,
    Settled,
    check_refused,
    missing_sentence,
    settle,
    settled_columns,
    with_required_columns,
)
from skill_factory.errors import ColumnError, NothingUsable, RecipeError, SourceError
from skill_factory.formats import OwnFormats, chosen_formats, format_of
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.recipe.phrases import phrase_book
from skill_factory.sources import RawSource
from skill_factory.sources.columns import mapped
from skill_factory.tally import Reach, Tally

__all__ = [
    "SAMPLE_ROWS",
    "Settled",
    "check_refused",
    "check_usable",
    "described_mapping",
    "missing_sentence",
    "pinned_recipe",
    "pinning",
    "ready_recipe",
    "settle",
    "settled_columns",
]


def ready_recipe(
    source: RawSource,
    recipe: Recipe,
    overrides: Mapping[str, Any] | None = None,
    own: OwnFormats | None = None,
) -> Recipe:
    """The recipe with its columns settled and checked against the source. Errors: ColumnError, RecipeError."""
    # The recipe's own mistakes first: they can be told without reading a row.
    if recipe.balance.suite:
        raise RecipeError(
            "This recipe is one arm of a suite, and its traces depend on the other arms. Build the suite again "
            "(ablate --suite suite.toml), or build the arm alone: --set balance.suite=''."
        )
    check_own_words(recipe, own)
    settled = with_required_columns(settle(source, recipe, overrides))
    columns, recipe = settled.columns, settled.recipe
    check_against_columns(recipe, columns, source.names(), own)
    return recipe.model_copy(update={"columns": columns, "source": source.spec})


def check_own_words(recipe: Recipe, own: OwnFormats | None = None) -> None:
    """What can be told of a recipe before a row is read. Errors: RecipeError."""
    chosen_formats(recipe.traces.formats, own)
    phrase_book(recipe.phrases)


def check_against_columns(
    recipe: Recipe, columns: Columns, names: Sequence[str], own: OwnFormats | None = None
) -> None:
    """Whether the columns hold what the recipe's formats and rules need. Errors: ColumnError, RecipeError."""
    if not columns.reflections and (
        needs := [code for code in recipe.traces.formats if format_of(code, own).reflects]
    ):
        raise ColumnError(
            f"No column holds reflections, which the format {needs[0]} shows. "
            "Map one (--map reflections=COLUMN), make some (generate reflections), or use --format no_reflection. "
            f"Found: {wording.found(names)}."
        )
    if recipe.verdicts.rule == "column" and not columns.verdicts:
        raise RecipeError(
            "The verdict rule is `column`, but no column is mapped to the verdicts. Add --map verdicts=COLUMN."
        )


def pinned_recipe(source: RawSource, recipe: Recipe, exact: bool = False) -> Recipe:
    """
    The recipe with the source's digest or commit.

    Errors: SourceError if `exact` asks for the data that the recipe was built from, and the source is different.
    """
    source_now = source.pinned()
    wanted = recipe.source
    if exact and wanted.digest and (wanted.kind, wanted.digest) != (source_now.kind, source_now.digest):
        raise SourceError(
            f"The recipe was built from {wanted.name!r} with the digest {wanted.digest[:12]}…; this source has the digest "
            f"{source_now.digest[:12] or '(none)'}…. Give the same file."
        )
    return recipe.model_copy(update={"source": source_now})


def pinning(source: RawSource, recipe: Recipe, exact: bool = False) -> Callable[[], Recipe]:
    """
    What `pinned` gives, computed in the background; calling the result waits for it.

    Reading a large source for its digest may take as long as reading its rows, which don't depend on it.
    """
    pinned_later: Future[Recipe] = Future()

    def find() -> None:
        try:
            pinned_later.set_result(pinned_recipe(source, recipe, exact))
        # Whatever it is, it has to reach the thread that waits for the result.
        except BaseException as error:
            pinned_later.set_exception(error)

    # A daemon thread, since nobody waits for the digest of a build that has ended.
    Thread(target=find, daemon=True).start()
    return pinned_later.result


def described_mapping(columns: Columns) -> list[tuple[str, str]]:
    """(field, columns) of a mapping, for people."""
    shown: dict[str, list[str]] = {}
    for field, path in mapped(columns):
        shown.setdefault(field, []).append(path)
    return [(field, ", ".join(paths)) for field, paths in shown.items()]


def check_usable(tally: Tally, recipe: AnyRecipe) -> None:
    """Refuse a build without traces. Errors: NothingUsable that says what smaller N would leave, or where the data went."""
    if tally.ledger[Level.TRACES].kept:
        return
    if isinstance(recipe, Mixture):
        raise NothingUsable(f"Nothing in the sources can become a trace. {_where_it_went(tally)}")
    # The first format stands for all: they need the same N responses, with few exceptions.
    code, n = recipe.traces.formats[0], recipe.traces.attempts
    left = {m: tally.counts["reach"].get(str(Reach(code, m)), 0) for m in range(1, min(n, 11))}
    # If some questions are usable, N is fine and their traces were dropped for another reason.
    none_left = not tally.ledger[Level.QUESTIONS].kept
    if none_left and (usable := [m for m, questions in left.items() if questions]):
        smaller = ", ".join(f"{left[m]:,} at N = {m}" for m in left)
        raise NothingUsable(
            f"No question has {n} usable responses with a right one among them. A smaller N would leave {smaller}. "
            f"Use --attempts {max(usable)}."
        )
    raise NothingUsable(f"Nothing in the data can become a trace. {_where_it_went(tally)}")


def _where_it_went(tally: Tally) -> str:
    lines = []
    for level in Level:
        counted = tally.ledger[level]
        why = "; ".join(
            f"{n:,} because {sentence(level, reason)}" for reason, n in counted.dropped.most_common(3)
        )
        if counted.read:
            lines.append(
                f"{level.value}: {counted.kept:,} of {counted.read:,} kept" + (f" ({why})" if why else "")
            )
    return ". ".join(lines) + "."
