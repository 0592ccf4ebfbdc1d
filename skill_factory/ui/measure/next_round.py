"""What the figures say about the next dataset, and the next round: the outputs as raw data on the Data page."""

import json

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.measure.cells import PLACE
from skill_factory.measure.shown.advice import advise
from skill_factory.measure.shown.browsing import Looked
from skill_factory.measure.shown.card import page_of
from skill_factory.overlap.ruling import held_out_alone
from skill_factory.ui.frame import away, source_pickers, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.wording import many
from skill_factory.work import outputs
from skill_factory.work.home import new_place
from skill_factory.work.kept.workspaces import forget_uploads

SECONDS = 120.0
"""For a harvest on a shared server."""
MOSTLY = 0.75
"""Share of the questions; fewer may be held out again, and the others are built."""


def show(seen: Looked) -> None:
    """Advice, the harvest, and downloads."""
    st.subheader("The next dataset")
    advice = advise(seen.found)
    for one in advice:
        run = f"**{workspace.plain(one.run)}**: " if len(seen.found.runs) > 1 else ""
        st.markdown(f"- {run}{one.sentence.replace('~', '')}", help=f"From: {one.source}")
    if advice:
        st.caption("None of this was tested by training. The mark of each line names the rule it comes from.")
    else:
        st.caption("None of our rules has anything to say about these figures.")
    _harvest(seen)
    _downloads(seen)


EVERY = ""
"""All runs together."""


def _harvest(seen: Looked) -> None:
    tried = seen.cells.matrix[:, PLACE["attempts"]]
    if not tried.sum():
        st.caption("These outputs contain no attempts, so no raw data can be made from them.")
        return
    st.markdown(
        "Each attempt becomes a response, labelled by its grade, with its reflections: the model's own skill feeds the next dataset."
    )
    run = _whose(seen)
    counted = [n for n, one in zip(tried, seen.outputs, strict=True) if run in (EVERY, one.run)]
    said = f"Make raw data from {many(int(sum(counted)), 'attempt')}"
    if st.button(said, key="measure.harvest", icon=":material/agriculture:", type="primary"):
        forget_uploads(days=30)
        path = new_place("uploads") / "harvest.parquet"
        try:
            away.run(
                outputs.harvested,
                seen.apart[run] if run else list(seen.openings),
                path,
                seen.settings,
                workspace.current().token,
                what="The harvest",
                seconds=SECONDS,
            )
        except SkillFactoryError as error:
            st.error(workspace.plain(str(error)), icon=":material/error:")
            return
        _hold_none_out(seen)
        source_pickers.enter(str(path), "harvest.parquet")


def _whose(seen: Looked) -> str:
    """The run whose attempts are taken, where runs can be told apart and several have some."""
    tried = seen.cells.matrix[:, PLACE["attempts"]]
    have = {one.run for n, one in zip(tried, seen.outputs, strict=True) if n}
    runs = [run for run in seen.apart if run in have]
    if len(runs) < 2:
        return EVERY
    return str(
        st.segmented_control(
            "Attempts of",
            [EVERY, *runs],
            default=EVERY,
            required=True,
            key="measure.whose",
            format_func=lambda run: workspace.plain(run) if run else "all of them",
        )
        or EVERY
    )


def _hold_none_out(seen: Looked) -> None:
    """Where the recipe would hold out what was asked, as it held it out of the build before, nothing would be left to build."""
    recipe = workspace.current().recipe
    questions = {one.question for one in seen.outputs}
    held = held_out_alone(questions, recipe.clean.holdout) if recipe.clean.holdout else 0
    if held > MOSTLY * len(questions):
        workspace.change({"clean.holdout": 0.0})
        workspace.current().notices.append(
            f"The recipe held out {held:,} of these {many(len(questions), 'question')}; now it holds out none, since the next "
            "dataset is made of them. Measure the model that is trained on it by other questions."
        )


def _downloads(seen: Looked) -> None:
    with st.container(horizontal=True):
        save_button(
            "One page (HTML)",
            lambda: page_of(seen.found),
            "measured.html",
            key="measure.html",
        )
        save_button(
            "All numbers (JSON)",
            lambda: json.dumps(seen.found.to_json(), indent=1),
            "report.json",
            key="measure.json",
        )
