"""A mixture: several sources, each with a recipe of its own, and how much each gives to one dataset.

`mix.toml` names each source with a weight (a share of the traces) or a count; `from` says where it is, and belongs to the
run like the source argument of a build. What is saved, printed on the card and hashed is the mixture without it.
"""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from skill_factory.recipe.clean_parts import Clean
from skill_factory.recipe.model import (
    RECIPE_VERSION,
    Cutoff,
    Output,
    Recipe,
    Tags,
)
from skill_factory.recipe.part import Part

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
