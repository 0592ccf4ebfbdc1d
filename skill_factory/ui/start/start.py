"""What Start shows beside the ways in: what this is, the steps, what you get, what you need, and the terms of the field."""

import os
from collections.abc import Iterator

import streamlit as st

from skill_factory.build.pipeline import preview
from skill_factory.insight.html import stylesheet, trace_html
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe
from skill_factory.ui.frame.glossary import GLOSSARY
from skill_factory.ui.frame.steps import CHOOSE, DATA, FINISH, LOOK, MEASURE
from skill_factory.ui.start import loop

SHOWN_QUESTIONS = 12
PAPER = "https://arxiv.org/abs/2512.04072"
JOURNEY = {
    DATA: "Pick your data and see whether it's ready.",
    CHOOSE: "Set attempts and formats; the numbers follow.",
    LOOK: "Read the traces as they will be written.",
    FINISH: "Build, publish, hand to a trainer.",
    MEASURE: "See whether the trained model learned it.",
}
"""The five steps, a line each."""


def promise() -> None:
    """The name and, in one sentence, what this is."""
    st.html('<p class="sf-product">SkillFactory Studio</p>')
    st.title("Turn a model's attempts into training traces")
    st.markdown(
        "A model's own answers and reflections become examples of **trying, checking and trying again**, and a model that is "
        "fine-tuned on them learns to notice its own mistakes."
    )


def assembling() -> None:
    """A trace that is put together, with a button that stops it."""
    still = bool(st.session_state.get("loop.still"))
    with st.container(border=True, key="loop"):
        st.html(loop.picture(still))
    st.button(
        "Play" if still else "Pause",
        icon=":material/play_arrow:" if still else ":material/pause:",
        type="tertiary",
        key="loop.button",
        on_click=lambda: st.session_state.update({"loop.still": not still}),
    )


def journey() -> None:
    """The five steps as a picture, each a link."""
    with st.container(key="journey"):
        for number, (column, (step, line)) in enumerate(
            zip(st.columns(len(JOURNEY), gap="medium"), JOURNEY.items(), strict=True), 1
        ):
            with column:
                st.page_link(step.target(), label=f"{number}  **{step.title}**", icon=step.icon)
                st.caption(line)


def what_is_needed() -> None:
    """What the data must contain."""
    st.markdown(
        "**You need** a table with several answers of a model to each question, whether each is right, and the model's "
        "reflections on them, each with a verdict. What is missing can be made on Data, with a model of yours; no stronger "
        "teacher is needed."
    )


def example_trace() -> None:
    """One real trace, with its parts explained."""
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


def links() -> None:
    """The paper, the docs and the code: on a Space they lie beside the app, at home in its folder."""
    said = [f"[The paper (arXiv 2512.04072)]({PAPER})"]
    if space := os.environ.get("SPACE_ID"):
        files = f"https://huggingface.co/spaces/{space}"
        said += [f"[Docs]({files}/blob/main/docs/README.md)", f"[Code]({files}/tree/main)"]
    else:
        said += ["Docs: `docs/README.md`", "Code: `skill_factory/`, beside `app.py`"]
    st.caption(" · ".join(said))
