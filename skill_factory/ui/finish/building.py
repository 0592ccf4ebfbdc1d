"""The build on Finish: what it will take, how far it is, what came of it."""

import logging
import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.formats import format_of
from skill_factory.hosting import cores, hosted
from skill_factory.insight import tables as stats
from skill_factory.insight.estimate import Estimate, estimate, size_words, time_words
from skill_factory.judge.source_facts import identity
from skill_factory.reasons import Level
from skill_factory.ui.frame import away, loading, shell, uploads, visitor, workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many, percent
from skill_factory.work import builds as jobs
from skill_factory.work import looking
from skill_factory.work.builds import Job, Status
from skill_factory.work.home import home
from skill_factory.work.process import ACTIVE, State
from skill_factory.work.quota import refusal

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

log = logging.getLogger(__name__)

SAMPLE_BYTES = 400_000


def shown() -> Job | None:
    """The build that the page shows: the one in its address, or this session's last one."""
    mine = workspace.current()
    asked = st.query_params.get("job", "")
    if asked and asked != mine.job:
        mine.job = asked
    job = jobs.find(mine.job) if mine.job else None
    if mine.job and job is None:
        st.warning(
            "There is no such build here any more. Build it again, or check the link.",
            icon=":material/link_off:",
        )
        mine.job = ""
        st.query_params.pop("job", None)
    if job is not None:
        st.query_params["job"] = job.id
    return job


def is_current(job: Job) -> bool:
    """Whether a build is of the present data and recipe; without data there is nothing else to build."""
    mine = workspace.current()
    return not mine.source or (job.source == mine.source and job.asked == loading.recipe().fingerprint())


# -- before --------------------------------------------------------------------------------------------------------


def offer() -> None:
    """What a build would take, and the button that starts it."""
    seen = loading.evidence()
    with st.skeleton(height=180):
        takes = _estimate(seen)
    about = "" if seen.exact and seen.outlook.exact else "about "
    if not takes.traces:
        st.markdown(
            "**Under this recipe no trace can be made.** Fewer attempts or looser filters leave more questions."
        )
        shell.go(shell.CHOOSE, "Change it on Choose")
        return
    if refused := st.session_state.pop("build.refused", ""):
        st.warning(shell.plain(refused), icon=":material/hourglass_top:")
    _numbers(seen, takes, about)
    if refused := refusal(_rows(seen), takes.text_bytes):
        st.warning(shell.plain(refused), icon=":material/hard_drive:")
        return
    st.caption(
        "The build runs by itself: you can close this page and come back by its link. "
        "Then you publish it, train with it or download it here."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            f"Build {about}{many(takes.traces, 'trace')}", type="primary", icon=":material/play_arrow:",
            on_click=_start, key="build.start",
        )  # fmt: skip
    _command(seen)


def _numbers(seen: Evidence, takes: Estimate, about: str) -> None:
    told = [
        ("Rows to read", f"{_rows(seen):,}"),
        ("Traces", f"{about}{takes.traces:,}"),
        ("Text", size_words(takes.text_bytes)),
        ("Time", time_words(takes.seconds) if takes.seconds else "not known yet"),
    ]
    for column, (label, number) in zip(st.columns(4), told, strict=True):
        column.metric(label, number, border=True)
    formats = ", ".join(format_of(code).name for code in seen.recipe.traces.formats)
    st.markdown(
        f"{formats}, N = {seen.recipe.traces.attempts}, from {shell.plain(workspace.current().label)}."
    )


def _rows(seen: Evidence) -> int:
    return loading.source().rows or seen.narrow.rows.ledger[Level.ROWS].read


def _command(seen: Evidence) -> None:
    with st.expander("The same on the command line", icon=":material/terminal:"):
        st.code(
            f"python -m skill_factory build {_source_words()} --recipe recipe.toml --out traces",
            language="bash",
        )
        st.download_button(
            "recipe.toml", seen.recipe.to_toml(), "recipe.toml", "application/toml", on_click="ignore",
            icon=":material/download:", key="build.recipe",
        )  # fmt: skip


def _source_words() -> str:
    """What to type for the source: the name of an uploaded file, not its place on this server."""
    mine = workspace.current()
    return shlex.quote(Path(mine.source).name if mine.recipe.source.kind == "file" else mine.source)


def _start() -> None:
    mine = workspace.current()
    try:
        job = jobs.start(mine.source, mine.label, loading.recipe(), mine.token, visitor.key())
    except OSError as error:
        st.session_state["build.refused"] = uploads.no_room("The build", home(), error)
        return
    except SkillFactoryError as error:
        st.session_state["build.refused"] = str(error)
        return
    mine.job = job.id
    st.query_params["job"] = job.id


def _estimate(seen: Evidence) -> Estimate:
    source, rows = loading.source(), _rows(seen)
    pace = loading.once(
        "pace",
        (identity(source), seen.recipe.columns),
        lambda: away.run(looking.pace, source, seen.recipe, SAMPLE_BYTES),
    )
    return estimate(seen.outlook, seen.scale, loading.typical(), pace, rows, cores())


