"""Compare arms: recipes that change one thing of the chosen one, from the same questions and in equal sizes."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.suites.differences import HEAD, Difference, cells
from skill_factory.suites.suite import BASE, Equal, Suite, checked, load_suite, suite_from_toml
from skill_factory.ui.frame import loading, shell, visitor, workspace
from skill_factory.ui.frame.buttons.command_line import Beside, same_command, typed
from skill_factory.ui.frame.buttons.deleting import delete_button
from skill_factory.ui.frame.buttons.stopping import stop_button
from skill_factory.ui.frame.sending.publishing import publishing
from skill_factory.wording import inflect, many
from skill_factory.work import suites
from skill_factory.work.builds import Job
from skill_factory.work.process import ACTIVE, State

log = logging.getLogger(__name__)

EQUAL_WORDS = {Equal.TRACES: "Traces, exactly", Equal.TOKENS: "Tokens, to within one trace"}
OWN, PAPER = "A suite file", "The paper's ablations"


def show() -> None:
    """The page, from top to bottom."""
    st.title("Compare arms")
    shell.needs_source(
        "Here you build arms of one recipe from the same questions, to train on each and compare."
    )
    shell.go(shell.CHOOSE, "Back to Choose", ":material/arrow_back:")
    st.markdown(
        "Each arm changes one thing of your recipe. All are made from the **same questions** and have **equal sizes**, so that "
        "two models differ by what the arms name and by nothing else."
    )
    job = _open_suite()
    if job is None:
        _offer()
        return
    now = suites.status(job)
    if now.state in ACTIVE:
        _watch(job)
    elif now.state is State.DONE:
        _finished(job)
    else:
        _stopped(job, now.said)


def _open_suite() -> Job | None:
    """The suite in the page's address, or this session's last one."""
    asked = st.query_params.get("suite", "") or st.session_state.get("suite.job", "")
    job = suites.find(asked) if asked else None
    if asked and job is None:
        st.warning(
            "This suite isn't here any more. Build it again, or check the link.", icon=":material/link_off:"
        )
        _leave()
    if job is not None:
        st.query_params["suite"] = job.id
    return job


def _leave() -> None:
    st.session_state.pop("suite.job", None)
    st.query_params.pop("suite", None)


# -- before --------------------------------------------------------------------------------------------------------


def _offer() -> None:
    """Which arms, equal in what, and the button."""
    if refused := st.session_state.pop("suite.refused", ""):
        st.warning(shell.plain(refused), icon=":material/hourglass_top:")
    which = st.segmented_control("Which arms?", [PAPER, OWN], default=PAPER, required=True, key="suite.which")
    suite = _given() if which == OWN else _papers()
    if suite is None:
        return
    titles = {arm.name: arm.title for arm in suite.arms}
    kept = st.multiselect(
        "Arms beside your recipe",
        list(titles),
        default=list(titles),
        format_func=titles.__getitem__,
        key=f"suite.arms.{which}",
    )
    equal = st.radio(
        "Equal in",
        list(EQUAL_WORDS),
        format_func=EQUAL_WORDS.__getitem__,
        index=list(EQUAL_WORDS).index(suite.equal),
        horizontal=True,
        help="The smallest arm sets the size. Equal tokens give arms with longer traces fewer of them.",
        key="suite.equal",
    )
    arms = [arm for arm in suite.arms if arm.name in kept]
    # The files and configs of an arm have its name.
    shown = [(arm.title, arm.words, arm.name) for arm in (suite.every_arm[0], *arms)]
    head = ["Arm", "What it changes", "In files"]
    st.dataframe(pd.DataFrame(shown, columns=head), hide_index=True, alt="The arms")
    if not arms:
        st.info("Choose at least one arm to compare your recipe with.", icon=":material/info:")
        return
    chosen = checked(replace(suite, arms=tuple(arms), equal=equal))
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            f"Build {many(len(arms) + 1, 'arm')}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(chosen,),
            key="suite.start",
        )
    _command(chosen)


def _papers() -> Suite:
    """The paper's arms around the recipe at hand."""
    return load_suite("paper").with_base(loading.recipe())


