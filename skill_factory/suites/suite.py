"""The record of a suite: a base recipe, and arms as changes of it. Saved as TOML, like a recipe."""

import hashlib
import itertools
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from skill_factory.errors import RecipeError
from skill_factory.recipe.bounds import check_text
from skill_factory.recipe.model import Recipe, load_recipe, new_recipe, parse_recipe
from skill_factory.recipe.part import nearest
from skill_factory.recipe.titles import title_of
from skill_factory.wording import many

PRESETS = Path(__file__).parent / "presets"
BASE = "base"
"""The name of the arm that changes nothing."""
MOST_ARMS = 64
VERSION = 1
_KEYS = ("version", "name", "recipe", "base", "equal", "arms", "one_at_a_time", "grid")
_ARM_KEYS = ("name", "says", "changes")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


class Equal(StrEnum):
    """What all arms have the same amount of."""

    TRACES = "traces"
    TOKENS = "tokens"


@dataclass(frozen=True)
class Arm:
    """One arm: its name, which is that of its config on the Hub, and what it changes in the base recipe."""

    name: str
    changes: Mapping[str, Any]
    """New values by dotted field (`traces.attempts`)."""
    says: str = ""
    """What it changes, for people; empty where the changes say it."""

    @property
    def title(self) -> str:
        """Its name as people write it: `no_reflections` is "No reflections"."""
        plain = self.name.replace("_", " ")
        return plain[:1].upper() + plain[1:]

    @property
    def words(self) -> str:
        """What the arm changes, in words of its own or as fields with their values."""
        return self.says or ", ".join(_said(field, value) for field, value in self.changes.items())


def _said(field: str, value: Any) -> str:
    # N is what most suites vary, and its field's name says little to whoever reads the table.
    return (
        f"at most {many(value, 'attempt')}"
        if field == "traces.attempts"
        else f"{title_of(field)}: {_shown(value)}"
    )