# -- while ---------------------------------------------------------------------------------------------------------


@st.fragment(run_every=0.7)
def watch(job: Job) -> None:
    """How far it is, what was kept so far, and a way to stop it."""
    jobs.here(job)
    now = jobs.status(job)
    if now.state not in ACTIVE:
        st.rerun()
    done = now.progress
    share = done.share if done else 0.0
    st.progress(share, text=_doing(now))
    table = stats.ledger_table(jobs.ledger(job))
    if len(table):
        st.dataframe(_readable(table), hide_index=True, alt="Kept and dropped so far", key="build.ledger")
    if done and done.resumed:
        st.caption(f"{many(done.resumed, 'part')} of an earlier run were taken over.")
    st.button(
        "Stop", on_click=jobs.cancel, args=(job,), key="build.stop", icon=":material/stop_circle:",
        disabled=now.state is State.STOPPING, help="What is finished is kept; you can go on later.",
    )  # fmt: skip


def _doing(now: Status) -> str:
    if now.state is State.STOPPING:
        return "Stopping …"
    if now.state is State.WAITING:
        stay = " Keep this page open: whoever leaves loses the place." if hosted() else ""
        return (
            f"In line: {many(now.before, 'build')} before this one." if now.before else "Next in line."
        ) + stay
    return now.progress.line().capitalize() if now.progress else "Starting …"


# -- after ---------------------------------------------------------------------------------------------------------


def stopped(job: Job, now: Status) -> None:
    """Why it ended, and how to go on."""
    if now.state is State.FAILED:
        loading.once(
            "build log", (job.id, now.said), lambda: log.error("build %s: %s", job.id[:6], jobs.fault(job))
        )
        st.error(shell.plain(now.said), icon=":material/error:")
    else:
        part = f" at {percent(now.progress.share)}" if now.progress else ""
        st.info(f"The build was stopped{part}. What is finished is kept.", icon=":material/pause_circle:")
    with st.container(horizontal=True):
        st.button(
            "Go on", type="primary", on_click=_resume, args=(job,), key="build.resume",
            icon=":material/play_arrow:",
        )  # fmt: skip
        st.button("Forget it", on_click=_forget, args=(job,), key="build.forget", icon=":material/delete:")


def _resume(job: Job) -> None:
    jobs.resume(job, workspace.current().token, visitor.key())


def _forget(job: Job) -> None:
    jobs.forget(job)
    workspace.current().job = ""
    st.query_params.pop("job", None)


def made(job: Job) -> None:
    """What came of it: the numbers first, then the ledger."""
    ledger = jobs.ledger(job)
    traces, questions = ledger[Level.TRACES].kept, ledger[Level.QUESTIONS].kept
    st.markdown(
        f"### :material/check_circle: {many(traces, 'trace')} from {many(questions, 'question')} are ready"
    )
    when = datetime.fromtimestamp(job.started).strftime("%d %B, %H:%M")
    st.caption(f"From {shell.plain(job.label)}, {when}. This page's address leads back to this build.")
    with st.expander("Where the data went", icon=":material/table:"):
        table = _readable(stats.ledger_table(ledger))
        st.dataframe(table, hide_index=True, alt="Read, kept and dropped at each level")
        dropped = stats.drops_table(ledger)
        dropped = dropped[dropped["reason"] != "kept"][["level", "count", "why"]]
        if len(dropped):
            st.dataframe(_readable(dropped), hide_index=True, alt="What was dropped, with the reason")
        st.caption("At each level, read = kept + dropped.")


def _readable(table: "pd.DataFrame") -> "Styler":
    """A table with its columns named like sentences and thousands set apart."""
    return table.rename(columns=str.capitalize).style.format(thousands=",")


def builds(besides: Job | None = None) -> None:
    """Builds besides the one shown, on one's own computer: on a shared server the link of a build is its key."""
    found = [] if hosted() else [job for job in jobs.recent() if besides is None or job.id != besides.id]
    if not found:
        return
    with st.expander(f"Earlier builds ({len(found)})", icon=":material/history:"):
        for job in found:
            words = _line(job)
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(words)
                st.button("Open", on_click=_open, args=(job,), key=f"build.open.{job.id}")
        if st.session_state.pop("build.opened", False):
            st.switch_page(shell.FINISH.path)


def _line(job: Job) -> str:
    when = datetime.fromtimestamp(job.started).strftime("%d %B, %H:%M")
    now = jobs.status(job).state
    what = many(jobs.ledger(job)[Level.TRACES].kept, "trace") if now is State.DONE else now.value
    return f"{shell.plain(job.label)} · {what} · {when}"


def _open(job: Job) -> None:
    workspace.current().job = job.id
    st.session_state["build.opened"] = True
