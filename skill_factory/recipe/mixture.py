"""A mixture: several sources, each with a recipe of its own, and how much each gives to one dataset.

`mix.toml` names each source with a weight (a share of the traces) or a count; `from` says where it is, and belongs to the
run like the source argument of a build. What is saved, printed on the card and hashed is the mixture without it.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from skill_factory.errors import RecipeError
from skill_factory.recipe.bounds import check_text
from skill_factory.recipe.clean_parts import Clean
from skill_factory.recipe.model import (
    RECIPE_VERSION,
    Cutoff,
    Output,
    Recipe,
    Source,
    Tags,
    load_recipe,
    new_recipe,
    parse_recipe,
    recipe_from_toml,
)
from skill_factory.recipe.part import Part
from skill_factory.recipe.problems import explained

MOST_SOURCES = 64
ALIKE = ("traces.seed", "tags", "output", "cutoff.chars_per_token")
"""What all sources of a mixture share: one order, one way to read a trace, one set of columns."""


class Ingredient(Part):
    """One source of a mixture: its name, how much it gives, and how its traces are made."""

    name: str
    """What lineage, ledger and card call it."""
    weight: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Its share of the traces, next to the weights of the others."""
    count: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """How many traces it gives, exactly."""
    recipe: Recipe = Recipe()

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not value.strip() or len(value) > 200 or not value.isprintable():
            raise ValueError("a source's name is one line of at most 200 characters")
        return value

    @model_validator(mode="after")
    def _weight_or_count(self) -> Self:
        if (self.weight is None) == (self.count is None):
            raise ValueError(f"the source {self.name!r} needs a weight or a count, and not both")
        balance = self.recipe.balance
        if balance.max_traces or balance.label_limits:
            # Both count from the head of a dataset, and the head of a mixture holds other sources too.
            raise ValueError(
                f"the source {self.name!r} sets balance.{'max_traces' if balance.max_traces else 'label_limits'}, which counts "
                "from the head of a dataset of its own; in a mixture give it a count or a weight"
            )
        if balance.suite:
            raise ValueError(
                f"the source {self.name!r} is one arm of a suite, whose traces depend on the other arms; give it balance.suite = ''"
            )
        if self.recipe.clean.asks:
            # A question of one source may repeat one of another, so all of them are compared together.
            raise ValueError(
                f"the source {self.name!r} compares its questions by itself; in a mixture all questions are compared together: "
                "write [clean] once, above the sources"
            )
        return self


