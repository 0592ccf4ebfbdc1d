"""Which trace to read: the first ones of the build, or those of the questions that were searched for."""

import random
from collections.abc import Sequence
from functools import partial

import streamlit as st

from skill_factory.formats import format_of
from skill_factory.insight.html import html_page
from skill_factory.insight.trace_parts import first_line, path_of, story, visible
from skill_factory.model import Trace, hex_id
from skill_factory.traces.decisions import Decision, decided, decision_key
from skill_factory.ui.frame import loading, shell, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.ui.look.trace_source import FOUND, HEAD, head, of_questions

ANY = ""
LIST_HEIGHT = 318
"""Eight rows: on the demo the trace that is shown first is among them."""


def pick_trace() -> Trace | None:
    """The controls, and the trace that is chosen with them."""
    with st.container(key="look.which"):
        words = st.text_input(
            "Find a question",
            key="look.find",
            placeholder="words in it, or its ID",
            icon=":material/search:",
            help=f"Searches all questions of the data and shows the traces of up to {FOUND}.",
        ).strip()
        every = of_questions(words) if words else head()
        shown = _chosen_kind(every)
    if not every:
        say_nothing_found(words)
        return None
    st.session_state["look.ids"] = [hex_id(trace.id) for trace in shown]
    place = _place(shown)
    _steps(place, len(shown))
    _list(shown, place)
    st.caption(f"Trace **{place + 1}** of {len(shown):,}, {_origin(words)}.")
    with st.container(key="look.save"):
        save_button(
            "Save these as one page",
            partial(html_page, shown, "Traces", "Made by SkillFactory Studio."),
            "traces.html",
            key="look.page",
            help="A single HTML file to mail, print or keep.",
        )
    return shown[place]


def _origin(words: str) -> str:
    """Where the listed traces come from."""
    if words:
        return "from the questions found"
    if loading.evidence().exact:
        return f"from the first {HEAD} questions, as the build will write them"
    return "from the first rows, while the rest is being read"


def say_nothing_found(words: str) -> None:
    """Say why there is no trace, and what to do about it."""
    if words:
        st.info(
            f"No question with “{workspace.plain(words)}” gives a trace: either none contains these words, or the recipe "
            "can't use it. Kept and dropped, above, says why a question was left out.",
            icon=":material/search_off:",
        )
        return
    st.info(
        "No question gives a trace under this recipe. Choose fewer attempts or another format.",
        icon=":material/info:",
    )
    shell.go(shell.CHOOSE, "Change the recipe on Choose")


def _chosen_kind(every: Sequence[Trace]) -> list[Trace]:
    kinds: dict[str, int] = {}
    for trace in every:
        kinds[_kind(trace)] = kinds.get(_kind(trace), 0) + 1
    if len(kinds) < 2:
        return list(every)
    # A kind that the last change took away can't stay chosen.
    if st.session_state.get("look.kind", ANY) not in kinds:
        st.session_state["look.kind"] = ANY
    chosen = st.selectbox(
        "Format and trace type",
        [ANY, *kinds],
        key="look.kind",
        help="The format says in which order attempts come; the trace type is what the dataset calls a row: 3C means "
        "three attempts, the last one right.",
        format_func=lambda kind: f"{kind} ({kinds[kind]})" if kind else f"All ({len(every)})",
    )
    return [trace for trace in every if chosen in (ANY, _kind(trace))]


def _kind(trace: Trace) -> str:
    return f"{format_of(trace.plan.format).name} · {trace.plan.label}"


def _place(shown: Sequence[Trace]) -> int:
    """The place of the chosen trace; if it is gone, the place where it was; at first, a trace that corrects a mistake."""
    ids, at = st.session_state["look.ids"], st.session_state.get("look.at")
    if at is None:
        place = next((k for k, trace in enumerate(shown) if corrects(trace)), 0)
    else:
        place = ids.index(at) if at in ids else min(st.session_state["look.place"], len(ids) - 1)
    st.session_state["look.at"], st.session_state["look.place"] = ids[place], place
    return place


