"""A run of a model, in its panel: the pilot first, its forecast, the run with its numbers, and what came of it."""

import logging
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from skill_factory.cli.options.endpoint import PILOT
from skill_factory.insight import pilot_chart
from skill_factory.ui.data import made_data, making_files
from skill_factory.ui.data.making_files import Run
from skill_factory.ui.frame import loading, workspace
from skill_factory.ui.frame.buttons.command_line import same_command, typed
from skill_factory.ui.frame.buttons.stopping import stop_button
from skill_factory.ui.frame.chart_answer import answer
from skill_factory.wording import duration, many, percent
from skill_factory.work import makings
from skill_factory.work.making_asked import FINAL, OUT, Asked, Stage, What, Where
from skill_factory.work.makings import Making, Status
from skill_factory.work.process import State

log = logging.getLogger(__name__)

FIGURES = {
    "verdict_accuracy": "Correct verdicts",
    "verdict_accuracy_on_right": "Correct verdicts on right responses",
    "verdict_accuracy_on_wrong": "Correct verdicts on wrong responses",
    "verdict_missing": "Reflections without a verdict",
    "responses_with_kept": "Responses with a usable reflection",
    "right": "Right answers",
    "unjudged": "Answers that couldn't be judged",
    "no_final_answer": "Answers without a final answer",
    "cut_off": "Cut off at the maximum length",
    "refused": "Refused by the model",
    "empty": "Empty",
    "equal": "Equal to another answer",
}
FIRST = {
    What.REFLECTIONS: {"verdict_accuracy": "Correct verdicts", "verdict_missing": "No verdict"},
    What.RESPONSES: {"right": "Right answers", "no_final_answer": "No final answer"},
}
Take = Callable[[Making, Status], None]
"""Makes what was made the chosen data."""
NOUN = {What.REFLECTIONS: "reflections", What.RESPONSES: "answers"}


def complete(made: Making, now: Status) -> bool:
    """Whether a finished stage made the raw set of all the questions, with nothing left for the visitor to decide."""
    rows = now.told.get("rows", now.told.get("responses", 0))
    return made.stage in FINAL and bool(rows) and now.told.get("ending", "done") == "done"


def offer(asked: Asked, made: Making | None, now: Status | None, run: Run, take: Take) -> None:
    """The next thing to do: a pilot, then the whole; by files a request file, then its answers."""
    refused()
    if asked.where is Where.FILES:
        making_files.by_files(asked, made, now, run)
        return
    told = makings.pilot(made) if made else None
    if made and now and now.state is State.DONE and made.stage is Stage.WHOLE:
        _short(asked, made, now, run, take)
    # A forecast holds for what was asked then; another model or prompt needs a pilot of its own.
    elif made and told and asked.asks_for == made.asked.asks_for:
        _foretold(asked, told, run)
    else:
        _first(asked, run, bool(told))


def refused() -> None:
    """Why nothing was started, if so."""
    if said := st.session_state.pop("_making_refused", ""):
        st.error(workspace.plain(said), icon=":material/error:")


# -- before --------------------------------------------------------------------------------------------------------


def _first(asked: Asked, run: Run, changed: bool) -> None:
    noun = NOUN[asked.what]
    if changed:
        st.info("The settings have changed since the pilot. Try them again.", icon=":material/refresh:")
    if asked.what is What.REFLECTIONS:
        st.markdown(
            "The model reads each response and says whether it is right, **without being told**. A trace needs reflections "
            "with the correct verdict, so it matters how often this model judges correctly."
        )
    else:
        st.markdown(
            "The model answers each question several times, with several wordings of the prompt. If the data has a gold "
            "answer, each answer is graded at once."
        )
    st.markdown(
        f"**First, a pilot with {PILOT} questions.** It shows how good the {noun} are, how much all of them will cost, how long "
        "they will take, and how many questions you will be able to use. Nothing it makes is paid for twice."
    )
    _actions(asked, run, Stage.PILOT, f"Try {PILOT} questions", other="Make all of them without a pilot")
    _command(asked)


def _actions(asked: Asked, run: Run, stage: Stage, label: str, other: str = "") -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if other and st.button(other, type="tertiary", key="making.whole"):
            run(asked, Stage.WHOLE)
        if st.button(label, type="primary", icon=":material/play_arrow:", key=f"making.run.{stage.value}"):
            run(asked, stage)


def _command(asked: Asked) -> None:
    """What to type for the same; without a key, and without a place on this server."""
    same_command(
        f"generate {asked.what.value} {typed(asked.source)} --endpoint {shlex.quote(asked.url or 'URL')} "
        f"--model {shlex.quote(asked.model or 'MODEL')} --out {OUT[asked.what]} --pilot"
    )


# -- after the pilot -----------------------------------------------------------------------------------------------


def _foretold(asked: Asked, told: Mapping[str, Any], run: Run) -> None:
    total = told["questions_total"]
    st.markdown(f"The pilot tried **{many(told['questions'], 'question')} of {total:,}**.")
    for place, (name, value) in zip(st.columns(4), _metrics(asked, told), strict=True):
        place.metric(name, value, border=True)
    attempts = workspace.value("traces.attempts")
    table = pilot_chart.forecast_table(told)
    answer(
        pilot_chart.forecast_chart(table, attempts),
        pilot_chart.forecast_finding(told, attempts),
        table,
        "chart.forecast",
        "usable questions at each N",
    )
    with st.expander("All figures of the pilot", icon=":material/table:"):
        st.table(_figures(told), hide_index=True)
    st.caption("Forecasts are 95 % intervals. The pilot's answers are part of the whole.")
    _actions(asked, run, Stage.WHOLE, f"Make {NOUN[asked.what]} for all {many(total, 'question')}")


