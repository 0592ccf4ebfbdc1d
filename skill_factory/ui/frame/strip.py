"""The strip under the navigation: what the recipe would give, live, each number linking to where it comes from."""

import time

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.insight import tables
from skill_factory.ui.frame import loading, workspace
from skill_factory.ui.frame.steps import CHOOSE, DATA, LOOK
from skill_factory.wording import many, percent, rounded

SENT = 0.015
"""Seconds in which what was drawn is sent; a thread that goes on computing keeps the one that sends from its work."""


def show() -> None:
    """Draw the strip, if there are data to speak of; an error shows on the page, not here."""
    if not workspace.current().source:
        return
    try:
        found = loading.evidence()
        numbers(found)
        if not found.exact:
            still_reading()
    except SkillFactoryError:
        st.page_link(DATA.target(), label="The data need a look", icon=":material/error:")


def numbers(found: loading.Evidence) -> None:
    """The three or four numbers."""
    see, about = found.outlook, "" if found.exact else "about "
    scale = found.scale or 1.0
    questions, traces = (
        (see.questions, see.traces)
        if found.exact
        else (rounded(n * scale) for n in (see.questions, see.traces))
    )
    st.page_link(
        DATA.target(), label=f"{about}**{many(questions, 'question')}**", help="Questions that give a trace"
    )
    st.html('<span class="sf-to" aria-hidden="true">→</span>', width="content")
    hedge = about or ("" if see.exact else "up to ")
    st.page_link(
        CHOOSE.target(), label=f"{hedge}**{many(traces, 'trace')}**", help="What a build would write"
    )
    if not see.traces:
        return
    known = found.exact and see.drawn and see.exact
    fixing = f"{'' if known else 'about '}**{percent(see.fixing)}** show a mistake corrected"
    st.page_link(
        LOOK.target(), label=fixing, help="Traces in which a wrong attempt is followed by a right end"
    )
    time.sleep(SENT)
    too_long(found)


def too_long(found: loading.Evidence) -> None:
    """How many a trainer would cut; nothing where no trace was measured."""
    measured, limit = loading.typical(), workspace.cutoff(found.recipe)
    if not measured.counts["trace_chars"]:
        return
    over = tables.too_long(measured, limit, found.recipe.cutoff.chars_per_token)
    share = f"about **{percent(over)}**" if over else "**none**"
    st.page_link(
        LOOK.target(), label=f"{share} over {limit:,} tokens",
        help="Estimated from traces of the first rows; a trainer cuts what is longer, and the answer stands last. "
        "The limit is the recipe's cut-off, or the one chosen under Train.",
    )  # fmt: skip


@st.fragment(run_every=1.0)
def still_reading() -> None:
    """Say that these are a sample's numbers, until all of the source is read."""
    state = loading.progress()
    if state.ready:
        st.rerun()
    if state.lost:
        loading.narrow()  # starts it again
    if state.error:
        st.caption(f":material/error: {workspace.plain(state.error)}")
        return
    part = f" · {percent(state.done, state.of)}" if state.of else ""
    st.caption(f":material/hourglass_top: from a sample; reading all of it{part}")
