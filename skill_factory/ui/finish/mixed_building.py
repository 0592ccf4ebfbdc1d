"""The build of a mixture on Finish: what each source gives, and the button that starts it."""

import shlex
from pathlib import Path

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.recipe.mixture import Mixture
from skill_factory.tally import TraceChars, keyed
from skill_factory.ui.finish import starting
from skill_factory.ui.frame import loading, shell, uploads, visitor, workspace
from skill_factory.ui.frame.mixed.coming import Outcome, coming
from skill_factory.ui.frame.mixed.parts import Mix
from skill_factory.ui.frame.sending.saving import save_button
from skill_factory.wording import listed, many, percent
from skill_factory.work import builds
from skill_factory.work.builds import Job
from skill_factory.work.home import home


def is_current(job: Job) -> bool:
    """Whether a build has the sources and recipes that the pages show now."""
    outcome = coming()
    if outcome is None or outcome.mixture is None:
        return False
    return dict(job.places) == _places(outcome.whole) and job.asked == outcome.mixture.fingerprint()


def offer_build() -> None:
    """What each source gives, and the button; or what is missing, and the way to it."""
    with st.skeleton(height=180):
        outcome = coming()
    if outcome is None:
        return
    if outcome.problem or outcome.mixture is None or outcome.mixed is None:
        st.warning(shell.plain(outcome.problem), icon=":material/info:")
        shell.go(shell.DATA, "See the sources on Data")
        return
    starting.not_started()
    st.dataframe(_table(outcome), hide_index=True, alt="What each source gives", key="build.sources")
    traces, sources = outcome.mixed.traces, len(outcome.whole.parts)
    label = f"Build {outcome.hedge}{many(traces, 'trace')} of {sources} sources"
    asked = (outcome.mixture, _places(outcome.whole))
    if starting.start_button(label, outcome.rows, traces * _mean_chars(), _start, *asked):
        _command(outcome.mixture, outcome.whole)


def _table(outcome: Outcome) -> dict[str, list[str]]:
    parts, mixed = outcome.whole.parts, outcome.mixed
    coming_parts = mixed.parts if mixed else ()
    return {
        "Source": [part.name for part in parts],
        "Data": [part.label for part in parts],
        "Traces": [f"{one.takes:,}" for one in coming_parts],
        "Share": [
            percent(one.takes / mixed.traces) if mixed and mixed.traces else "–" for one in coming_parts
        ],
        "It could give": [f"{outcome.hedge}{one.offer.traces:,}" for one in coming_parts],
    }


def _mean_chars() -> int:
    """Characters of a trace of the shown source, which stands for all: enough to tell whether there is room."""
    sizes = [(key.chars, n) for key, n in keyed(TraceChars, loading.typical().counts["trace_chars"])]
    return sum(size * n for size, n in sizes) // max(1, sum(n for _, n in sizes))


def _places(whole: Mix) -> dict[str, str]:
    return {part.name: part.source for part in whole.parts}


def _start(mixture: Mixture, places: dict[str, str]) -> None:
    mine = workspace.current()
    try:
        label = listed(list(places))
        job = builds.start("", label, mixture, mine.token, visitor.key(), places)
    except OSError as error:
        st.session_state["build.refused"] = uploads.no_room("The build", home(), error)
        return
    except SkillFactoryError as error:
        st.session_state["build.refused"] = str(error)
        return
    mine.job = job.id
    st.query_params["job"] = job.id


def _command(mixture: Mixture, whole: Mix) -> None:
    files = [part for part in whole.parts if part.recipe.source.kind == "file"]
    # Of an uploaded file its name, and not its place on this server.
    froms = [f" --from {shlex.quote(f'{part.name}={Path(part.source).name}')}" for part in files]
    with st.expander("Do the same on the command line", icon=":material/terminal:"):
        st.code(
            f"python -m skill_factory build --recipe mix.toml{''.join(froms)} --out traces", language="bash"
        )
        save_button(
            "mix.toml",
            mixture.to_toml(),
            "mix.toml",
            key="build.recipe",
        )
