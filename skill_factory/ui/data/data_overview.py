"""The chosen data on the Data page: what it is, whether it's ready, what its columns are, and the next step."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from skill_factory.insight.proposal import Proposal
from skill_factory.insight.readiness import Step
from skill_factory.reasons import Level
from skill_factory.recipe.model import Source
from skill_factory.sources.columns import excerpt, mapped
from skill_factory.ui.data import (
    benchmark_view,
    mapping,
    opinion_view,
    reading_rules,
    report,
    role_table,
    rules,
)
from skill_factory.ui.frame import build_start, loading, source_pickers, workspace
from skill_factory.ui.frame.glossary import line
from skill_factory.ui.frame.steps import CHOOSE, FINISH
from skill_factory.wording import many

HEAD_ROWS = 20


def doors_beside() -> None:
    """The three ways to data, next to each other."""
    doors: tuple[Callable[[], None], ...] = (source_pickers.demo, source_pickers.hub, source_pickers.file)
    for place, door in zip(st.columns(3, gap="large"), doors, strict=True):
        with place:
            door()


def header() -> None:
    """Name, size, and how to change them."""
    mine, found = workspace.current(), loading.source()
    with st.container(horizontal=True, vertical_alignment="center", key="source"):
        st.markdown(
            f":material/database: **{workspace.plain(mine.label)}** · {_size(found)}", width="content"
        )
        with st.popover("Other data", type="tertiary", icon=":material/swap_horiz:"):
            source_pickers.demo(primary=False)
            source_pickers.hub()
            source_pickers.file()
        with st.popover("Add another source", type="tertiary", icon=":material/add:"):
            st.caption("It is mixed with what is here: one dataset, with a share of each.")
            source_pickers.demo(primary=False, door=source_pickers.BESIDE)
            source_pickers.hub(source_pickers.BESIDE)
            source_pickers.file(source_pickers.BESIDE)
        if mine.recipe.source.kind == "hub":
            with st.popover("More", type="tertiary"):
                parts()


def _size(found: loading.Seen) -> str:
    rows = many(found.rows, "row") if found.rows else ""
    size = f"{found.size / 1e6:,.1f} MB" if found.size >= 100_000 else f"{found.size / 1e3:,.0f} kB"
    return " · ".join(filter(None, [rows, many(len(found.names()), "column"), size]))


def parts() -> None:
    """Config, split and revision of a Hub dataset, as its repository has them."""
    spec = workspace.current().recipe.source
    configs = loading.parts(spec.name, spec.revision)
    names = [config.name for config in configs]
    config = st.selectbox(
        "Config",
        names,
        names.index(spec.config) if spec.config in names else 0,
        key="source.config",
        help=line("Config"),
    )
    splits = [split.name for part in configs if part.name == config for split in part.splits]
    split = st.selectbox(
        "Split",
        splits,
        splits.index(spec.split) if spec.split in splits else 0,
        key="source.split",
        help=line("Split"),
    )
    revision = st.text_input("Revision", value=spec.revision, key="source.revision", help=line("Revision"))
    if st.button("Read this part", key="source.read"):
        asked = Source(
            kind="hub", name=spec.name, config=config or "", split=split or "train", revision=revision.strip()
        )
        source_pickers.enter(spec.name, spec.name, asked)


def verdict() -> None:
    """The answer with its reasons and the way on; then the columns, the lights and how the data is read."""
    found, seen = report.found(), loading.evidence()
    mine = opinion_view.current(found)
    answer, way_on = st.columns([3, 2], gap="small", vertical_alignment="center")
    with answer:
        opinion_view.answer(mine)
    with way_on:
        onward(found.proposal, seen, mine.cause is None and not _asks_where_right_begins())
    opinion_view.show(mine, found, seen.exact, seen.narrow.telling)
    if not seen.exact:
        _sampled(seen)
    columns()
    with st.container(key="unsettled-lights" if mine.cause else "lights"):
        st.subheader("What was counted")
        report.show(found)
    report.rows_dropped(seen.narrow.rows)
    benchmark_view.show()
    reading_rules.show(mine.reasons)
    report.possible(found)


def columns() -> None:
    """The first rows with the role of each column, and other ways to look at both."""
    st.subheader("What each column is")
    role_table.show()
    with st.expander("Pick the columns field by field", icon=":material/view_column:"):
        for place, names in zip(st.columns(3, gap="large"), THIRDS, strict=True):
            with place:
                mapping.pickers(names)
    with st.expander("First rows", icon=":material/table:"):
        first_rows()


THIRDS = (
    ("question", "answer"),
    ("response", "correct", "extracted_answer"),
    ("reflections", "prompt_variant"),
)
"""The fields that are offered, in three columns."""


def _sampled(seen: loading.Evidence) -> None:
    read = seen.narrow.rows.ledger[Level.ROWS].read
    said = (
        f"These numbers are from the first {many(read, 'row')}. The exact ones come once everything is read."
    )
    if not seen.narrow.grouped:
        said += " Answers to the same question lie far apart in this data, so numbers per question are too low until then."
    st.caption(said)


def onward(proposed: Proposal, seen: loading.Evidence, settled: bool) -> None:
    """The next step: the recommended recipe, or a choice of one's own."""
    usable = bool(proposed.attempts)
    with st.container(horizontal=True, horizontal_alignment="right", key="onward"):
        if settled and usable and _as_recommended(proposed) and seen.exact and seen.outlook.traces:
            _build(seen)
        elif st.button(
            "Use the recommended recipe",
            disabled=not usable,
            key="recommended",
            icon=":material/bolt:",
            help="Uses the proposed N, leaves everything else as in the paper, and goes straight to Finish.",
        ):
            workspace.change(dict(proposed.changes))
            st.switch_page(FINISH.target())
        if st.button(
            "Choose the traces",
            type="primary",
            disabled=not usable,
            key="onward.choose",
            icon=":material/arrow_forward:",
        ):
            st.switch_page(CHOOSE.target())