def _metrics(asked: Asked, told: Mapping[str, Any]) -> list[tuple[str, str]]:
    shown = [(said, percent(told["figures"].get(name, 0.0))) for name, said in FIRST[asked.what].items()]
    tokens = sum(told["tokens_per_question"].values()) * told["questions_total"]
    priced = bool(told["cost_total"])
    cost = ("Total cost", f"{told['cost_total']:,.2f}") if priced else ("Total tokens", _short_number(tokens))
    return [*shown, cost, ("Total time", duration(told["seconds_total"]))]


def _short_number(number: float) -> str:
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:,.1f} {name}"
    return f"{number:,.0f}"


def _figures(told: Mapping[str, Any]) -> dict[str, list[str]]:
    shown = [(FIGURES.get(name, name), percent(value)) for name, value in told["figures"].items()]
    shown += [
        (f"Tokens per question, {'in' if name == 'prompt' else 'out'}", f"{value:,.0f}")
        for name, value in told["tokens_per_question"].items()
    ]
    shown += [("Cost of the pilot", f"{told['cost']:,.4f}")] if told["cost"] else []
    return {"Figure": [name for name, _ in shown], "Value": [value for _, value in shown]}


# -- while ---------------------------------------------------------------------------------------------------------


@st.fragment(run_every=0.8)
def watch(made: Making) -> None:
    """How far it is, how fast, what it has cost, how long it will take, and a way to stop it."""
    makings.here(made)
    now = makings.status(made)
    if not now.running:
        st.rerun()
    done = now.progress
    what = {
        Stage.PILOT: "The pilot",
        Stage.GRADE: "Grading",
        Stage.WRITE: "Writing the requests",
        Stage.JOIN: "Joining the answers",
    }.get(made.stage, "The run")
    if now.state is State.STOPPING:
        st.progress(
            done.share if done else 0.0,
            text="Stopping: waiting for answers that are already paid for …",
        )
    else:
        st.progress(done.share if done else 0.0, text=f"{what} {_doing(now)}")
    if made.stage in (Stage.PILOT, Stage.WHOLE):
        for place, (name, value) in zip(st.columns(4), _moment(made, now), strict=True):
            place.metric(name, value, border=True)
        if done and done.retries:
            st.caption(f"{many(done.retries, 'retry')} so far, because the server was busy or failed.")
    st.caption("It runs on its own: you can close this page and come back through its address.")
    stop_button(
        "making.stop", makings.stop, made, now.state, "Every answer so far is kept; you can resume later."
    )


def _doing(now: Status) -> str:
    if now.before is not None:
        return (
            f"is in the queue: {many(now.before, 'piece')} of work before it"
            if now.before
            else "is next in the queue"
        )
    done = now.progress
    if done is None or not done.total:
        return f"has started ({now.seconds:.0f} s)"
    if done.phase == "write":
        return "is writing the data"
    return f"has {done.done:,} of {done.total:,} answers"


def _moment(made: Making, now: Status) -> list[tuple[str, str]]:
    done, priced = now.progress, bool(made.asked.price_in or made.asked.price_out)
    if done is None:
        return [
            ("Tokens per second", "–"),
            ("Cost so far", "–"),
            ("Time left", "–"),
            ("Requests at once", "–"),
        ]
    spent = _short_number(done.prompt_tokens + done.completion_tokens)
    return [
        ("Tokens per second", f"{done.tokens_per_second:,.0f}"),
        ("Cost so far", f"{done.cost:,.2f}") if priced else ("Tokens so far", spent),
        ("Time left", "–" if done.seconds_left is None else duration(done.seconds_left)),
        ("Requests at once", f"{done.in_flight:,}"),
    ]


# -- after ---------------------------------------------------------------------------------------------------------


def ended(asked: Asked, made: Making, now: Status, run: Run) -> None:
    """Why it ended early, and how to resume it: with the key, the prices and the budget as they are now."""
    if now.state is State.STOPPED:
        part = f" at {percent(now.progress.share)}" if now.progress and now.progress.total else ""
        st.info(f"It was stopped{part}. Every answer so far is kept.", icon=":material/pause_circle:")
    else:
        loading.once(
            "made log",
            (made.id, now.said),
            lambda: log.error("made %s: %s", made.id[:6], makings.fault(made)),
        )
        st.error(workspace.plain(now.said), icon=":material/error:")
    with st.container(horizontal=True):
        same = asked.asks_for == made.asked.asks_for
        if same and st.button("Resume", key="making.resume", icon=":material/play_arrow:", type="primary"):
            run(asked, made.stage)
        made_data.delete_button(made)


def _short(asked: Asked, made: Making, now: Status, run: Run, take: Take) -> None:
    """The budget ended it, or no answer came."""
    if not now.told.get("rows"):
        st.error(
            "No usable answer came. Check the model's name and try again.",
            icon=":material/error:",
        )
    else:
        st.info(f"The budget is spent: {makings.summary(made, now.told)}", icon=":material/savings:")
        st.button(
            "Use what there is", on_click=take, args=(made, now), key="making.take", icon=":material/check:"
        )
    _actions(asked, run, Stage.WHOLE, "Continue with these settings")
