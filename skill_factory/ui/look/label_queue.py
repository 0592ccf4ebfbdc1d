"""Labels in doubt by all witnesses: our grade, the question's other answers and the critiques; a person decides."""

import streamlit as st

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
    """The most doubtful labels of the first rows, and a decision for each."""
    recipe = workspace.current().recipe
    at = (loading.key(), str(recipe.columns), str(recipe.verdicts))
    try:
        with st.spinner("Grading the first rows …", show_time=True):
            found = loading.once("look.label_queue", at, _found)
    except ColumnError as error:
        st.warning(workspace.plain(str(error)), icon=":material/view_column:")
        return
    open_ones = [one for one in found if one.response.key not in recipe.labels.corrections]
    _decided(len(recipe.labels.corrections))
    if not open_ones:
        st.info(f"No label of the first {LOOKED_AT} rows is in doubt.", icon=":material/check:")
        return
    _queue(open_ones)


def _found() -> list[Doubt]:
    verdicts = workspace.current().recipe.verdicts
    return away.run(looking.doubted_labels, loading.source(), mapped_columns(), verdicts, LOOKED_AT)


def _queue(found: list[Doubt]) -> None:
    first = found[:SHOWN]
    st.markdown(
        f"**{many(len(found), 'label')} in doubt among the first {LOOKED_AT} rows, the most doubtful first**"
    )
    picked = st.dataframe(
        {
            "Label": [f"{mark(one.response.label)} {truth_word(one.response.label)}" for one in first],
            "Our grade": [SIGNS[one.response.grade] for one in first],
            "Same answer, other label": [f"{one.against} of {one.twins}" for one in first],
            "Critiques against it": [f"{_against(one)} of {one.response.said_right + one.response.said_wrong}" for one in first],
            "Final answer": [excerpt(one.response.answer or "(none)", 60) for one in first],
            "Row": [one.response.row + 1 for one in first],
        },
        hide_index=True, height=285, key="look.label_queue", on_select="rerun", selection_mode="single-row-required",
        alt="Labels in doubt: label, our grade, other answers, critiques, final answer, row",
    )  # fmt: skip
    chosen = (picked.get("selection", {}).get("rows") or [0])[0]
    one = first[min(chosen, len(first) - 1)]
    st.text(one.response.question)
    with st.container(horizontal=True):
        st.button(
            f"Correct the label: it is {truth_word(one.proposed)}", icon=":material/edit:", key="look.correct", on_click=decide,
            args=(one.response.key, one.proposed),
        )  # fmt: skip
        st.button(
            f"Keep the label: it is {truth_word(one.response.label)}", icon=":material/check:", key="look.keep", on_click=decide,
            args=(one.response.key, one.response.label),
        )  # fmt: skip


def _against(one: Doubt) -> int:
    return one.response.said_wrong if one.response.label else one.response.said_right


def decide(key: str, right: bool) -> None:
    """Keep a person's decision in the recipe, so that every build of it knows."""
    workspace.change({"labels.corrections": {**workspace.value("labels.corrections"), key: right}})


def _decided(number: int) -> None:
    if number:
        with st.container(horizontal=True):
            st.caption(f"{many(number, 'label')} decided by a person; the recipe keeps them.")
            st.button(
                "Take these decisions back", icon=":material/undo:", key="look.undecide", on_click=take_back
            )


def take_back() -> None:
    """Forget every decision about a label."""
    workspace.change({"labels.corrections": {}})
