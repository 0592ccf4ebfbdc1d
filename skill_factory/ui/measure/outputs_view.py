"""The outputs themselves: a list to browse by what went wrong, one of them taken apart, or two runs on one question."""

import streamlit as st

from skill_factory.insight.trace_parts import first_line, visible
from skill_factory.measure.shown.browsing import KINDS, Looked, taken_apart
from skill_factory.measure.shown.taken_apart_html import facts_of, output_html
from skill_factory.ui.frame import away, workspace
from skill_factory.wording import many

ALL, SHOWN = "All outputs", 200
SIGNS = {1: "✓ right", 0: "✗ wrong", -1: "? unjudged"}


def part(seen: Looked) -> None:
    """The list with one output next to it, or two runs side by side."""
    st.subheader("One output taken apart")
    runs = list(seen.found.runs)
    ways = ["One after another", "Two runs side by side"] if len(runs) > 1 else ["One after another"]
    way = ways[0]
    if len(ways) > 1:
        way = (
            st.segmented_control("How to look", ways, default=ways[0], required=True, key="measure.way")
            or way
        )
    if way == ways[0]:
        _list(seen)
    else:
        _side_by_side(seen, runs)


def _list(seen: Looked) -> None:
    left, right = st.columns([1, 2], gap="large")
    with left:
        counts = {kind: len(seen.listed(kind)) for kind in KINDS}
        words = {ALL: f"{ALL} ({len(seen.outputs):,})"} | {
            kind: f"{kind} ({n:,})" for kind, n in counts.items()
        }
        kind = st.radio("Show", list(words), format_func=words.__getitem__, key="measure.kind")
        places = seen.listed(kind)[:SHOWN].tolist()
        if kind == ALL and seen.telling() not in places[:1]:
            places = [seen.telling(), *(one for one in places if one != seen.telling())]
    with right:
        if not places:
            st.info(f"No output of this kind: {kind.lower()}.", icon=":material/check:")
            return
        _table(seen, places, counts.get(kind, len(seen.outputs)), kind)


def _table(seen: Looked, places: list[int], every: int, kind: str) -> None:
    rows = seen.found.table.select(["final", "attempts"]).take(places).to_pylist()
    said = f"{many(every, 'output')}{f'; showing the first {SHOWN}' if every > SHOWN else ''}"
    st.markdown(f"**{said}**")
    picked = st.dataframe(
        {
            "Final": [SIGNS[row["final"]] for row in rows],
            "Attempts": [" ".join(SIGNS[one["mark"]][0] for one in row["attempts"]) or "–" for row in rows],
            "Question": [visible(first_line(seen.outputs[k].question, 120)) for k in places],
            "Run": [seen.outputs[k].run for k in places],
        },
        hide_index=True,
        height=220,
        key=f"measure.list.{kind}",
        on_select="rerun",
        selection_mode="single-row-required",
        alt="The outputs, each with its final answer's mark and those of its attempts",
    )
    chosen = (picked.get("selection", {}).get("rows") or [0])[0]
    _one(seen, places[min(chosen, len(places) - 1)], "measured")


def _one(seen: Looked, place: int, key: str) -> None:
    one = away.run(taken_apart, *seen.read_by(place), what="This output")
    for fact in facts_of(one):
        st.badge(fact, icon=":material/warning:", color="orange")
    st.html(output_html(one, key))
    with st.expander("Copy the text", icon=":material/content_copy:", key=f"{key}.text"):
        st.code(one.parts.text, language=None, wrap_lines=True, height=260)


def _side_by_side(seen: Looked, runs: list[str]) -> None:
    left, right = st.columns(2, gap="large")
    a = left.selectbox("Left", runs, index=0, key="measure.left", format_func=workspace.plain) or runs[0]
    b = right.selectbox("Right", runs, index=1, key="measure.right", format_func=workspace.plain) or runs[1]
    shared = seen.shared_questions(a, b)
    if not shared:
        st.info("These two runs have no question in common.", icon=":material/info:")
        return
    question = st.selectbox(
        f"Question ({len(shared):,} shared)",
        shared[:1000],
        key="measure.question",
        format_func=lambda one: visible(first_line(one, 120)),
    )
    for column, run, key in ((left, a, "left"), (right, b, "right")):
        places = seen.places_of(question or shared[0], run)
        with column:
            k = 0
            if len(places) > 1:
                k = (
                    st.number_input(f"Output (of {len(places)})", 1, len(places), 1, key=f"measure.{key}.k")
                    - 1
                )
            _one(seen, places[k], f"measured-{key}")
