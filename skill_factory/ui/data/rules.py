"""The control that a light asks for: the answer rule, the verdict rule, or the way to what can be made."""

import streamlit as st

from skill_factory.insight.readiness import Step
from skill_factory.ui.data import making
from skill_factory.ui.frame import loading, workspace
from skill_factory.wording import percent
from skill_factory.work.making_asked import What

ANSWER_RULES = {
    "column": "the column “Final answer”",
    "tag": "the last <answer> … </answer>",
    "boxed": r"the last \boxed{…}",
    "stated": "what the text states",
    "gold": "the gold answer, for right responses",
    "regex": "a pattern of my own",
}
VERDICT_RULES = {
    "tag": "<verdict> … </verdict> in the text",
    "column": "a column",
    "regex": "a pattern of my own",
}


def step(todo: Step, topic: str = "") -> None:
    """The control for a step of a light."""
    match todo:
        case Step.ANSWER_RULE:
            with st.popover("Answer rule", icon=":material/rule:", type="tertiary"):
                answers()
            if topic:
                making.button(What.GRADE, topic)
        case Step.VERDICT_RULE:
            with st.popover("Verdict rule", icon=":material/rule:", type="tertiary"):
                verdicts()
        case Step.GRADE:
            making.button(What.GRADE, topic)
        case Step.REFLECT:
            making.button(What.REFLECTIONS, topic)
        case Step.MORE_ANSWERS:
            making.button(What.RESPONSES, topic)
        case _:
            pass


def answers() -> None:
    """Which rules find the final answer, in order, with what each finds in the first rows."""
    found = loading.rule_trials()
    for rule, (hits, every) in found.items():
        st.caption(
            f"{workspace.plain(ANSWER_RULES[rule])}: found in {hits:,} of {every:,} of the first responses ({percent(hits, every)})"
        )
    st.multiselect(
        "Look for the final answer in this order",
        list(ANSWER_RULES),
        format_func=ANSWER_RULES.__getitem__,
        key="answers.rules.draft",
        default=list(workspace.value("answers.rules")),
    )
    st.text_input(
        "Pattern",
        value=workspace.value("answers.pattern"),
        key="answers.pattern.draft",
        placeholder="The answer is (.*)",
        help="A regular expression: the part in parentheses is the answer, (.*) up to the end of the line. The last match counts.",
    )
    st.button("Use these rules", on_click=_take_answers, key="answers.use", type="primary")
    workspace.problem("answers.rules", "answers.pattern")


def _take_answers() -> None:
    state = st.session_state
    rules, pattern = tuple(state["answers.rules.draft"]), state["answers.pattern.draft"]
    # Whoever writes a pattern means it, even without picking it in the list.
    if pattern and pattern != workspace.value("answers.pattern") and "regex" not in rules:
        rules = (*rules, "regex")
    rules = rules or ("column", "tag")
    pattern = pattern if "regex" in rules else ""
    state["answers.rules.draft"], state["answers.pattern.draft"] = list(rules), pattern
    workspace.change({"answers.rules": rules, "answers.pattern": pattern})


def verdicts() -> None:
    """Where a reflection says right or wrong, and in which words."""
    rule = st.selectbox(
        "The verdict is in",
        list(VERDICT_RULES),
        format_func=VERDICT_RULES.__getitem__,
        key="verdicts.rule.draft",
        index=list(VERDICT_RULES).index(workspace.value("verdicts.rule")),
    )
    if rule == "regex":
        st.text_input(
            "Pattern",
            value=workspace.value("verdicts.pattern"),
            key="verdicts.pattern.draft",
            placeholder="verdict is (right|wrong)",
            help="A regular expression. The first match counts; its first group, if it has one.",
        )
    if rule == "column":
        st.selectbox("Column", loading.source().names(), key="verdicts.column.draft")
    st.text_input(
        "Words that mean right",
        value=", ".join(workspace.value("verdicts.correct")),
        key="verdicts.correct.draft",
    )
    st.text_input(
        "Words that mean wrong",
        value=", ".join(workspace.value("verdicts.incorrect")),
        key="verdicts.incorrect.draft",
    )
    st.button("Use this rule", on_click=_take_verdicts, key="verdicts.use", type="primary")
    workspace.problem("verdicts.rule", "verdicts.pattern", "columns.verdicts")


def _take_verdicts() -> None:
    state = st.session_state
    rule = state["verdicts.rule.draft"]
    column = (state["verdicts.column.draft"],) if rule == "column" else ()
    workspace.change(
        {
            "verdicts.rule": rule,
            "verdicts.pattern": state.get("verdicts.pattern.draft", "") if rule == "regex" else "",
            "verdicts.correct": _words(state["verdicts.correct.draft"]),
            "verdicts.incorrect": _words(state["verdicts.incorrect.draft"]),
            "columns.verdicts": column,
        }
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())
