"""The recommended recipe at the top of Choose: what it is, why, and one click to use it."""

from typing import Any

import streamlit as st

from skill_factory.formats import format_of
from skill_factory.insight.proposal import Proposal, propose
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import PRESET_WORDS, load_recipe, preset_names
from skill_factory.ui.frame import shell, workspace
from skill_factory.ui.frame.loading import Evidence


def recommended_recipe(seen: Evidence) -> None:
    """One line with the recommendation and its reason, next to the other built-in recipes."""
    proposal = propose(seen.narrow.facts, seen.judgement, seen.recipe)
    # The paper's format, unless the proposal names another: data without reflections can't give it.
    changes: dict[str, Any] = {"traces.formats": (TraceFormat.CORRECT_LAST_FULL.value,), **proposal.changes}
    used = proposal.attempts and all(workspace.value(path) == wanted for path, wanted in changes.items())
    with st.container(border=True):
        words, use, others = st.columns([6, 1, 1], vertical_alignment="center")
        with words:
            _recommendation(proposal, changes["traces.formats"][0], seen.exact)
        use.button(
            "In use" if used else "Use it",
            on_click=workspace.apply,
            args=(changes,),
            key="recommended.use",
            disabled=bool(used) or not proposal.attempts,
            icon=":material/check:" if used else None,
            width="stretch",
        )
        with others.popover("Others", help="Built-in recipes", width="stretch"):
            for preset in preset_names():
                label = PRESET_WORDS.get(preset, preset)
                st.button(label, on_click=_take, args=(preset,), key=f"preset.{preset}", width="stretch")


def _recommendation(proposal: Proposal, code: str, exact: bool) -> None:
    """The advice with the first part of its reason; the rest is its help."""
    title = (
        f"Recommended: {format_of(code).name}, N = {proposal.attempts}."
        if proposal.attempts
        else "Nothing can be recommended yet."
    )
    first, _, rest = proposal.reason.partition("; ")
    said = shell.plain(first.rstrip(".")) + "."
    # On one line: the evidence below needs the room, and the trade-off is a hover away.
    st.markdown(
        f"**{title}** :small[{said}{'' if exact else ' (From a sample.)'}]",
        help=shell.plain(proposal.reason) if rest else None,
    )


def _take(preset: str) -> None:
    workspace.replace_recipe(load_recipe(preset))
