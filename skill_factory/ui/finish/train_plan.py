"""Train on the build from here: model, method and place, what it takes, and the button that starts it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.traces.lengths import AROUND
from skill_factory.training.estimate import Estimate, cheapest, estimate_training
from skill_factory.training.facts import model_facts
from skill_factory.training.machines import Trainer, rented, this_computer
from skill_factory.training.plan import Method, Place, Plan
from skill_factory.training.takes import ROUGH, limit_words
from skill_factory.ui.finish import built_summary
from skill_factory.ui.frame import loading, shell, visitor, workspace
from skill_factory.wording import file_size, many, rough_duration, rounded
from skill_factory.work import trainings
from skill_factory.work.builds import Job

METHODS = {
    Method.SFT: "from the traces (fine-tuning)",
    Method.GRPO: "from the reward of its own answers (GRPO)",
}
PLACES = {Place.HERE: "on this computer", Place.JOBS: "on a machine of the Hub"}
CHEAPEST = "the cheapest that fits"


def form(job: Job) -> None:
    """The choices, the estimate and the button."""
    left, right = st.columns([1, 1], gap="large")
    with left:
        chosen = _chosen(job)
    with right:
        plan = _plan(job, chosen) if chosen else None
        if plan is None:
            st.markdown("Name the model, and what its training takes appears here.")
            return
        takes = _takes(job, plan)
        if takes is None:
            return
        _numbers(plan, takes)
        _button(job, replace(plan, flavor=takes.machine.name) if plan.place is Place.JOBS else plan, takes)


def _chosen(job: Job) -> dict[str, Any] | None:
    model = _text("Model to train", "model", "user/model" if hosted() else "user/model or a folder")
    method = st.radio("It learns", list(METHODS), format_func=METHODS.__getitem__, key="fit.method")
    lora = st.toggle(
        "Only an adapter (LoRA)",
        key="fit.lora",
        persist_state="session",
        help="Trains about a hundredth of the weights: it needs far less memory, and learns a little less.",
    )
    place = _place_of_training()
    to = ""
    if place is Place.JOBS:
        to = _text("Publish the model as", "to", "user/model", "The repository also keeps the checkpoints.")
    more = _values(job)
    if not model or (place is Place.JOBS and not to):
        return None
    return {
        "model": model,
        "method": method,
        "lora": lora,
        "place": place,
        "to": to,
        **more,
        **_source(job, method),
    }


def _text(label: str, name: str, placeholder: str, help: str | None = None) -> str:
    typed = st.text_input(
        label, key=f"fit.{name}", persist_state="session", placeholder=placeholder, help=help
    )
    return str(typed or "").strip()


def _place_of_training() -> Place:
    if hosted():
        st.caption(
            "This server is shared, so nothing is trained on it: your training runs on a machine of the Hub, for which you pay."
        )
        return Place.JOBS
    return st.radio("Where", list(PLACES), format_func=PLACES.__getitem__, key="fit.place")


def _values(job: Job) -> dict[str, Any]:
    with st.expander("Epochs, learning rate and steps", icon=":material/tune:"):
        epochs = st.number_input("Epochs", 0.1, 100.0, Plan.epochs, key="fit.epochs", persist_state="session")
        rate = st.number_input(
            "Learning rate",
            0.0,
            1.0,
            0.0,
            format="%.1e",
            key="fit.rate",
            persist_state="session",
            help="0 for the method's own: 1e-6, for an adapter 2e-4 (GRPO: 1e-5).",
        )
        steps = st.number_input(
            "Maximum steps", 0, 1_000_000, 0, key="fit.steps", persist_state="session", help="0 for no limit."
        )
    return {
        "epochs": float(epochs),
        "rate": float(rate),
        "steps": int(steps),
        "cutoff": workspace.cutoff(job.recipe),
    }


def _source(job: Job, method: Method) -> dict[str, Any]:
    if method is Method.SFT:
        return {}
    if job.places:
        return {"source": tuple(f"{name}={place}" for name, place in job.places.items())}
    return {"source": (job.source,)} if job.source and Path(job.source).exists() else {}


def _plan(job: Job, chosen: dict[str, Any]) -> Plan | None:
    # A folder of a shared server is nobody's to name.
    if hosted() and Path(chosen["model"]).expanduser().exists():
        st.warning("On a shared server the model is one on the Hub: user/model.", icon=":material/info:")
        return None
    try:
        return trainings.plan_for(job, **chosen)
    except SkillFactoryError as error:
        st.warning(shell.plain(str(error)), icon=":material/info:")
        return None


# -- what it takes ---------------------------------------------------------------------------------------------------


def _takes(job: Job, plan: Plan) -> Estimate | None:
    """The estimate on the chosen machine; a choice of machines for a job."""
    token = workspace.current().token
    facts = loading.once("fit facts", (plan.model, token), lambda: model_facts(plan.model, token))
    lengths = _lengths(job)
    if plan.place is Place.HERE:
        return estimate_training(plan, lengths, facts, this_computer())
    if not token:
        st.info("Sign in first, on *Publish*: a job runs in your account.", icon=":material/login:")
        return None
    try:
        machines = loading.once("fit machines", token, lambda: rented(token))
    except SkillFactoryError as error:
        st.error(shell.plain(str(error)), icon=":material/error:")
        return None
    return _on_a_machine({one.name: estimate_training(plan, lengths, facts, one) for one in machines})


def _on_a_machine(takes: dict[str, Estimate]) -> Estimate | None:
    least = cheapest(takes.values())
    names = [*([CHEAPEST] if least else []), *takes]
    chosen = st.selectbox("Machine", names, format_func=lambda name: _offer(name, takes), key="fit.flavor")
    return least if chosen == CHEAPEST else takes.get(chosen)


def _offer(name: str, takes: dict[str, Estimate]) -> str:
    if name == CHEAPEST:
        return name
    machine: Trainer = takes[name].machine
    return f"{name} ({machine.device}, {file_size(machine.memory)}), ${machine.dollars_per_hour:.2f} per hour"


def _lengths(job: Job) -> npt.NDArray[np.int32]:
    """Tokens of each trace by its characters; the answers of GRPO are expected to be as long."""
    table = built_summary.index_of(job)
    of_a_character = estimated_tokens(1, job.recipe.cutoff.chars_per_token)
    return (np.asarray(table.chars) * of_a_character + AROUND).astype(np.int32)


def _numbers(plan: Plan, takes: Estimate) -> None:
    for column, (label, number) in zip(
        st.columns(2),
        [("Tokens", f"≈ {rounded(takes.tokens):,}"), ("Steps", f"{takes.steps:,}")],
        strict=True,
    ):
        column.metric(label, number, border=True)
    memory = (
        f"≈ {file_size(takes.memory)} of {file_size(takes.machine.memory)}" if takes.memory else "not known"
    )
    st.markdown(f"Memory: {memory}. Time: {rough_duration(takes.seconds) if takes.seconds else 'not known'}.")
    if plan.place is Place.JOBS:
        st.markdown(shell.plain(_price(plan, takes)))
    if takes.over:
        st.warning(
            f"{many(takes.over, 'trace')} would be cut at {plan.cutoff:,} tokens, where the answer is.",
            icon=":material/content_cut:",
        )
    if takes.rough:
        st.caption(shell.plain(ROUGH))
    if not takes.fits:
        st.warning(
            "That doesn't fit into its memory. Train an adapter, a smaller model, or take a larger machine.",
            icon=":material/memory:",
        )


def _price(plan: Plan, takes: Estimate) -> str:
    about = f"About ${takes.dollars:.2f}. " if takes.seconds else ""
    return f"{about}{limit_words(plan, takes)}, billed to your account."


def _button(job: Job, plan: Plan, takes: Estimate) -> None:
    if refused := st.session_state.pop("fit.refused", ""):
        st.warning(shell.plain(refused), icon=":material/hourglass_top:")
    with st.container(horizontal=True, horizontal_alignment="right"):
        label = (
            f"Train for about ${takes.dollars:.2f}" if plan.place is Place.JOBS and takes.seconds else "Train"
        )
        st.button(
            label,
            type="primary",
            icon=":material/model_training:",
            key="fit.start",
            on_click=start,
            args=(job, plan),
            disabled=not takes.fits,
        )


def start(job: Job, plan: Plan) -> None:
    """Start or resume it as this session's visitor."""
    try:
        trainings.start(job, plan, workspace.current().token, visitor.key())
    except (OSError, SkillFactoryError) as error:
        st.session_state["fit.refused"] = str(error)
