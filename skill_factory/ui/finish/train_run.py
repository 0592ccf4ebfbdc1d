"""The training of a build on its way: loss, speed, time left, the last sample with its attempts, and what came of it."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from skill_factory.insight.training_chart import curve_chart, curve_finding, curve_table
from skill_factory.measure.shown.taken_apart_html import output_html
from skill_factory.recipe.model import Recipe
from skill_factory.training.plan import Place
from skill_factory.training.samples import counted, marked_sample
from skill_factory.ui.finish import train_plan
from skill_factory.ui.frame import loading, shell, trace_view, workspace
from skill_factory.ui.frame.buttons.deleting import delete_button
from skill_factory.ui.frame.buttons.stopping import stop_button
from skill_factory.ui.frame.chart_answer import answer
from skill_factory.ui.frame.steps import MEASURE
from skill_factory.wording import duration, many
from skill_factory.work import trainings
from skill_factory.work.builds import Job
from skill_factory.work.process import State
from skill_factory.work.trainings import Training

if TYPE_CHECKING:
    from skill_factory.training.events import Seen

log = logging.getLogger(__name__)


def train_it(job: Job) -> None:
    """The form, or the training that was started with it."""
    now = trainings.status(job)
    if now is None:
        train_plan.form(job)
    elif now.running:
        _watch(job)
    elif now.state is State.DONE:
        _trained(job, now)
    else:
        _stopped(job, now)


@st.fragment(run_every=1.5)
def _watch(job: Job) -> None:
    trainings.here(job)
    now = trainings.status(job)
    if now is None or not now.running:
        st.rerun()
    st.progress(now.seen.share, text=_doing(now))
    _seen(job, now)
    with st.container(horizontal=True):
        stop_button(
            "fit.stop",
            trainings.stop,
            job,
            now.state,
            "Here it saves a checkpoint first; you can resume later.",
        )
        if now.url:
            st.link_button("The job on the Hub", now.url, icon=":material/open_in_new:")


def _doing(now: Training) -> str:
    seen = now.seen
    if now.state is State.STOPPING:
        return "Saving a checkpoint, then it stops …"
    if now.before is not None:
        return f"In the queue: {many(now.before, 'piece')} of work before it."
    if not seen.steps:
        return "Loading the model …" if now.plan.place is Place.HERE else "Waiting for the machine …"
    left = f", {duration(seen.seconds_left)} left" if seen.seconds_left is not None else ""
    pace = f", {seen.tokens_per_second:,.0f} tokens/s" if seen.tokens_per_second else ""
    return f"Step {seen.step:,} of {seen.steps:,}{pace}{left}"


def _seen(job: Job, now: Training) -> None:
    """The loss as a curve, and the last sample."""
    seen = now.seen
    left, right = st.columns([1, 1], gap="large")
    with left:
        if len(seen.curve) > 1:
            _curve(seen.curve, "loss")
        if len(seen.rewards) > 1:
            _curve(seen.rewards, "reward")
        if seen.saved:
            st.caption(f"Last checkpoint: step {seen.saved:,}.")
    with right:
        _sample(job, seen)


def _curve(curve: Mapping[int, float], name: str) -> None:
    table = curve_table(curve, name)
    answer(curve_chart(table, name), curve_finding(curve, name), table, f"fit.{name}", f"{name} by step")


def _sample(job: Job, seen: "Seen") -> None:
    if not seen.samples:
        return
    last = seen.samples[-1]
    # Its parts share what a trace looks like.
    recipe = job.recipe if isinstance(job.recipe, Recipe) else job.recipe.recipes[0]
    trace_view.style()
    st.markdown(f"**A sample at step {last.step:,}: {counted(last.text, recipe).words}**")
    with st.container(height=360, key="fit.sample"):
        st.html(output_html(marked_sample(last, trainings.golds(job).get(last.question), recipe), "fit"))
    told = [f"step {one.step:,}: {counted(one.text, recipe).words}" for one in seen.samples]
    with st.expander("All samples", icon=":material/history:", key="fit.samples"):
        st.markdown("\n".join(f"- {shell.plain(line)}" for line in told))


def _trained(job: Job, now: Training) -> None:
    st.markdown(f"### :material/check_circle: {shell.plain(_name(now))} is trained")
    if now.url:
        st.link_button("The model on the Hub", now.url, icon=":material/open_in_new:")
    else:
        st.caption("The model, its card and the script lie in this folder:")
        st.code(str(trainings.model_folder(job)), language=None)
    if st.button("Sample and measure", key="fit.measure", type="primary", icon=":material/monitoring:"):
        _to_measure(job)
    _seen(job, now)
    delete_button(
        "Train again",
        "The trained model, its checkpoints and its figures are deleted from this computer. What is on the Hub stays.",
        "fit.again",
        trainings.forget,
        job,
    )


def _to_measure(job: Job) -> None:
    """Measure finds the model by its build; what was measured before makes room."""
    mine = workspace.current()
    mine.job, mine.outputs = job.id, ()
    workspace.keep()
    st.switch_page(MEASURE.target())


def _stopped(job: Job, now: Training) -> None:
    if now.state is State.FAILED:
        loading.once(
            "fit log",
            (job.id, now.said),
            lambda: log.error("training %s: %s", job.id[:6], trainings.fault(job)),
        )
        st.error(shell.plain(now.said), icon=":material/error:")
    else:
        why = "Its time is over" if now.seen.how == "expired" else "The training was stopped"
        kept = (
            f"the checkpoint of step {now.seen.saved:,} is kept"
            if now.seen.saved
            else "no step was saved yet"
        )
        st.info(f"{why} at step {now.seen.step:,}; {kept}.", icon=":material/pause_circle:")
    with st.container(horizontal=True):
        st.button(
            "Resume",
            type="primary",
            key="fit.resume",
            icon=":material/play_arrow:",
            on_click=train_plan.start,
            args=(job, now.plan),
        )
        delete_button(
            "Choose again",
            "The checkpoints of this training are deleted from this computer.",
            "fit.delete",
            trainings.forget,
            job,
        )
    if now.seen.steps:
        _seen(job, now)


def _name(now: Training) -> str:
    return now.plan.to or now.plan.model.rstrip("/").rpartition("/")[2]
