"""Whether a benchmark asks questions of the data: each pair side by side with what agrees, decided in one click."""

from pathlib import Path

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.model import hex_id
from skill_factory.overlap.agreement import SAID
from skill_factory.overlap.pairs import Pair
from skill_factory.sources.columns import excerpt
from skill_factory.sources.files import UPLOADS
from skill_factory.sources.hub import looks_like_repo
from skill_factory.ui.frame import away, loading, source_pickers, workspace
from skill_factory.wording import inflect, many
from skill_factory.work import overlapping
from skill_factory.work.overlapping import Checked

GIVEN, TAKEN, RESPONSES = "data.benchmarks", "data.benchmarks.taken", "benchmarks.responses"
SECONDS = 120.0
"""Seconds for a comparison on a shared server."""
SHOWN = 200


def show() -> None:
    """The doors for benchmarks, and what was found."""
    clean = workspace.current().recipe.clean
    with st.expander(
        "Is it in a benchmark?",
        icon=":material/content_copy:",
        expanded=bool(clean.against),
        key="benchmarks",
    ):
        st.markdown(
            "Give the sets that you will test with. Questions that they ask too are left out; what all questions share, such "
            "as instructions, doesn't count, and numbers are compared as numbers."
        )
        _doors()
        st.checkbox(
            "Look for its answers and solutions in the responses, too",
            key=RESPONSES,
            help="A question whose response has a solution of the benchmark word for word is left out as well. Takes longer, "
            "since every response is read.",
        )
        if given := st.session_state.get(GIVEN):
            _compared(tuple(given))
        _decided()


def _doors() -> None:
    left, right = st.columns(2, gap="large")
    with left:
        sent = st.file_uploader(
            "Files of benchmarks", type=list(UPLOADS), key="benchmarks.files", accept_multiple_files=True
        )
        if sent and st.session_state.get("benchmarks.sent") != [one.file_id for one in sent]:
            st.session_state["benchmarks.sent"] = [one.file_id for one in sent]
            st.session_state[GIVEN] = [str(source_pickers.keep(one)) for one in sent]
    with right:
        name = st.text_input("Benchmark on the Hub", placeholder="user/name", key="benchmarks.hub").strip()
        if name and st.session_state.get("benchmarks.hub.taken") != name:
            st.session_state["benchmarks.hub.taken"] = name
            # A folder of a shared server may have the form of a name; it is nobody's to read.
            if looks_like_repo(name) and not (hosted() and Path(name).exists()):
                st.session_state[GIVEN] = [name]
            else:
                st.error("A Hub dataset is named user/name.", icon=":material/error:")


def _compared(given: tuple[str, ...]) -> None:
    mine = workspace.current()
    responses = bool(st.session_state.get(RESPONSES))
    key = (given, loading.key(), str(mine.recipe.columns), mine.token, responses)
    try:
        with st.spinner("Comparing the questions …", show_time=True):
            found = loading.once("benchmarks", key, lambda: _check(given, responses))
    except SkillFactoryError as error:
        said = str(error)
        for one in given if hosted() else ():
            said = said.replace(one, Path(one).name)
        st.error(workspace.plain(said), icon=":material/error:")
        return
    if st.session_state.get(TAKEN) != key:
        st.session_state[TAKEN] = key
        _take(found)
    if not found.pairs:
        st.success(f"None of {many(found.questions, 'question')} is in it.", icon=":material/check:")
        return
    _pairs(found)


def _check(given: tuple[str, ...], responses: bool) -> Checked:
    for one in given:
        loading.check_given(one)
    mine = workspace.current()
    called = Path(given[0]).name if len(given) == 1 else "What was given"
    return away.run(
        overlapping.checked_against,
        loading.source(),
        mine.recipe,
        list(given),
        mine.token,
        responses,
        what=called,
        seconds=SECONDS,
    )


def _take(found: Checked) -> None:
    """Leave out what was found, unless a person has decided to keep it."""
    clean = workspace.current().recipe.clean
    known = {(one.name, one.digest, one.revision) for one in clean.against}
    new = [one for one in found.benchmarks if (one.name, one.digest, one.revision) not in known]
    decided = [one.model_copy(update={"decided": True}).model_dump() for one in new]
    ids = {*clean.drop, *(hex_id(pair.question_id) for pair in found.pairs)}
    against = [*(one.model_dump() for one in clean.against), *decided]
    workspace.change({"clean.against": against, "clean.drop": sorted(ids)})


def _pairs(found: Checked) -> None:
    keep = {*workspace.current().recipe.clean.keep}
    first = found.pairs[:SHOWN]
    number = len({pair.question_id for pair in found.pairs})
    more = f", the first {SHOWN} pairs" if len(found.pairs) > SHOWN else ""
    st.markdown(
        f"**{many(number, 'question')} of {found.questions:,} {inflect(number, 'is', 'are')} in a benchmark{more}**"
    )
    picked = st.dataframe(
        {
            "Decision": ["kept" if hex_id(pair.question_id) in keep else "left out" for pair in first],
            "Question": [excerpt(pair.question, 80) for pair in first],
            "Benchmark": [pair.benchmark for pair in first],
            "They agree in": [SAID[pair.agreement.by] for pair in first],
        },
        hide_index=True,
        height=min(285, 38 + 35 * len(first)),
        key="benchmarks.pairs",
        on_select="rerun",
        selection_mode="single-row-required",
        alt="Questions that a benchmark asks too: decision, question, benchmark, what agrees",
    )
    place = (picked.get("selection", {}).get("rows") or [0])[0]
    _side_by_side(first[min(place, len(first) - 1)], keep)


def _side_by_side(pair: Pair, keep: set[str]) -> None:
    for place, title, text in zip(
        st.columns(2, gap="large"),
        ("In your data", f"In {pair.benchmark}"),
        (pair.response or pair.question, pair.other),
        strict=True,
    ):
        with place:
            st.markdown(f"**{workspace.plain(title)}**")
            st.text(text)
    st.caption(f"They agree in {SAID[pair.agreement.by]} ({pair.agreement.share:.0%}).")
    name = hex_id(pair.question_id)
    kept = name in keep
    st.button(
        "Leave this question out" if kept else "Keep this question",
        icon=":material/block:" if kept else ":material/check:",
        key="benchmarks.decide",
        on_click=decide,
        args=(name, not kept),
    )


def decide(name: str, keep: bool) -> None:
    """Keep a person's decision about one question in the recipe."""
    kept = {*workspace.value("clean.keep")}
    workspace.change({"clean.keep": sorted(kept | {name} if keep else kept - {name})})


def _decided() -> None:
    clean = workspace.current().recipe.clean
    if not clean.drop:
        return
    left_out = len({*clean.drop} - {*clean.keep})
    with st.container(horizontal=True):
        st.caption(
            f"{many(left_out, 'question')} left out and {len({*clean.drop} & {*clean.keep}):,} kept; the recipe keeps the "
            "decisions and the names of the benchmarks."
        )
        st.button("Undo these decisions", icon=":material/undo:", key="benchmarks.undo", on_click=take_back)


def take_back() -> None:
    """Forget the benchmarks and every decision about them."""
    for key in (GIVEN, TAKEN):
        st.session_state.pop(key, None)
    workspace.change({"clean.against": [], "clean.drop": (), "clean.keep": ()})
