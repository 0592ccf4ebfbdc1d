"""Which model is asked, where it runs, and which questions: the form of *Sample and measure*.

A model that was just trained on this workspace's build is filled in, with the questions that the build holds out and the
model that the training began with.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from skill_factory.cli.options.endpoint import PILOT
from skill_factory.hosting import hosted
from skill_factory.ui.frame import workspace
from skill_factory.ui.frame.steps import DATA
from skill_factory.work import builds, trainings
from skill_factory.work.making_asked import Asked, Stage, What, Where
from skill_factory.work.trainings import Trained

_DRAFT, _SECRET, _FOR = "_sampling_draft", "_sampling_key", "_sampling_for"
USUAL: dict[str, Any] = {
    "where": Where.ADDRESS,
    "url": "",
    "model": "",
    "base": "",
    "samples": 4,
    "temperature": 0.7,
    "max_tokens": 4_096,
    "held": True,
}
PLACES = {Where.ADDRESS: "at an address", Where.HERE: "on this computer, served while it is asked"}
_ADDRESS = (
    "Of a server with an OpenAI-compatible API. For a model of yours on this computer, run "
    "`skill-factory serve MODEL`; it prints the address."
)


def trained() -> Trained | None:
    """The model that was trained on this workspace's build, if there is one."""
    mine = workspace.current()
    job = builds.find(mine.job) if mine.job else None
    return trainings.trained_on(job) if job is not None else None


def secret() -> str:
    """The key that was typed in this session."""
    return str(st.session_state.get(_SECRET, ""))


def form() -> tuple[Stage, Sequence[Asked]] | None:
    """The form; once a button is pressed, the stage and what is asked, one model after the other."""
    made = trained()
    _fill_in(made)
    questions = _questions(made)
    if questions is None:
        return None
    where = _place()
    model, base = _models(where)
    asked = replace(questions, where=where, url=_draft("url").strip() if where is Where.ADDRESS else "")
    asked = _numbers(replace(asked, model=model))
    several = [replace(asked, model=base), asked] if base and base != model else [asked]
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Ask all questions", key="sampling.whole", type="tertiary"):
            return Stage.WHOLE, several
        if st.button(
            f"Ask {PILOT} questions", key="sampling.pilot", type="primary", icon=":material/play_arrow:"
        ):
            return Stage.PILOT, several
    return None


def _fill_in(made: Trained | None) -> None:
    """Fill in the model that was trained, once per training."""
    if made is None or st.session_state.get(_FOR) == made:
        return
    st.session_state[_FOR] = made
    here = made.here and not hosted()
    filled = {
        "where": Where.HERE if here else Where.ADDRESS,
        "model": made.model,
        "base": made.base if here else "",
        "held": bool(made.questions),
    }
    st.session_state.setdefault(_DRAFT, {}).update(filled)
    for name in filled:
        st.session_state.pop(f"sampling.{name}", None)


def _questions(made: Trained | None) -> Asked | None:
    """The questions as something to ask; None, with a way to some, where there are none."""
    mine = workspace.current()
    held = made is not None and bool(made.questions)
    if held and mine.source:
        ways = {True: "held out of the training", False: f"all of {mine.label}"}
        held = _kept(
            "held", st.radio, "Questions", options=[True, False], horizontal=True,
            format_func=lambda way: workspace.plain(ways[way]),
        )  # fmt: skip
    if held and made is not None:
        st.markdown(
            f"Questions that the build of **{workspace.plain(made.title)}** holds out, each as it is: the model hasn't seen them."
        )
        return Asked(
            What.OUTPUTS,
            made.questions,
            f"{made.title}, held out",
            {"question": "question", "answer": "answer"},
        )
    if not mine.source:
        st.markdown(
            "The model is asked questions of your own. Open them on Data: questions and gold answers are enough."
        )
        st.page_link(DATA.target(), label="Open data", icon=DATA.icon)
        return None
    st.markdown(f"Questions of **{workspace.plain(mine.label)}**, each as it is.")
    if made is None:
        st.caption("Ask questions that the model wasn't trained on.")
    else:
        st.warning(
            "The model was trained on questions of this build, so its figures may look better than they are. Set "
            "*Held-out questions* on Choose, build and train again, or open other questions on Data.",
            icon=":material/visibility:",
        )
    return Asked(What.OUTPUTS, mine.source, mine.label, _columns(), _part())


def _place() -> Where:
    if hosted():
        return Where.ADDRESS
    return Where(
        _kept(
            "where",
            st.radio,
            "It runs",
            options=list(PLACES),
            format_func=PLACES.__getitem__,
            horizontal=True,
        )
    )


def _models(where: Where) -> tuple[str, str]:
    """The model, and the one that it is compared with, if any."""
    left, right = st.columns(2)
    if where is Where.HERE:
        with left:
            model = _kept("model", st.text_input, "Model", placeholder="user/model or a folder")
        with right:
            base = _kept(
                "base",
                st.text_input,
                "Compare with",
                placeholder="user/model or a folder",
                help="Usually the model before its training. It is asked first, the same questions.",
            )
        return model.strip(), base.strip()
    with left:
        _kept("url", st.text_input, "Address", placeholder="http://localhost:8000/v1", help=_ADDRESS)
    with right:
        model = _kept("model", st.text_input, "Model", help="The name by which its server knows the model.")
    _ask_secret()
    return model.strip(), ""


def _numbers(asked: Asked) -> Asked:
    some = st.columns(3)
    with some[0]:
        samples = _kept("samples", st.number_input, "Outputs per question", min_value=1, max_value=64)
    with some[1]:
        warm = _kept("temperature", st.number_input, "Temperature", min_value=0.0, max_value=2.0, step=0.1)
    with some[2]:
        most = _kept(
            "max_tokens", st.number_input, "Maximum tokens per output", min_value=16, max_value=131_072
        )
    return replace(asked, per_variant=int(samples), temperature=float(warm), max_tokens=int(most))


def _columns() -> dict[str, Any]:
    columns = workspace.current().recipe.columns
    return {name: found for name in ("question", "answer") if (found := getattr(columns, name))}


def _part() -> tuple[str, str, str]:
    spec = workspace.current().recipe.source
    return (spec.config, spec.split, spec.revision) if spec.kind == "hub" else ("", "train", "")


def _draft(name: str) -> Any:
    return st.session_state.setdefault(_DRAFT, {}).get(name, USUAL[name])


def _kept(name: str, widget: Any, label: str, **options: Any) -> Any:
    """A widget whose value outlives a visit to another page."""
    key = f"sampling.{name}"
    if key not in st.session_state:
        st.session_state[key] = _draft(name)
    st.session_state[_DRAFT][name] = widget(label, key=key, **options)
    return _draft(name)


def _ask_secret() -> None:
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
