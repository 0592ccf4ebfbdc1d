"""What a visitor does with several sources: add one, show another, say how much each gives, take one out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from skill_factory.errors import RecipeError
from skill_factory.recipe.clean_parts import Clean
from skill_factory.recipe.mixture import MOST_SOURCES, Mixture
from skill_factory.recipe.model import Recipe, Source, new_recipe
from skill_factory.sources import source_of_recipe
from skill_factory.ui.frame.kept.session import Workspace, current, follow, keep, one_change
from skill_factory.ui.frame.mixed.parts import WISHES, By, Mix, Part, like, name_for


def mix() -> Mix | None:
    """All sources as they are now; None where there is one."""
    return current().whole


def fresh() -> Recipe:
    """The recipe that another source begins with: the usual one, with what all sources of a mixture share."""
    return like(new_recipe(), current().recipe)


def check_room() -> None:
    """Errors: RecipeError where there are as many sources as a mixture may have."""
    mine = current()
    if mine.mix and len(mine.mix.parts) >= MOST_SOURCES:
        raise RecipeError(f"A mixture has at most {MOST_SOURCES} sources. Take one out first.")


def make_room() -> None:
    """Put the shown source aside, and show an empty one beside it; `loading.choose` fills it."""
    mine = current()
    first = Part(name_for(mine.label, ()), source=mine.source)
    before = mine.whole or Mix((mine.part(first),), 0)
    # As large a part as those before it, until somebody says otherwise.
    new = Part("", before.parts[-1].amount, recipe=fresh())
    mine.mix = Mix((*before.parts, new), len(before.parts), before.by, before.total)
    _open(mine, new)


def name_shown(before: str) -> None:
    """Call the shown source by its data, unless a visitor has given it a name; `before` is what its data was called."""
    mine = current()
    if mine.mix is None:
        return
    others = tuple(name for k, name in enumerate(mine.mix.names) if k != mine.mix.at)
    name = mine.mix.parts[mine.mix.at].name
    if not name or name == name_for(before, others):
        mine.mix = mine.mix.with_part(mine.mix.at, name=name_for(mine.label, others))


def show(at: int) -> None:
    """Show another source on all pages."""
    mine = current()
    follow()
    if (whole := mine.whole) is None or at == whole.at or at >= len(whole.parts):
        return
    mine.mix = replace(whole, at=at)
    _open(mine, whole.parts[at])
    keep()


def take_out(at: int) -> None:
    """Leave a source out of the mixture; of two, the other stays as the only one."""
    mine = current()
    follow()
    if (whole := mine.whole) is None or at >= len(whole.parts):
        return
    left = tuple(part for k, part in enumerate(whole.parts) if k != at)
    shown = min(whole.at - (at < whole.at), len(left) - 1)
    with one_change():
        mine.mix = replace(whole, parts=left, at=shown) if len(left) > 1 else None
        if at == whole.at or len(left) == 1:
            _open(mine, left[shown])
        mine.job = ""


def change(at: int, **changes: Any) -> None:
    """Change the name or the amount of a source."""
    mine = current()
    follow()
    if mine.mix is not None and at < len(mine.mix.parts):
        mine.mix = mine.mix.with_part(at, **changes)
        keep()


def rename(at: int, name: str) -> None:
    """Call a source something; a name that another source has gets a number, an empty one that of its data."""
    mine = current()
    if mine.mix is None:
        return
    others = tuple(one for k, one in enumerate(mine.mix.names) if k != at)
    # An equals sign ends the name where sources are named on the command line.
    wanted = "".join(sign if sign.isprintable() and sign != "=" else " " for sign in name).strip()[:60]
    whole = mine.whole
    label = whole.parts[at].label if whole else ""
    numbers = (f"{wanted} {k}" for k in range(2, len(others) + 3))
    free = next((one for one in (wanted, *numbers) if one not in others), "")
    change(at, name=free if wanted else name_for(label, others))


def say_by(by: By, amounts: list[float]) -> None:
    """Say in weights or in counts how much each source gives, beginning with these amounts."""
    mine = current()
    follow()
    if mine.mix is not None and by is not mine.mix.by:
        parts = tuple(
            replace(part, amount=amount) for part, amount in zip(mine.mix.parts, amounts, strict=True)
        )
        mine.mix = replace(mine.mix, parts=parts, by=by, total=0)
        keep()


def say_total(total: int) -> None:
    """How many traces there are in all, for weights; 0 means as many as the sources allow."""
    mine = current()
    follow()
    if mine.mix is not None:
        mine.mix = replace(mine.mix, total=total)
        keep()


def open_mixture(mixture: Mixture, places: Mapping[str, str]) -> None:
    """Show a mixture whose sources are settled; `places` says what opens each, by its name. Errors: SourceError."""
    weighed = mixture.sources[0].weight is not None
    # The pages ask one recipe what a mixture asks of all its questions.
    wishing = mixture.recipes[0].model_copy(update={"clean": mixture.clean})
    rest = mixture.clean.model_copy(update={name: getattr(Clean(), name) for name in WISHES})
    parts = tuple(
        Part(
            one.name,
            float(one.weight or one.count or 1),
            places.get(one.name) or source_of_recipe(one.recipe.source),
            _label(one.recipe.source, places.get(one.name, "")),
            like(one.recipe, wishing),
            suited=True,
        )
        for one in mixture.sources
    )
    mine = current()
    mine.mix = Mix(parts, 0, By.WEIGHT if weighed else By.COUNT, mixture.traces, rest)
    _open(mine, parts[0])


def _label(spec: Source, place: str) -> str:
    return f"Demo: {spec.name}" if spec.kind == "demo" else spec.name or PurePath(place).name


def _open(mine: Workspace, part: Part) -> None:
    mine.source, mine.label, mine.recipe = part.source, part.label, part.recipe
    mine.proposed, mine.suited = dict(part.proposed), part.suited
    mine.problems.clear()
