"""Browse the built data: all of it, searched, filtered and sorted by a narrow table; texts are read as they are shown."""

from typing import Any

import streamlit as st

from skill_factory.insight import built
from skill_factory.insight.browse import doubts
from skill_factory.insight.built import PAGE, Index, Order, Shown, Wanted
from skill_factory.insight.html import story_html
from skill_factory.insight.trace_parts import first_line, path_of, tokens_at, visible
from skill_factory.model import hex_id
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.ui.finish.built_summary import index_of
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.wording import many
from skill_factory.work import looking
from skill_factory.work.builds import Job

SHOWS = {"": "everything", "fixed": "a mistake corrected", "rest": "no mistake corrected"}
SEARCH_SECONDS = 60.0
"""For a search of every text on a shared server."""


def browse(job: Job, recipe: AnyRecipe, current: bool) -> None:
    """The filters on top, a page of traces below them, and the chosen one beside it."""
    doubtful = _doubtful() if current else ()
    table = index_of(job, doubtful)
    wanted, words = _controls(table, recipe, bool(doubtful))
    found = built.places(table, wanted, _hits(job, words))
    if not len(found):
        st.info("No trace is like that. Remove a filter, or search for fewer words.", icon=":material/info:")
        return
    pages = -(-len(found) // PAGE)
    of = "" if len(found) == table.traces else f" of {table.traces:,}"
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="built.head"):
        number = _page(pages, (wanted, words))
        st.markdown(f"**{many(len(found), 'trace')}{of}**, page {number:,} of {pages:,}", width="content")
    here = [int(place) for place in found[(number - 1) * PAGE : number * PAGE]]
    rows = _shown(job, here, recipe)
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = _list(rows, table, recipe, (wanted, words, number))
    with right:
        _trace(rows[min(chosen, len(rows) - 1)], recipe)


def _doubtful() -> tuple[str, ...]:
    """Ids of the responses whose labels most of their reflections contradict."""
    seen = loading.evidence()
    if not seen.exact:
        return ()
    facts = seen.narrow.facts
    return tuple(hex_id(int(facts.response_id[doubt.place])) for doubt in doubts(facts))


def _controls(table: Index, recipe: AnyRecipe, doubtful: bool) -> tuple[Wanted, str]:
    first, second, third, fourth = st.columns(4)
    words = first.text_input(
        "Search the traces", key="built.words", icon=":material/search:", placeholder="any words"
    ).strip()
    label = second.selectbox(
        "Trace type", ["", *table.labels], key="built.label", format_func=lambda name: name or "all types"
    )
    shows = third.selectbox(
        "Shows", list(SHOWS), key="built.shows", format_func=SHOWS.__getitem__, disabled=not table.lineage
    )
    orders = [one for one in Order if doubtful or one is not Order.DOUBT]
    order = fourth.selectbox("Order", orders, key="built.order", format_func=lambda one: one.value)
    per_token = recipe.cutoff.chars_per_token
    longest = max(1, round(estimated_tokens(float(table.chars.max(initial=1)), per_token)) + 1)
    fifth, sixth = st.columns([3, 1], vertical_alignment="bottom")
    low, high = fifth.slider("Length in tokens (estimated)", 0, longest, (0, longest), key="built.length")
    only = sixth.toggle(
        "Labels in doubt",
        key="built.doubt",
        disabled=not doubtful,
        help="Traces with an attempt whose label most of its reflections contradict. Needs the data that this was built from.",
    )
    at_most = round(high * per_token) if high < longest else 0
    wanted = Wanted(label or "", shows or "", round(low * per_token), at_most, bool(only and doubtful), order)
    return wanted, words


def _hits(job: Job, words: str) -> Any:
    if not words:
        return None
    return loading.once(
        "built hits",
        (job.id, words),
        lambda: away.run(looking.built_search, job.out, words, what=job.label, seconds=SEARCH_SECONDS),
    )


def _page(pages: int, asked: Any) -> int:
    """The page that is shown; another filter starts at the first."""
    if st.session_state.get("built.asked") != asked:
        st.session_state["built.asked"], st.session_state["built.page"] = asked, 1
    if pages == 1:
        return 1
    st.session_state["built.page"] = min(st.session_state.get("built.page", 1), pages)
    return int(
        st.number_input(
            f"Page (1 to {pages:,})", 1, pages, key="built.page", width=180, label_visibility="collapsed"
        )
    )


def _shown(job: Job, places: list[int], recipe: AnyRecipe) -> list[Shown]:
    return loading.once(
        "built page",
        (job.id, tuple(places)),
        lambda: away.run(looking.built_shown, job.out, places, recipe.tags, what=job.label),
    )


def _list(rows: list[Shown], table: Index, recipe: AnyRecipe, asked: Any) -> int:
    """The page as a table; gives which row is chosen."""
    per_token = recipe.cutoff.chars_per_token
    columns = {
        "Trace": [row.place + 1 for row in rows],
        "Type": [row.label for row in rows],
        "Attempts": [path_of(row.story) if row.story else "" for row in rows],
        "Tokens": [round(estimated_tokens(float(table.chars[row.place]), per_token)) for row in rows],
        "Question": [visible(first_line(row.question, 120)) for row in rows],
    }
    if table.doubt.any():
        columns["In doubt"] = [int(table.doubt[row.place]) for row in rows]
    picked = st.dataframe(
        columns,
        hide_index=True,
        height=520,
        key=f"built.list.{hash(asked)}",
        on_select="rerun",
        selection_mode="single-row-required",
        alt="A page of the built traces: number, type, attempts, tokens, question",
    )
    return int((picked.get("selection", {}).get("rows") or [0])[0])


def _trace(row: Shown, recipe: AnyRecipe) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(f"Trace {row.place + 1:,}", color="gray")
        for rule, found in row.problems:
            st.badge(
                workspace.plain(rule), icon=":material/warning:", color="orange", help=workspace.plain(found)
            )
        if not row.problems:
            st.badge("No problems found", icon=":material/check:", color="gray")
    raw = st.toggle("Raw text", key="built.raw")
    if raw or row.story is None:
        st.code(row.text, language=None, wrap_lines=True)
        return
    st.html(story_html(row.story, "built", tokens_at(recipe.cutoff.chars_per_token)))
