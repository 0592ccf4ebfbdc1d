"""Making what a light misses: a panel on the page Data that takes the report's place until it is done or left.

making.button(What.REFLECTIONS)      in a light: opens the panel
if making.panel(): st.stop()         on the page: the panel, where it is open
making.note()                        on the page: what was made, or is being made meanwhile
"""

import logging
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.home import hosted
from skill_factory.model import TraceFormat
from skill_factory.recipe import Columns, Traces
from skill_factory.sources import open_source
from skill_factory.ui import (
    downloads,
    grading_view,
    loading,
    making_form,
    making_jobs,
    making_run,
    reading,
    shell,
    workspace,
)
from skill_factory.ui.jobs import State
from skill_factory.ui.making_jobs import Asked, Making, Stage, What
from skill_factory.wording import percent

log = logging.getLogger(__name__)

_KEY, _NOTE = "_making", "_made"
BUTTONS = {
    What.GRADE: ("Grade the responses", ":material/checklist:"),
    What.RESPONSES: ("Get answers", ":material/forum:"),
    What.REFLECTIONS: ("Get critiques", ":material/rate_review:"),
}
TITLES = {
    What.GRADE: "Grade the responses",
    What.RESPONSES: "Let a model answer the questions",
    What.REFLECTIONS: "Let a model criticise the responses",
}


@dataclass
class Panel:
    """What the visitor is making."""

    what: What
    id: str = ""
    """Its name once it was started."""
    open: bool = True
    base: dict[str, Any] = field(default_factory=dict)
    """What it is made from: source, label, columns."""


@dataclass(frozen=True)
class Note:
    """What was made and taken as the data."""

    made: Making
    said: str


def button(what: What, light: str = "") -> None:
    """A button that opens the panel, in a light."""
    label, icon = BUTTONS[what]
    st.button(label, icon=icon, key=f"making.{what.value}.{light}", on_click=_open, args=(what,))


def _open(what: What) -> None:
    panel = Panel(what, base=_chosen())
    st.session_state[_KEY] = panel
    last = next((made for made in _own() if _fits(made, panel)), None)
    if last is not None and making_jobs.status(last).state is not State.DONE:
        panel.id = last.id


def _own() -> list[Making]:
    return [] if hosted() else making_jobs.recent()


def _fits(made: Making, panel: Panel) -> bool:
    return (made.asked.what, made.asked.source) == (panel.what, panel.base["source"])


def _chosen() -> dict[str, Any]:
    mine = workspace.current()
    columns = {
        name: list(found) if isinstance(found, tuple) else found
        for name, found in mine.recipe.columns.model_dump().items()
        if found and name != "verdicts"
    }
    return {"source": mine.source, "label": mine.label, "columns": columns}


def _panel() -> Panel | None:
    """The panel of this session, or the one that the address leads to."""
    panel: Panel | None = st.session_state.get(_KEY)
    asked = st.query_params.get("making", "")
    if not asked or (panel is not None and panel.id == asked and panel.open):
        return panel
    made = making_jobs.find(asked)
    if made is None:
        st.warning("There is nothing made here under this link any more.", icon=":material/link_off:")
        st.query_params.pop("making", None)
        return panel
    said = made.asked
    base = {"source": said.source, "label": said.label, "columns": dict(said.columns)}
    st.session_state[_KEY] = panel = Panel(said.what, made.id, base=base)
    return panel


# -- the panel -----------------------------------------------------------------------------------------------------


def panel() -> bool:
    """Show the panel, if it is open; then the rest of the page waits."""
    mine = _panel()
    if mine is None or not mine.open:
        return False
    made = making_jobs.find(mine.id) if mine.id else None
    now = making_jobs.status(made) if made else None
    if made and now and now.state is State.DONE and making_run.complete(made, now):
        _take(made, making_jobs.summary(made, now.told))
    if made:
        st.query_params["making"] = made.id
    _head(mine)
    left, right = st.columns([1, 2], gap="large")
    with left:
        asked = _settings(mine, made, bool(now and now.running))
    with right:
        _stage(mine, asked, made, now)
    return True


def _head(mine: Panel) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Back to the report", icon=":material/arrow_back:", type="tertiary", on_click=_close, key="making.close",
            help="What is running goes on.",
        )  # fmt: skip
        st.markdown(f"for **{workspace.plain(mine.base['label'])}**", width="content")
    st.subheader(TITLES[mine.what])


def _close() -> None:
    mine: Panel = st.session_state[_KEY]
    mine.open = False
    st.query_params.pop("making", None)
    if not workspace.current().source:  # the page was opened by the link
        _adopt(mine.base["source"], mine.base["label"], Columns(**mine.base["columns"]))


