"""The list of the review room: which traces, in which order, and a page of them with the beginning of each question."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import streamlit as st

from skill_factory.insight.review.listing import ORDERS, Asked, Listing, arranged
from skill_factory.insight.review.risks import MEANING, Risk
from skill_factory.insight.trace_parts import first_line, mark
from skill_factory.recipe.model import Recipe, Review
from skill_factory.traces.decisions import Decision
from skill_factory.ui.frame import away, loading
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many
from skill_factory.work import looking, reviewing

LINES = 66
"""Pixels of a row of three lines, for several risks and the beginning of a question; Streamlit wraps words above 64."""
SHORT = 60
"""Characters of a question that three lines hold."""
PAGE = 40
"""Traces in a page of the list: only their questions are read."""
SEARCHED = 2_000
"""Questions that a search finds at most."""
SHOW = {
    "open": "Not reviewed yet",
    "all": "All traces",
    "accepted": "Accepted",
    "rejected": "Rejected",
    "noted": "With a note",
}
SIGNS = {Decision.ACCEPTED: "✓ accepted", Decision.REJECTED: "✗ rejected", Decision.NONE: ""}
CORRECTS = "Corrects a mistake"


@dataclass(frozen=True)
class Queue:
    """The traces to go through, and where one is."""

    listed: Listing
    places: npt.NDArray[np.int64]
    """Places in `listed`, in the order of the queue."""
    at: int
    """The open trace, as a place in `places`."""

    def key(self, place: int) -> str:
        """The review key of a trace of the queue."""
        return self.listed.key(int(self.places[place]))

    @property
    def page(self) -> range:
        """The traces of the queue that are on the same page as the open one."""
        first = self.at - self.at % PAGE
        return range(first, min(first + PAGE, len(self.places)))


def bare(recipe: Recipe) -> Recipe:
    """The recipe without decisions, on which the list doesn't depend: a decision moves nothing in it."""
    return recipe.model_copy(update={"review": Review()})


def all_traces(seen: Evidence) -> Listing:
    """Every trace under the recipe, made once for it."""
    at = (loading.key(), seen.exact, bare(seen.recipe).fingerprint())
    with st.spinner("Listing the traces …", show_time=True):
        return loading.once(
            "review.listing",
            at,
            lambda: away.run(
                reviewing.listed, loading.shared(seen.narrow), seen.judgement, bare(seen.recipe)
            ),
        )


def queue(seen: Evidence) -> Queue:
    """The filters, and what they leave. A decision made meanwhile changes nothing: the list stays as one began it."""
    listed = all_traces(seen)
    asked = _asked(listed, seen)
    begun = st.session_state.setdefault("review.begun", 0)
    at = (loading.key(), seen.exact, bare(seen.recipe).fingerprint(), asked, begun)
    places = loading.once("review.places", at, lambda: arranged(listed, asked, seen.recipe.review))
    # Another list is begun at its head.
    if st.session_state.get("review.of") != at:
        st.session_state["review.of"], st.session_state["review.at"] = at, 0
    place = st.session_state["review.at"] = min(st.session_state["review.at"], max(0, len(places) - 1))
    return Queue(listed, places, place)


def begin_again() -> None:
    """Arrange the list by the decisions made so far."""
    st.session_state["review.begun"] = st.session_state.get("review.begun", 0) + 1


def _asked(listed: Listing, seen: Evidence) -> Asked:
    """The controls of the list."""
    first, second, third, fourth = st.columns([1, 1, 2, 2], vertical_alignment="bottom")
    order = first.selectbox(
        "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="review.order", persist_state="session"
    )
    show = second.selectbox(
        "Show", list(SHOW), format_func=SHOW.__getitem__, key="review.show", persist_state="session"
    )
    with third:
        only = _only(listed)
    words = fourth.text_input(
        "Search the questions",
        key="review.words",
        icon=":material/search:",
        placeholder="words, or an ID",
    ).strip()
    decision = {"open": Decision.NONE, "accepted": Decision.ACCEPTED, "rejected": Decision.REJECTED}.get(show)
    risk = next((one for one in Risk if one.value == only), None)
    label = only if only and risk is None and only != CORRECTS else ""
    questions = _questions_with(words, seen) if words else None
    return Asked(order, decision, show == "noted", label, only == CORRECTS, risk, questions)


