"""Which formats: each in words, with a small picture, what it would give, and why not more."""

import streamlit as st

from skill_factory.formats import FORMATS, overlap_sentence
from skill_factory.insight.tables import FormatReach, format_reach, why_sentence
from skill_factory.recipe.titles import title_of
from skill_factory.ui.frame import workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many

COLOURED = {"✓": ":blue[✓]", "✗": ":orange[✗]", "•": ":violet[•]", "↩": ":gray[↩]"}
"""The signs of a format's picture, in the colours of traces and charts."""


def format_picker(seen: Evidence) -> None:
    """A checkbox for each format; the last one can't be unchecked."""
    st.markdown(
        f"**{title_of('traces.formats')}**",
        help="Which attempts a trace shows, and in which order. "
        "✓ a right attempt, ✗ a wrong one, • the reflection on it, ↩ back to the right one.",
    )
    folded = [code for code, kind in FORMATS.items() if kind.for_comparison]
    for code in FORMATS:
        if code not in folded:
            _row(format_reach(seen.narrow.facts, seen.judgement, seen.recipe, code), seen)
    # Without reflections in the data, only these formats can be made: they must not be hidden.
    bare = not seen.recipe.columns.reflections
    with st.expander("For comparison", expanded=bare or not {*folded}.isdisjoint(seen.recipe.traces.formats)):
        for code in folded:
            _row(format_reach(seen.narrow.facts, seen.judgement, seen.recipe, code), seen)
    if overlap := overlap_sentence(seen.recipe.traces.formats):
        st.caption(f":material/content_copy: {overlap}")
    if "traces.formats" in workspace.current().problems:
        st.warning("A recipe needs at least one format.", icon=":material/info:")


def _row(reach: FormatReach, seen: Evidence) -> None:
    key = f"traces.formats.{reach.code}"
    # The recipe is the truth, so a refused change shows at once.
    st.session_state[key] = reach.code in workspace.value("traces.formats")
    kind = FORMATS[reach.code]
    picture = "".join(COLOURED.get(sign, sign) for sign in kind.picture)
    with st.container(gap=None):
        st.checkbox(
            f"{kind.name} :gray[:small[`{reach.code}`]]",
            help=kind.shows + _why(reach),
            key=key,
            on_change=_took,
            args=(reach.code, key),
        )
        # A sample's numbers aren't scaled here: what matters is how the formats compare.
        where = "" if seen.exact else " in the sample"
        given = f"{many(reach.questions, 'question')} → {many(reach.traces, 'trace')}{where}"
        st.markdown(f":small[{picture} :gray[\u2002{given}]]")


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
    # Formats of the user's own come last: only the order of ours is known.
    known = [offered for offered in FORMATS if offered in chosen]
    workspace.change({"traces.formats": (*known, *sorted(chosen - {*known}))})