class Mixture(Part):
    """Everything that decides what a mixed dataset holds."""

    version: Literal[1] = 1
    traces: Annotated[int, Field(ge=0, le=2**53)] = 0
    """All traces, for weights; 0 means as many as the sources allow."""
    clean: Clean = Clean()
    """Which questions stay out, of whatever source; a source may have decisions of its own about single questions."""
    sources: Annotated[tuple[Ingredient, ...], Field(min_length=1, max_length=MOST_SOURCES)]
    """In order: a question that stands in several belongs to the first."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [one.name for one in self.sources]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two sources are called {min(twice)!r}; give each a name of its own")
        by_weight = [one.weight is not None for one in self.sources]
        if any(by_weight) and not all(by_weight):
            raise ValueError("some sources have a weight and others a count; give all of them the same")
        if self.traces and not by_weight[0]:
            raise ValueError("'traces' goes with weights; the counts of the sources say how many there are")
        first = self.sources[0]
        for other in self.sources[1:]:
            for path in ALIKE:
                mine, theirs = _value(first.recipe, path), _value(other.recipe, path)
                if mine != theirs:
                    raise ValueError(
                        f"all sources of a mixture share {path}; {first.name!r} has {_shown(mine)}, {other.name!r} "
                        f"{_shown(theirs)}"
                    )
        return self

    # What all sources share, under the names that a recipe has.

    @property
    def seed(self) -> int:
        """The seed of all draws and of the written order."""
        return self.sources[0].recipe.traces.seed

    @property
    def tags(self) -> Tags:
        """The tags of all traces."""
        return self.sources[0].recipe.tags

    @property
    def output(self) -> Output:
        """Which columns a row has."""
        return self.sources[0].recipe.output

    @property
    def cutoff(self) -> Cutoff:
        """For the estimate of tokens; limits are those of each source."""
        return self.sources[0].recipe.cutoff

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The recipe of each source."""
        return tuple(one.recipe for one in self.sources)

    def with_recipes(self, recipes: tuple[Recipe, ...]) -> "Mixture":
        """The mixture with another recipe for each source."""
        pairs = zip(self.sources, recipes, strict=True)
        sources = tuple(one.model_copy(update={"recipe": recipe}) for one, recipe in pairs)
        return self.model_copy(update={"sources": sources})

    def to_toml(self) -> str:
        """The mixture as TOML: only what differs from the defaults."""
        import tomli_w

        sources = []
        for one in self.sources:
            much: dict[str, Any] = {"weight": one.weight} if one.weight is not None else {"count": one.count}
            parts = one.recipe.model_dump(mode="json", exclude_defaults=True)
            # With its version each source is whole: what it leaves out is the default of that version.
            sources.append({"name": one.name, **much, "version": RECIPE_VERSION, **parts})
        own = {"traces": self.traces, "clean": self.clean.model_dump(mode="json", exclude_defaults=True)}
        said = {name: value for name, value in own.items() if value}
        return tomli_w.dumps({"version": RECIPE_VERSION, **said, "sources": sources})

    def fingerprint(self) -> str:
        """The SHA-256 of the mixture's canonical JSON, which has the fingerprint of each source's recipe."""
        sources = [
            {"name": one.name, "weight": one.weight, "count": one.count, "recipe": one.recipe.fingerprint()}
            for one in self.sources
        ]
        tree: dict[str, Any] = {"mixture": RECIPE_VERSION, "traces": self.traces, "sources": sources}
        # Only where it says something, so that mixtures made before it existed keep their names.
        if clean := self.clean.model_dump(mode="json", exclude_defaults=True):
            tree["clean"] = clean
        text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def flat(self) -> dict[str, Any]:
        """Every field as a JSON value, by dotted path; those of a source below its name."""
        fields: dict[str, Any] = {
            "traces": self.traces,
            "sources": [one.name for one in self.sources],
            **{f"clean.{name}": value for name, value in self.clean.model_dump(mode="json").items()},
        }
        for one in self.sources:
            fields |= {f"{one.name}.weight": one.weight, f"{one.name}.count": one.count}
            fields |= {f"{one.name}.{path}": value for path, value in one.recipe.flat().items()}
        return fields


def alike(recipe: Recipe, first: Recipe) -> Recipe:
    """A recipe with what all sources of a mixture share, as the first of them has it."""
    changed = {path: _value(first, path) for path in ALIKE if _value(first, path) != _value(recipe, path)}
    for path, value in changed.items():
        part, _, name = path.partition(".")
        new = getattr(recipe, part).model_copy(update={name: value}) if name else value
        recipe = recipe.model_copy(update={part: new})
    return recipe


def _value(recipe: Recipe, path: str) -> Any:
    part, _, name = path.partition(".")
    return getattr(getattr(recipe, part), name) if name else getattr(recipe, part)


def _shown(value: Any) -> str:
    return str(value.model_dump(mode="json")) if isinstance(value, Part) else str(value)


AnyRecipe = Recipe | Mixture
"""What a build folder may be made from."""
Places = dict[str, str]
"""Where each source is, by its name: a path, a Hub dataset, the demo. It belongs to a run, not to a mixture."""


def is_mixture(text: str) -> bool:
    """Whether a recipe's TOML names several sources; False for what isn't TOML."""
    try:
        check_text(text, "The recipe")
        return "sources" in tomllib.loads(text)
    except (RecipeError, tomllib.TOMLDecodeError, RecursionError):
        return False


def recipe_or_mixture(text: str, name: str = "The recipe") -> Recipe | Mixture:
    """What a saved `recipe.toml` holds. Errors: RecipeError."""
    return mixture_from_toml(text, name)[0] if is_mixture(text) else recipe_from_toml(text, name)


