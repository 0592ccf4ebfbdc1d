"""The build on Finish: what it will take, how far it has got, and what came of it."""

import logging
from typing import TYPE_CHECKING

import streamlit as st

from skill_factory.formats import format_of
from skill_factory.hosting import cores, hosted
from skill_factory.insight import tables
from skill_factory.insight.estimate import Estimate, estimate_build
from skill_factory.judge.source_facts import identity
from skill_factory.reasons import Level
from skill_factory.ui.finish import mixed_building, starting
from skill_factory.ui.frame import away, build_start, loading, shell, visitor, workspace
from skill_factory.ui.frame.buttons.command_line import Beside, same_command, typed
from skill_factory.ui.frame.buttons.deleting import delete_button
from skill_factory.ui.frame.buttons.stopping import stop_button
from skill_factory.ui.frame.earlier_builds import started
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import duration, file_size, inflect, many, percent
from skill_factory.work import builds, looking
from skill_factory.work.builds import Job, Status
from skill_factory.work.process import ACTIVE, State

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

log = logging.getLogger(__name__)

SAMPLE_BYTES = 400_000
"""Text that is built to measure how fast this machine is."""


def open_build() -> Job | None:
    """The build that the page shows: the one in its address, or else this session's last one."""
    mine = workspace.current()
    asked = st.query_params.get("job", "")
    # The address wins: a link opens its build, whatever this session has built.
    if asked and asked != mine.job:
        mine.job = asked
    job = builds.find(mine.job) if mine.job else None
    if mine.job and job is None:
        st.warning(
            "This build isn't here any more. Build it again, or check the link.",
            icon=":material/link_off:",
        )
        mine.job = ""
        st.query_params.pop("job", None)
    if job is not None:
        st.query_params["job"] = job.id
    return job


def is_current(job: Job) -> bool:
    """Whether a build has the current data and recipe; without data there is nothing else to build."""
    mine = workspace.current()
    if not mine.source:
        return True
    if mine.mix is not None or job.places:
        return mixed_building.is_current(job)
    return job.source == mine.source and job.asked == loading.recipe().fingerprint()


# -- before --------------------------------------------------------------------------------------------------------


def offer_build() -> None:
    """What a build would take, and the button that starts it."""
    if workspace.current().mix is not None:
        mixed_building.offer_build()
        return
    seen = loading.evidence()
    with st.skeleton(height=180):
        takes = _estimate(seen)
    about = seen.hedge or ("" if seen.outlook.exact else "about ")
    if not takes.traces:
        st.markdown(
            "**No trace can be made with this recipe.** Fewer attempts or looser filters leave more questions."
        )
        shell.go(shell.CHOOSE, "Change it on Choose")
        return
    starting.not_started()
    _numbers(seen, takes, about)
    label = f"Build {about}{many(takes.traces, 'trace')}"
    if starting.start_button(label, _rows(seen), takes.text_bytes, build_start.begin_shown):
        _command(seen)


def _numbers(seen: Evidence, takes: Estimate, about: str) -> None:
    metrics = [
        ("Rows to read", f"{_rows(seen):,}" if _rows_known(seen) else f"over {_rows(seen):,}"),
        ("Traces", f"{about}{takes.traces:,}"),
        ("Text", f"{seen.hedge}{file_size(takes.text_bytes)}"),
        ("Time", f"≈ {duration(max(1.0, takes.seconds))}" if takes.seconds else "–"),
    ]
    with st.container(key="build.numbers"):
        for column, (label, number) in zip(st.columns(4), metrics, strict=True):
            column.metric(label, number, border=True)
    formats = ", ".join(format_of(code).name for code in seen.recipe.traces.formats)
    st.markdown(
        f"{formats}, N = {seen.recipe.traces.attempts}, from {shell.plain(workspace.current().label)}."
    )


def _rows_known(seen: Evidence) -> bool:
    return bool(seen.exact or loading.source().rows)


def _rows(seen: Evidence) -> int:
    return loading.source().rows or seen.narrow.rows.ledger[Level.ROWS].read


def _command(seen: Evidence) -> None:
    words = f"build {typed(workspace.current().source)} --recipe recipe.toml --out traces"
    same_command(words, Beside("recipe.toml", seen.recipe.to_toml(), "build.recipe"))


def _estimate(seen: Evidence) -> Estimate:
    source, rows = loading.source(), _rows(seen)
    pace = loading.once(
        "pace",
        (identity(source), seen.recipe.columns),
        lambda: away.run(looking.pace, source, seen.recipe, SAMPLE_BYTES),
    )
    # Of a source whose size is unknown, a sample tells no time.
    known = rows if _rows_known(seen) else 0
    return estimate_build(seen.outlook, seen.scale, loading.typical(), pace, known, cores())


