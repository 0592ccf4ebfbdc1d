"""The one thing to settle first, asked and answered in place: what words mean, or which column is which."""

from typing import Any

import streamlit as st

from skill_factory.insight.doubts import Doubt
from skill_factory.insight.readiness import Step
from skill_factory.recipe.words import meanings
from skill_factory.sources.trying import Rule
from skill_factory.ui.data import mapping, reading_rules, rules
from skill_factory.ui.frame import loading, workspace
from skill_factory.wording import without_options

PICKED = "cause.right"


def show(doubt: Doubt) -> None:
    """The cause with its question and the controls that answer it."""
    with st.container(key="cause", gap="small"):
        st.markdown(f"**First settle this.** {workspace.sentence(doubt.sentence)}")
        if doubt.words:
            _words(doubt)
        elif doubt.changes:
            st.button(
                reading_rules.BUTTONS.get(doubt.code, "Change this"),
                key=f"doubt.press.{doubt.code}",
                type="primary",
                on_click=workspace.apply,
                args=(dict(doubt.changes),),
            )
        elif doubt.pick:
            for place, name in zip(st.columns(3), doubt.pick, strict=False):
                with place:
                    mapping.pickers((name,), "cause")
        else:
            st.caption(workspace.sentence(without_options(doubt.fix)))
        _rule(doubt)
        st.caption("What follows is grey until then: its numbers will change.")


def _words(doubt: Doubt) -> None:
    """Two words are answered by one press; more by picking those that mean right."""
    column = ", ".join(workspace.value("columns.correct"))
    words = list(doubt.words)
    if len(words) == 2:
        st.markdown(f"Which one means right in **{workspace.plain(column)}**?")
        with st.container(horizontal=True):
            for word, other in (words, words[::-1]):
                st.button(
                    f"“{workspace.plain(word)}” means right",
                    key=f"cause.word.{word}",
                    on_click=workspace.apply,
                    args=(_meaning((word,), (other,)),),
                )
        return
    known = meanings()
    right = st.pills(
        f"Which of these mean right in {workspace.plain(column)}?",
        words,
        selection_mode="multi",
        default=[word for word in words if known.get(word)],
        format_func=workspace.plain,
        key=PICKED,
    )
    others = [word for word in words if word not in (right or [])]
    wrong = st.pills(
        "And which mean wrong? Rows with any other value are left out.",
        others,
        selection_mode="multi",
        default=[word for word in others if known.get(word) is False],
        format_func=workspace.plain,
        key="cause.wrong",
    )
    st.button(
        "Use these meanings",
        key="cause.use",
        type="primary",
        disabled=not right,
        on_click=workspace.apply,
        args=(_meaning(tuple(right or ()), tuple(wrong or ())),),
    )


def _meaning(right: tuple[str, ...], wrong: tuple[str, ...]) -> dict[str, Any]:
    return {"columns.label_rule": "words", "columns.right": right, "columns.wrong": wrong}


def _rule(doubt: Doubt) -> None:
    """The control of the rule that the cause speaks of, where pressing a word doesn't answer it."""
    if doubt.words:
        return
    if doubt.step is Step.LABEL_RULE and (seen := loading.inspection()) is not None:
        reading_rules.rule(Rule.LABEL, seen)
    elif doubt.step in (Step.ANSWER_RULE, Step.GRADE, Step.VERDICT_RULE):
        with st.container(horizontal=True):
            rules.step(doubt.step, "cause")
