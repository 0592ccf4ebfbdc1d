"""The review room: the whole set as a list, one trace open, each decided with a key."""

from pathlib import Path

import pyarrow as pa
import streamlit as st

from skill_factory.insight.item_html import dropped_html
from skill_factory.insight.review.risks import MEANING, Risk
from skill_factory.judge.corrections import correction_key
from skill_factory.model import Trace
from skill_factory.traces.decisions import Decision, decided, noted
from skill_factory.ui.frame import away, loading, shell, trace_view, workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.ui.look.label_queue import decide
from skill_factory.ui.look.review_queue import (
    PAGE,
    SIGNS,
    Queue,
    bare,
    begin_again,
    list_of,
    page_rows,
    progress,
    queue,
)
from skill_factory.wording import many
from skill_factory.work import reviewing

_reject_key = st.components.v2.component(
    "skill_factory_reject_key", js=Path(__file__).with_name("reject_key.js").read_text(encoding="utf-8")
)


def review_room() -> None:
    """The list beside the open trace, which is drawn first: what the keys decide about is what is seen."""
    seen = loading.evidence()
    now = queue(seen)
    side, shown = st.columns([5, 6], gap="large")
    if not len(now.places):
        with side:
            _heading(now, seen)
            _nothing(now)
        return
    with shown:
        rows = page_rows(now, seen)
        _open(now, rows, seen)
    with side, st.container(key="review.side"):
        _heading(now, seen)
        list_of(now, rows, seen)
        _place(now)


def _heading(now: Queue, seen: Evidence) -> None:
    st.markdown(f"**{shell.plain(progress(seen, now))}**")


def _open(now: Queue, rows: pa.Table, seen: Evidence) -> None:
    """The open trace: the keys, why it stands here, its text, and what else was said of its question."""
    key = now.key(now.at)
    question = int(now.listed.question[now.places[now.at]])
    trace = away.run(reviewing.trace_of, rows, seen.recipe, question, key)
    _decide(now, key, seen)
    _risks(now)
    if trace is None:
        st.info(
            "The cut-off drops this trace or takes attempts from it, so there is nothing to read here.",
            icon=":material/content_cut:",
        )
        return
    trace_view.show(trace, seen.recipe, key="review")
    _correct(trace)
    _dropped(rows, seen, question)


def _nothing(now: Queue) -> None:
    if not len(now.listed):
        st.info("This recipe makes no traces yet.", icon=":material/info:")
        shell.go(shell.CHOOSE, "Change the recipe on Choose")
        return
    st.info("No trace is left in this list. Show another one above.", icon=":material/check:")


def _place(now: Queue) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="review.paging"):
        st.caption(f"Trace **{now.at + 1:,}** of {len(now.places):,}")
        many_pages = len(now.places) > PAGE
        st.button(
            "Page back",
            key="review.page_back",
            on_click=_go,
            args=(now.page.start - PAGE,),
            disabled=not many_pages or not now.page.start,
        )
        st.button(
            "Next page",
            key="review.page_next",
            on_click=_go,
            args=(now.page.stop,),
            disabled=now.page.stop >= len(now.places),
        )
        st.button(
            "Update the list",
            key="review.refresh",
            on_click=begin_again,
            help="The list stays as it is while you decide. This arranges it again by what you have decided since.",
        )


def _decide(now: Queue, key: str, seen: Evidence) -> None:
    """Accept, reject, go on and back, each with its key, and what was decided so far."""
    review = seen.recipe.review
    decision = (
        Decision.ACCEPTED
        if key in review.accepted
        else Decision.REJECTED
        if key in review.rejected
        else Decision.NONE
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review.keys"):
        st.button(
            "Accept",
            icon=":material/check:",
            key="review.accept",
            shortcut="a",
            type="primary",
            on_click=_decided,
            args=(key, Decision.ACCEPTED, now.at),
        )
        st.button(
            "Reject :gray[:small[R]]",
            icon=":material/block:",
            key="review.reject",
            on_click=_decided,
            args=(key, Decision.REJECTED, now.at),
        )
        st.button(
            "Next",
            key="review.next",
            shortcut="j",
            on_click=_go,
            args=(now.at + 1,),
            disabled=now.at + 1 >= len(now.places),
        )
        st.button(
            "Back", key="review.back", shortcut="k", on_click=_go, args=(now.at - 1,), disabled=not now.at
        )
        _reject_key(key="review.r", height=0, width="content")
        if decision is not Decision.NONE:
            st.badge(SIGNS[decision], color="blue" if decision is Decision.ACCEPTED else "orange")
            st.button(
                "Take back",
                icon=":material/undo:",
                key="review.take_back",
                on_click=_decided,
                # One before, since a decision leads on by one: after taking it back, this trace stays open.
                args=(key, Decision.NONE, now.at - 1),
            )
    st.session_state["review.note"] = review.notes.get(key, "")
    st.text_input(
        "Note",
        key="review.note",
        placeholder="A note on this trace, kept in the recipe",
        label_visibility="collapsed",
        icon=":material/edit_note:",
        on_change=_note,
        args=(key,),
        max_chars=500,
    )
    workspace.problem("review.accepted", "review.rejected", "review.notes")


def _go(place: int) -> None:
    st.session_state["review.at"] = max(0, place)


def _decided(key: str, decision: Decision, place: int) -> None:
    """Keep a decision and go on to the next trace; a key pressed before that one was drawn decides nothing."""
    behind = place != st.session_state.get("review.at", 0) and decision is not Decision.NONE
    if not behind and workspace.change(decided(workspace.current().recipe.review, key, decision)):
        _go(place + 1)


def _note(key: str) -> None:
    workspace.change(noted(workspace.current().recipe.review, key, st.session_state["review.note"].strip()))


def _correct(trace: Trace) -> None:
    """A button for each attempt that turns its label round."""
    with st.popover("Correct a label", icon=":material/edit:"):
        st.caption("The recipe keeps the correction, and every build follows it. The source stays as it is.")
        for place, attempt in enumerate(trace.plan.attempts, 1):
            right = attempt.response.correct
            st.button(
                f"Attempt {place} is {'wrong' if right else 'right'}",
                key=f"review.correct.{place}",
                on_click=decide,
                args=(correction_key(trace.plan.question.id, attempt.response.id), not right),
            )


def _risks(now: Queue) -> None:
    """Why this trace stands where it stands in the queue."""
    with st.container(horizontal=True, gap="small", key="review.risks"):
        for risk in Risk.of(int(now.listed.risks[now.places[now.at]])):
            st.badge(risk.value.capitalize(), icon=":material/flag:", color="orange", help=MEANING[risk])


def _dropped(rows: pa.Table, seen: Evidence, question: int) -> None:
    """What was said of this question's responses and dropped, beside what it judges; made when it is opened."""
    folded = st.expander(
        "Reflections on this question that were dropped",
        icon=":material/filter_alt:",
        on_change="rerun",
        key="review.dropped",
    )
    if not folded.open:
        return
    at = (loading.identity(), bare(seen.recipe).fingerprint(), question)
    found = loading.once(
        "review.dropped.found",
        at,
        lambda: away.run(reviewing.dropped_reflections, rows, bare(seen.recipe), question),
    )
    with folded:
        if not found:
            st.caption("None was dropped.")
            return
        st.caption(f"{many(len(found), 'reflection')} dropped.")
        st.html(dropped_html(found))
