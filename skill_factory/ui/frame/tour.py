"""A tour of four steps on the first visit: a card at the top of each page, skipped for good with one click."""

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from skill_factory.errors import SkillFactoryError
from skill_factory.ui.frame import loading, visitor, workspace
from skill_factory.ui.frame.steps import CHOOSE, DATA, FINISH, LOOK, Step
from skill_factory.whole_files import write_whole
from skill_factory.work.home import place

_KEY = "tour.at"
STOPS: dict[Step, str] = {
    DATA: "Is this data ready? The answer comes first, with its reasons and the next step. Below it is which column holds what; "
    "change it there if a guess is wrong.",
    CHOOSE: "How many attempts may a trace show, and in which order? Move N and watch the numbers at the top: they are what a "
    "build would write.",
    LOOK: "Read some traces, exactly as the build will write them. Reject what you don't like, and see what was dropped and why.",
    FINISH: "Build the dataset. Then download it, publish it on the Hub, or take the files for your trainer.",
}
"""Where the tour stops, and what it says there."""
TITLES = {step.title: step for step in STOPS}


def offer() -> None:
    """On Start: the tour, unless it was taken or skipped before."""
    if _over():
        return
    with _box():
        st.markdown("**New here?** Four stops on the demo, two minutes.", width="stretch")
        if st.button("Take the tour", icon=":material/tour:", key="tour.take"):
            _take()
        st.button("Don't show this again", type="tertiary", on_click=_end, key="tour.skip")


def _box() -> DeltaGenerator:
    return st.container(border=True, key="tour", horizontal=True, vertical_alignment="center")


def _take() -> None:
    st.session_state[_KEY] = True
    try:
        if not workspace.current().source:
            loading.choose("demo")
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    st.switch_page(DATA.target())


def card(title: str) -> None:
    """On the pages where the tour stops: what to see here, and the way on."""
    step = TITLES.get(title)
    if step is None or not st.session_state.get(_KEY):
        return
    order = list(STOPS)
    at = order.index(step)
    with _box():
        st.markdown(f"**{at + 1} of {len(order)} · {title}** — {STOPS[step]}", width="stretch")
        if at + 1 == len(order):
            st.button("Done", icon=":material/check:", on_click=_end, key="tour.end")
            return
        if st.button(f"Next: {order[at + 1].title}", icon=":material/arrow_forward:", key="tour.next"):
            st.switch_page(order[at + 1].target())
        st.button("End the tour", type="tertiary", on_click=_end, key="tour.end")


def _over() -> bool:
    return bool(st.session_state.get("tour.over")) or _note().exists()


def _end() -> None:
    st.session_state[_KEY], st.session_state["tour.over"] = False, True
    try:
        write_whole(_note(), "over\n")
    except OSError:  # a full disk: then it is over for this session alone
        return


def _note() -> Path:
    """A file by which the next visit knows."""
    return place("tours") / (visitor.mark() or "own")