def _asks_where_right_begins() -> bool:
    """Whether the labels are places on a scale, whose threshold is only proposed."""
    looked = loading.inspection()
    return looked is not None and any(doubt.code == "score_threshold" for doubt in looked.doubts)


def _as_recommended(proposed: Proposal) -> bool:
    """Whether a build would be of the recommended recipe: of one source, with the proposed N and format."""
    recipe = workspace.current().recipe
    return workspace.current().mix is None and recipe.changed(dict(proposed.changes)) == recipe


def _build(seen: loading.Evidence) -> None:
    """The build itself, where all is known of it: nothing is doubtful, and every row was counted."""
    if st.button(
        f"Build {many(seen.outlook.traces, 'trace')}",
        key="build_now",
        icon=":material/bolt:",
        help=f"With the recommended recipe (N = {seen.recipe.traces.attempts}). It starts at once; Finish shows how far it "
        "is, and can stop it.",
    ):
        build_start.begin_if_room(seen)
        st.switch_page(FINISH.target())


def incomplete() -> None:
    """What is missing before anything can be said, asked for at once."""
    missing = role_table.fields_without_column()
    opinion_view.incomplete([title.lower() for title in missing] or ["what is needed"])
    for todo in missing.values():
        st.markdown(f":material/arrow_forward: {todo}")
    st.caption(
        "Under *What each column is*, press **Not used** on a column and say what it holds. The report appears here as "
        "soon as question, response, and right or wrong each have a column."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("No column says what is right, or no responses yet?", width="content")
        rules.step(Step.GRADE)
        rules.step(Step.MORE_ANSWERS)
    _all_right()
    columns()
    reading_rules.show()


def _all_right() -> None:
    """For data that were checked before: on a line of its own and quiet, since it is seldom the way to take."""
    seen = loading.inspection()
    if seen is not None and "labels" in seen.needs:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Were all responses checked before, and only right ones kept?", width="content")
            st.button(
                "Count every response as right",
                key="all_right",
                type="tertiary",
                icon=":material/done_all:",
                help="For data that holds verified answers only. Traces then show no mistake.",
                on_click=workspace.apply,
                args=({"columns.label_rule": "all_right"},),
            )


def first_rows() -> None:
    """The first rows, as they are."""
    rows = loading.source().head(HEAD_ROWS)
    used = {path.partition(".")[0] for _, path in mapped(workspace.current().recipe.columns)}
    names = sorted(loading.source().names(), key=lambda name: name not in used)
    shown = [{name: _cell(row.get(name)) for name in names} for row in rows]
    st.dataframe(shown, hide_index=True, alt=f"The first {len(rows)} rows of the data", key="head")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return excerpt(value[0] if isinstance(value, list) and len(value) == 1 else value, 300)
