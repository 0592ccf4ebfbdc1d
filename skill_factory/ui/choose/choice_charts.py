"""The charts to decide by: how many questions are left, what is dropped, right and wrong, reflections."""

from collections.abc import Callable, Mapping

import streamlit as st

from skill_factory.insight import charts, sentences, tables
from skill_factory.insight.reflection_quality import more_reflections_table, reflections_table
from skill_factory.judge.counting import tally_judgement
from skill_factory.reasons import Level, sentence
from skill_factory.tally import LevelTally, total
from skill_factory.ui.choose.living import living_trace
from skill_factory.ui.frame import controls, loading, shell, workspace
from skill_factory.ui.frame.chart_answer import answer
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many


def ledger_of(seen: Evidence) -> Mapping[Level, LevelTally]:
    """Rows, responses, reflections and questions under the recipe: kept, or dropped by reason."""
    at = (loading.key(), seen.exact, seen.recipe.fingerprint())
    judged = loading.once(
        "ledger",
        at,
        lambda: total([seen.narrow.rows, tally_judgement(seen.narrow.facts, seen.judgement, seen.recipe)]),
    )
    return judged.ledger


COUNTED = {"questions": "Questions", "traces": "Traces", "corrected": "Corrected mistakes"}


def yield_section(seen: Evidence) -> None:
    """How much each format could give at each N: questions, traces, or traces that correct a mistake."""
    of: str = st.segmented_control(
        "What is counted",
        list(COUNTED),
        format_func=COUNTED.__getitem__,
        default="questions",
        required=True,
        label_visibility="collapsed",
        key="chart.yield.of",
        persist_state="session",
    )
    if of == "questions":
        table = tables.yield_table(seen.judgement, seen.recipe)
        finding = sentences.yield_finding(table, seen.recipe)
    else:
        table = tables.gains_table(seen.judgement, seen.recipe)
        finding = sentences.gain_finding(table, seen.recipe, of)
    # One row for each format reads better than one for each format and N.
    wide = table.pivot(index="format", columns="attempts", values=of).reset_index()
    wide.columns = [str(name) if name == "format" else f"N = {name}" for name in wide.columns]
    name = {"questions": "usable questions", "traces": "traces", "corrected": "corrected mistakes"}[of]
    answer(charts.yield_chart(table, seen.recipe, of), finding, wide, "chart.yield", name)


def drops_section(seen: Evidence) -> None:
    """What each level loses, and why; a click leads to the dropped texts."""
    ledger = ledger_of(seen)
    table = tables.drops_table(ledger)
    shown = table[["level", "why", "count", "share"]]
    event = answer(
        charts.drops_chart(table),
        sentences.drops_finding(ledger),
        shown,
        "chart.drops",
        "kept and dropped",
        on_select="rerun",
        selection_mode=charts.DROP_SELECTION,
    )
    picked = [bar for bar in (event or {}).get("selection", {}).get(charts.DROP_SELECTION, []) if bar]
    if picked and picked[0]["reason"] != "kept":
        _dropped(picked[0]["level"], picked[0]["reason"], ledger)
    else:
        st.caption("Click a bar to read what was dropped.")


def _dropped(level: str, reason: str, ledger: Mapping[Level, LevelTally]) -> None:
    n = ledger[Level(level)].dropped[reason]
    noun = many(n, level.removesuffix("s"))
    st.markdown(f"{noun} dropped: {sentence(level, reason)}.")
    if level not in (Level.RESPONSES, Level.REFLECTIONS, Level.QUESTIONS):
        return
    if st.button("Read them on Look", icon=shell.LOOK.icon, key="drops.read"):
        st.session_state["look.dropped"] = (level, reason)
        st.switch_page(shell.LOOK.target())


def balance_section(seen: Evidence) -> None:
    """How hard the questions are; a brush sets the window."""
    table = tables.balance_table(seen.judgement, seen.recipe)
    shown = table[["label", "questions", "inside"]].rename(columns={"label": "responses", "inside": "used"})
    answer(
        charts.balance_chart(table),
        sentences.balance_finding(table),
        shown,
        "chart.balance",
        "questions by share of right responses",
        on_select=_brushed,
        selection_mode=charts.WINDOW_SELECTION,
    )
    low, high = seen.recipe.balance.pass_rate
    if (low, high) != (0.0, 1.0):
        st.caption(f"Used: questions with {low:.0%} to {high:.0%} right responses.")
        st.button("Use all questions again", on_click=_whole_window, key="window.whole")
    else:
        st.caption("Drag across the chart to use only questions of a certain difficulty.")
    labels = tables.labels_table(seen.narrow.facts)
    answer(
        charts.labels_chart(labels),
        sentences.labels_finding(labels),
        labels,
        "chart.labels",
        "right and wrong by prompt variant",
    )


def _brushed() -> None:
    ends = (
        st.session_state["chart.balance"].get("selection", {}).get(charts.WINDOW_SELECTION, {}).get("start")
    )
    if ends:
        workspace.change({"balance.pass_rate": tables.window_of(*sorted(ends))})


def _whole_window() -> None:
    workspace.change({"balance.pass_rate": (0.0, 1.0)})


def reflections_section(seen: Evidence) -> None:
    """Which responses the reflections keep, and how many more of them would help."""
    facts = seen.narrow.facts
    # A chart of nothing would leave a visitor without a next step.
    if not len(facts.reflection_id):
        st.markdown("**This data has no reflections, so only traces without reflections can be made.**")
        shell.go(shell.DATA, "See what you can do on Data")
        return
    table = reflections_table(facts, seen.judgement)
    answer(
        charts.reflections_chart(table),
        sentences.reflections_finding(table),
        table,
        "chart.reflections",
        "responses that reflections keep",
    )
    _given_away(seen)
    more = more_reflections_table(facts, seen.judgement)
    st.markdown(shell.plain(sentences.more_reflections_finding(more)))
    with st.expander("Show table: what more reflections would bring back", icon=":material/table:"):
        st.dataframe(
            more,
            hide_index=True,
            alt="Responses that more reflections would bring back, estimated",
            key="more.table",
        )
        st.caption(
            "An estimate: it assumes that some responses are harder to judge than others, as much as in this data."
        )


def _given_away(seen: Evidence) -> None:
    """How many reflections on wrong responses state the gold answer, and what becomes of them; nothing where none does."""
    facts = seen.narrow.facts
    on_wrong = ~facts.response_correct[facts.reflection_response]
    given = int(facts.reflection_gives_away.sum())
    # Cut ones give nothing away any more, and the choice has to stay where it was made.
    if not given and workspace.value("filters.given_away") == "keep":
        return
    st.markdown(shell.plain(sentences.given_away_finding(given, int(on_wrong.sum()))))
    controls.one_of(
        "filters.given_away",
        {"keep": "keep them", "cut": "cut them after their verdict", "drop": "drop them"},
        "After such a reflection on a wrong response, a trace can copy the answer instead of trying again.",
    )


LIVING = "A living trace"
SECTIONS: dict[str, Callable[[Evidence], None]] = {
    LIVING: living_trace,
    "Yield": yield_section,
    "Dropped": drops_section,
    "Right and wrong": balance_section,
    "Reflections": reflections_section,
}


def choose_section() -> str:
    """The choice between the living trace and the charts behind it: one at a time, so that it stays in view."""
    chosen: str = st.segmented_control(
        "What the choice does",
        list(SECTIONS),
        default=LIVING,
        required=True,
        label_visibility="collapsed",
        key="choose.section",
        persist_state="session",
    )
    return chosen