def _given() -> Suite | None:
    """The suite of an uploaded file; its base is the recipe at hand, unless the file brings its own."""
    file = st.file_uploader("A suite as TOML", type="toml", key="suite.file")
    if file is None:
        st.caption(
            "`suite.toml` of a built suite, or a file of your own: a base recipe, [[arms]], and fields to vary."
        )
        return None
    with shell.errors():
        try:
            text = file.getvalue().decode("utf-8")
        except UnicodeDecodeError:
            raise SkillFactoryError(f"{file.name} isn't UTF-8 text. Save it as UTF-8.") from None
        suite = suite_from_toml(text, file.name)
        # The columns belong to the data at hand, whatever the file was written for.
        mine = loading.recipe()
        columns = {f"columns.{name}": value for name, value in mine.columns.model_dump().items()}
        return suite.with_base(suite.base.model_copy(update={"source": mine.source}).changed(columns))
    return None


def _start(suite: Suite) -> None:
    mine = workspace.current()
    try:
        job = suites.start(mine.source, mine.label, suite, mine.token, visitor.key())
    except (OSError, SkillFactoryError) as error:
        st.session_state["suite.refused"] = str(error)
        return
    st.session_state["suite.job"] = job.id
    st.query_params["suite"] = job.id


def _command(suite: Suite) -> None:
    words = f"ablate {typed(workspace.current().source)} --suite suite.toml --out suite"
    same_command(words, Beside("suite.toml", suite.to_toml(), "suite.toml"))


# -- while and after -------------------------------------------------------------------------------------------------


@st.fragment(run_every=0.7)
def _watch(job: Job) -> None:
    suites.here(job)
    now = suites.status(job)
    if now.state not in ACTIVE:
        st.rerun()
    doing = now.progress.line().capitalize() if now.progress else "Starting …"
    if now.state is State.WAITING:
        doing = f"In the queue: {many(now.before, 'build')} before this one."
    st.progress(now.progress.share if now.progress else 0.0, text=doing)
    for line in suites.said(job):
        st.warning(shell.plain(line), icon=":material/info:")
    stop_button(
        "suite.stop", suites.cancel, job, now.state, "What is finished is kept; you can resume later."
    )


def _stopped(job: Job, said: str) -> None:
    if said:
        loading.once(
            "suite log", (job.id, said), lambda: log.error("suite %s: %s", job.id[:6], suites.fault(job))
        )
        st.error(shell.plain(said), icon=":material/error:")
    else:
        st.info("The suite was stopped. What is finished is kept.", icon=":material/pause_circle:")
    with st.container(horizontal=True):
        st.button(
            "Resume",
            type="primary",
            on_click=suites.resume,
            args=(job, workspace.current().token, visitor.key()),
            key="suite.resume",
            icon=":material/play_arrow:",
        )
        st.button("Change the arms", on_click=_leave, key="suite.change", icon=":material/tune:")
        delete_button(
            "Delete this suite",
            "Its finished parts would be lost. Your data and your recipe stay.",
            "suite.delete",
            _delete,
            job,
        )


def _delete(job: Job) -> None:
    suites.forget(job)
    _leave()


def _finished(job: Job) -> None:
    rows, notes = suites.rows(job)
    base = next(row for row in rows if row.arm == BASE)
    st.markdown(
        f"### :material/check_circle: {many(len(rows), 'arm')} {inflect(len(rows), 'is', 'are')} ready, from the same "
        f"{many(base.questions, 'question')}"
    )
    for note in notes:
        st.warning(shell.plain(note), icon=":material/info:")
    if held := suites.held_out(job):
        st.caption(
            f"{many(held, 'question')} {inflect(held, 'is', 'are')} in none of the arms. Evaluate the trained models with "
            "them: they are the config `heldout`."
        )
    st.dataframe(table_of(rows), hide_index=True, alt="What each arm holds", key="suite.table")
    st.caption(
        "*corrected*: traces that show a mistake corrected. *equal to base*: traces that are byte-equal to one of the base. "
        "*tokens* are estimated."
    )
    st.button("Compare other arms", on_click=_leave, key="suite.again", icon=":material/tune:")
    st.subheader("Publish all arms in one repository")
    with shell.errors():
        publishing(job)
    st.subheader("Train on each arm, then compare")
    st.markdown(
        "`run/` in the suite's folder has a script for each arm and trainer. Put what the trained models answer into `outputs/`, a "
        "file for each, named as its arm. Then:"
    )
    st.code("python -m skill_factory measure --suite DIR", language="bash")


def table_of(rows: Sequence[Difference]) -> pd.DataFrame:
    """The table of differences as the page shows it."""
    return pd.DataFrame(cells(rows), columns=list(HEAD))
