"""The report: four lights with their numbers and the next thing to do, what is possible, and the proposed N."""

import streamlit as st

from skill_factory.formats import FORMATS
from skill_factory.insight.fitness import Fitness
from skill_factory.insight.proposal import Proposal
from skill_factory.insight.readiness import Finding, Light
from skill_factory.reasons import Level, sentence
from skill_factory.tally import Tally
from skill_factory.ui.data import rules
from skill_factory.ui.frame import loading, workspace
from skill_factory.wording import many, percent

ICONS = {
    Light.GOOD: ":green[:material/check_circle:]",
    Light.CARE: ":orange[:material/error:]",
    Light.MISSING: ":red[:material/cancel:]",
}
SAID = {Light.GOOD: "ready", Light.CARE: "usable with losses", Light.MISSING: "missing"}


def found() -> Fitness:
    """The report on the chosen data."""
    return loading.fit(loading.evidence())


def show(report: Fitness) -> None:
    """Four cards, in two rows of two."""
    for pair in (report.findings[:2], report.findings[2:]):
        for place, finding in zip(st.columns(2), pair, strict=True):
            with place.container(
                border=True, height="stretch", gap="xsmall", key=f"light.{finding.topic.lower()}"
            ):
                card(finding)


def card(finding: Finding) -> None:
    """One light."""
    st.markdown(f"{ICONS[finding.light]} **{finding.topic}** · {SAID[finding.light]}")
    st.markdown(finding.headline + ".")
    st.caption(finding.meaning)
    if finding.todo and finding.light is not Light.GOOD:
        st.markdown(f":material/arrow_forward: {finding.todo}")
    with st.container(horizontal=True):
        with st.popover(f"Numbers: {finding.topic.lower()}", type="tertiary"):
            st.table(
                {"What": [what for what, _ in finding.numbers], "How many": [n for _, n in finding.numbers]},
                hide_index=True,
            )
        rules.step(finding.step, finding.topic.lower() if finding.light is not Light.GOOD else "")


def proposal(proposed: Proposal, exact: bool) -> None:
    """The number of attempts that suits the data, why, and a button if the recipe has another one."""
    if not proposed.attempts:
        st.error(proposed.reason, icon=":material/block:")
        return
    about = "" if exact else " (from a sample)"
    mine = {path: workspace.value(path) for path in proposed.changes}
    verb = "suits" if mine == dict(proposed.changes) else "would suit"
    st.markdown(f"{_attempts(proposed)} {verb} this data{about}: {proposed.reason}")
    if verb == "would suit":
        st.button(
            f"Use N = {proposed.attempts}",
            key="use.proposal",
            icon=":material/lightbulb:",
            on_click=workspace.apply,
            args=(dict(proposed.changes),),
        )


def _attempts(proposed: Proposal) -> str:
    return f"**N = {proposed.attempts}**, the maximum number of attempts in a trace,"


def possible(report: Fitness) -> None:
    """Which formats the data can give, by name."""
    n = max(1, report.proposal.attempts)
    with st.expander(f"What is possible at N = {n}"):
        rows = [
            (FORMATS[code].name, FORMATS[code].shows, questions)
            for code, questions in report.possible.items()
        ]
        st.dataframe(
            {
                "Format": [r[0] for r in rows],
                "Shows": [r[1] for r in rows],
                "Questions": [r[2] for r in rows],
            },
            hide_index=True,
            alt="Formats and the number of questions that can give a trace of each",
        )


def rows_dropped(rows: Tally) -> None:
    """Rows that can't be read: how many, why, and what they contain."""
    ledger = rows.ledger[Level.ROWS]
    dropped = ledger.dropped.total()
    if not dropped:
        return
    with st.expander(
        f"{many(dropped, 'row')} of {ledger.read:,} ({percent(dropped, ledger.read)}) can't be read",
        icon=":material/report:",
    ):
        for reason, number in ledger.dropped.most_common():
            st.markdown(f"**{many(number, 'row')}**: {sentence(Level.ROWS, reason)}")
            for example in rows.examples.get(reason, []):
                st.text(example)
