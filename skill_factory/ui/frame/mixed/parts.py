"""The sources of a mixture as a session holds them: one is shown and lies open in the workspace, the others wait here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from skill_factory.recipe.clean_parts import Clean
from skill_factory.recipe.mixture import Ingredient, Mixture, alike
from skill_factory.recipe.model import Recipe


class By(StrEnum):
    """How it is said how much each source gives."""

    WEIGHT = "weight"
    COUNT = "count"


WISHES = ("near_duplicates", "holdout")
"""What a page asks of one recipe and a mixture of all its questions together."""


def like(recipe: Recipe, shown: Recipe) -> Recipe:
    """A recipe with what all sources of a mixture share, as the shown one has it."""
    wishes = {name: getattr(shown.clean, name) for name in WISHES}
    return alike(recipe, shown).model_copy(update={"clean": recipe.clean.model_copy(update=wishes)})


def _without_wishes(recipe: Recipe) -> Recipe:
    return like(recipe, recipe.model_copy(update={"clean": Clean()}))


@dataclass(frozen=True)
class Part:
    """One source of a mixture."""

    name: str
    """What lineage, ledger and card call it."""
    amount: float = 1.0
    """Its weight, or how many traces it gives."""
    source: str = ""
    """What `open_source` takes."""
    label: str = ""
    recipe: Recipe = field(default_factory=Recipe)
    proposed: Mapping[str, Any] = field(default_factory=dict)
    suited: bool = False

    def to_json(self) -> dict[str, Any]:
        """As JSON values, with the recipe as TOML."""
        return {**vars(self), "recipe": self.recipe.to_toml(), "proposed": dict(self.proposed)}


@dataclass(frozen=True)
class Mix:
    """All sources, which one is shown, and how much each gives."""

    parts: tuple[Part, ...]
    at: int
    """The one that is shown: what the workspace holds of it is newer than what stands here."""
    by: By = By.WEIGHT
    total: int = 0
    """Traces in all, for weights; 0 means as many as the sources allow."""
    clean: Clean = field(default_factory=Clean)
    """Which questions stay out, of whatever source."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each source is called."""
        return tuple(part.name for part in self.parts)

    def with_part(self, at: int, **changes: Any) -> "Mix":
        """With one source changed."""
        parts = [replace(part, **changes) if k == at else part for k, part in enumerate(self.parts)]
        return replace(self, parts=tuple(parts))

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        clean = self.clean.model_dump(mode="json", exclude_defaults=True)
        parts = [part.to_json() for part in self.parts]
        return {**vars(self), "by": self.by.value, "clean": clean, "parts": parts}

    def mixture(self) -> Mixture:
        """What is built of them. Errors: those of a `Mixture`, as RecipeError."""
        from pydantic import ValidationError

        from skill_factory.errors import RecipeError
        from skill_factory.recipe.problems import explained

        weighed = self.by is By.WEIGHT
        wishes = self.parts[self.at].recipe.clean
        clean = self.clean.model_copy(update={name: getattr(wishes, name) for name in WISHES})
        try:
            sources = tuple(
                Ingredient(
                    name=part.name,
                    weight=part.amount if weighed else None,
                    count=None if weighed else int(part.amount),
                    recipe=_without_wishes(part.recipe),
                )
                for part in self.parts
            )
            return Mixture(traces=self.total if weighed else 0, clean=clean, sources=sources)
        except ValidationError as error:
            raise RecipeError(" ".join(explained(one, Mixture) for one in error.errors()[:1])) from None


def mix_from_json(tree: Mapping[str, Any], read: Callable[[str], Recipe]) -> Mix | None:
    """The inverse of `to_json`; None for one source. `read` opens a recipe's text."""
    if not tree:
        return None
    parts = [Part(**{**one, "recipe": read(one["recipe"])}) for one in tree["parts"]]
    return Mix(tuple(parts), tree["at"], By(tree["by"]), tree["total"], Clean.model_validate(tree["clean"]))


def name_for(label: str, taken: tuple[str, ...]) -> str:
    """A name for a source, from what the page calls it, that no other source has."""
    base = (
        label.removeprefix("Demo: ").rpartition("/")[2].partition(".")[0].replace("=", " ").strip()[:60]
        or "source"
    )
    names = [base, *(f"{base} {k}" for k in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
