"""The sources of a mixture on Data: how much each gives, what comes of it, and which one the page shows."""

from typing import Any

import streamlit as st

from skill_factory.insight.mixed import Coming, Mixed
from skill_factory.ui.frame import workspace
from skill_factory.ui.frame.mixed import mixing
from skill_factory.ui.frame.mixed.coming import Outcome, coming
from skill_factory.ui.frame.mixed.parts import By, Mix
from skill_factory.wording import many, percent

WAYS = {By.WEIGHT: "In shares", By.COUNT: "In numbers of traces"}
WIDTHS = (3, 2, 4, 2)


def show() -> None:
    """The list, where there are several sources."""
    outcome = coming()
    if outcome is None:
        return
    with st.container(border=True, key="sources"):
        st.subheader(f"{len(outcome.whole.parts)} sources, mixed")
        _way(outcome)
        faults = dict(outcome.faults)
        for place in range(len(outcome.whole.parts)):
            _source(outcome, place, faults.get(place, ""))
        _sum(outcome)


def _way(outcome: Outcome) -> None:
    st.session_state["sources.by"] = outcome.whole.by
    st.segmented_control(
        "How much does each give?",
        list(WAYS),
        format_func=WAYS.__getitem__,
        required=True,
        key="sources.by",
        on_change=_take_way,
        args=(_amounts(outcome),),
        help="Shares: the traces of a source as a part of all. Numbers: exactly so many traces of each.",
    )


def _amounts(outcome: Outcome) -> list[float]:
    """What each source gives now, with which the other way to say it begins."""
    if outcome.mixed is None:
        return [1.0] * len(outcome.whole.parts)
    return [float(max(1, part.takes - part.short)) for part in outcome.mixed.parts]


def _take_way(amounts: list[float]) -> None:
    mixing.say_by(st.session_state["sources.by"], amounts)


def _source(outcome: Outcome, place: int, fault: str) -> None:
    """One line: its name, how much, what comes of it, and the way to it."""
    whole = outcome.whole
    name, amount, comes, ways = st.columns(WIDTHS, vertical_alignment="center")
    with name:
        _name(whole, place)
    with amount:
        _amount(whole, place)
    with comes:
        if fault:
            st.markdown(f":orange[:material/warning:] {workspace.plain(fault)}")
        elif outcome.mixed is not None:
            st.markdown(_line(outcome.mixed.parts[place], outcome.mixed, outcome.hedge))
    with ways, st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        shown = place == whole.at
        st.button(
            "Shown" if shown else "Show",
            key=f"sources.show.{place}",
            disabled=shown,
            on_click=mixing.show,
            args=(place,),
            help="Show this source below and on the other pages, with its columns, its rules and its recipe.",
        )
        st.button(
            "Take out",
            key=f"sources.out.{place}",
            type="tertiary",
            icon=":material/close:",
            on_click=mixing.take_out,
            args=(place,),
        )


def _name(whole: Mix, place: int) -> None:
    key = f"sources.name.{place}"
    st.session_state[key] = whole.parts[place].name
    st.text_input("Name", key=key, max_chars=60, on_change=_take_name, args=(place, key))


def _take_name(place: int, key: str) -> None:
    mixing.rename(place, st.session_state.get(key, ""))


def _amount(whole: Mix, place: int) -> None:
    key, value = f"sources.amount.{place}", whole.parts[place].amount
    told: dict[str, Any] = {"key": key, "on_change": _take_amount, "args": (place, key)}
    if whole.by is By.COUNT:
        st.session_state[key] = max(1, int(value))
        st.number_input("Traces", 1, 10**9, step=1, **told)
    else:
        st.session_state[key] = float(value)
        st.number_input("Weight", 0.01, 1e9, step=1.0, format="%g", help=_WEIGHT, **told)


_WEIGHT = "Its share next to the others: with weights 7 and 3 it is 70 % and 30 % of the traces."


def _take_amount(place: int, key: str) -> None:
    if key in st.session_state:
        mixing.change(place, amount=float(st.session_state[key]))


def _line(part: Coming, mixed: Mixed, about: str) -> str:
    """What a source gives: "350 traces, 70 %, of about 1,200"."""
    share = percent(part.takes / mixed.traces) if mixed.traces else percent(part.share)
    line = f"**{many(part.takes, 'trace')}** · {share} · it could give {about}{part.offer.traces:,}"
    if part.offer.elsewhere:
        line += f"  \n:small[{many(part.offer.elsewhere, 'question')} belong to an earlier source]"
    if part.short:
        line += f"  \n:orange[:material/warning: {about}{part.short:,} too few]"
    return line


def _sum(outcome: Outcome) -> None:
    mixed, whole = outcome.mixed, outcome.whole
    if whole.by is By.WEIGHT:
        st.session_state["sources.total"] = whole.total
        st.number_input(
            "Traces in all (0: as many as the sources allow)",
            0,
            10**9,
            step=100,
            key="sources.total",
            on_change=_take_total,
            width=360,
        )
    if outcome.problem:
        st.warning(workspace.plain(outcome.problem), icon=":material/info:")
    elif mixed is not None:
        st.markdown(f"**{outcome.hedge}{many(mixed.traces, 'trace')} in all.**")
    st.caption(
        "Below and on the other pages you see one source at a time, each with its own columns, rules and recipe. No trace is "
        "used twice, and a question that several sources have belongs to the first."
    )


def _take_total() -> None:
    mixing.say_total(int(st.session_state["sources.total"]))
