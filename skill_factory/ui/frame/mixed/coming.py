"""What will come of the sources of a mixture, each read once, the shown one as everywhere on the pages."""

from dataclasses import dataclass, replace

from skill_factory.errors import ColumnError, SkillFactoryError
from skill_factory.insight.mixed import Mixed, Offer, mixed
from skill_factory.judge.source_facts import Narrow
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.ui.frame import away, exact_tables, loading, workspace
from skill_factory.ui.frame.mixed import mixing
from skill_factory.ui.frame.mixed.parts import Mix, Part
from skill_factory.ui.frame.opening import Seen, once, seen
from skill_factory.work import looking
from skill_factory.work.wire import Shared


@dataclass(frozen=True)
class Outcome:
    """What is known of the mixture on the pages."""

    whole: Mix
    mixture: Mixture | None = None
    mixed: Mixed | None = None
    """What comes of it; None where a source can't be read, or the mixture can't be meant."""
    faults: tuple[tuple[int, str], ...] = ()
    """(source, why it can't be mixed), in order."""
    problem: str = ""
    """Why nothing can be built; empty if it can."""
    rows: int = 0
    """Rows of all sources, where known."""

    @property
    def hedge(self) -> str:
        """What stands before a number: nothing, or "about" where sources were read in part."""
        return "" if self.mixed is None or self.mixed.exact else "about "


@dataclass(frozen=True)
class _Read:
    """One source, as far as it was read."""

    part: Part
    narrow: Narrow
    key: str
    scale: float
    rows: int


def coming() -> Outcome | None:
    """What will come of all sources; None where there is one."""
    whole = mixing.mix()
    if whole is None:
        return None
    read: list[_Read] = []
    faults: list[tuple[int, str]] = []
    for place, part in enumerate(whole.parts):
        try:
            read.append(_read(place, part, shown=place == whole.at))
        except ColumnError:  # its sentence names options of the command line
            faults.append((place, "A column is missing. Show this source, and say which one it is."))
        except SkillFactoryError as error:
            faults.append((place, str(error)))
    if faults:
        return Outcome(
            whole, faults=tuple(faults), problem="Every source has to be ready before they are mixed."
        )
    whole = replace(whole, parts=tuple(one.part for one in read))
    try:
        mixture = whole.mixture()
    except SkillFactoryError as error:
        return Outcome(whole, problem=str(error))
    found = mixed(mixture, _offers(read))
    rows = sum(one.rows for one in read)
    return Outcome(whole, mixture, found, problem=found.problem, rows=rows)


def _read(place: int, part: Part, shown: bool) -> _Read:
    found = loading.source() if shown else _opened(place, part)
    chosen = loading.recipe() if shown else _settled(place, part, found)
    name = loading.key_of(found, chosen)
    narrow = loading.narrow() if shown else _narrow(place, name, found, part)
    return _Read(replace(part, recipe=chosen), narrow, name, narrow.scale(found.rows), found.rows)


def _opened(place: int, part: Part) -> Seen:
    asked, token = part.recipe.source, workspace.current().token
    key = (part.source, asked.config, asked.split, asked.revision, token)
    return once(f"source {place}", key, lambda: seen(part.source, asked, part.label))


def _settled(place: int, part: Part, found: Seen) -> Recipe:
    columns = part.recipe.columns
    key = (found.spec, id(found), columns)
    once(f"columns {place}", key, lambda: away.run(looking.settled, found, columns, what=part.label))
    return part.recipe.model_copy(update={"source": found.spec})


def _narrow(place: int, name: str, found: Seen, part: Part) -> Narrow:
    """The whole table if it is known, else that of a sample: the rest is read when the source is shown."""
    read = exact_tables.known(name) or once(
        f"sample {place}", name, lambda: away.run(looking.sample, found, part.recipe, what=part.label)
    )
    if read.whole:
        exact_tables.keep(name, read)
    return read


def _offers(read: list[_Read]) -> list[Offer]:
    recipes = [one.part.recipe for one in read]
    key = [(one.key, one.narrow.whole, loading.bearing(one.part.recipe)) for one in read]
    tables = [Shared(f"{one.key} {one.narrow.whole}", one.narrow) for one in read]
    scales = [one.scale for one in read]
    return once("offers", key, lambda: away.run(looking.offered, recipes, scales, *tables))
