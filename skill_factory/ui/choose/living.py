"""The living trace beside the controls: a question of the user's own data, put together again at each change."""

import random
from dataclasses import dataclass, field

import pyarrow as pa
import streamlit as st

from skill_factory.formats import format_of
from skill_factory.insight.living.html import living_html, stylesheet
from skill_factory.insight.living.moved import Moved, moved, sentence
from skill_factory.insight.living.question import Told, depends_on_others, longest
from skill_factory.insight.trace_parts import tokens_at
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe
from skill_factory.ui.choose.living_rows import changed_far_away, read_rows
from skill_factory.ui.frame import away, loading, shell, trace_view
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many
from skill_factory.work import looking
from skill_factory.work.wire import Shared

REMEMBERED = 12
"""What recipes made of questions, kept so that going back costs nothing."""
Kind = tuple[str, str, int]
"""Format, trace type and repeat: what names a trace of a question."""


@dataclass
class Living:
    """What the panel shows, kept in the session as long as the data stays the same."""

    data: object = None
    """What tells the data from others."""
    rows: pa.Table = None
    name: str = ""
    """The name of `rows` for a child that keeps them."""
    complete: bool = True
    """Whether every question in `rows` is there with all its rows."""
    question: int = 0
    pinned: int = 0
    picked: Kind | None = None
    """The trace that was picked by hand; without one, the longest."""
    now: Evidence | None = None
    before: Evidence | None = None
    """What was known under the recipe before the last change."""
    shown: Trace | None = None
    """The trace on the page."""
    was: Trace | None = None
    """The trace that was on the page before the last change."""
    told: dict[tuple[int, str], Told] = field(default_factory=dict)


def living_trace(seen: Evidence) -> None:
    """The panel: what the last change did to one trace, and the way to other questions."""
    mine = _state(seen)
    if not mine.question:
        st.info("No question of the first rows gives a trace yet.", icon=":material/info:")
        return
    told = _told(mine, seen.recipe, mine.question)
    mine.shown = _chosen(told, mine.picked, _added(mine))
    st.html(f"<style>{stylesheet()}</style>")
    trace_view.style()
    change = moved(mine.was if mine.before else mine.shown, mine.shown)
    with st.container(horizontal=True, vertical_alignment="center", key="living.head"):
        st.markdown(f"**{shell.plain(_heading(change, told, mine))}**", width="content")
        st.session_state["living.pin"] = mine.pinned == mine.question
        st.toggle(
            "Pin this question",
            key="living.pin",
            on_change=_pin,
            help="Keep it to come back to.",
            width="content",
        )
    _steps(mine, told)
    measure = tokens_at(seen.recipe.cutoff.chars_per_token)
    st.html(living_html(change, measure) or _nothing(told))
    _notes(mine, seen)


def _state(seen: Evidence) -> Living:
    mine: Living = st.session_state.setdefault("living", Living())
    # Other rules of reading, or all of the source instead of a sample, give other rows.
    at = (loading.identity(), seen.recipe.columns, seen.exact)
    if mine.data != at:
        pinned = mine.pinned if mine.data and mine.data[:2] == at[:2] else 0  # type: ignore[index]
        rows, complete = read_rows(seen)
        mine = Living(at, rows, f"living {at}", complete, pinned=pinned)
        mine.question = pinned or away.run(looking.first_to_show, _shared(mine), seen.recipe)
        st.session_state["living"] = mine
    if mine.now is None or mine.now.recipe != seen.recipe:
        # A page runs again for many reasons; only another recipe is a change to be shown.
        mine.was, mine.before, mine.now = mine.shown, mine.now, seen
    return mine


def _shared(mine: Living) -> Shared:
    return Shared(mine.name, mine.rows)


def _told(mine: Living, recipe: Recipe, question: int) -> Told:
    at = (question, recipe.fingerprint())
    if at not in mine.told:
        while len(mine.told) >= REMEMBERED:
            mine.told.pop(next(iter(mine.told)))
        mine.told[at] = away.run(looking.told, _shared(mine), recipe, question)
    return mine.told[at]


def _added(mine: Living) -> str:
    """The format that the last change added, whose trace is what one wants to see."""
    if mine.before is None or mine.now is None:
        return ""
    known = mine.before.recipe.traces.formats
    return next((code for code in mine.now.recipe.traces.formats if code not in known), "")


def _chosen(told: Told, picked: Kind | None, added: str) -> Trace | None:
    """The trace to show: the one picked, else the longest of the format just added, else the longest."""
    if not told.traces:
        return None
    same = [trace for trace in told.traces if kind_of(trace) == picked]
    new = [trace for trace in told.traces if trace.plan.format == added]
    return longest(same or new or told.traces)


def kind_of(trace: Trace) -> Kind:
    """What names a trace among those of its question."""
    return trace.plan.format, trace.plan.label, trace.plan.repeat


