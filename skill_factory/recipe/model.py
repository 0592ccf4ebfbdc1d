"""The recipe: the one thing that the app edits, the command line reads, the card prints and the fingerprint hashes.

Everything that decides what a dataset holds is a field of one of its parts (`source_parts`, `trace_parts`); everything else
(paths, workers, memory) belongs to the run. A recipe is saved as TOML. The fingerprint is a SHA-256 over its canonical JSON,
which includes the source's digest.
"""

import hashlib
import json
import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from skill_factory.errors import RecipeError
from skill_factory.recipe.bounds import check_size, check_text
from skill_factory.recipe.clean_parts import Benchmark, Clean
from skill_factory.recipe.part import Part, nearest
from skill_factory.recipe.problems import explained
from skill_factory.recipe.source_parts import Answers, Columns, Labels, Review, Source, Verdicts
from skill_factory.recipe.trace_parts import (
    POOLS,
    Balance,
    Cutoff,
    Filters,
    Output,
    Phrases,
    Tags,
    Traces,
)

__all__ = [
    "POOLS",
    "PRESETS",
    "PRESET_WORDS",
    "RECIPE_VERSION",
    "Answers",
    "Balance",
    "Benchmark",
    "Clean",
    "Columns",
    "Cutoff",
    "Filters",
    "Labels",
    "Output",
    "Part",
    "Phrases",
    "Recipe",
    "Review",
    "Source",
    "Tags",
    "Traces",
    "Verdicts",
    "field_names",
    "load_recipe",
    "new_recipe",
    "parse_recipe",
    "preset_names",
    "recipe_from_toml",
]

PRESETS = Path(__file__).parent / "presets"
PRESET_WORDS = {
    "paper": "As in the paper: every length up to N = 5",
    "algorithm1": "Algorithm 1: more right than wrong attempts",
    "ablation_no_order": "For comparison: attempts in any order",
    "ablation_no_reflections": "For comparison: no reflections",
    "ablation_no_variety": "For comparison: one prompt variant",
}
"""What the shipped recipes are, for people."""
RECIPE_VERSION = 1
"""Goes up when the same recipe would give other traces."""


class Recipe(Part):
    """Everything that decides what a dataset holds."""

    version: Literal[1] = 1
    source: Source = Source()
    columns: Columns = Columns()
    answers: Answers = Answers()
    verdicts: Verdicts = Verdicts()
    labels: Labels = Labels()
    review: Review = Review()
    filters: Filters = Filters()
    clean: Clean = Clean()
    traces: Traces = Traces()
    balance: Balance = Balance()
    phrases: Phrases = Phrases()
    tags: Tags = Tags()
    cutoff: Cutoff = Cutoff()
    output: Output = Output()

    @model_validator(mode="after")
    def _not_too_large(self) -> Self:
        check_size(self.flat())
        return self

    def to_toml(self) -> str:
        """The recipe as TOML: only what differs from the defaults."""
        import tomli_w

        changed = self.model_dump(mode="json", exclude_defaults=True)
        # The version always: a later reader has to know which rules this file was written for.
        return tomli_w.dumps({"version": RECIPE_VERSION, **changed})

    def changed(self, changes: dict[str, Any]) -> "Recipe":
        """The recipe with some fields changed, each named by its dotted path (`traces.attempts`). Errors: RecipeError."""
        # Through plain values and back, so that every validator runs on the whole recipe.
        tree = self.model_dump(mode="python")
        for path, value in changes.items():
            _put(tree, path, value)
        made = parse_recipe(tree)
        # What was found among the questions holds for as long as the same questions are compared in the same way.
        same = (made.source, made.columns, made.clean.model_dump()) == (
            self.source,
            self.columns,
            self.clean.model_dump(),
        )
        return made.model_copy(update={"clean": self.clean}) if same else made

    def fingerprint(self) -> str:
        """The SHA-256 of the recipe's canonical JSON, as 64 hexadecimal digits."""
        tree = self.model_dump(mode="json")
        default = Recipe()
        for part, name in ADDED:  # a recipe that doesn't ask for what came later is the recipe it was
            if getattr(getattr(self, part), name) == getattr(getattr(default, part), name):
                del tree[part][name]
        # A part that came later is empty by now, and older recipes don't have it.
        tree = {part: fields for part, fields in tree.items() if fields != {}}
        # Sorted and without spaces: one recipe, one text, one hash.
        text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def flat(self) -> dict[str, Any]:
        """Every field as a JSON value, by dotted path."""
        tree = self.model_dump(mode="json")
        parts = {part: fields for part, fields in tree.items() if isinstance(fields, dict)}
        return {f"{part}.{name}": value for part, fields in parts.items() for name, value in fields.items()}


ADDED = (
    ("balance", "drop_duplicates"),
    ("balance", "suite"),
    ("labels", "corrections"),
    ("review", "accepted"),
    ("review", "rejected"),
    ("review", "notes"),
    ("phrases", "language"),
    ("filters", "given_away"),
    *(("clean", name) for name in ("against", "responses", "near_duplicates", "holdout", "drop", "keep")),
    *(
        ("columns", name)
        for name in (
            "question_rest",
            "thinking",
            "correct_else",
            "system",
            "tools",
            "think",
            "question_rule",
            "response_rule",
            "label_rule",
            "question_marks",
            "response_marks",
            "right",
            "wrong",
            "threshold",
            "only",
            "guess",
        )
    ),
)
"""Fields that older recipes don't have; at their default they stay out of the fingerprint, so that it stays the same."""


def new_recipe() -> Recipe:
    """The recipe of somebody who opens none: today's defaults, where a file that lacks a field means those of its day."""
    # Not the field's default: a saved recipe without the field must build what it built when it was saved.
    return Recipe(balance=Balance(drop_duplicates=True))


def parse_recipe(tree: dict[str, Any]) -> Recipe:
    """A recipe from nested tables. Errors: RecipeError that names the field, what was found and the nearest known name."""
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        # Three at most: one mistake often brings others in its wake.
        raise RecipeError(" ".join(explained(problem, Recipe) for problem in error.errors()[:3])) from None


def recipe_from_toml(text: str, name: str = "The recipe") -> Recipe:
    """A recipe from TOML text. Errors: RecipeError."""
    check_text(text, name)
    try:
        return parse_recipe(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(
            f"{name} isn't valid TOML: {error}. Fix that line, or save the recipe again."
        ) from None


def load_recipe(name: str) -> Recipe:
    """The recipe in a file, or a shipped one by its name (`paper`). Errors: RecipeError."""
    path = Path(name)
    shipped = PRESETS / f"{name}.toml"
    # `os.path` says False for a name that is too long for the system, where pathlib raises.
    if not os.path.isfile(path) and shipped.parent == PRESETS and os.path.isfile(shipped):
        path = shipped
    try:
        return recipe_from_toml(path.read_text(encoding="utf-8"), str(name))
    except (OSError, UnicodeDecodeError, ValueError):
        # Read only when it is needed for the sentence.
        known = ", ".join(preset_names())
        raise RecipeError(
            f"There is no recipe {name!r}: it is neither a readable TOML file nor a shipped recipe ({known})."
        ) from None


def preset_names() -> list[str]:
    """The names of the shipped recipes."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def field_names() -> list[str]:
    """The dotted paths of all fields."""
    return list(Recipe().flat())


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    part, _, name = path.partition(".")
    if path not in field_names():
        raise RecipeError(f"A recipe has no field {path!r}.{nearest(path, field_names())}")
    # A new table, since the old one may be shared with the recipe that it came from.
    tree[part] = {**tree[part], name: value}
