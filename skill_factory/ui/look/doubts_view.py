"""Responses whose label most of their critiques contradict: to read, to leave out, to download."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from skill_factory.insight.browse import Doubt
from skill_factory.insight.browse import doubts as find_doubts
from skill_factory.insight.item_html import critique_html
from skill_factory.insight.trace_parts import first_line, mark, truth_word, visible
from skill_factory.model import hex_id
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.ui.look import trace_picker
from skill_factory.wording import many
from skill_factory.work import looking

SHOWN = 100


def doubts() -> None:
    """Responses whose label most of their critiques contradict."""
    seen = loading.evidence()
    controls, shown = st.columns([1, 2], gap="large")
    with controls:
        least = st.number_input(
            "Critiques at least", 1, 50, 2, key="look.critiques", persist_state="session",
            help="A critique (reflection) says right or wrong; one alone may well err.",
        )  # fmt: skip
        st.caption(
            "Here most critiques of a response contradict its label. Either the critic errs, or the label does: "
            "read some before you trust a training set to them."
        )
    found = find_doubts(seen.narrow.facts, int(least))
    with shown:
        if not found:
            st.info("No label is contradicted by most of its critiques.", icon=":material/check:")
            return
        _doubt_table(found, seen, int(least))


def _doubt_table(found: Sequence[Doubt], seen: Evidence, least: int) -> None:
    source, facts = loading.source(), seen.narrow.facts
    first = found[:SHOWN]
    at = (loading.key(), seen.exact, seen.recipe.fingerprint(), least)
    told = loading.once(
        "look.doubts",
        at,
        lambda: away.run(
            looking.in_doubt, source, seen.recipe, loading.shared(seen.narrow), [one.place for one in first]
        ),
    )
    part = "" if seen.exact else " among the rows read so far"
    more = f"; the {SHOWN} most contradicted are here" if len(found) > SHOWN else ""
    st.markdown(f"**{many(len(found), 'label')} in doubt{part}{more}**")
    picked = st.dataframe(
        {
            "Label": [f"{mark(one.correct)} {truth_word(one.correct)}" for one in first],
            "Critiques against it": [f"{one.against} of {one.critiques}" for one in first],
            "Response": [visible(first_line(told[one.place].response, 120)) for one in first],
        },
        hide_index=True, height=285, key=f"look.doubts.{least}", on_select="rerun",
        selection_mode="single-row-required", alt="Responses whose label most critiques contradict",
    )  # fmt: skip
    chosen = (picked.get("selection", {}).get("rows") or [0])[0]
    one = first[min(chosen, len(first) - 1)]
    with st.container(horizontal=True):
        st.download_button(
            "All of these as CSV", partial(away.run, looking.doubts_file, source, seen.recipe, loading.shared(seen.narrow), found), "labels-in-doubt.csv", "text/csv",
            icon=":material/download:", key="look.doubts.csv", on_click="ignore",
        )  # fmt: skip
        question = hex_id(int(facts.question_id[facts.response_question[one.place]]))
        gone = question in workspace.value("balance.exclude")
        st.button(
            "Question is left out" if gone else "Leave its question out", icon=":material/block:", disabled=gone,
            key="look.doubts.reject", on_click=trace_picker.reject, args=(question,),
        )  # fmt: skip
    st.html(critique_html(told[one.place], one.correct))
