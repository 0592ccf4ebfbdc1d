"""What Start shows beside the ways in: what you get, what you need, and the terms of the field."""

from collections.abc import Iterator

import streamlit as st

from skill_factory.build.pipeline import preview
from skill_factory.insight.html import stylesheet, trace_html
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe
from skill_factory.ui.frame.glossary import GLOSSARY

SHOWN_QUESTIONS = 12


def what_is_needed() -> None:
    """What the data must contain."""
    st.markdown(
        "The model's own answers and its own reflections become examples of **trying, checking and trying again**. "
        "No stronger teacher is needed."
    )
    st.markdown(
        "**You need** a table with\n"
        "- several answers of a model to each question,\n"
        "- whether each answer is right,\n"
        "- the model's reflections on its answers, each with a verdict."
    )


def example_trace() -> None:
    """One real trace, with its parts explained."""
    st.markdown("**What you get:** a model that learns from this trace learns to notice its own mistake.")
    # A fixed height, so that nothing below moves when the example arrives.
    with st.container(border=True, height=470, key="example"):
        st.html(f"<style>{stylesheet()}</style>{example_html()}")
    st.caption(
        "From the demo. :blue[✓ right] and :orange[✗ wrong] attempts are the model's own answers, each followed by its own "
        "reflection. Short phrases join them, and the final answer is that of the last attempt."
    )


@st.cache_data(show_spinner="Making an example …", max_entries=1)
def example_html() -> str:
    """The demo's shortest trace that shows a mistake corrected."""
    recipe = Recipe().changed({"traces.formats": ("*C",), "traces.attempts": 2})
    # A question or two may give no such trace, so there are more than are needed.
    traces = preview(f"demo:{SHOWN_QUESTIONS}", recipe, questions=SHOWN_QUESTIONS).traces
    return trace_html(
        min(_corrected(traces), key=lambda trace: len(trace.text), default=traces[0]), "example"
    )


def _corrected(traces: list[Trace]) -> Iterator[Trace]:
    return (trace for trace in traces if not trace.plan.order[0].correct)


def glossary_list() -> None:
    """The glossary."""
    with st.expander("Words used here", icon=":material/menu_book:"):
        left, right = st.columns(2)
        entries = [f"**{word}** — {line}" for word, line in GLOSSARY.items()]
        half = -(-len(entries) // 2)
        left.markdown("\n\n".join(entries[:half]))
        right.markdown("\n\n".join(entries[half:]))
