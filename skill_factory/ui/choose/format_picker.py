"""Which formats: each in words, with a small picture, what it would give and why not more."""

import streamlit as st

from skill_factory.insight.tables import FormatReach, format_reach, why_sentence
from skill_factory.traces.formats import FORMATS, WORDS
from skill_factory.ui.frame import workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many

RIGHT, WRONG, REFLECTED = ":blue[✓]", ":orange[✗]", ":violet[•]"
PICTURES = {
    "*C_full": f"{RIGHT}{REFLECTED} {WRONG}{REFLECTED}{RIGHT}{REFLECTED} {WRONG}{REFLECTED}{WRONG}{REFLECTED}{RIGHT}{REFLECTED}",
    "*C": f"{WRONG}{REFLECTED}{WRONG}{REFLECTED}{RIGHT}{REFLECTED}",
    "0C": f"{RIGHT}{REFLECTED}",
    "*C*IC": f"{RIGHT}{REFLECTED}{WRONG}{REFLECTED}:gray[↩]{RIGHT}",
    "*CC": f"{WRONG}{REFLECTED}{RIGHT}{REFLECTED}{RIGHT}{REFLECTED}",
    "no_reflection": f"{RIGHT} {WRONG}{RIGHT} {WRONG}{WRONG}{RIGHT}",
    "random": f"{WRONG}{REFLECTED} {RIGHT}{REFLECTED}{WRONG}{REFLECTED}",
    "algorithm1": f"{RIGHT}{REFLECTED}{WRONG}{REFLECTED}{RIGHT}{REFLECTED}",
}
"""What traces of a format look like, in the order in which they are offered."""
COMPARISONS = ("no_reflection", "random", "algorithm1")
"""Formats that are made to be compared with, or that only the paper describes."""


def format_picker(seen: Evidence) -> None:
    """A checkbox for each format; the last one can't be taken out."""
    st.markdown(
        "**Formats**",
        help="Which attempts a trace shows, in which order. "
        "✓ a right attempt, ✗ a wrong one, • the reflection on it, ↩ back to the right one.",
    )
    for code in PICTURES:
        if code not in COMPARISONS:
            _row(format_reach(seen.judgement, seen.recipe, code), seen)
    bare = not seen.recipe.columns.reflections
    with st.expander(
        "For comparison", expanded=bare or not {*COMPARISONS}.isdisjoint(seen.recipe.traces.formats)
    ):
        for code in COMPARISONS:
            _row(format_reach(seen.judgement, seen.recipe, code), seen)
    if "traces.formats" in workspace.current().problems:
        st.warning("A recipe needs one format at least.", icon=":material/info:")


def _row(reach: FormatReach, seen: Evidence) -> None:
    key = f"traces.formats.{reach.code}"
    st.session_state[key] = reach.code in workspace.value("traces.formats")
    name, says = WORDS[reach.code]
    with st.container(gap=None):
        st.checkbox(
            f"{name} :gray[:small[`{reach.code}`]]", help=says + _why(reach), key=key, on_change=_took, args=(reach.code, key)
        )  # fmt: skip
        about = "" if seen.exact else "about "
        given = f"{about}{many(reach.questions, 'question')} → {many(reach.traces, 'trace')}"
        st.markdown(f":small[{PICTURES[reach.code]} :gray[\u2002{given}]]")


def _why(reach: FormatReach) -> str:
    if not reach.why_not:
        return ""
    lines = [f"- {n:,}: {why_sentence(reason)}" for reason, n in reach.why_not.items()]
    return "\n\nQuestions that can't give one:\n" + "\n".join(lines)


def _took(code: str, key: str) -> None:
    chosen = (
        {*workspace.value("traces.formats"), code}
        if st.session_state[key]
        else {*workspace.value("traces.formats")} - {code}
    )
    known = [one for one in FORMATS if one in chosen]
    workspace.change({"traces.formats": (*known, *sorted(chosen - {*known}))})
