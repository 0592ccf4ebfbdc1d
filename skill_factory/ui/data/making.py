"""Making what a light misses: a panel on the Data page that takes the report's place until it is done or closed.

making.button(What.REFLECTIONS)      in a light: opens the panel
if making.panel(): st.stop()         on the page: the panel, where it is open
making.note()                        on the page: what was made, or is being made meanwhile
"""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.recipe.model import Columns
from skill_factory.ui.data import grading_view, made_data, making_form, making_run
from skill_factory.ui.data.making_files import Run
from skill_factory.ui.frame import shell, visitor, workspace
from skill_factory.wording import percent
from skill_factory.work import makings
from skill_factory.work.making_asked import Asked, Stage, What
from skill_factory.work.makings import Making, Status
from skill_factory.work.process import State

_KEY = "_making"
BUTTONS = {
    What.GRADE: ("Grade the responses", ":material/checklist:"),
    What.RESPONSES: ("Get answers", ":material/forum:"),
    What.REFLECTIONS: ("Get reflections", ":material/rate_review:"),
}
TITLES = {
    What.GRADE: "Grade the responses",
    What.RESPONSES: "Let a model answer the questions",
    What.REFLECTIONS: "Let a model reflect on the responses",
}
SAID = {State.RUNNING: "is running", State.STOPPING: "is stopping", State.DONE: "is ready"}


@dataclass
class Panel:
    """What the visitor is making."""

    what: What
    id: str = ""
    """Its name once it was started."""
    open: bool = True
    base: dict[str, Any] = field(default_factory=dict)
    """What it is made from: source, label, columns."""


def button(what: What, light: str = "") -> None:
    """A button that opens the panel, in a light."""
    label, icon = BUTTONS[what]
    st.button(label, icon=icon, key=f"making.{what.value}.{light}", on_click=_open, args=(what,))


def _open(what: What) -> None:
    panel = Panel(what, base=_chosen())
    st.session_state[_KEY] = panel
    last = next((made for made in _own() if _fits(made, panel)), None)
    if last is not None and makings.status(last).state is not State.DONE:
        panel.id = last.id


def _own() -> list[Making]:
    return [] if hosted() else makings.recent()


def _fits(made: Making, panel: Panel) -> bool:
    return (made.asked.what, made.asked.source) == (panel.what, panel.base["source"])


def _chosen() -> dict[str, Any]:
    mine = workspace.current()
    columns = {
        name: list(found) if isinstance(found, tuple) else found
        for name, found in mine.recipe.columns.model_dump().items()
        if found and name != "verdicts"
    }
    spec = mine.recipe.source
    part = (spec.config, spec.split, spec.revision) if spec.kind == "hub" else Asked.part
    return {"source": mine.source, "label": mine.label, "columns": columns, "part": part}


def _panel() -> Panel | None:
    """The panel of this session, or the one that the address leads to."""
    panel: Panel | None = st.session_state.get(_KEY)
    asked = st.query_params.get("making", "")
    if not asked or (panel is not None and panel.id == asked and panel.open):
        return panel
    made = makings.find(asked)
    if made is None:
        st.warning("What this link leads to isn't here any more.", icon=":material/link_off:")
        st.query_params.pop("making", None)
        return panel
    said = made.asked
    base = {"source": said.source, "label": said.label, "columns": dict(said.columns), "part": said.part}
    st.session_state[_KEY] = panel = Panel(said.what, made.id, base=base)
    return panel


# -- the panel -----------------------------------------------------------------------------------------------------


def panel() -> bool:
    """Show the panel, if it is open; then the rest of the page waits."""
    mine = _panel()
    if mine is None or not mine.open:
        return False
    made = makings.find(mine.id) if mine.id else None
    now = makings.status(made) if made else None
    if made and now and now.state is State.DONE and making_run.complete(made, now):
        _take(made, now)
        st.rerun()
    if made:
        st.query_params["making"] = made.id
    elif mine.id:  # deleted, here or in another tab
        mine.id = ""
        st.query_params.pop("making", None)
    _head(mine)
    left, right = st.columns([1, 2], gap="large")
    with left:
        asked = _settings(mine, made, bool(now and now.running))
    with right:
        _stage(mine, asked, made, now)
    return True