# -- while ---------------------------------------------------------------------------------------------------------


@st.fragment(run_every=0.7)
def watch_build(job: Job) -> None:
    """How far it has got, what was kept so far, and a way to stop it."""
    builds.here(job)
    now = builds.status(job)
    # The whole page is another one when the build has ended, not only this fragment.
    if now.state not in ACTIVE:
        st.rerun()
    done = now.progress
    # Nothing is reported before the first piece is read.
    share = done.share if done else 0.0
    st.progress(share, text=_doing(now))
    table = tables.ledger_table(builds.ledger(job))
    if len(table):
        st.dataframe(_readable(table), hide_index=True, alt="Kept and dropped so far", key="build.ledger")
    if done and done.resumed:
        st.caption(f"{many(done.resumed, 'part')} already finished in an earlier run.")
    stop_button(
        "build.stop", builds.cancel, job, now.state, "What is finished is kept; you can resume later."
    )


def _doing(now: Status) -> str:
    if now.state is State.STOPPING:
        return "Stopping …"
    if now.state is State.WAITING:
        stay = " Keep this page open: if you close it, you lose your place." if hosted() else ""
        before = f"In the queue: {many(now.before, 'build')} before this one."
        return (before if now.before else "Next in the queue.") + stay
    return now.progress.line().capitalize() if now.progress else "Starting …"


# -- after ---------------------------------------------------------------------------------------------------------


def stopped_build(job: Job, now: Status) -> None:
    """Why it ended, and the ways to resume or delete it."""
    if now.state is State.FAILED:
        loading.once(
            "build log", (job.id, now.said), lambda: log.error("build %s: %s", job.id[:6], builds.fault(job))
        )
        st.error(shell.plain(now.said), icon=":material/error:")
    else:
        part = f" at {percent(now.progress.share)}" if now.progress else ""
        st.info(f"The build was stopped{part}. What is finished is kept.", icon=":material/pause_circle:")
    with st.container(horizontal=True):
        st.button(
            "Resume",
            type="primary",
            on_click=_resume,
            args=(job,),
            key="build.resume",
            icon=":material/play_arrow:",
        )
        delete_button("Delete this build", _lost(job), "build.delete", _delete, job)


def _lost(job: Job) -> str:
    whole, parts = builds.finished_parts(job)
    if not whole:
        return "No part is finished yet, so only the reading so far is lost. Your data and your recipe stay."
    return (
        f"{whole:,} of {many(parts, 'part')} {inflect(whole, 'is', 'are')} finished and would be lost: a new build "
        "starts from the beginning. Your data and your recipe stay."
    )


def _resume(job: Job) -> None:
    builds.resume(job, workspace.current().token, visitor.key())


def _delete(job: Job) -> None:
    builds.forget(job)
    workspace.current().job = ""
    st.query_params.pop("job", None)


def finished_build(job: Job) -> None:
    """What came of it, in one line."""
    ledger = builds.ledger(job)
    traces, questions = ledger[Level.TRACES].kept, ledger[Level.QUESTIONS].kept
    st.markdown(
        f"### :material/check_circle: {many(traces, 'trace')} from {many(questions, 'question')} "
        f"{inflect(traces, 'is', 'are')} ready"
    )
    st.caption(
        f"From {shell.plain(job.label)}, {started(job)}. This page's address leads back to this build."
    )


def where_it_went(job: Job) -> None:
    """Read, kept and dropped at each level, folded."""
    ledger = builds.ledger(job)
    with st.expander("Kept and dropped", icon=":material/table:"):
        table = _readable(tables.ledger_table(ledger))
        st.dataframe(table, hide_index=True, alt="Read, kept and dropped at each level")
        dropped = tables.drops_table(ledger)
        dropped = dropped[dropped["reason"] != "kept"][["level", "count", "why"]]
        if len(dropped):
            st.dataframe(_readable(dropped), hide_index=True, alt="What was dropped, with the reason")
        st.caption("At each level, read = kept + dropped.")


def whose_numbers() -> None:
    """Say which numbers are whose, where the strip speaks of another recipe than the build."""
    st.info(
        "The recipe has changed since this build. The numbers at the top are what a build would give now; "
        "everything below is of the build that stands here.",
        icon=":material/compare_arrows:",
    )


def _readable(table: "pd.DataFrame") -> "Styler":
    """A table whose columns have readable names and whose numbers have thousands separators."""
    return table.rename(columns=str.capitalize).style.format(thousands=",")
