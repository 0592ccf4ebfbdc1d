"""Grading, in its panel: which task, a sample of its decisions to confirm, then all responses."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from skill_factory.asked import question_in
from skill_factory.grading import TASKS, Decision
from skill_factory.grading.labelling import LabelReport
from skill_factory.sources.columns import excerpt
from skill_factory.ui.data import mapping
from skill_factory.ui.data.making_form import first
from skill_factory.ui.data.making_run import refused
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.buttons.command_line import same_command, typed
from skill_factory.ui.frame.first_rows import LOOKED_AT, SIGNS, mapped_columns
from skill_factory.wording import many, percent
from skill_factory.work import looking
from skill_factory.work.making_asked import Asked, Stage, What

SHOWN = 5
FINALS = {
    "auto": "in <answer> tags if a response has them, else what it states",
    "tags": "in <answer> tags",
    "stated": "what the text states: a box, ####, “Answer: …”",
    "column": "in the column “Final answer”",
}
FIELDS = ("question", "response", "answer")


def settings(base: dict[str, Any], before: Asked | None, running: bool) -> Asked:
    """The task, where final answers stand, and the columns that are compared."""
    given = before or Asked(What.GRADE, base["source"], base["label"])
    task = st.radio(
        "How are answers compared?",
        list(TASKS),
        list(TASKS).index(first("grading.task", given.task)),
        format_func=lambda name: TASKS[name].label,
        captions=[workspace.plain(task.about) for task in TASKS.values()],
        key="grading.task",
        disabled=running,
    )
    columns = base["columns"]
    if base["source"] == workspace.current().source:
        missing = any(not workspace.value(f"columns.{name}") for name in FIELDS)
        with st.expander("Columns and final answers", icon=":material/view_column:", expanded=missing):
            mapping.pickers(FIELDS)
            final = _final(given, running)
        columns = mapped_columns()
    else:
        final = given.final
    return Asked(What.GRADE, base["source"], base["label"], columns, base["part"], task, final)


def _final(given: Asked, running: bool) -> str:
    return st.selectbox(
        "Final answers are",
        list(FINALS),
        list(FINALS).index(first("grading.final", given.final)),
        format_func=FINALS.__getitem__,
        key="grading.final",
        disabled=running,
    )


def sample(asked: Asked, run: Callable[[Asked, Stage], None]) -> None:
    """Decisions on the first rows, and the button for all. Errors: ColumnError, SourceError."""
    refused()
    if asked.source != workspace.current().source:
        st.markdown("Go back to the report to see a sample of the decisions.")
        return
    at = (asked.source, asked.task, asked.final, str(asked.columns))
    with st.spinner("Grading the first rows …", show_time=True):
        report = loading.once("graded", at, lambda: _graded(asked))
    _numbers(report)
    st.markdown("**Are these decisions right?** Some of each kind, from the first rows:")
    _decisions(report)
    sure = report.decided[Decision.RIGHT] + report.decided[Decision.WRONG]
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(
            "Yes, grade all responses",
            type="primary",
            icon=":material/checklist:",
            key="making.run.grade",
            disabled=not sure,
        ):
            run(asked, Stage.GRADE)
    _command(asked)


def _graded(asked: Asked) -> LabelReport:
    return away.run(
        looking.graded,
        loading.source(),
        asked.task,
        asked.final,
        dict(asked.columns),
        LOOKED_AT,
        SHOWN,
    )


def _numbers(report: LabelReport) -> None:
    metrics = [(SIGNS[kind], f"{report.decided[kind]:,}") for kind in Decision]
    if report.compared:
        metrics.append(("Same as the label", percent(report.agreed, report.compared)))
    for place, (name, number) in zip(st.columns(4), metrics, strict=False):
        place.metric(name, number, border=True)
    if report.no_answer:
        meaning = "so they count as wrong" if report.final == "tags" else "so they aren't judged"
        st.caption(
            f"{report.no_answer:,} of {many(report.responses, 'response')} have no final answer, {meaning}."
        )
    if not report.decided[Decision.RIGHT] and report.responses:
        st.warning(
            "None is right. Try another way to compare, or another place for the final answer.",
            icon=":material/info:",
        )


def _decisions(report: LabelReport) -> None:
    rows = [graded for kind in Decision for graded in report.samples.get(kind, [])]
    st.dataframe(
        {
            "Decision": [SIGNS[graded.decision] for graded in rows],
            "Final answer": [
                "(none)" if graded.answer is None else excerpt(graded.answer, 80) for graded in rows
            ],
            "Gold answer": [excerpt(graded.gold, 80) or "(none)" for graded in rows],
            "Row": [graded.row + 1 for graded in rows],
            "Question": [excerpt(question_in(graded.read.question), 120) for graded in rows],
        },
        hide_index=True,
        height=282,
        alt="Decisions of each kind: final answer, gold answer, row",
        key="grading.sample",
    )


def _command(asked: Asked) -> None:
    same_command(f"grade {typed(asked.source)} --task {asked.task} --out graded.parquet")