def load_mixture(name: str) -> tuple[Mixture, Places]:
    """The mixture in a file, and where its sources are, as seen from the file's folder. Errors: RecipeError."""
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        raise RecipeError(f"There is no readable mixture {name!r}. Give a TOML file.") from None
    return mixture_from_toml(text, name, path.parent)


def mixture_from_toml(text: str, name: str = "The mixture", folder: Path = Path()) -> tuple[Mixture, Places]:
    """A mixture from TOML text, and where its sources are. Errors: RecipeError that names the source and the field."""
    check_text(text, name)
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{name} isn't valid TOML: {error}. Fix that line.") from None
    entries = tree.get("sources")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RecipeError(f"{name} names its sources as [[sources]] tables; found {_kind(entries)}.")
    seed, places, ingredients = tree.pop("seed", None), Places(), []
    for number, entry in enumerate(entries, 1):
        ingredient, place = _ingredient(entry, number, name, folder, seed)
        ingredients.append(ingredient)
        if place:
            places[ingredient["name"]] = place
    try:
        return Mixture.model_validate({**tree, "sources": ingredients}), places
    except ValidationError as error:
        raise RecipeError(" ".join(explained(problem, Mixture) for problem in error.errors()[:3])) from None


def _ingredient(
    entry: Mapping[str, Any], number: int, file: str, folder: Path, seed: Any
) -> tuple[dict[str, Any], str]:
    """One `[[sources]]` table as an ingredient, and where its source is."""
    rest = dict(entry)
    place, name, base = rest.pop("from", ""), rest.pop("name", ""), rest.pop("recipe", "")
    if not isinstance(place, str) or not isinstance(name, str):
        raise RecipeError(f"{file}: 'from' and 'name' of source {number} are texts.")
    name = name or _name_of(place, rest) or f"source {number}"
    much: dict[str, Any] = {key: rest.pop(key) for key in ("weight", "count") if key in rest}
    try:
        recipe = _based(base, rest, folder)
        if seed is not None:
            recipe = _with_seed(recipe, seed, rest)
    except RecipeError as error:
        raise RecipeError(f"{file}, source {name!r}: {error}") from None
    return {"name": name, **much, "recipe": recipe}, _seen_from(folder, place)


def _based(base: Any, tables: Mapping[str, Any], folder: Path) -> Recipe:
    """The recipe of a source: a file or a shipped one, with the source's own tables on top."""
    if not isinstance(base, str):
        raise RecipeError("'recipe' is the name of a recipe file or of a shipped recipe.")
    if not base:
        # As for a build without --recipe; a saved mixture says what it changed, the version too.
        start = Recipe() if "version" in tables else new_recipe()
    else:
        start = load_recipe(str(folder / base) if (folder / base).is_file() else base)
    whole = start.model_dump(mode="python")
    for part, fields in tables.items():
        known = whole.get(part)
        whole[part] = {**known, **fields} if isinstance(known, dict) and isinstance(fields, dict) else fields
    return parse_recipe(whole)


def _with_seed(recipe: Recipe, seed: Any, tables: Mapping[str, Any]) -> Recipe:
    own = tables.get("traces", {}).get("seed", seed)
    if own != seed:
        raise RecipeError(f"the mixture's seed is {seed}, and this source asks for {own}. Leave out one.")
    return recipe.changed({"traces.seed": seed})


def _name_of(place: str, tables: Mapping[str, Any]) -> str:
    """A name for a source that has none: that of its file or dataset."""
    source = tables.get("source", {})
    known = source.get("name", "") if isinstance(source, dict) else ""
    return place.rstrip("/").rpartition("/")[2].partition(".")[0] or str(known)


def _seen_from(folder: Path, place: str) -> str:
    """A path in a mixture is meant from the mixture's own folder; anything else is taken as it is."""
    beside = folder / os.path.expanduser(place)
    return (
        str(beside)
        if place and (beside.exists() or any(folder.glob(place) if _relative_glob(place) else ()))
        else place
    )


def _relative_glob(place: str) -> bool:
    return any(sign in place for sign in "*?[") and not os.path.isabs(place)


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def sources_of(mixture: Mixture) -> list[Source]:
    """What each source is, by kind, name and digest."""
    return [one.recipe.source for one in mixture.sources]
