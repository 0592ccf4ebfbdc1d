"""The workspace of a session, and its copy on disk: written as it changes, read again after a reload or another tab's change."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.recipe.model import Recipe, new_recipe, recipe_from_toml
from skill_factory.ui.frame import away, visitor
from skill_factory.ui.frame.kept import tabs
from skill_factory.ui.frame.mixed.parts import Mix, Part, like, mix_from_json
from skill_factory.wording import many
from skill_factory.work import quota
from skill_factory.work.kept import workspaces
from skill_factory.work.kept.folder import Kept, Version

_KEY = "workspace"


@dataclass
class Workspace:
    """Lives as long as the tab. What is kept on disk is in `version`: the token never is."""

    source: str = ""
    """What `open_source` takes: `demo:500`, a path, `user/name`. Empty: nothing chosen yet."""
    label: str = ""
    """What the page calls the source; of a path, it shows only the file's name."""
    recipe: Recipe = field(default_factory=new_recipe)
    mix: Mix | None = None
    """All sources and how much each gives, where there are several; read it by `whole`."""
    token: str = ""
    """The visitor's Hub token: passed explicitly, never stored."""
    user: str = ""
    """The account that the token belongs to."""
    job: str = ""
    """The build that Finish shows."""
    proposed: dict[str, Any] = field(default_factory=dict)
    """Answer and verdict rules that were proposed for the chosen data; they go with the data unless changed."""
    problems: dict[str, str] = field(default_factory=dict)
    """Field of the recipe → why its last change was refused."""
    cutoff: int = 0
    """Tokens at which the visitor's trainer cuts; 0 unless they said so on Finish."""
    outputs: tuple[str, ...] = ()
    """What Measure measures: paths and names, as `open_source` takes them."""
    suited: bool = False
    """Whether N was already proposed for this data; after that, it is the visitor's choice."""
    link: str = ""
    """The `?recipe=` that was opened last, so that a rerun doesn't open it again."""
    kept: Kept | None = None
    """The workspace on disk; None until something was chosen or changed."""
    of: str = ""
    """Somebody else's workspace that is shown; the first change makes a copy of it."""
    said: str = ""
    """The workspace that the address named last."""
    name: str = ""
    """What a copy will be called."""
    saved: Any = None
    """The `state` that is on disk."""
    page: str = ""
    """The page that this tab shows, if it is one to come back to."""
    unsaved: str = ""
    """Why the last change isn't on disk."""
    notices: list[str] = field(default_factory=list)
    """What to say on the next run of the page, once."""
    holding: int = 0
    """How many `one_change` are open."""

    @property
    def secret(self) -> bool:
        """Whether what is read may be private; then caches belong to this session alone."""
        return self.secret_under(self.recipe)

    def secret_under(self, recipe: Recipe) -> bool:
        """The same for the source of another recipe, beside this one in a mixture."""
        return bool(self.token) and recipe.source.kind == "hub"

    @property
    def whole(self) -> Mix | None:
        """All sources, the shown one as it is now, and the others with what all of a mixture share."""
        if self.mix is None:
            return None
        parts = [
            self.part(part) if k == self.mix.at else replace(part, recipe=like(part.recipe, self.recipe))
            for k, part in enumerate(self.mix.parts)
        ]
        return replace(self.mix, parts=tuple(parts))

    def part(self, before: Part) -> Part:
        """The shown source as one of a mixture."""
        return replace(
            before,
            source=self.source,
            label=self.label,
            recipe=self.recipe,
            proposed=dict(self.proposed),
            suited=self.suited,
        )

    @property
    def state(self) -> Any:
        """All that a reload brings back."""
        return (
            self.whole,
            self.source,
            self.label,
            self.recipe,
            dict(self.proposed),
            self.suited,
            self.job,
            self.cutoff,
            self.outputs,
        )

    @property
    def version(self) -> Version:
        """What undo and redo lead to."""
        whole = self.whole
        own = (self.source, self.label, self.recipe.to_toml(), dict(self.proposed), self.suited)
        return Version(*own, whole.to_json() if whole else {})


