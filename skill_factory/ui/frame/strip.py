"""The strip below the navigation: what the recipe would give, live, each number linking to where it comes from."""

import time
from contextlib import suppress
from typing import NamedTuple

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.insight import tables
from skill_factory.insight.doubts import Doubt
from skill_factory.insight.opinion import cause_of
from skill_factory.recipe.model import Recipe
from skill_factory.ui.frame import loading, workspace
from skill_factory.ui.frame.mixed import which
from skill_factory.ui.frame.mixed.coming import coming
from skill_factory.ui.frame.steps import CHOOSE, DATA, LOOK
from skill_factory.wording import many, percent, rounded

SENT = 0.015
"""Seconds for sending what was drawn: the thread that sends it waits while this one computes."""
SHOWN = 8.0
"""Seconds for which a difference is drawn again; the page fades it a little earlier."""
NAMED = 3
"""Sources of a mixture whose shares are named."""


def show(together: bool = False) -> None:
    """
    Draw the strip, if any data is chosen; an error is shown on the page, not here.

    `together`: of several sources, what all of them give, on the page where all of them are built.
    """
    # A page that led on to another has left the place of its own strip behind.
    st.session_state.pop("strip.later", None)
    mine = workspace.current()
    if not mine.source:
        return
    try:
        if together and mine.mix is not None:
            all_sources()
        else:
            which.show()
            numbers(loading.evidence())
            doubtful()
        if not loading.narrow().whole:
            still_reading()
    except SkillFactoryError:
        st.page_link(DATA.target(), label="Check the data", icon=":material/error:")


def all_sources() -> None:
    """What comes of a mixture: its traces, and the share that each source has in them."""
    outcome = coming()
    if outcome is None:
        return
    sources = many(len(outcome.whole.parts), "source")
    st.page_link(DATA.target(), label=f"**{sources}**", help="What is mixed, and how much of each")
    if outcome.mixed is None or outcome.problem:
        st.page_link(DATA.target(), label="But they can't be mixed yet", icon=":material/help:")
        return
    _arrow()
    traces = many(outcome.mixed.traces, "trace")
    st.page_link(
        CHOOSE.target(), label=f"{outcome.hedge}**{traces}**", help="What a build of all sources would write"
    )
    shares = (
        f"**{percent(part.takes, outcome.mixed.traces)}** {workspace.plain(part.name)}"
        for part in outcome.mixed.parts[:NAMED]
    )
    more = len(outcome.mixed.parts) - NAMED
    rest = f" · {more:,} more" if more > 0 else ""
    st.page_link(
        DATA.target(), label=" · ".join(shares) + rest, help="The part of the traces that each gives"
    )


def _arrow() -> None:
    st.html('<span class="sf-to" aria-hidden="true">→</span>', width="content")


def doubtful() -> None:
    """What has to be settled before the numbers mean anything: the same cause as on Data; nothing where there is none."""
    recipe = workspace.current().recipe
    # What is doubtful in a reading follows from its columns and rules, not from how many attempts a trace has.
    at = (loading.identity(), recipe.columns, recipe.answers, recipe.verdicts)
    found = loading.once("cause", at, _cause)
    if found is not None:
        doubt, words = found
        st.page_link(
            DATA.target(),
            label=f"But {words}",
            icon=":material/help:",
            help=workspace.sentence(doubt.sentence),
        )


def _cause() -> tuple[Doubt, str] | None:
    seen = loading.inspection()
    return cause_of(seen.doubts) if seen is not None else None


def numbers(evidence: loading.Evidence) -> None:
    """The three or four numbers."""
    outlook, about = evidence.outlook, evidence.hedge
    # A sample's numbers are scaled and rounded: more digits would look like knowledge.
    scale = evidence.scale or 1.0
    questions, traces = (
        (outlook.questions, outlook.traces)
        if evidence.exact
        else (rounded(n * scale) for n in (outlook.questions, outlook.traces))
    )
    st.page_link(
        DATA.target(),
        label=f"{about}**{many(questions, 'question')}**",
        help="Questions that give at least one trace",
    )
    _arrow()
    hedge = about or ("" if outlook.exact else "up to ")
    st.page_link(
        CHOOSE.target(), label=f"{hedge}**{many(traces, 'trace')}**", help="What a build would write"
    )
    difference(evidence)
    if not outlook.traces:
        return
    known = evidence.exact and outlook.drawn and outlook.exact
    fixing = f"{'' if known else 'about '}**{percent(outlook.fixing)}** show a mistake corrected"
    st.page_link(
        LOOK.target(), label=fixing, help="Traces in which a wrong attempt is followed by a right ending"
    )
    time.sleep(SENT)
    # Measured on traces that are made for it, so it waits until the page has shown what a change does.
    st.session_state["strip.later"] = (st.container(width="content"), evidence)


def finish() -> None:
    """Draw what takes longest, after the page."""
    place, evidence = st.session_state.pop("strip.later", (None, None))
    if place is None:
        return
    with place, suppress(SkillFactoryError):
        too_long(evidence)


def difference(evidence: loading.Evidence) -> None:
    """What the last change of the recipe did to the number of traces; it fades by itself."""
    at, now = (loading.identity(), evidence.exact), evidence.recipe
    seen: _Seen | None = st.session_state.get("strip.seen")
    if seen is None or seen.at != at:
        seen = _Seen(at, now, evidence.outlook.traces)
    elif seen.recipe != now:
        change = evidence.outlook.traces - seen.traces
        seen = _Seen(at, now, evidence.outlook.traces, change, time.monotonic())
    st.session_state["strip.seen"] = seen
    if seen.change and time.monotonic() - seen.when < SHOWN:
        about = "" if evidence.exact else " in the sample"
        words = f"{'+' if seen.change > 0 else '−'}{many(abs(seen.change), 'trace')}{about}"
        st.html(f'<span class="sf-delta" role="status">{words}</span>', width="content")


class _Seen(NamedTuple):
    """The number of traces that the strip showed last, and how the change before it changed that number."""

    at: object
    recipe: Recipe
    traces: int
    change: int = 0
    when: float = 0.0


def too_long(evidence: loading.Evidence) -> None:
    """How many traces a trainer would cut; nothing if none was measured."""
    measured, limit = loading.typical(), workspace.cutoff(evidence.recipe)
    if not measured.counts["trace_chars"]:
        return
    over = tables.too_long(measured, limit, evidence.recipe.cutoff.chars_per_token)
    share = f"about **{percent(over)}**" if over else "**none**"
    st.page_link(
        LOOK.target(),
        label=f"{share} over {limit:,} tokens",
        help="Estimated from traces of the first rows. A trainer cuts longer traces at the end, where the answer is. "
        "The limit is the recipe's cut-off, or the one chosen under Train.",
    )


@st.fragment(run_every=1.0)
def still_reading() -> None:
    """Say that these numbers come from a sample, until the whole source is read."""
    state = loading.progress()
    if state.ready:
        st.rerun()
    if state.lost:
        loading.narrow()  # starts it again
    if state.error:
        st.caption(f":material/error: {workspace.plain(state.error)}")
        return
    part = f" · {percent(state.done, state.of)}" if state.of else ""
    st.caption(f":material/hourglass_top: From a sample; reading the rest{part}")
