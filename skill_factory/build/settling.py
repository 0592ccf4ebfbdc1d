"""Which column holds what: a recipe settled on a source, with a guess where it names none."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_factory import wording
from skill_factory.asked import question_in
from skill_factory.errors import ColumnError, SourceError
from skill_factory.judge.trials import proposed_changes
from skill_factory.recipe.fields import IN_STEP, REQUIRED
from skill_factory.recipe.language import language_of
from skill_factory.recipe.model import Columns, Recipe, parse_recipe
from skill_factory.sources import RawSource, WithNotes
from skill_factory.sources.columns import mapped, needed_columns, question_of, value_at
from skill_factory.sources.guesses.references import is_a_place
from skill_factory.sources.guessing import Guess, candidates, recognise
from skill_factory.sources.names import place_of
from skill_factory.sources.profiles import profiles
from skill_factory.sources.trying import with_proposals

SAMPLE_ROWS = 200
"""How many rows a mapping is guessed from."""
MOST_ITEMS = 64
"""How many items of a list are looked at for the guess."""
_RULES_OF = {
    "question": ("question_rule", "question_marks", "question_rest", "system", "tools"),
    "response": ("response_rule", "response_marks", "think", "thinking"),
    "correct": ("label_rule", "right", "wrong", "threshold", "correct_else"),
}
"""Rules that were proposed for a column; they go when another column takes its place."""


@dataclass(frozen=True)
class Settled:
    """A recipe settled on a source: what was given, and what was guessed for the rest."""

    recipe: Recipe
    guess: Guess
    missing: tuple[str, ...]
    """Required fields without a column."""
    names: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    """The first rows of the source."""
    notes: tuple[str, ...] = ()
    """What a person should know about the files."""

    @property
    def columns(self) -> Columns:
        """The mapping that was settled."""
        return self.recipe.columns


def settle(source: RawSource, recipe: Recipe, overrides: Mapping[str, Any] | None = None) -> Settled:
    """
    The recipe with mapping and rules guessed where it names none, and overrides on top (`{"correct": ["is_right"]}`).

    If the recipe maps a required field, its other fields stay as they are: an empty one means that there is none. Errors:
    ColumnError for a column that isn't there, RecipeError for an unknown field, SourceError for a source without rows.
    """
    names = source.names()
    rows: Sequence[Mapping[str, Any]] = source.head(SAMPLE_ROWS)
    if not rows:
        raise SourceError(f"{source.spec.name or 'The source'} has no rows. Give a source with at least one.")
    # Here and not where rows are read: what a guess needs is less than what a build needs.
    rows = [shortened(row) for row in rows]
    seen = recognise(names, rows, presets=recipe.columns.guess != "names")
    columns = _with_guess(recipe.columns, seen.columns, overrides or {}, rows)
    needed_columns(columns, names)
    # Checked before anything is built: a column too few would leave responses without labels, row after row.
    _check_in_step(columns)
    _check_paths(overrides or {}, names, rows)
    changed = recipe.model_copy(update={"columns": columns})
    # A recipe that maps columns was made for this data: its rules are meant as they are.
    if not _is_whole(recipe.columns):
        changed = _with_text_rules(changed, rows)
    missing = tuple(field for field in REQUIRED if not _has(columns, field))
    notes = tuple(source.notes()) if isinstance(source, WithNotes) else ()
    return Settled(changed, seen, missing, tuple(names), rows, notes)


def shortened(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with only the first items of its lists: thousands of samples say no more than a few dozen."""
    return {name: _first_items(value) for name, value in row.items()}


def _first_items(value: Any) -> Any:
    if isinstance(value, list):
        return [_first_items(item) for item in value[:MOST_ITEMS]]
    if isinstance(value, Mapping):
        return {name: _first_items(item) for name, item in value.items()}
    return value


def _is_whole(columns: Columns) -> bool:
    return any(getattr(columns, field) for field in REQUIRED)


def _has(columns: Columns, field: str) -> bool:
    """Whether a required field has a column; labels may also follow from a rule alone."""
    return bool(getattr(columns, field)) or (
        field == "correct" and columns.label_rule in ("all_right", "first")
    )