def _head(mine: Panel) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="making-head"):
        st.subheader(TITLES[mine.what], width="content")
        st.markdown(f"for **{workspace.plain(mine.base['label'])}**", width="content")
        st.button(
            "Back to the report",
            icon=":material/arrow_back:",
            type="tertiary",
            on_click=_close,
            key="making.close",
            help="Whatever is running keeps running.",
        )


def _close() -> None:
    mine: Panel = st.session_state[_KEY]
    mine.open = False
    st.query_params.pop("making", None)
    if not workspace.current().source:  # the page was opened by the link
        with shell.errors():
            made_data.adopt(
                mine.base["source"], mine.base["label"], mine.base["part"], Columns(**mine.base["columns"])
            )


def _settings(mine: Panel, made: Making | None, running: bool) -> Asked:
    before = made.asked if made else None
    if mine.what is What.GRADE:
        return grading_view.settings(mine.base, before, running)
    return making_form.settings(mine.what, mine.base, before, running)


def _stage(mine: Panel, asked: Asked, made: Making | None, now: Status | None) -> None:
    if made and now and now.running:
        making_run.watch(made)
        return
    run, same = _run(mine, made), False
    if made and now and now.state in (State.STOPPED, State.FAILED):
        making_run.refused()
        making_run.ended(asked, made, now, run)
        same = asked.asks_for == made.asked.asks_for
    with shell.errors():
        if mine.what is What.GRADE:
            grading_view.sample(asked, run)
        elif not same:
            making_run.offer(asked, made, now, run, _take)


def _run(mine: Panel, made: Making | None) -> Run:
    def run(asked: Asked, stage: Stage) -> None:
        """
        Start a stage; a refusal is said on the page.

        Not in a button's callback: that would know the form as it was before a field that was left by the same click.
        """
        token = workspace.current().token
        try:
            mine.id = makings.start(
                asked, stage, token, making_form.key(asked, token), made, visitor.key()
            ).id
        except SkillFactoryError as error:
            st.session_state["_making_refused"] = str(error)
        st.rerun()

    return run


def note() -> None:
    """What was made from this data, or is being made now."""
    mine: Panel | None = st.session_state.get(_KEY)
    if mine is not None and mine.id:
        _going_on(mine)
    made_data.note()


def _take(made: Making, now: Status) -> None:
    """Make the raw set the chosen data, and show the report on it."""
    made_data.take(made, makings.summary(made, now.told))
    st.session_state.pop(_KEY, None)
    st.query_params.pop("making", None)


def _going_on(mine: Panel) -> None:
    made = makings.find(mine.id)
    if made is None:
        return
    now = makings.status(made)
    share = f" · {percent(now.progress.share)}" if now.progress and now.running else ""
    word = SAID[now.state] if now.running or making_run.complete(made, now) else "has stopped"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/hourglass_top: {TITLES[mine.what]}: {word}{share}", width="content")
        st.button("Show", key="making.show", on_click=_show, type="tertiary")


def _show() -> None:
    st.session_state[_KEY].open = True


def before() -> None:
    """Earlier runs, on one's own computer; on a shared server a run's link is its key."""
    found = _own()
    if not found:
        return
    with st.expander(f"Made earlier ({len(found)})", icon=":material/history:"):
        for made in found:
            with st.container(horizontal=True, vertical_alignment="center"):
                now = makings.status(made)
                st.markdown(
                    f"{workspace.plain(makings.made_label(made))} · {made.stage.value} · {now.state.value}"
                )
                st.button("Open", key=f"making.open.{made.id}", on_click=_open_made, args=(made,))
                if not now.running:
                    made_data.delete_button(made)


def _open_made(made: Making) -> None:
    said = made.asked
    base = {"source": said.source, "label": said.label, "columns": dict(said.columns), "part": said.part}
    st.session_state[_KEY] = Panel(said.what, made.id, base=base)
