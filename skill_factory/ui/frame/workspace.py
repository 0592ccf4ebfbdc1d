"""What a visitor is working on: one typed value in the session, with one recipe in it.

A control is a field of the recipe. `bound("traces.attempts")` gives a widget its key and what to do when it moves:

    st.slider("Attempts", 1, 10, **workspace.bound("traces.attempts"))
    workspace.problem("traces.attempts")

Pages read `current()` and never keep a copy of a field of their own.
"""

import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from skill_factory.errors import RecipeError, SkillFactoryError
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.model import Columns, Labels, Recipe, Review, Source, recipe_from_toml
from skill_factory.recipe.share import packed, unpacked
from skill_factory.traces.lengths import CUTOFF
from skill_factory.ui.frame import away
from skill_factory.ui.frame.kept.session import Workspace, current, follow, keep, one_change

__all__ = [
    "Workspace",
    "address",
    "apply",
    "bound",
    "change",
    "choose_source",
    "current",
    "cutoff",
    "follow",
    "forget_proposals",
    "keep",
    "link",
    "one_change",
    "open_link",
    "open_text",
    "plain",
    "problem",
    "replace_recipe",
    "sentence",
    "take_proposals",
    "value",
    "without_proposals",
]

Convert = Callable[[Any], Any]


def change(changes: dict[str, Any]) -> bool:
    """Change fields of the recipe by dotted path; gives whether it worked. A refusal is kept as its fields' problem."""
    mine = current()
    follow()  # so that what another tab changed in other fields stays
    for path in changes:
        mine.problems.pop(path, None)
    try:
        mine.recipe = mine.recipe.changed(changes)
    except RecipeError as error:
        mine.problems |= dict.fromkeys(changes, str(error))
        return False
    if "cutoff.tokens" in changes:  # the cut-off that was set last counts, here or on Finish
        mine.cutoff = 0
    keep()
    return True


def apply(changes: dict[str, Any]) -> None:
    """`change` as the callback of a button, which takes nothing back."""
    change(changes)


def replace_recipe(recipe: Recipe) -> None:
    """Use another recipe; if data is chosen, its source and columns stay."""
    mine = current()
    stays = {"source": mine.recipe.source, "columns": mine.recipe.columns} if mine.source else {}
    mine.recipe, mine.cutoff = recipe.model_copy(update=stays), 0
    mine.problems.clear()
    keep()


def choose_source(source: str, label: str, spec: Source, columns: Columns) -> None:
    """Work on another source; what was excluded or corrected by hand belonged to the previous one."""
    mine = current()
    mine.source, mine.label, mine.job, mine.suited = source, label, "", False
    balance = mine.recipe.balance.model_copy(update={"exclude": ()})
    clean = mine.recipe.clean.model_copy(update={"against": (), "drop": (), "keep": ()})
    changes = {
        "source": spec,
        "columns": columns,
        "balance": balance,
        "clean": clean,
        "labels": Labels(),
        "review": Review(),
    }
    mine.recipe = mine.recipe.model_copy(update=changes)
    mine.problems.clear()


def take_proposals(recipe: Recipe) -> None:
    """Take the answer and the verdict rule that suit the chosen data."""
    mine = current()
    usual, wanted = mine.recipe.flat(), recipe.flat()
    mine.proposed = {
        path: wanted[path]
        for path in wanted
        if path.startswith(("answers.", "verdicts.", "phrases.language")) and wanted[path] != usual[path]
    }
    if mine.proposed:
        change(dict(mine.proposed))


def without_proposals() -> Recipe:
    """The recipe with the usual rules again where those for the data before were not changed by hand."""
    mine = current()
    now, usual = mine.recipe.flat(), Recipe().flat()
    if not mine.proposed or any(now[path] != value for path, value in mine.proposed.items()):
        return mine.recipe
    return mine.recipe.changed({path: usual[path] for path in mine.proposed})


def forget_proposals() -> None:
    """Take `without_proposals`, since the data that they were for are gone."""
    mine = current()
    mine.recipe, mine.proposed = without_proposals(), {}


# -- fields --------------------------------------------------------------------------------------------------------


def value(path: str) -> Any:
    """A field of the recipe by dotted path."""
    part: Any = current().recipe
    for name in path.split("."):
        part = getattr(part, name)
    return part


def cutoff(recipe: AnyRecipe) -> int:
    """The cut-off in tokens that all pages use: the one set last, on Finish or in the recipe, or the default."""
    return current().cutoff or recipe.cutoff.tokens or CUTOFF


def bound(
    path: str, show: Convert = lambda value: value, take: Convert = lambda value: value
) -> dict[str, Any]:
    """
    `key`, `on_change` and `args` of a widget that edits a field of the recipe.

    `show` turns the field into the widget's value, `take` turns it back. The recipe is the truth: each run sets the widget
    from it, so a refused change, another recipe and a shared link all show at once.
    """
    st.session_state[path] = show(value(path))
    return {"key": path, "on_change": _taken, "args": (path, take)}


def _taken(path: str, take: Convert) -> None:
    if path in st.session_state:  # a browser may report a field after its page was left
        change({path: take(st.session_state[path])})


def problem(*paths: str) -> None:
    """Show at the control why the last change of these fields was refused."""
    problems = current().problems
    for refusal in dict.fromkeys(problems[path] for path in paths if path in problems):
        st.warning(plain(refusal), icon=":material/info:")


def open_text(text: str, name: str) -> None:
    """Open a saved recipe. Errors: RecipeError."""
    replace_recipe(away.run(recipe_from_toml, text, name, what=name))


def link() -> str:
    """A link that opens this recipe; the data isn't in it."""
    return f"{address()}?recipe={packed(current().recipe)}"


def address() -> str:
    """The app's own address, empty if unknown; on a Space the direct one, since only that takes a query."""
    if host := os.environ.get("SPACE_HOST"):
        return f"https://{host}/"
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}/" if parts.netloc else ""


def open_link() -> str:
    """Take the recipe from the page's address, once; gives the sentence to show if it can't be read."""
    text, mine = st.query_params.get("recipe", ""), current()
    if not text or text == mine.link:
        return ""
    mine.link = text
    try:
        opened = away.run(unpacked, text, what="The link's recipe")
    except SkillFactoryError as error:
        return str(error)
    if mine.source:
        replace_recipe(opened)
    else:
        mine.recipe, mine.cutoff = opened, 0
    return ""


# GitHub's Markdown makes links of these; behind a word joiner, which nobody sees, it doesn't.
_ADDRESS = re.compile(r"https?:|www(?=\.)|(?<=[\w.+-])@(?=\w)", re.IGNORECASE)


def plain(text: str) -> str:
    """The text, escaped so that Markdown shows it as it is; an address in it becomes no link."""
    text = _ADDRESS.sub(lambda found: f"{found[0]}\u2060", text)
    return "".join("\\" + sign if sign in "\\`*_{}[]()#+-!$:<>|~&" else sign for sign in text)


def sentence(text: str) -> str:
    """A sentence of ours about data, for Markdown: what it has between backticks is set as code, all else as it is."""
    parts = text.replace("\n", " ").split("`")
    # An odd backtick comes from the data; then nothing says where code begins.
    if len(parts) % 2 == 0:
        return plain(text)
    return "".join(f"`{part}`" if k % 2 and part.strip() else plain(part) for k, part in enumerate(parts))