def _with_guess(
    given: Columns, guessed: Columns, overrides: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Columns:
    """What was given, the guess where nothing was given, the overrides on top, and rules for what these changed."""
    default, mine, proposed = Columns().model_dump(), given.model_dump(), guessed.model_dump()
    whole = _is_whole(given)
    fields = {
        # In a mapped recipe an empty optional field means "none", so it must not be guessed again.
        f: mine[f] if mine[f] != default[f] or (whole and f not in REQUIRED) else proposed[f]
        for f in mine
    }
    if not overrides:
        return parse_recipe({"columns": fields}).columns
    before = parse_recipe({"columns": fields}).columns
    for field, rules in _RULES_OF.items():
        named = parse_recipe({"columns": {field: overrides[field]}}).columns if field in overrides else None
        if named is not None and getattr(named, field) != getattr(before, field):
            # Rules were proposed for the column that was there before; on another column they would misread it.
            fields |= {rule: mine[rule] for rule in rules}
    fields |= dict(overrides)
    set_already = {f for f in mine if mine[f] != default[f]}
    return with_proposals(parse_recipe({"columns": fields}).columns, rows, {*set_already, *overrides})


def _with_text_rules(recipe: Recipe, rows: Sequence[Mapping[str, Any]]) -> Recipe:
    """The recipe with an answer rule, a verdict rule and a language that suit the rows, where it sets none itself."""
    if not recipe.columns.question or not recipe.columns.response:
        return recipe
    changes = proposed_changes(recipe.columns, rows)
    questions = (question_of(row, recipe.columns) for row in rows)
    changes["phrases.language"] = language_of(
        question_in(text) for text in questions if isinstance(text, str)
    )
    kept = {
        part
        # Part by part, since the fields of a part belong together, as a rule and its pattern do.
        for part in ("answers", "verdicts", "phrases")
        if getattr(recipe, part) != getattr(Recipe(), part)
    }
    wanted = {path: value for path, value in changes.items() if path.partition(".")[0] not in kept}
    return recipe.changed(wanted) if wanted else recipe


def settled_columns(
    source: RawSource, columns: Columns, overrides: Mapping[str, Any] | None = None
) -> Columns:
    """The mapping that `settle` finds. Errors: those of `settle`, and ColumnError for a required field without a column."""
    return with_required_columns(settle(source, Recipe(columns=columns), overrides)).columns


def with_required_columns(settled: Settled) -> Settled:
    """The settled recipe, if every required field has a column. Errors: ColumnError; SourceError for data that can't be used."""
    check_refused(settled)
    if settled.missing:
        raise ColumnError(missing_sentence(settled))
    return settled


def check_refused(settled: Settled) -> None:
    """Refuse a known format that can't be used as it is. Errors: SourceError that says what to do."""
    preset = settled.guess.preset
    if preset is None or not preset.refuse:
        return
    questions = {str(value_at(row, settled.columns.question)) for row in settled.rows}
    # Somebody who mapped a column that really holds questions has answered the refusal.
    if not settled.columns.question or len(questions) <= 1:
        raise SourceError(preset.refuse)


def missing_sentence(settled: Settled) -> str:
    """A sentence that says which fields have no column, what was found, and which column it could be."""
    field = settled.missing[0]
    names = settled.names
    known = settled.columns
    could_be = next(iter(candidates(field, known, names, settled.rows)), "")
    if field == "response" and known.question and known.answer and not could_be:
        return (
            f"There are questions (`{known.question}`) and gold answers (`{known.answer}`), but no column for responses. "
            "Ask a model for some (python -m skill_factory generate responses …), "
            f"or, if a model wrote these answers, say so: --map response={known.answer}."
        )
    if field == "question" and known.response and (named := [name for name in names if is_a_place(name)]):
        return (
            f"There is no column for question: `{named[0]}` only names it. Found: {wording.found(names)}. "
            f"Add a column with the text of each question (join it by `{named[0]}`), and use the file again."
        )
    odd = (
        next((name for name in names if place_of(field, name) is not None), "")
        if field in ("question", "response")
        else ""
    )
    if odd and odd not in {path for _, path in mapped(known)}:
        return f"`{odd}` holds no text that can be the {field}. Found: {wording.found(names)}. Choose another column, e.g. --map {field}={could_be or 'COLUMN'}."
    could_be = could_be or "COLUMN"
    return (
        f"There is no column for {wording.listed(list(settled.missing))}. Found: {wording.found(names)}. "
        f"Choose one, e.g. --map {field}={could_be}."
    )


def _check_in_step(columns: Columns) -> None:
    """Refuse a field whose columns don't match the response columns one to one. Errors: ColumnError."""
    n = len(columns.response)
    for field in IN_STEP:
        mapped_columns = getattr(columns, field)
        if len(mapped_columns) not in (0, 1, n):
            raise ColumnError(
                f"{len(mapped_columns)} columns are mapped to {field} ({', '.join(mapped_columns)}) for "
                f"{wording.many(n, 'response column')}. Map one for each response column, in the same order, or one for all."
            )


def _check_paths(given: Mapping[str, Any], names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a path into records that finds nothing. Errors: ColumnError that names the nearest path there is."""
    paths = [(f, p) for f, v in given.items() for p in ([v] if isinstance(v, str) else v) if "." in str(p)]
    paths = [(f, p) for f, p in paths if p not in names and "@" not in p and "*" not in p]
    if not paths:
        return
    there = list(profiles(list(names), rows))
    for field, path in paths:
        if path not in there and path.partition(".")[0] in names:
            near = difflib.get_close_matches(path, there, n=1, cutoff=0.3)
            inside = [name for name in there if name.startswith(f"{path.partition('.')[0]}.")]
            raise ColumnError(
                f"The path {path!r} mapped to {field} finds nothing in the first rows. Found there: "
                f"{wording.found(inside) or 'no records'}. Choose one, e.g. --map {field}={(near or inside or ['COLUMN'])[0]}."
            )
