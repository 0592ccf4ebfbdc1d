"""Labels in doubt by everything that speaks about them: our grade, other answers, reflections; a person decides."""

import streamlit as st

from skill_factory.asked import asked
from skill_factory.errors import ColumnError
from skill_factory.grading.doubts import Doubt
from skill_factory.insight.trace_parts import mark, truth_word
from skill_factory.sources.columns import excerpt
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.first_rows import LOOKED_AT, SIGNS, mapped_columns
from skill_factory.wording import many
from skill_factory.work import looking

SHOWN = 100


def label_queue() -> None:
    """The most doubtful labels of the first rows, and a decision to make about each."""
    recipe = workspace.current().recipe
    at = (loading.key(), str(recipe.columns), str(recipe.verdicts))
    try:
        with st.spinner("Grading the first rows …", show_time=True):
            found = loading.once("look.label_queue", at, _doubtful)
    except ColumnError as error:
        st.warning(workspace.plain(str(error)), icon=":material/view_column:")
        return
    undecided = [doubt for doubt in found if doubt.response.key not in recipe.labels.corrections]
    _decided(len(recipe.labels.corrections))
    if not undecided:
        st.info(f"No label of the first {LOOKED_AT} rows is in doubt.", icon=":material/check:")
        return
    _queue(undecided)


def _doubtful() -> list[Doubt]:
    verdicts = workspace.current().recipe.verdicts
    return away.run(looking.doubted_labels, loading.source(), mapped_columns(), verdicts, LOOKED_AT)


def _queue(doubtful: list[Doubt]) -> None:
    first = doubtful[:SHOWN]
    st.markdown(
        f"**{many(len(doubtful), 'label')} in doubt among the first {LOOKED_AT} rows, the most doubtful first**"
    )
    picked = st.dataframe(
        {
            "Label": [f"{mark(doubt.response.label)} {truth_word(doubt.response.label)}" for doubt in first],
            "Our grade": [SIGNS[doubt.response.grade] for doubt in first],
            "Same answer, other label": [f"{doubt.against} of {doubt.twins}" for doubt in first],
            "Reflections against it": [f"{_against(doubt)} of {_verdicts(doubt)}" for doubt in first],
            "Final answer": [excerpt(doubt.response.answer or "(none)", 60) for doubt in first],
            "Row": [doubt.response.row + 1 for doubt in first],
        },
        hide_index=True,
        height=285,
        key="look.label_queue",
        on_select="rerun",
        selection_mode="single-row-required",
        alt="Labels in doubt: label, our grade, other answers, reflections, final answer, row",
    )
    place = (picked.get("selection", {}).get("rows") or [0])[0]
    chosen = first[min(place, len(first) - 1)]
    st.text(asked(chosen.response.question).transcript)
    with st.container(horizontal=True):
        st.button(
            f"Correct the label to {truth_word(chosen.proposed)}",
            icon=":material/edit:",
            key="look.correct",
            on_click=decide,
            args=(chosen.response.key, chosen.proposed),
        )
        st.button(
            f"Keep the label {truth_word(chosen.response.label)}",
            icon=":material/check:",
            key="look.keep",
            on_click=decide,
            args=(chosen.response.key, chosen.response.label),
        )


def _against(doubt: Doubt) -> int:
    return doubt.response.said_wrong if doubt.response.label else doubt.response.said_right


def _verdicts(doubt: Doubt) -> int:
    return doubt.response.said_right + doubt.response.said_wrong


def decide(key: str, right: bool) -> None:
    """Keep a person's decision in the recipe, so that every build of it follows the decision."""
    workspace.change({"labels.corrections": {**workspace.value("labels.corrections"), key: right}})


def _decided(number: int) -> None:
    if number:
        with st.container(horizontal=True):
            st.caption(f"{many(number, 'label')} decided by you; the recipe keeps the decisions.")
            st.button("Undo these decisions", icon=":material/undo:", key="look.undecide", on_click=take_back)


def take_back() -> None:
    """Forget every decision about a label."""
    workspace.change({"labels.corrections": {}})
