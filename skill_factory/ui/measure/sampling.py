"""Sample and measure: ask a trained model the questions of the chosen data, and measure what it says.

Several models, asked one after the other, are measured side by side: first the base model, then the trained one.
"""

from collections.abc import Sequence

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.measure.evaluation.serving import written_since
from skill_factory.ui.frame import loading, visitor, workspace
from skill_factory.ui.frame.buttons.stopping import stop_button
from skill_factory.ui.measure import ask_form
from skill_factory.wording import duration, many
from skill_factory.work import makings
from skill_factory.work.making_asked import Asked, Stage, check
from skill_factory.work.makings import Making, Status
from skill_factory.work.process import State

_NOW, _TAKEN, _DONE, _NEXT = "_sampling", "_sampling_taken", "_sampled", "_sampling_next"


def handed_over() -> bool:
    """Whether a model that was trained on this workspace's build waits to be asked, with nothing else to measure."""
    return not workspace.current().outputs and ask_form.trained() is not None


def part() -> None:
    """The part of the page: the form, then the run, then its outputs are measured."""
    made = makings.find(st.session_state.get(_NOW, ""))
    now = makings.status(made) if made is not None else None
    done = now is not None and now.state is State.DONE
    if made is not None and now is not None and done:
        _measure(made)
        if waiting := st.session_state.pop(_NEXT, None):
            _start(made.stage, waiting, None)
        _told(made, now)
    with st.expander(
        "Ask a trained model, then measure it",
        icon=":material/forum:",
        # Whoever comes from a training wants this; whoever has outputs wants their figures.
        expanded=not done if made is not None else handed_over(),
        key="measure.sampling",
    ):
        if made is not None and now is not None:
            if now.running:
                _watch(made)
                return
            _ended(made, now)
        if pressed := ask_form.form():
            _start(*pressed, made)


def _start(stage: Stage, several: Sequence[Asked], before: Making | None) -> None:
    """Ask the first; the others wait for its end, since two models may not fit into one memory."""
    asked, *waiting = several
    # Another model's answers belong into a folder of their own: two models are compared, not mixed.
    again = before is not None and before.asked.asks_for == asked.asks_for
    same = before if before is not None and again and not written_since(asked.model, before.out) else None
    try:
        for one in waiting:
            check(one, stage)
        made = makings.start(asked, stage, workspace.current().token, ask_form.secret(), same, visitor.key())
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    st.session_state[_NOW], st.session_state[_NEXT] = made.id, waiting
    st.rerun()


@st.fragment(run_every=0.8)
def _watch(made: Making) -> None:
    makings.here(made)
    now = makings.status(made)
    if not now.running:
        st.rerun()
    st.progress(now.progress.share if now.progress else 0.0, text=_doing(made, now))
    stop_button("sampling.stop", _stop, made, now.state, "Every output so far is kept; you can resume later.")


def _stop(made: Making) -> None:
    st.session_state.pop(_NEXT, None)
    makings.stop(made)


def _doing(made: Making, now: Status) -> str:
    done = now.progress
    if now.before is not None:
        return f"Waiting in the queue: {many(now.before, 'piece')} of work before it"
    if done is None or not done.total:
        return f"Asking {workspace.plain(made.asked.called)} …"
    left = "" if done.seconds_left is None else f", about {duration(done.seconds_left)} left"
    return f"{done.done:,} of {done.total:,} outputs of {workspace.plain(made.asked.called)}{left}"


def _measure(made: Making) -> None:
    """Measure the outputs once, beside those of other models that were asked the same questions in this session."""
    if st.session_state.get(_TAKEN) == (made.id, made.started):
        return
    st.session_state[_TAKEN] = (made.id, made.started)
    done: list[tuple[str, str]] = st.session_state.setdefault(_DONE, [])
    entry = (made.asked.source, str(made.out))
    if entry not in done:
        done.append(entry)
    workspace.current().outputs = tuple(out for source, out in done if source == made.asked.source)
    workspace.keep()
    st.session_state.pop("measure.place", None)
    # A pilot's outputs and all of them lie in the same place.
    loading.forget("measure")


def _ended(made: Making, now: Status) -> None:
    if now.state is State.FAILED:
        st.error(workspace.plain(now.said), icon=":material/error:")
    elif now.state is State.STOPPED:
        st.info(
            "It was stopped. Every output so far is kept; ask again to resume.",
            icon=":material/pause_circle:",
        )


def _told(made: Making, now: Status) -> None:
    missing = now.told.get("missing") or 0
    lost = f" {many(missing, 'output')} never came." if missing else ""
    several = len(workspace.current().outputs) > 1
    beside = "The models stand side by side." if several else "Ask another model to see both side by side."
    st.success(
        f"{workspace.plain(made.asked.called)} was asked, and its outputs are measured below.{lost} {beside}",
        icon=":material/check_circle:",
    )