def _settings(mine: Panel, made: Making | None, running: bool) -> Asked:
    before = made.asked if made else None
    if mine.what is What.GRADE:
        return grading_view.settings(mine.base, before, running)
    return making_form.settings(mine.what, mine.base, before, running)


def _stage(mine: Panel, asked: Asked, made: Making | None, now: "making_jobs.Status | None") -> None:
    if made and now and now.running:
        making_run.watch(made)
        return
    run, short = _run(mine, made), bool(made and now and now.state in (State.STOPPED, State.FAILED))
    if short:
        making_run.refused()
        making_run.ended(asked, made, now, run)
    with shell.errors():
        if mine.what is What.GRADE:
            grading_view.sample(asked, run)
        elif not short or asked.asks_for != made.asked.asks_for:
            making_run.offer(asked, made, now, run, lambda: _take(made, making_jobs.summary(made, now.told)))


def _run(mine: Panel, made: Making | None) -> making_run.Run:
    def run(asked: Asked, stage: Stage) -> None:
        """Start a stage; a refusal is said on the page."""
        token = workspace.current().token
        try:
            mine.id = making_jobs.start(asked, stage, token, making_form.key(asked, token), made).id
        except SkillFactoryError as error:
            st.session_state["_making_refused"] = str(error)

    return run


# -- what comes of it ----------------------------------------------------------------------------------------------


def _take(made: Making, said: str) -> None:
    """Make the raw set the chosen data, and show the report on it."""
    _adopt(str(made.out), making_jobs.made_label(made))
    st.session_state.pop(_KEY, None)
    st.session_state[_NOTE] = Note(made, said)
    st.query_params.pop("making", None)
    st.rerun()


def _adopt(text: str, label: str, columns: Columns | None = None) -> None:
    """As `loading.choose`, for a source that this session has made or named: its columns are guessed or known."""
    mine = workspace.current()
    asked = mine.recipe.source if text == mine.source else None
    found = loading.Seen(open_source(text, asked, mine.token or None))
    guessed = loading.guess(found.names(), found.head(loading.SAMPLE_ROWS))
    workspace.choose_source(text, label, found.spec, columns or guessed)
    if mine.recipe.traces.formats == (TraceFormat.NO_REFLECTION,):  # what suited data without critiques
        workspace.change({"traces.formats": Traces().formats, "traces.attempts": Traces().attempts})
    st.session_state.pop("_kept", None)
    reading.forget_failed()
    loading.suit()


def note() -> None:
    """What was made of these data, or is being made from them."""
    mine: Panel | None = st.session_state.get(_KEY)
    if mine is not None and mine.id:
        _going_on(mine)
    told: Note | None = st.session_state.get(_NOTE)
    if told is None or workspace.current().source != str(told.made.out):
        return
    st.success(workspace.plain(told.said), icon=":material/task_alt:")
    with st.container(horizontal=True, key="made"):
        st.download_button(
            "Save these data", lambda: downloads.zipped(told.made.out), "data.zip", "application/zip",
            icon=":material/download:", on_click="ignore", key="making.save",
            help="The raw set with its card: which model, prompts and settings made it.",
        )  # fmt: skip
        st.button(
            "Back to the data before",
            icon=":material/undo:",
            type="tertiary",
            on_click=_undo,
            key="making.undo",
        )


def _undo() -> None:
    asked = st.session_state.pop(_NOTE).made.asked
    _adopt(asked.source, asked.label, Columns(**asked.columns))


def _going_on(mine: Panel) -> None:
    made = making_jobs.find(mine.id)
    if made is None:
        return
    now = making_jobs.status(made)
    share = f" · {percent(now.progress.share)}" if now.progress and now.running else ""
    word = "is being made" if now.running else "was started"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/hourglass_top: {TITLES[mine.what]}: it {word}{share}", width="content")
        st.button("Show", key="making.show", on_click=_show, type="tertiary")


def _show() -> None:
    st.session_state[_KEY].open = True


def before() -> None:
    """Runs of before, on one's own computer: on a shared server a run's link is its key."""
    found = _own()
    if not found:
        return
    with st.expander(f"Made before ({len(found)})", icon=":material/history:"):
        for made in found:
            with st.container(horizontal=True, vertical_alignment="center"):
                state = making_jobs.status(made).state.value
                st.markdown(f"{workspace.plain(making_jobs.made_label(made))} · {made.stage.value} · {state}")
                st.button("Open", key=f"making.open.{made.id}", on_click=_open_made, args=(made,))


def _open_made(made: Making) -> None:
    said = made.asked
    base = {"source": said.source, "label": said.label, "columns": dict(said.columns)}
    st.session_state[_KEY] = Panel(said.what, made.id, base=base)
