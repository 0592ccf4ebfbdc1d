"""Which outputs are measured: uploads, a Hub dataset, a path, or the data of the Data page; and how they were read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.measure.measuring import FINALS, Settings
from skill_factory.measure.reading import Asked
from skill_factory.measure.shown.browsing import Looked, weight
from skill_factory.measure.shown.card import headline
from skill_factory.sources.files import UPLOADS
from skill_factory.sources.hub import looks_like_repo
from skill_factory.ui.frame import away, held, loading, source_pickers, workspace
from skill_factory.wording import many
from skill_factory.work import outputs

MOST_BYTES, MOST_HOSTED = 200_000_000, 20_000_000
"""Bytes of outputs that a page keeps at hand."""
SECONDS = 120.0
"""Seconds for a measurement on a shared server."""


def choose(sampled: Callable[[], None], waits: bool) -> Looked | None:
    """
    The measurement of what was chosen; before that, the ways to choose, `sampled` the last of them.

    Where a trained model `waits` to be asked, the other ways are folded.
    """
    given = workspace.current().outputs
    if not given:
        st.markdown(
            "Does a model check its work, try again and recover, and can its verdicts be trusted? Choose its outputs: logs of "
            "a trainer or an evaluation, a file with questions, gold answers and outputs, or a build."
        )
    with st.expander(
        "Outputs to measure",
        icon=":material/folder_open:",
        expanded=not given and not waits,
        key="measure.doors",
    ):
        _doors()
    sampled()
    given = workspace.current().outputs
    return _measured(given, _settings()) if given else None


def _doors() -> None:
    left, right = st.columns(2, gap="large")
    with left:
        sent = st.file_uploader(
            "Files of outputs",
            type=list(UPLOADS),
            key="measure.files",
            accept_multiple_files=True,
            help="Each file counts as a run, unless a column names the run.",
        )
        if sent and st.session_state.get("measure.taken") != [one.file_id for one in sent]:
            st.session_state["measure.taken"] = [one.file_id for one in sent]
            _take([str(source_pickers.keep(one)) for one in sent])
    with right:
        name = st.text_input("Hub dataset", placeholder="user/name", key="measure.hub")
        if name.strip() and st.session_state.get("measure.hub.taken") != name:
            st.session_state["measure.hub.taken"] = name
            # A folder of a shared server may have the form of a name; it is nobody's to read.
            if looks_like_repo(name.strip()) and not (hosted() and Path(name.strip()).exists()):
                _take([name.strip()])
            else:
                st.error("A Hub dataset is named user/name.", icon=":material/error:")
        if not hosted():
            path = st.text_input(
                "Or paths on this computer",
                placeholder="base.jsonl tuned.jsonl, then press Enter",
                key="measure.path",
            )
            if path.strip() and st.session_state.get("measure.path.taken") != path:
                st.session_state["measure.path.taken"] = path
                _take(path.split())
        mine = workspace.current()
        if mine.source and st.button(
            f"Measure {workspace.plain(mine.label)}", key="measure.mine", icon=":material/database:"
        ):
            _take([mine.source])


def _take(given: list[str]) -> None:
    workspace.current().outputs = tuple(given)
    workspace.keep()
    st.session_state.pop("measure.place", None)


def _settings() -> dict[str, Any]:
    """The few choices that change how outputs are read."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = st.text_input(
            "Column that names the run", key="measure.run", placeholder="run, model or checkpoint", width=260
        )
        by = st.text_input(
            "Split the figures by", key="measure.by", placeholder="a column, or difficulty", width=220
        )
        words = {"auto": "wherever they are", "tags": "in <answer> tags", "stated": "as the text states them"}
        final = st.selectbox(
            "Final answers", FINALS, key="measure.final", format_func=words.__getitem__, width=220
        )
        boxed = st.toggle(
            "Boxes are attempts",
            key="measure.boxed",
            help=r"Each \boxed{} counts as an attempt if an output has neither sample blocks nor inner answers.",
        )
    return {"run": run.strip(), "by": by.strip(), "final": final, "boxed": boxed}


def _measured(given: tuple[str, ...], chosen: dict[str, Any]) -> Looked | None:
    mine = workspace.current()
    recipe = mine.recipe
    key = (given, tuple(chosen.items()), mine.token, recipe.tags, recipe.verdicts, recipe.answers)
    asked = Asked(
        recipe.model_copy(update={"columns": type(recipe.columns)()}),
        (),
        chosen["run"],
        tuple(filter(None, [chosen["by"]])),
    )
    settings = Settings(final=chosen["final"], boxed=chosen["boxed"], workers=1)
    try:
        seen = loading.once("measure", key, lambda: _look(given, asked, settings, mine.token))
        if hosted():
            held.hold("measure", sum(map(weight, seen.outputs)))
        return seen
    except SkillFactoryError as error:
        st.error(workspace.plain(_without_places(str(error), given)), icon=":material/error:")
        return None


def _without_places(said: str, given: tuple[str, ...]) -> str:
    """On a shared server, an upload is called by its name; where it lies is the server's own affair."""
    for one in given if hosted() else ():
        said = said.replace(one, Path(one).name) if Path(one).is_absolute() else said
    return said


def _look(given: tuple[str, ...], asked: Asked, settings: Settings, token: str) -> Looked:
    for one in given:
        loading.check_given(one)
    most = MOST_HOSTED if hosted() else MOST_BYTES
    bar = st.progress(0.0, text="Reading the outputs …")

    def counted(n: int, size: int) -> None:
        # How many there are is known once all are read; a guess by size moves the bar.
        bar.progress(
            min(0.95, n * 3_000 / size) if size else 0.5, text=f"Reading the outputs: {n:,} so far …"
        )

    told = () if hosted() else (counted,)  # what runs on the page can't be called from a child
    called = Path(given[0]).name if len(given) == 1 else "What was given"
    try:
        return away.run(
            outputs.looked_at, list(given), asked, settings, token, most, *told, what=called, seconds=SECONDS
        )
    finally:
        bar.empty()


def how_read(seen: Looked) -> None:
    """What was measured, which column held what, and what to know before reading the figures."""
    found = seen.found
    questions = many(len({one.question for one in seen.outputs}), "question")
    st.markdown(f"**{workspace.plain(headline(found))}, {questions}**")
    for line in [*found.notes, *found.missing]:
        st.info(workspace.plain(line), icon=":material/info:")
    with st.expander("How they were read", icon=":material/table_view:"):
        for one in found.reading["sources"]:
            held = "; ".join(
                f"{field}: {', '.join(p) if isinstance(p, list) else p}"
                for field, p in one["columns"].items()
            )
            st.markdown(f"**{workspace.plain(one['run'])}**: {workspace.plain(held)}")
        finals = "as texts state them" if found.reading["final_answers"] == "stated" else "in answer tags"
        st.caption(f"Final answers {finals}. Tokens: {workspace.plain(found.reading['tokens'])}.")
