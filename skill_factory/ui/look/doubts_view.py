"""Responses whose label most of their reflections contradict: to read, to leave out, to download."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from skill_factory.insight.browse import Doubt
from skill_factory.insight.browse import doubts as find_doubts
from skill_factory.insight.item_html import disputed_html
from skill_factory.insight.trace_parts import first_line, mark, truth_word, visible
from skill_factory.model import hex_id
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.ui.frame.loading import Evidence
from skill_factory.ui.look import trace_picker
from skill_factory.ui.look.label_queue import label_queue
from skill_factory.wording import many
from skill_factory.work import looking

SHOWN = 100
FILE_SECONDS = 120.0
"""Seconds for a download of everything on a shared server."""
REFLECTIONS = "Reflections"
WITNESSES = {
    REFLECTIONS: "Most reflections on a response contradict its label.",
    "Everything": "Our grade, the question's other answers and the reflections, weighed.",
}


def doubts() -> None:
    """Labels in doubt, by the reflections alone or by everything that speaks about them."""
    by = st.radio(
        "What makes a label doubtful?",
        list(WITNESSES),
        key="look.witnesses",
        horizontal=True,
        persist_state="session",
        captions=list(WITNESSES.values()),
    )
    if by != REFLECTIONS:
        label_queue()
        return
    seen = loading.evidence()
    controls, shown = st.columns([1, 2], gap="large")
    with controls:
        least = st.number_input(
            "Minimum reflections",
            1,
            50,
            2,
            key="look.reflections",
            persist_state="session",
            help="A reflection says right or wrong; a single one may well be mistaken.",
        )
        st.caption(
            "Most reflections on these responses contradict the label. Either they are mistaken or the label is: "
            "read some before you train on them."
        )
    doubtful = find_doubts(seen.narrow.facts, int(least))
    with shown:
        if not doubtful:
            st.info("No label is contradicted by most of its reflections.", icon=":material/check:")
            return
        _doubt_table(doubtful, seen, int(least))


def _doubt_table(doubtful: Sequence[Doubt], seen: Evidence, least: int) -> None:
    source, facts = loading.source(), seen.narrow.facts
    first = doubtful[:SHOWN]
    at = (loading.key(), seen.exact, seen.recipe.fingerprint(), least)
    texts = loading.once(
        "look.doubts",
        at,
        lambda: away.run(
            looking.in_doubt,
            source,
            seen.recipe,
            loading.shared(seen.narrow),
            [doubt.place for doubt in first],
        ),
    )
    part = "" if seen.exact else " among the rows read so far"
    more = f"; showing the {SHOWN} most contradicted" if len(doubtful) > SHOWN else ""
    st.markdown(f"**{many(len(doubtful), 'label')} in doubt{part}{more}**")
    picked = st.dataframe(
        {
            "Label": [f"{mark(doubt.correct)} {truth_word(doubt.correct)}" for doubt in first],
            "Reflections against it": [f"{doubt.against} of {doubt.reflections}" for doubt in first],
            "Response": [visible(first_line(texts[doubt.place].response, 120)) for doubt in first],
        },
        hide_index=True,
        height=285,
        key=f"look.doubts.{least}",
        on_select="rerun",
        selection_mode="single-row-required",
        alt="Responses whose label most reflections contradict",
    )
    place = (picked.get("selection", {}).get("rows") or [0])[0]
    # After a change the table may be shorter than what was selected in it.
    chosen = first[min(place, len(first) - 1)]
    with st.container(horizontal=True):
        save_button(
            "Download all as CSV",
            partial(
                away.run,
                looking.doubts_file,
                source,
                seen.recipe,
                loading.shared(seen.narrow),
                doubtful,
                seconds=FILE_SECONDS,
            ),
            "labels-in-doubt.csv",
            key="look.doubts.csv",
        )
        question = hex_id(int(facts.question_id[facts.response_question[chosen.place]]))
        gone = question in workspace.value("balance.exclude")
        st.button(
            "Question left out" if gone else "Leave this question out",
            icon=":material/block:",
            disabled=gone,
            key="look.doubts.reject",
            on_click=trace_picker.reject,
            args=(question,),
        )
    st.html(disputed_html(texts[chosen.place], chosen.correct))
