"""The frame around every page: navigation at the top, the strip of live numbers, and what is said when something fails."""

import logging
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.ui.frame import cleanup, strip, tour, workspace
from skill_factory.ui.frame.kept import arriving, bar
from skill_factory.ui.frame.steps import (
    ALL_STEPS,
    CHOOSE,
    DATA,
    DIFFERENCE,
    FINISH,
    LOOK,
    START,
    STEPS,
    SUITE,
    Step,
)
from skill_factory.work import limited
from skill_factory.work.child import where

log = logging.getLogger(__name__)

NAME = "SkillFactory Studio"
NEED_DATA = (DATA.title, CHOOSE.title, LOOK.title, FINISH.title, SUITE.title)
"""Pages that show nothing without data, except for a build on Finish."""
CSS = Path(__file__).with_name("frame.css")
SCRIPTS = tuple(
    st.components.v2.component(
        f"skill_factory_{name}", js=Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")
    )
    for name in ("close_steps", "keep_place")
)
"""What Streamlit's page leaves to do in the browser; none of them shows or sends anything."""


__all__ = [
    "CHOOSE",
    "DATA",
    "DIFFERENCE",
    "FINISH",
    "LOOK",
    "START",
    "STEPS",
    "SUITE",
    "Step",
    "errors",
    "framed",
    "go",
    "needs_source",
    "part_place",
    "plain",
    "run",
]

plain = workspace.plain
"""A text that Markdown shows as it is."""

_run = threading.local()


def run() -> None:
    """The whole app, once; what `app.py` calls."""
    # An emoji, not a material icon: that one would be fetched from a font host.
    st.set_page_config(page_title=NAME, page_icon="🏭", layout="wide")
    pages = [step.page() for step in ALL_STEPS]
    chosen = st.navigation(pages, position="top")
    st.html(CSS)
    with st.container(key="scripts"):
        for number, script in enumerate(SCRIPTS):
            script(key=f"script.{number}", height=0)
    if hosted():
        limited.children()  # warm before the first question
    refused = ""
    with errors():
        refused = arriving.arrive(chosen.title)
        cleanup.tidy()
    with errors():
        if chosen.title in NEED_DATA and not (chosen.title == FINISH.title and arriving.job()):
            arriving.data(chosen.title)
    with st.container(key="strip", horizontal=True, vertical_alignment="center", gap="small"):
        _show_strip(chosen.title)
    _say(refused)
    with errors():
        tour.card(chosen.title)
    # The doors in `pages/` ask for it: one that Streamlit runs by itself runs the whole app instead.
    _run.active = True
    try:
        with errors():
            chosen.run()
        strip.finish()
    finally:
        _run.active = False
        _keep()


def _say(refused: str) -> None:
    """What happened to the workspace, and to the link, before this page was drawn."""
    mine = workspace.current()
    if refused:
        st.warning(plain(refused), icon=":material/link_off:")
    if mine.unsaved:
        st.warning(plain(mine.unsaved), icon=":material/cloud_off:")
    while mine.notices:
        st.info(plain(mine.notices.pop(0)), icon=":material/history:")


def _keep() -> None:
    """Keep what the page itself has changed."""
    try:
        workspace.keep()
        arriving.say_address()
    except Exception as error:
        note("keeping the workspace", error)


def _show_strip(page: str) -> None:
    """The numbers at its head, the workspace at its end: each in a place of its own, since what was drawn for the page
    before stands beside what is drawn until the script has ended."""
    numbers = st.container(key="strip.numbers", horizontal=True, vertical_alignment="center", gap="small")
    try:
        with numbers:
            strip.show(together=page == FINISH.title)
        bar.show()
    except Exception as error:  # what fails here also fails on the page, which says so
        note("the strip of numbers", error)


def note(what: str, error: Exception) -> None:
    """Write a fault of ours into the log; on a shared server without its message, which may hold a visitor's text."""
    if hosted():
        log.error("%s: %s", what, where(error))
    else:
        log.error(what, exc_info=error)


def framed() -> bool:
    """Whether this script runs inside the frame."""
    return bool(getattr(_run, "active", False))


@contextmanager
def errors() -> Iterator[None]:
    """Show an error of use as its sentence, and any other as an apology with an ID, under which the log has the details."""
    try:
        yield
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
    except Exception as error:
        number = secrets.token_hex(4)
        note(f"error {number}", error)
        st.error(
            f"Something went wrong, and it isn't your fault. Reload the page and try again. "
            f"If it happens again, report it with the ID {number}.",
            icon=":material/error:",
        )


def go(step: Step, label: str = "", icon: str = "") -> None:
    """A link to a step."""
    st.page_link(step.target(), label=label or step.title, icon=icon or step.icon)


def part_place(parts: Iterable[str], chosen: str) -> DeltaGenerator:
    """
    Where the chosen one of a page's parts is drawn.

    Each part has a place of its own: in a place that they shared, the browser would show a ghost of the part before, and
    replace it piece by piece.
    """
    places = {name: st.container() if name == chosen else st.empty() for name in parts}
    return places[chosen]


def needs_source(what: str) -> None:
    """On a page that needs data and has none: say what it will show, link to the missing step, and end the page."""
    mine = workspace.current()
    if mine.source:
        return
    if mine.recipe.source.kind == "file":
        what += (
            f" This recipe was made for the file {plain(mine.recipe.source.name)}, which a link doesn't hold."
        )
    st.info(f"{what} Choose your data first.", icon=":material/database:")
    arriving.offer(mine.page)
    go(START, "Choose data on Start")
    st.stop()