def corrects(trace: Trace) -> bool:
    """Whether a wrong attempt is followed by a right ending."""
    right = trace.plan.right
    return right[-1] and not all(right)


def _go(place: int) -> None:
    ids = st.session_state["look.ids"]
    # The list is a circle: Next on the last trace leads to the first.
    place %= len(ids)
    st.session_state["look.at"], st.session_state["look.place"] = ids[place], place


def _go_anywhere(now: int, of: int) -> None:
    # Which trace is shown at random is not part of any result, so it needs no key.
    _go((now + 1 + random.Random().randrange(max(1, of - 1))) % of)


def _steps(place: int, of: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="look.steps"):
        step = partial(st.button, disabled=of < 2)
        step("Back", key="look.previous", on_click=_go, args=(place - 1,), shortcut="Left")
        step("Next", key="look.next", on_click=_go, args=(place + 1,), shortcut="Right")
        step("Random", icon=":material/casino:", key="look.random", on_click=_go_anywhere, args=(place, of))


def _list(shown: Sequence[Trace], place: int) -> None:
    rows = {
        "Attempts": [path_of(story(trace)) for trace in shown],
        "Question": [visible(first_line(trace.plan.question.text, 90)) for trace in shown],
    }
    # The list follows Back and Next, so its selection is set before it is drawn.
    st.session_state["look.list"] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    st.dataframe(
        rows,
        hide_index=True,
        height=LIST_HEIGHT,
        key="look.list",
        on_select=_selected,
        selection_mode="single-row-required",
        alt="The traces: right and wrong attempts, and the question",
        column_config={"Attempts": st.column_config.TextColumn(width="small")},
    )


def _selected() -> None:
    rows = st.session_state["look.list"]["selection"]["rows"]
    if rows:
        _go(rows[0])


# -- reject and bring back -----------------------------------------------------------------------------------------


def rejections(trace: Trace | None) -> None:
    """Leave out the trace on the page or its question, and bring back what was left out."""
    review, excluded = workspace.value("review"), workspace.value("balance.exclude")
    if trace is not None:
        _reject_buttons(trace)
    if excluded or review.rejected:
        bring_back(len(excluded) + len(review.rejected))


def _reject_buttons(trace: Trace) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="look.rejecting"):
        st.button(
            "Reject this trace",
            icon=":material/block:",
            key="look.reject",
            on_click=_reject_trace,
            args=(decision_key(trace.plan),),
            help="The build leaves it out. The recipe remembers it, as it does what you decide under Review.",
        )
        st.button(
            "Reject this question",
            key="look.reject_question",
            on_click=reject,
            args=(hex_id(trace.plan.question.id),),
            help="The build leaves out all traces of this question.",
        )


def bring_back(number: int) -> None:
    """What was rejected, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center", key="look.rejected"):
        st.button(
            "Undo",
            icon=":material/undo:",
            key="look.undo",
            on_click=_take_back,
            help="Bring back the last one",
        )
        if number > 1:
            st.button("Bring all back", key="look.undo_all", on_click=_take_all_back)
        st.caption(f"{number:,} rejected")


def _reject_trace(key: str) -> None:
    if workspace.change(decided(workspace.value("review"), key, Decision.REJECTED)):
        st.session_state["look.last"] = key


def reject(id: str) -> None:
    """Leave a question out, by its ID."""
    workspace.change({"balance.exclude": tuple(dict.fromkeys([*workspace.value("balance.exclude"), id]))})
    st.session_state["look.last"] = id


def _take_back() -> None:
    """Bring back what was rejected last; after a restart, the last trace of the recipe, or the last question."""
    review, excluded = workspace.value("review"), workspace.value("balance.exclude")
    last = st.session_state.get("look.last", "")
    if last not in review.rejected and last not in excluded:
        last = [*excluded, *review.rejected][-1]
    if last in review.rejected:
        workspace.change(decided(review, last, Decision.NONE))
    else:
        workspace.change({"balance.exclude": tuple(id for id in excluded if id != last)})


def _take_all_back() -> None:
    workspace.change({"balance.exclude": (), "review.rejected": ()})
