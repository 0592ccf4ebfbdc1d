"""One trace on a page: its badges, the three ways to read it, and its text to copy."""

from pathlib import Path

import streamlit as st

from skill_factory.formats import format_of
from skill_factory.insight.html import question_html, raw_html, stylesheet, trace_html
from skill_factory.insight.trace_parts import tokens_at
from skill_factory.judge.lookup import thinking_left_out
from skill_factory.model import Trace, hex_id
from skill_factory.recipe.model import Recipe
from skill_factory.traces.lint import lint_trace
from skill_factory.traces.lint_text import MEANING
from skill_factory.ui.frame import loading, workspace
from skill_factory.wording import many

CSS = Path(__file__).with_name("look.css")
READ, RAW, ASKED = "Read", "Raw text", "Question only"
WAYS = (READ, RAW, ASKED)


def style() -> None:
    """The style rules of the trace view, needed once on a page that shows traces."""
    st.html(f"<style>{stylesheet()}{CSS.read_text(encoding='utf-8')}</style>")


def show(trace: Trace, recipe: Recipe, key: str = "trace") -> None:
    """A trace with everything around it: how to read it, its badges, its text to copy."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.head"):
        way = st.segmented_control(
            "How to read it",
            WAYS,
            default=READ,
            required=True,
            key=f"{key}.way",
            label_visibility="collapsed",
        )
        badges(trace, recipe)
    body(trace, recipe, way or READ, key)
    _left_out(trace, recipe, key)
    copy(trace)


def _left_out(trace: Trace, recipe: Recipe, key: str) -> None:
    """The thinking that the think rule left out of the attempts, folded; read from the source where it is asked for."""
    if recipe.columns.think not in ("after", "inside") or not workspace.current().source:
        return
    if not st.toggle("Show what was left out of the attempts", key=f"{key}.left_out"):
        return
    at = (loading.identity(), recipe.columns, trace.plan.question.id)
    left = loading.once(
        "left out", at, lambda: thinking_left_out(loading.source(), recipe, trace.plan.question.id)
    )
    for number, attempt in enumerate(trace.plan.attempts, 1):
        text = left.get(attempt.response.text, "")
        with st.expander(f"Attempt {number}: {many(len(text), 'character')} left out"):
            st.text(text or "Nothing was left out of this attempt.")


def body(trace: Trace, recipe: Recipe, way: str = READ, key: str = "trace") -> None:
    """The trace itself, read in one of three ways."""
    if way == RAW:
        st.html(raw_html(trace))
    elif way == ASKED:
        st.html(f'<div class="sf">{question_html(trace.plan.question.text)}</div>')
    else:
        st.html(trace_html(trace, key, tokens_at(recipe.cutoff.chars_per_token)))


def badges(trace: Trace, recipe: Recipe) -> None:
    """What the trace is, how long it is, and what the linter finds in it."""
    name = format_of(trace.plan.format).name
    st.badge(
        workspace.plain(f"Trace type {trace.plan.label}"),
        color="gray",
        help=workspace.plain(f"What the dataset calls this kind of trace. Its format is “{name}”."),
    )
    per_token, limit = recipe.cutoff.chars_per_token, workspace.cutoff(recipe)
    whole = trace.plan.question.text + trace.text
    over = recipe.cutoff.estimated_tokens(len(whole)) > limit
    st.badge(
        f"{tokens_at(per_token)(whole)}{', over the cut-off' if over else ''}",
        color="orange" if over else "gray",
        help=f"Question and trace together, estimated at {per_token:g} characters per token. "
        "A trainer cuts anything longer than its cut-off at the end, where the answer is.",
    )
    problems = lint_trace(trace, recipe.tags)
    for problem in problems:
        st.badge(
            workspace.plain(MEANING[problem.rule]),
            icon=":material/warning:",
            color="orange",
            help=workspace.plain(problem.found),
        )
    if not problems:
        st.badge("No problems found", icon=":material/check:", color="gray", help=CHECKED)


CHECKED = (
    "Blocks are nested and closed, no text contains a tag of the trace or a chat template's token, no block is empty, "
    "the verdicts agree with the labels, and the final answer is that of the attempt it comes from."
)


def copy(trace: Trace) -> None:
    """The text exactly as a trainer gets it, to copy."""
    with st.expander("Copy the text", icon=":material/content_copy:"):
        st.caption(
            f"The assistant's turn of trace {hex_id(trace.id)}. The copy button is in the corner of the box."
        )
        st.code(trace.text, language=None, wrap_lines=True, height=260)