def _only(listed: Listing) -> str:
    """One kind of trace: a risk, a trace type, or those that correct a mistake; each with its number."""
    words = {"": f"Any kind ({len(listed):,})"}
    for risk in Risk:
        if number := int(((listed.risks & risk.bit) > 0).sum()):
            words[risk.value] = f"{risk.value.capitalize()} ({number:,})"
    words[CORRECTS] = f"{CORRECTS} ({int(listed.corrects().sum()):,})"
    numbers = np.bincount(listed.kind, minlength=len(listed.kinds)).tolist()
    labels: dict[str, int] = {}
    for kind, number in zip(listed.kinds, numbers, strict=True):
        labels[kind[1]] = labels.get(kind[1], 0) + number
    words |= {label: f"Trace type {label} ({number:,})" for label, number in labels.items()}
    # A kind that the last change took away can't stay chosen.
    if st.session_state.get("review.only", "") not in words:
        st.session_state["review.only"] = ""
    meanings = "\n".join(f"- {risk.value}: {MEANING[risk]}" for risk in Risk)
    return st.selectbox(
        "Only",
        list(words),
        format_func=words.__getitem__,
        key="review.only",
        persist_state="session",
        help=f"What may be wrong with a trace:\n\n{meanings}",
    )


def _questions_with(words: str, seen: Evidence) -> frozenset[int]:
    at = (loading.identity(), seen.recipe.columns, words)
    found = loading.once(
        "review.found",
        at,
        lambda: away.run(looking.questions_with, loading.source(), seen.recipe, words, SEARCHED),
    )
    return frozenset(id for id, _ in found)


def page_rows(now: Queue, seen: Evidence) -> pa.Table:
    """The rows of the questions on the page: what lies around the open trace is read with it."""
    wanted = sorted({int(now.listed.question[now.places[place]]) for place in now.page})
    at = (loading.identity(), seen.recipe.columns, tuple(wanted))
    with st.spinner("Reading these traces …"):
        return loading.once(
            "review.rows", at, lambda: away.run(reviewing.rows_of, loading.source(), seen.recipe, wanted)
        )


def list_of(now: Queue, rows: pa.Table, seen: Evidence) -> None:
    """The page of the list that the open trace is on."""
    at = (
        loading.identity(),
        seen.recipe.columns,
        now.page,
        now.places[now.page.start : now.page.stop].tobytes(),
    )
    lines = loading.once(
        "review.lines", at, lambda: away.run(reviewing.question_lines, rows, bare(seen.recipe))
    )
    review = seen.recipe.review
    table: dict[str, list[str]] = {"Attempts": [], "Review": [], "Risks": [], "Question": []}
    decided = dict.fromkeys(review.accepted, Decision.ACCEPTED) | dict.fromkeys(
        review.rejected, Decision.REJECTED
    )
    for place in now.page:
        own, key = int(now.places[place]), now.key(place)
        table["Attempts"].append(_path(now.listed.truths(own)))
        note = " ✎" if key in review.notes else ""
        table["Review"].append(SIGNS[decided.get(key, Decision.NONE)] + note)
        table["Risks"].append(", ".join(risk.short for risk in Risk.of(int(now.listed.risks[own]))))
        table["Question"].append(first_line(lines.get(int(now.listed.question[own]), ""), SHORT))
    # The list follows the keys, so its selection is set before it is drawn.
    selected = {"rows": [now.at - now.page.start], "columns": [], "cells": []}
    st.session_state["review.list"] = {"selection": selected}
    st.dataframe(
        table,
        hide_index=True,
        height=500,
        row_height=LINES,
        key="review.list",
        on_select=_selected,
        selection_mode="single-row-required",
        alt="The traces to review: attempts, what was decided, risks, and the question",
        column_config={
            "Attempts": st.column_config.TextColumn(width=75),
            "Review": st.column_config.TextColumn(width=85),
            "Risks": st.column_config.TextColumn(width=100),
            # As wide as its texts otherwise, most of it beyond the list's edge.
            "Question": st.column_config.TextColumn(width=175),
        },
    )
    st.session_state["review.first"] = now.page.start


def _path(truths: Sequence[bool]) -> str:
    return " ".join(mark(right) for right in truths)


def _selected() -> None:
    rows = st.session_state["review.list"]["selection"]["rows"]
    if rows:
        st.session_state["review.at"] = st.session_state["review.first"] + rows[0]


def progress(seen: Evidence, now: Queue) -> str:
    """How far the review is, in words."""
    accepted, rejected = len(seen.recipe.review.accepted), len(seen.recipe.review.rejected)
    beyond = "" if now.listed.whole else f"; the list ends after {len(now.listed):,} traces"
    part = "" if seen.exact else " (from a sample, while the rest is being read)"
    if not accepted + rejected:
        return f"{many(len(now.listed), 'trace')} to review, none reviewed yet{part}"
    return f"{many(accepted + rejected, 'trace')} reviewed, {rejected:,} rejected{beyond}{part}"