@dataclass(frozen=True)
class Suite:
    """A base recipe, and arms that change it. The first arm of `every_arm` is the base itself."""

    name: str
    base: Recipe
    arms: tuple[Arm, ...]
    equal: Equal = Equal.TRACES
    size: str = ""
    """How many arms a grid makes, as a product (`3 × 2 = 6`); empty without a grid."""

    @property
    def every_arm(self) -> tuple[Arm, ...]:
        """The base, then the arms that change it."""
        return (Arm(BASE, {}, "the recipe that the other arms change"), *self.arms)

    def recipe_of(self, arm: Arm) -> Recipe:
        """The recipe of an arm. Errors: RecipeError that names the arm."""
        try:
            return self.base.changed(dict(arm.changes)) if arm.changes else self.base
        except RecipeError as error:
            raise RecipeError(f"Arm {arm.name!r}: {error}") from None

    def with_base(self, base: Recipe) -> "Suite":
        """The suite on another base: arms that would now equal the base are left out. Errors: RecipeError."""
        moved = replace(self, base=base)
        arms = tuple(arm for arm in self.arms if moved.recipe_of(arm) != base)
        return checked(replace(moved, arms=arms))

    def fingerprint(self) -> str:
        """A SHA-256 over the recipes of all arms and what is equal, as 64 hexadecimal digits."""
        arms = [[arm.name, self.recipe_of(arm).fingerprint()] for arm in self.every_arm]
        text = json.dumps([VERSION, self.equal.value, arms], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_toml(self) -> str:
        """The suite as TOML, every arm written out: it builds the same suite again."""
        import tomli_w

        arms = [
            {"name": arm.name, **({"says": arm.says} if arm.says else {}), "changes": dict(arm.changes)}
            for arm in self.arms
        ]
        base = tomllib.loads(self.base.to_toml())
        tree = {
            "version": VERSION,
            "name": self.name,
            "equal": self.equal.value,
            "base": base,
            "arms": arms,
        }
        return tomli_w.dumps(tree)


def load_suite(name: str) -> Suite:
    """The suite in a file, or a shipped one by its name (`paper`). Errors: RecipeError."""
    path, shipped = Path(name), PRESETS / f"{name}.toml"
    # `os.path` says False for a name that is too long for the system, where pathlib raises.
    if not os.path.isfile(path) and shipped.parent == PRESETS and os.path.isfile(shipped):
        path = shipped
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        known = ", ".join(suite_names())
        raise RecipeError(
            f"There is no suite {name!r}: it is neither a readable TOML file nor a shipped suite ({known})."
        ) from None
    return suite_from_toml(text, name, path.parent)


def suite_names() -> list[str]:
    """The names of the shipped suites."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def suite_from_toml(text: str, name: str = "The suite", beside: Path | None = None) -> Suite:
    """A suite from TOML; a recipe file that it names lies in the folder `beside`. Errors: RecipeError."""
    check_text(text, name)
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{name} isn't valid TOML: {error}. Fix that line.") from None
    _check_keys(tree, _KEYS, name)
    if tree.get("version", VERSION) != VERSION:
        raise RecipeError(f"{name} has version {tree['version']!r}; this program reads version {VERSION}.")
    base = _base_of(tree, beside or Path())
    one, grid = (_table(tree, key, name) for key in ("one_at_a_time", "grid"))
    entries = _list(tree, "arms", name)
    size = " × ".join(str(len(values)) for values in grid.values())
    n = _product(grid)
    _check_size(len(entries) + sum(map(len, one.values())) + n, size, n)
    explicit = tuple(_arm(entry, name) for entry in entries)
    named = tree.get("name") or Path(name).stem
    suite = Suite(str(named), base, explicit, _equal(tree.get("equal", "traces"), name))
    for arm in explicit:
        if suite.recipe_of(arm) == base:
            raise RecipeError(
                f"Arm {arm.name!r} changes nothing of the base recipe. Change a field, or leave it out."
            )
    made = [arm for arm in (*_one_by_one(one), *_all_together(grid)) if suite.recipe_of(arm) != base]
    return checked(replace(suite, arms=(*explicit, *made), size=f"{size} = {n}" if len(grid) > 1 else ""))


def checked(suite: Suite) -> Suite:
    """The suite itself. Errors: RecipeError for no arm, two of a name, a name that can't be one, or other data."""
    if not suite.arms:
        raise RecipeError(
            f"The suite {suite.name!r} has no arm that differs from its base. Add one: [[arms]] with a name and changes."
        )
    seen: set[str] = set()
    for arm in suite.every_arm:
        if not _NAME.fullmatch(arm.name) or arm.name in ("con", "data"):
            raise RecipeError(
                f"The name of an arm becomes a folder and a config: small letters, digits, - . or _; found {arm.name!r}."
            )
        if arm.name in seen:
            raise RecipeError(
                f"Two arms have the name {arm.name!r}. Give each its own; `{BASE}` is the base itself."
            )
        seen.add(arm.name)
        recipe = suite.recipe_of(arm)
        if recipe.source != suite.base.source:
            raise RecipeError(
                f"Arm {arm.name!r} changes the source. All arms of a suite are made from the same data; build it by itself."
            )
        if recipe.clean.model_dump() != suite.base.clean.model_dump():
            raise RecipeError(
                f"Arm {arm.name!r} changes which questions stay out (`clean`). All arms of a suite have the same questions: set it in "
                "the base."
            )
        # A limit by label counts from the head of one dataset, so it would take other questions in each arm.
        if recipe.balance.label_limits:
            raise RecipeError(
                f"Arm {arm.name!r} limits traces by label (balance.label_limits), which leaves each arm other questions. "
                "Leave that out; the arms get equal sizes anyway."
            )
    return suite


def _base_of(tree: Mapping[str, Any], beside: Path) -> Recipe:
    if "recipe" in tree and "base" in tree:
        raise RecipeError("A suite names its base recipe (recipe) or holds it ([base]), not both.")
    if "base" in tree:
        return parse_recipe(tree["base"])
    name = tree.get("recipe", "")
    if not name:
        return new_recipe()
    near = beside / str(name)
    return load_recipe(str(near) if near.is_file() else str(name))


def _arm(entry: Any, name: str) -> Arm:
    if not isinstance(entry, dict):
        raise RecipeError(f"{name}: an arm is a table with a name and changes; found {entry!r}.")
    _check_keys(entry, _ARM_KEYS, f"{name}, arm {entry.get('name', '')!r}")
    changes = entry.get("changes")
    if not isinstance(changes, dict) or not changes:
        raise RecipeError(
            f'{name}: arm {entry.get("name", "")!r} has no changes, e.g. {{ "traces.attempts" = 3 }}.'
        )
    return Arm(str(entry.get("name", "")), flattened(changes), str(entry.get("says", "")))


def flattened(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by dotted field; TOML may nest them as a recipe does (`[changes.traces] attempts = 3`)."""
    flat: dict[str, Any] = {}
    for key, value in changes.items():
        # One level is a part of the recipe; what is below it (a table of phrases) is a value.
        nested = isinstance(value, dict) and "." not in key
        flat |= {f"{key}.{name}": inner for name, inner in value.items()} if nested else {key: value}
    return flat


def _one_by_one(fields: Mapping[str, Sequence[Any]]) -> Iterator[Arm]:
    """An arm for each value of each field."""
    for field, values in fields.items():
        for value in values:
            yield Arm(_slug(field, value), {field: value})


def _all_together(fields: Mapping[str, Sequence[Any]]) -> Iterator[Arm]:
    """An arm for each combination of the fields' values."""
    for values in itertools.product(*fields.values()) if fields else ():
        changes = dict(zip(fields, values, strict=True))
        yield Arm("-".join(_slug(field, value) for field, value in changes.items()), changes)


def _slug(field: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A star is all that tells `*C` from `C`, so it isn't lost.
    words = re.sub(r"[^a-z0-9.]+", "-", text.lower().replace("*", "any-")).strip("-.")
    return f"{field.rpartition('.')[2]}_{words or 'none'}"[:63]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _equal(value: Any, name: str) -> Equal:
    try:
        return Equal(value)
    except ValueError:
        raise RecipeError(f"{name}: equal is `traces` or `tokens`; found {value!r}.") from None


def _table(tree: Mapping[str, Any], key: str, name: str) -> dict[str, list[Any]]:
    fields = tree.get(key, {})
    flat = flattened(fields) if isinstance(fields, dict) else {"": fields}
    for field, values in flat.items():
        if not field or not isinstance(values, list) or not values:
            raise RecipeError(
                f"{name}: [{key}] has a list of values for each field; found {values!r} for {field!r}."
            )
    return flat


def _list(tree: Mapping[str, Any], key: str, name: str) -> list[Any]:
    entries = tree.get(key, [])
    if not isinstance(entries, list):
        raise RecipeError(f"{name}: arms are written as [[{key}]], one table each; found {entries!r}.")
    return entries


def _product(grid: Mapping[str, Sequence[Any]]) -> int:
    n = 1 if grid else 0
    for values in grid.values():
        n *= len(values)
    return n


def _check_size(arms: int, size: str, n: int) -> None:
    if arms > MOST_ARMS:
        of_grid = f", {size} = {n:,} of them from the grid" if n else ""
        raise RecipeError(
            f"The suite has {many(arms, 'arm')}{of_grid}; the most is {MOST_ARMS}. Vary less at a time."
        )


def _check_keys(tree: Mapping[str, Any], known: Sequence[str], name: str) -> None:
    for key in tree:
        if key not in known:
            raise RecipeError(f"{name} has no key {key!r}.{nearest(key, known)} Keys: {', '.join(known)}.")
