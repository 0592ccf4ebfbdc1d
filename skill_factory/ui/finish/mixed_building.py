"""The build of a mixture on Finish: what each source gives, and the button that starts it."""

import shlex

import streamlit as st

from skill_factory.recipe.mixture import Mixture
from skill_factory.tally import TraceChars, keyed
from skill_factory.ui.finish import starting
from skill_factory.ui.frame import build_start, loading, shell, visitor, workspace
from skill_factory.ui.frame.buttons.command_line import Beside, same_command, without_place
from skill_factory.ui.frame.mixed.coming import Outcome, coming
from skill_factory.ui.frame.mixed.parts import Mix
from skill_factory.wording import listed, many, percent
from skill_factory.work import builds
from skill_factory.work.builds import Job


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
    token, label = workspace.current().token, listed(list(places))
    build_start.begin(lambda: builds.start("", label, mixture, token, visitor.key(), places))


def _command(mixture: Mixture, whole: Mix) -> None:
    files = [part for part in whole.parts if part.recipe.source.kind == "file"]
    places = [shlex.quote(f"{part.name}={without_place(part.source)}") for part in files]
    froms = "".join(f" --from {place}" for place in places)
    words = f"build --recipe mix.toml{froms} --out traces"
    same_command(words, Beside("mix.toml", mixture.to_toml(), "build.recipe"))
