"""What a visitor is working on: one typed value in the session, with one recipe in it.

A control is a field of the recipe. `bound("traces.attempts")` gives a widget its key and what to do when it moves:

    st.slider("Attempts", 1, 10, **workspace.bound("traces.attempts"))
    workspace.problem("traces.attempts")

Pages read `current()` and never keep a copy of a field of their own.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from skill_factory.errors import RecipeError, SkillFactoryError
from skill_factory.recipe.model import Columns, Recipe, Source, recipe_from_toml
from skill_factory.recipe.share import packed, unpacked
from skill_factory.traces.lengths import CUTOFF
from skill_factory.ui.frame import away

_KEY = "workspace"

Convert = Callable[[Any], Any]


@dataclass
class Workspace:
    """Lives as long as the tab; only the recipe and the source's name ever leave it."""

    source: str = ""
    """What `open_source` takes: `demo:500`, a path, `user/name`. Empty: nothing chosen yet."""
    label: str = ""
    """How the source is called on the page; a path never shows more than its file's name."""
    recipe: Recipe = field(default_factory=Recipe)
    token: str = ""
    """The visitor's Hub token: passed explicitly, written nowhere."""
    user: str = ""
    """Who the token belongs to."""
    job: str = ""
    """The build that Finish shows."""
    problems: dict[str, str] = field(default_factory=dict)
    """Field of the recipe → why its last change was refused."""
    cutoff: int = 0
    """Tokens at which the visitor's trainer cuts; 0 where they have not said it on Finish."""
    suited: bool = False
    """Whether N was proposed for these data once; after that it is the visitor's."""
    link: str = ""
    """The `?recipe=` that was opened last, so that a rerun does not open it again."""

    @property
    def secret(self) -> bool:
        """Whether what is read may be private: then caches belong to this session alone."""
        return bool(self.token) and self.recipe.source.kind == "hub"


def current() -> Workspace:
    """The workspace of this session."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Workspace()
    return st.session_state[_KEY]


def change(changes: dict[str, Any]) -> bool:
    """Change fields of the recipe by dotted path; a refused change is kept as the problem of its fields."""
    mine = current()
    for path in changes:
        mine.problems.pop(path, None)
    try:
        mine.recipe = mine.recipe.changed(changes)
    except RecipeError as error:
        mine.problems |= dict.fromkeys(changes, str(error))
        return False
    if "cutoff.tokens" in changes:  # said last counts
        mine.cutoff = 0
    return True


def replace_recipe(recipe: Recipe) -> None:
    """Take another recipe; the columns and the source stay those of the chosen data."""
    mine = current()
    keep = {"source": mine.recipe.source, "columns": mine.recipe.columns} if mine.source else {}
    mine.recipe, mine.cutoff = recipe.model_copy(update=keep), 0
    mine.problems.clear()


def choose_source(source: str, label: str, spec: Source, columns: Columns) -> None:
    """Work on another source; what was excluded by hand belonged to the one before."""
    mine = current()
    mine.source, mine.label, mine.job, mine.suited = source, label, "", False
    balance = mine.recipe.balance.model_copy(update={"exclude": ()})
    mine.recipe = mine.recipe.model_copy(update={"source": spec, "columns": columns, "balance": balance})
    mine.problems.clear()


def value(path: str) -> Any:
    """A field of the recipe by dotted path."""
    found: Any = current().recipe
    for step in path.split("."):
        found = getattr(found, step)
    return found


def cutoff(recipe: Recipe) -> int:
    """The cut-off in tokens that all pages speak of: what was said last, on Finish or in the recipe, or the usual one."""
    return current().cutoff or recipe.cutoff.tokens or CUTOFF


def bound(
    path: str, show: Convert = lambda value: value, take: Convert = lambda value: value
) -> dict[str, Any]:
    """
    `key`, `on_change` and `args` of a widget that edits a field of the recipe.

    `show` turns the field into the widget's value, `take` turns it back. The recipe is the truth: the widget is set
    from it at every run, so a refused change, another recipe or a shared link all show at once.
    """
    st.session_state[path] = show(value(path))
    return {"key": path, "on_change": _taken, "args": (path, take)}


def _taken(path: str, take: Convert) -> None:
    if path in st.session_state:  # not so for a late message of a page that was left
        change({path: take(st.session_state[path])})


def problem(*paths: str) -> None:
    """Show why the last change of these fields was refused, where the control stands."""
    for said in dict.fromkeys(current().problems[path] for path in paths if path in current().problems):
        st.warning(plain(said), icon=":material/info:")


def open_text(text: str, name: str) -> None:
    """Open a saved recipe. Errors: RecipeError."""
    replace_recipe(away.run(recipe_from_toml, text, name, what=name))


def link() -> str:
    """A link that opens this recipe; the data are not in it."""
    return f"{address()}?recipe={packed(current().recipe)}"


def address() -> str:
    """The app's own address: on a Space the direct one, which a link can carry a query to; empty where not known."""
    if host := os.environ.get("SPACE_HOST"):
        return f"https://{host}/"
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}/" if parts.netloc else ""


def open_link() -> str:
    """Take the recipe of the page's address, once; gives the sentence to show if it can't be read."""
    text, mine = st.query_params.get("recipe", ""), current()
    if not text or text == mine.link:
        return ""
    mine.link = text
    try:
        mine.recipe, mine.cutoff = away.run(unpacked, text, what="The link's recipe"), 0
    except SkillFactoryError as error:
        return str(error)
    return ""


# GitHub's Markdown makes links of these; behind a word joiner, which nobody sees, it doesn't.
_ADDRESS = re.compile(r"https?:|www(?=\.)|(?<=[\w.+-])@(?=\w)", re.IGNORECASE)


def plain(text: str) -> str:
    """A text that Markdown shows as it is; an address in it becomes no link, which nobody would have meant."""
    text = _ADDRESS.sub(lambda found: f"{found[0]}\u2060", text)
    return "".join("\\" + sign if sign in "\\`*_{}[]()#+-!$:<>|~&" else sign for sign in text)