def _heading(change: Moved, told: Told, mine: Living) -> str:
    if change.after is None:
        return f"{sentence(change)} Why: {told.why or 'the recipe leaves it out'}."
    if mine.before is None:
        return "A trace of your own data. Move a control and see what it does."
    return sentence(change)


def _nothing(told: Told) -> str:
    return f'<div class="sf"><p>{told.kept} of {told.read} responses of this question can be used.</p></div>'


def _steps(mine: Living, told: Told) -> None:
    """Which trace of the question, and which question."""
    with st.container(horizontal=True, vertical_alignment="center", key="living.steps"):
        _kinds(mine, told)
        st.button(
            "Show me one where this matters",
            icon=":material/search:",
            key="living.matters",
            on_click=_find,
            disabled=mine.before is None,
            help="A question whose traces the last change changes."
            if mine.before
            else "Change something first.",
        )
        st.button(
            "Another", icon=":material/casino:", key="living.other", on_click=_other, help="Another question"
        )
        if mine.pinned and mine.pinned != mine.question:
            st.button("Back to the pinned one", icon=":material/keep:", key="living.back", on_click=_back)


def _kinds(mine: Living, told: Told) -> None:
    if len(told.traces) > 1:
        kinds = {kind_of(trace): _kind_words(trace, told) for trace in told.traces}
        st.session_state["living.kind"] = kind_of(mine.shown) if mine.shown else None
        st.segmented_control(
            f"This question gives {many(len(told.traces), 'trace')}",
            list(kinds),
            format_func=kinds.__getitem__,
            key="living.kind",
            help="A row is named by its trace type: 3C has three attempts, the last one right.",
            required=True,
            on_change=_pick,
        )


def _kind_words(trace: Trace, told: Told) -> str:
    alike = [one for one in told.traces if one.plan.label == trace.plan.label]
    more = [] if len({one.plan.format for one in alike}) < 2 else [format_of(trace.plan.format).code]
    more += [f"repeat {trace.plan.repeat + 1}"] if any(one.plan.repeat for one in told.traces) else []
    return " · ".join([trace.plan.label, *more])


def _notes(mine: Living, seen: Evidence) -> None:
    if said := st.session_state.pop("living.said", ""):
        st.caption(f":material/info: {said}")
    if depends_on_others(seen.recipe):
        st.caption("Limits for the whole dataset aren't applied to a single question.")
    if not mine.complete:
        st.caption("From the first rows; some responses of this question may stand further down.")


# -- callbacks -----------------------------------------------------------------------------------------------------


def _show(mine: Living, question: int, changed: Recipe | None = None) -> None:
    """Show another question, with what the last change did to it; if the recipe is given, a trace that it changed."""
    mine.question, mine.picked = question, None
    if mine.before is None:
        return
    before = _told(mine, mine.before.recipe, question)
    if changed is not None:
        same = {trace.digest for trace in before.traces}
        other = [one for one in _told(mine, changed, question).traces if one.digest not in same]
        mine.picked = kind_of(longest(other)) if other else None
    mine.was = _chosen(before, mine.picked, "")


def _pick() -> None:
    mine: Living = st.session_state["living"]
    mine.picked = st.session_state["living.kind"]
    if mine.before is not None:
        before = _told(mine, mine.before.recipe, mine.question)
        mine.was = next((one for one in before.traces if kind_of(one) == mine.picked), None)


def _pin() -> None:
    mine: Living = st.session_state["living"]
    mine.pinned = mine.question if st.session_state["living.pin"] else 0


def _back() -> None:
    mine: Living = st.session_state["living"]
    _show(mine, mine.pinned)


def _other() -> None:
    mine: Living = st.session_state["living"]
    if mine.now is None:
        return
    others = [
        one for one in away.run(looking.questions_in, _shared(mine), mine.now.recipe) if one != mine.question
    ]
    if others:
        # Which question is shown is part of no result, so it needs no key.
        _show(mine, random.Random().choice(others))


def _find() -> None:
    """Go to the next question that the last change changes: among the rows at hand, else anywhere in the data."""
    mine: Living = st.session_state["living"]
    if mine.before is None or mine.now is None:
        return
    before, now = mine.before, mine.now
    found = away.run(looking.changed_questions, _shared(mine), before.recipe, now.recipe)
    if not found:
        rows, found = changed_far_away(before, now)
        if found:
            mine.rows = pa.concat_tables([mine.rows, rows])
            # Another name, since a child keeps tables by it and would answer from the smaller one.
            mine.name = f"{mine.name} {found[0]}"
    if not found:
        st.session_state["living.said"] = "The last change changes no trace of the questions looked at."
        return
    # Pressed again, it leads to the next one, and at the end to the first.
    after = found.index(mine.question) + 1 if mine.question in found else 0
    _show(mine, found[after % len(found)], now.recipe)