def current() -> Workspace:
    """The workspace of this session."""
    mine: Workspace = st.session_state.setdefault(_KEY, Workspace())
    return mine


def keep() -> None:
    """Write what changed since it was last written; what can't be written stays in the session, and the page says so."""
    mine = current()
    if mine.saved is None:
        mine.saved = mine.state
    if mine.holding or mine.state == mine.saved:
        return
    if mine.kept is not None and not mine.kept.path.is_dir():
        mine.notices.append("This workspace was deleted in another tab. What you see is kept as a new one.")
        mine.name, mine.kept = mine.kept.name, None
    try:
        if mine.kept is None:
            quota.check_room_for_work(visitor.mark())
            mine.kept = workspaces.new(
                mine.version, visitor.mark(), mine.name, mine.job, mine.cutoff, mine.page, mine.outputs
            )
        else:
            mine.kept = workspaces.keep(mine.kept, mine.version, mine.job, mine.cutoff, mine.outputs)
    except SkillFactoryError as error:
        mine.unsaved = str(error)
        return
    mine.saved, mine.unsaved, mine.of = mine.state, "", ""
    tabs.wake(mine.kept.id)


@contextmanager
def one_change() -> Iterator[None]:
    """What is changed inside is one step of undo."""
    mine = current()
    mine.holding += 1
    try:
        yield
    finally:
        mine.holding -= 1
        keep()


def follow() -> None:
    """Take what another tab has written to this workspace, and say so."""
    mine = current()
    # What isn't written yet is newer than anything on disk, so it isn't overwritten.
    if mine.kept is None or not mine.kept.outdated or mine.state != mine.saved:
        return
    found = workspaces.find(mine.kept.id)
    if found is None:
        return
    if not found.version.same_work(mine.kept.version):
        mine.notices.append("You changed this workspace in another tab. This is its latest state.")
    take(found)


def take(kept: Kept) -> None:
    """Show a workspace as it is on disk. Errors: RecipeError for a recipe that can't be read any more."""
    mine, version = current(), kept.version
    # A recipe is parsed in a child, which takes its time; the same text needn't be read twice.
    if mine.kept is None or mine.state != mine.saved or mine.kept.version.recipe != version.recipe:
        mine.recipe = away.run(recipe_from_toml, version.recipe, kept.title, what=kept.title)
    mine.mix = _mix(version, kept.title)
    mine.source, mine.label = version.source, version.label
    mine.proposed = _proposed(version.proposed)
    # What was undone isn't proposed again.
    mine.suited = version.suited or kept.redoable > 0
    mine.job, mine.cutoff, mine.outputs = kept.job, kept.cutoff, kept.outputs
    mine.problems.clear()
    mine.kept, mine.saved, mine.of, mine.unsaved = kept, mine.state, "", ""


def _mix(version: Version, title: str) -> Mix | None:
    mix = mix_from_json(version.mix, lambda text: away.run(recipe_from_toml, text, title, what=title))
    if mix is None:
        return None
    parts = [replace(part, proposed=_proposed(part.proposed)) for part in mix.parts]
    return replace(mix, parts=tuple(parts))


def _proposed(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {path: _frozen(value) for path, value in tree.items()}


def _frozen(value: Any) -> Any:
    """A value of JSON as a recipe holds it."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def walk(by: int) -> None:
    """Undo (−1) or redo (+1) a change of data or recipe."""
    mine = current()
    if mine.kept is None:
        return
    try:
        found = workspaces.step(mine.kept, by)
    except SkillFactoryError as error:
        mine.notices.append(str(error))
        return
    if found.lost:
        mine.notices.append(f"{many(found.lost, 'version')} couldn't be read and was passed over.")
    take(found)
    tabs.wake(found.id)
