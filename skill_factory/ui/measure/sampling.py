"""Sample and measure: ask a trained model the questions of the chosen data, and measure what it says.

Several models, asked one after the other, are measured side by side: first the base model, then the trained one.
"""

from typing import Any

import streamlit as st

from skill_factory.cli.options.endpoint import PILOT
from skill_factory.errors import SkillFactoryError
from skill_factory.ui.frame import loading, visitor, workspace
from skill_factory.ui.frame.buttons.stopping import stop_button
from skill_factory.ui.frame.steps import DATA
from skill_factory.wording import duration, many
from skill_factory.work import makings
from skill_factory.work.making_asked import Asked, Stage, What, Where
from skill_factory.work.makings import Making, Status
from skill_factory.work.process import State

_NOW, _TAKEN, _DONE, _DRAFT, _SECRET = (
    "_sampling",
    "_sampling_taken",
    "_sampled",
    "_sampling_draft",
    "_sampling_key",
)
USUAL: dict[str, Any] = {"url": "", "model": "", "samples": 4, "temperature": 0.7, "max_tokens": 4_096}


def part() -> None:
    """The part of the page: the form, then the run, then its outputs are measured."""
    made = makings.find(st.session_state.get(_NOW, ""))
    now = makings.status(made) if made is not None else None
    if made is not None and now is not None and now.state is State.DONE:
        _measure(made)
    with st.expander(
        "Ask a trained model, then measure it",
        icon=":material/forum:",
        expanded=made is not None,
        key="measure.sampling",
    ):
        if made is not None and now is not None:
            if now.running:
                _watch(made)
                return
            _ended(made, now)
        _form(made)


def _form(before: Making | None) -> None:
    mine = workspace.current()
    if not mine.source:
        st.markdown(
            "The model is asked questions of your own. Open them on Data: questions and gold answers are enough."
        )
        st.page_link(DATA.target(), label="Open data", icon=DATA.icon)
        return
    st.markdown(
        f"Questions of **{workspace.plain(mine.label)}**, each as it is. Ask questions that the model wasn't trained on."
    )
    left, right = st.columns(2)
    with left:
        url = _kept("url", st.text_input, "Address", placeholder="http://localhost:8000/v1", help=_ADDRESS)
    with right:
        model = _kept("model", st.text_input, "Model", help="The name by which its server knows the model.")
    _secret()
    some = st.columns(3)
    with some[0]:
        samples = _kept("samples", st.number_input, "Outputs per question", min_value=1, max_value=64)
    with some[1]:
        warm = _kept("temperature", st.number_input, "Temperature", min_value=0.0, max_value=2.0, step=0.1)
    with some[2]:
        most = _kept(
            "max_tokens", st.number_input, "Maximum tokens per output", min_value=16, max_value=131_072
        )
    asked = Asked(
        What.OUTPUTS,
        mine.source,
        mine.label,
        _columns(),
        _part(),
        where=Where.ADDRESS,
        url=url.strip(),
        model=model.strip(),
        per_variant=int(samples),
        temperature=float(warm),
        max_tokens=int(most),
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Ask all questions", key="sampling.whole", type="tertiary"):
            _start(asked, Stage.WHOLE, before)
        if st.button(
            f"Ask {PILOT} questions", key="sampling.pilot", type="primary", icon=":material/play_arrow:"
        ):
            _start(asked, Stage.PILOT, before)


_ADDRESS = (
    "Of a server with an OpenAI-compatible API. For a model of yours on this computer, run "
    "`skill-factory serve MODEL`; it prints the address."
)


def _columns() -> dict[str, Any]:
    columns = workspace.current().recipe.columns
    return {name: found for name in ("question", "answer") if (found := getattr(columns, name))}


def _part() -> tuple[str, str, str]:
    spec = workspace.current().recipe.source
    return (spec.config, spec.split, spec.revision) if spec.kind == "hub" else ("", "train", "")


def _kept(name: str, widget: Any, label: str, **options: Any) -> Any:
    """A widget whose value outlives a visit to another page."""
    draft: dict[str, Any] = st.session_state.setdefault(_DRAFT, {})
    key = f"sampling.{name}"
    if key not in st.session_state:
        st.session_state[key] = draft.get(name, USUAL[name])
    draft[name] = widget(label, key=key, **options)
    return draft[name]


def _secret() -> None:
    typed = st.text_input(
        "Key",
        type="password",
        key="sampling.key",
        placeholder="if the server needs one",
        autocomplete="off",
        help="Kept in this session only, sent only to the model's server, and never stored.",
    )
    if typed.strip():
        st.session_state[_SECRET] = typed.strip()


def _start(asked: Asked, stage: Stage, before: Making | None) -> None:
    # Another model's answers belong into a folder of their own: two models are compared, not mixed.
    same = before if before is not None and before.asked.asks_for == asked.asks_for else None
    try:
        made = makings.start(
            asked,
            stage,
            workspace.current().token,
            str(st.session_state.get(_SECRET, "")),
            same,
            visitor.key(),
        )
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    st.session_state[_NOW] = made.id
    st.rerun()


@st.fragment(run_every=0.8)
def _watch(made: Making) -> None:
    makings.here(made)
    now = makings.status(made)
    if not now.running:
        st.rerun()
    st.progress(now.progress.share if now.progress else 0.0, text=_doing(made, now))
    stop_button(
        "sampling.stop", makings.stop, made, now.state, "Every output so far is kept; you can resume later."
    )


def _doing(made: Making, now: Status) -> str:
    done = now.progress
    if now.before is not None:
        return f"Waiting in the queue: {many(now.before, 'piece')} of work before it"
    if done is None or not done.total:
        return f"Asking {workspace.plain(made.asked.model)} …"
    left = "" if done.seconds_left is None else f", about {duration(done.seconds_left)} left"
    return f"{done.done:,} of {done.total:,} outputs of {workspace.plain(made.asked.model)}{left}"


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
    else:
        missing = now.told.get("missing") or 0
        lost = f" {many(missing, 'output')} never came." if missing else ""
        st.success(
            f"{workspace.plain(made.asked.model)} was asked, and its outputs are measured below.{lost} "
            "Ask another model to see both side by side.",
            icon=":material/check_circle:",
        )
