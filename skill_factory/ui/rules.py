"""What a light asks for, where it stands: the answer rule, the verdict rule, and commands for what takes a model."""

import shlex

import streamlit as st

from skill_factory.lights import Step
from skill_factory.ui import loading, workspace
from skill_factory.wording import percent

ANSWER_RULES = {
    "column": "the column “Final answer”",
    "tag": "the last <answer> … </answer>",
    "boxed": r"the last \boxed{…}",
    "gold": "the gold answer, for right responses",
    "regex": "a pattern of my own",
}
VERDICT_RULES = {
    "tag": "<verdict> … </verdict> in the text",
    "column": "a column",
    "regex": "a pattern of my own",
}


def step(todo: Step) -> None:
    """The control for a step."""
    match todo:
        case Step.ANSWER_RULE:
            with st.popover("Answer rule", icon=":material/rule:", type="tertiary"):
                answers()
        case Step.VERDICT_RULE:
            with st.popover("Verdict rule", icon=":material/rule:", type="tertiary"):
                verdicts()
        case Step.GRADE:
            _command("How to grade", f"grade {_source()} --out graded.parquet",
                     "Grading compares each response's final answer with the gold answer.")  # fmt: skip
        case Step.CRITIQUE:
            _command("How to get critiques", f"generate reflections {_source()} --model MODEL --out critiques",
                     "The model that gave the answers criticises them. Say which model at which address.")  # fmt: skip
        case Step.MORE_ANSWERS:
            _command("How to get answers", f"generate responses {_source()} --model MODEL --out answers",
                     "The model answers each question several times. Say which model at which address.")  # fmt: skip
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
        "Look for the final answer in this order", list(ANSWER_RULES), format_func=ANSWER_RULES.get,
        key="answers.rules.draft", default=list(workspace.value("answers.rules")),
    )  # fmt: skip
    st.text_input("Pattern", value=workspace.value("answers.pattern"), key="answers.pattern.draft", placeholder="A: (.*)",
                            help="A regular expression. The last match counts; its first group, if it has one.")  # fmt: skip
    st.button("Use these rules", on_click=_take_answers, key="answers.use", type="primary")
    workspace.problem("answers.rules", "answers.pattern")


def _take_answers() -> None:
    rules = tuple(st.session_state["answers.rules.draft"]) or ("column", "tag")
    pattern = st.session_state["answers.pattern.draft"] if "regex" in rules else ""
    workspace.change({"answers.rules": rules, "answers.pattern": pattern})


def verdicts() -> None:
    """Where a reflection says right or wrong, and in which words."""
    rule = st.selectbox("The verdict stands in", list(VERDICT_RULES), format_func=VERDICT_RULES.get, key="verdicts.rule.draft",
                        index=list(VERDICT_RULES).index(workspace.value("verdicts.rule")))  # fmt: skip
    if rule == "regex":
        st.text_input("Pattern", value=workspace.value("verdicts.pattern"), key="verdicts.pattern.draft", placeholder="verdict is (right|wrong)",
                      help="A regular expression. The first match counts; its first group, if it has one.")  # fmt: skip
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
    workspace.change({
        "verdicts.rule": rule,
        "verdicts.pattern": state.get("verdicts.pattern.draft", "") if rule == "regex" else "",
        "verdicts.correct": _words(state["verdicts.correct.draft"]),
        "verdicts.incorrect": _words(state["verdicts.incorrect.draft"]),
        "columns.verdicts": column,
    })  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())


def _source() -> str:
    """The source as a word of a command; of a file its name alone."""
    mine = workspace.current()
    return shlex.quote(mine.label if mine.recipe.source.kind == "file" else mine.source)


def _command(label: str, command: str, what: str) -> None:
    with st.popover(label, icon=":material/terminal:", type="tertiary"):
        st.markdown(f"{what} It runs from the command line, as long as it needs:")
        st.code(f"python -m skill_factory {command}", language="bash", wrap_lines=True)
        st.caption("Then open here what it has written. `--help` shows what else can be said.")
