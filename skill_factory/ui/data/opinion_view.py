"""The answer on Data: is it ready, why or why not, the one next step with its price, and what each N would give."""

from html import escape
from pathlib import Path

import streamlit as st

from skill_factory.insight.doubts import Doubt
from skill_factory.insight.fitness import Fitness
from skill_factory.insight.opinion import Opinion, Ready, Reason, TradeOff, with_doubts
from skill_factory.insight.readiness import Light, Step
from skill_factory.ui.data import cause, reading_rules, report, rules
from skill_factory.ui.frame import loading, workspace
from skill_factory.wording import many, rounded, without_options

CSS = Path(__file__).with_name("data.css")
MOST_REASONS = 3
"""Reasons that are shown at once; the others are behind a click."""
_DRAFT = "_making_draft"
"""Where the form for making things keeps its prices: they are given once."""


def current(found: Fitness) -> Opinion:
    """The opinion of the chosen data, with what is doubtful in its reading."""
    seen = loading.inspection()
    return with_doubts(found.opinion, seen.doubts if seen else [])


def show(mine: Opinion, found: Fitness, exact: bool, telling: bool) -> None:
    """The cause to settle, if there is one; then reasons and next step beside what each N gives."""
    if mine.cause is not None:
        cause.show(mine.cause)
        if not mine.table:
            return
    left, right = st.columns([1, 1], gap="large")
    with left:
        reasons(mine, found)
        next_step(mine)
    with right, st.container(key="unsettled" if mine.cause else "tradeoffs"):
        if not telling:
            st.info(
                "The data is still being read. Which N suits it will be known when that is done.",
                icon=":material/hourglass_top:",
            )
            return
        trade_offs(mine.table, found.proposal.attempts)
        report.proposal(found.proposal, exact)


def answer(mine: Opinion) -> None:
    """One line, and the grade with its meaning."""
    st.html(CSS)
    st.html(
        f'<div class="sf-ready {mine.answer.value}"><span class="grade" '
        f'aria-hidden="true">{mine.grade}</span><p>{escape(mine.headline)}'
        f"<small>Grade {mine.grade}: {GRADES[mine.grade]}.</small></p></div>"
    )


GRADES = {
    "A": "nothing speaks against it",
    "B": "small things, none of which matters much",
    "C": "usable, with one serious weakness",
    "D": "usable, with several serious weaknesses",
    "E": "don't train on it yet",
}
"""What a grade means, in words."""


def reasons(mine: Opinion, found: Fitness) -> None:
    """What speaks against the data, then what speaks for it; the cause is said above."""
    told = [reason for reason in mine.reasons if mine.cause is None or reason.code != mine.cause.code]
    for reason in told[:MOST_REASONS]:
        _reason(reason, mine)
    if len(told) > MOST_REASONS:
        with st.expander(many(len(told) - MOST_REASONS, "more reason")):
            for reason in told[MOST_REASONS:]:
                _reason(reason, mine)
    for finding in found.findings:
        if finding.light is Light.GOOD:
            st.markdown(f":green[:material/check_circle:] {finding.headline}.")


def _reason(reason: Reason, mine: Opinion) -> None:
    st.markdown(f"{ICONS[reason.weight.value]} {workspace.sentence(reason.sentence)}")
    # What to do about the first reason stands under "Next".
    if reason != mine.reasons[0] and (doubt := _doubt_of(reason)):
        reading_rules.remedy(doubt)


def _doubt_of(reason: Reason) -> Doubt | None:
    """The doubt in the reading of the data that a reason tells of, if it is one."""
    seen = loading.inspection()
    return next((doubt for doubt in seen.doubts if doubt.code == reason.code), None) if seen else None


ICONS = {
    "stops": ":red[:material/cancel:]",
    "serious": ":orange[:material/error:]",
    "note": ":gray[:material/info:]",
}


def next_step(mine: Opinion) -> None:
    """What to do next, what it takes of a model, and the button for it."""
    if mine.cause is not None or not mine.reasons:
        return
    first = mine.reasons[0]
    todo = without_options(first.todo) or "Choose the traces."
    st.markdown(f"**Next:** {workspace.plain(todo)}")
    if (doubt := _doubt_of(first)) and doubt.changes:
        reading_rules.press(doubt, "next")
    if not mine.price.requests and first.step in (Step.NONE, Step.THINK_RULE, Step.QUESTION_RULE):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        prices = _prices()
        st.caption(mine.price.line(*prices), width="content")
        if mine.price.requests:
            _price_fields()
    with st.container(horizontal=True):
        rules.step(first.step, "next")


def _prices() -> tuple[float, float]:
    draft = st.session_state.setdefault(_DRAFT, {})
    return float(draft.get("price_in", 0.0)), float(draft.get("price_out", 0.0))


def _price_fields() -> None:
    with st.popover("Prices", type="tertiary", icon=":material/payments:"):
        st.caption(
            "Per million tokens, in any currency; used here and where answers and reflections are made."
        )
        for name, label in (("price_in", "Prompts"), ("price_out", "Answers")):
            key = f"opinion.{name}"
            st.session_state[key] = _prices()[name == "price_out"]
            st.number_input(label, 0.0, 1e4, step=0.1, key=key, on_change=_take_price, args=(name, key))


def _take_price(name: str, key: str) -> None:
    st.session_state.setdefault(_DRAFT, {})[name] = st.session_state[key]


def trade_offs(table: tuple[TradeOff, ...], proposed: int) -> None:
    """What each N gives, and which one is chosen and which proposed."""
    if not table:
        return
    chosen = workspace.value("traces.attempts")
    head = "".join(f"<th scope='col'>{name}</th>" for name in COLUMNS)
    body = "".join(_row(row, row.attempts == chosen, row.attempts == proposed) for row in table)
    st.html(
        f'<table class="sf-tradeoffs"><caption>What each maximum number of attempts (N) gives</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


COLUMNS = ("N", "Questions", "Traces", "A mistake corrected", "Tokens")


def _row(row: TradeOff, here: bool, proposed: bool) -> str:
    words = ", ".join(filter(None, ["chosen" if here else "", "proposed" if proposed else ""]))
    name = f"{row.attempts} <span class='proposed'>{words}</span>"
    cells = [name, *(f"{n:,}" for n in row[1:4]), f"≈ {rounded(row.tokens):,}"]
    return f"<tr{' class=here' if here else ''}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def incomplete(missing: list[str]) -> None:
    """The answer while a needed column is missing: which one."""
    st.html(CSS)
    said = " and ".join(missing)
    st.html(
        f'<div class="sf-ready {Ready.NOT_YET.value}"><span class="grade" aria-label="Grade E">E</span>'
        f"<p>{Ready.NOT_YET.words}: no column is known for {escape(said)}.</p></div>"
    )
