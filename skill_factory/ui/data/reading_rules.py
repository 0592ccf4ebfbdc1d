"""How the data is read: what it looks like, what is doubtful with one thing to press, and a control for each rule."""

from collections.abc import Sequence

import streamlit as st

from skill_factory.insight.doubts import Doubt
from skill_factory.insight.inspection import Inspection
from skill_factory.insight.opinion import Reason
from skill_factory.recipe.language import LANGUAGES
from skill_factory.recipe.titles import title_of
from skill_factory.sources.trying import Choice, Rule
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.wording import many, percent, without_options
from skill_factory.work import looking

TITLES = {
    Rule.QUESTION: "The question is",
    Rule.RESPONSE: "A response is",
    Rule.THINK: "In a text with thinking, use",
    Rule.LABEL: "Right and wrong",
    Rule.ANSWER: "The final answer is",
    Rule.VERDICT: "A reflection's verdict is",
}
MOST_DOUBTS = 4
"""Doubts that are shown at once; the others are behind a click."""


def show(told: Sequence[Reason] = ()) -> None:
    """The known format, the doubts and the rules of the chosen data; what stands above as a reason isn't told again."""
    seen = loading.inspection()
    if seen is None:
        return
    if seen.preset:
        st.info(
            f"This looks like **{workspace.plain(seen.preset)}**: {workspace.plain(seen.about)}",
            icon=":material/fingerprint:",
        )
        st.button(
            "Read it by its column names instead",
            key="preset.leave",
            icon=":material/fingerprint_off:",
            help="For data that only looks like this format",
            on_click=leave_format,
        )
    doubts([doubt for doubt in seen.doubts if not _is_told(doubt, told)])
    rules(seen)


def _is_told(doubt: Doubt, told: Sequence[Reason]) -> bool:
    """Whether a reason is this doubt, or a light that names the same cause; what can be pressed stays."""
    cause = "" if doubt.changes else doubt.sentence.partition(": ")[2].rstrip(".")
    return any(doubt.code == reason.code or (cause and cause in reason.sentence) for reason in told)


def leave_format() -> None:
    """Find the columns again, by name and shape alone; the recipe remembers it."""
    fitting = away.run(looking.without_format, loading.source(), workspace.without_proposals())
    workspace.change({f"columns.{name}": value for name, value in fitting.columns})
    workspace.take_proposals(fitting)


def doubts(found: list[Doubt]) -> None:
    """Each with its cause and the one thing to press."""
    for doubt in found[:MOST_DOUBTS]:
        _doubt(doubt)
    if len(found) > MOST_DOUBTS:
        with st.expander(many(len(found) - MOST_DOUBTS, "more doubt")):
            for doubt in found[MOST_DOUBTS:]:
                _doubt(doubt)


def _doubt(doubt: Doubt) -> None:
    with st.container(key=f"doubt.{doubt.code}"):
        st.warning(workspace.sentence(doubt.sentence), icon=":material/help:")
        remedy(doubt)


def remedy(doubt: Doubt) -> None:
    """The button that does what a doubt proposes, or what to do where no button can."""
    if doubt.changes:
        press(doubt, "press")
    else:
        st.caption(workspace.sentence(without_options(doubt.fix)))


def press(doubt: Doubt, at: str) -> None:
    """The button that does what a doubt proposes; `at` tells it from others for the same doubt."""
    st.button(
        BUTTONS.get(doubt.code, "Change this"),
        key=f"doubt.{at}.{doubt.code}",
        on_click=workspace.apply,
        args=(dict(doubt.changes),),
    )


BUTTONS = {
    "drop_block_tags": "Use the text after the thinking",
    "drop_no_kept_reflection": "Use the text after the thinking",
    "template_words": "Remove the template words",
    "gives_away_answer": "Cut these reflections after their verdict",
    "pairs": "Count the preferred response as right",
}
"""What pressing does, by the code of a doubt."""


def rules(seen: Inspection) -> None:
    """A control for each rule, with what every choice finds in the first rows."""
    with st.expander("How this data is read", icon=":material/rule:"):
        tried = _tried(seen)
        for one, choices in tried.items():
            if any(choice.of for choice in choices):
                _rule(one, choices, seen)
        st.selectbox(
            title_of("phrases.language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            help="Proposed from the language of the questions.",
            **workspace.bound("phrases.language"),
        )


def _tried(seen: Inspection) -> dict[Rule, list[Choice]]:
    at = (loading.identity(), seen.recipe.fingerprint())
    return loading.once("tried", at, lambda: away.run(looking.tried, loading.source(), seen.recipe))


def rule(wanted: Rule, seen: Inspection) -> None:
    """The control of one rule, as an answer to what is asked above the others."""
    choices = _tried(seen).get(wanted, [])
    if any(choice.of for choice in choices):
        _rule(wanted, choices, seen, "cause.")


def _rule(rule: Rule, choices: list[Choice], seen: Inspection, at: str = "") -> None:
    here = next((choice for choice in seen.rules if choice.rule is rule), None)
    codes = [choice.code for choice in choices]
    index = codes.index(here.code) if here is not None and here.code in codes else 0
    titles = {choice.code: f"{choice.title} ({choice.found:,} of {choice.of:,})" for choice in choices}
    key = f"{at}reading.{rule.value}"
    st.session_state[key] = codes[index]
    st.selectbox(
        TITLES[rule], codes, format_func=titles.__getitem__, key=key, on_change=_take, args=(key, choices)
    )
    proposed = next((choice for choice in choices if choice.proposed), None)
    if proposed is not None and proposed.code != codes[index]:
        st.caption(
            f"Proposed: {workspace.plain(proposed.title)}, found in {percent(proposed.found, proposed.of)}."
        )
    workspace.problem(*choices[index].changes)


def _take(key: str, choices: list[Choice]) -> None:
    chosen = st.session_state.get(key)
    for choice in choices:
        if choice.code == chosen:
            workspace.change(dict(choice.changes))
