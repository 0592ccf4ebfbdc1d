"""A mixture as a file: `[[sources]]` tables read into a mixture, and where each source is, as the file says it."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from skill_factory.errors import RecipeError
from skill_factory.recipe.bounds import check_text
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe, load_recipe, new_recipe, parse_recipe, recipe_from_toml
from skill_factory.recipe.problems import explained

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
