"""Compare two builds: their rows, recipes and ledgers, with examples of what only one of them has."""

import shlex
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from skill_factory.hosting import hosted
from skill_factory.insight.difference import Difference
from skill_factory.insight.difference.differing import Example, Shares
from skill_factory.insight.html import story_html
from skill_factory.insight.trace_parts import first_line, tokens_at
from skill_factory.reasons import Level
from skill_factory.recipe.titles import title_of
from skill_factory.ui.frame import away, loading, shell, trace_view
from skill_factory.ui.frame.earlier_builds import started
from skill_factory.wording import many
from skill_factory.work import builds, looking
from skill_factory.work.builds import Job
from skill_factory.work.process import State

SECONDS = 60.0
"""Of the processor, on a shared server: the ids of every row are read."""
LISTED = 8
"""Entries of a list that can still be read in a cell."""
LINES = 66
"""Pixels of a row of the examples, three lines; Streamlit wraps words above 64."""
SHORT = 60
"""Characters of a question that three lines hold."""
SIDES = ("first", "second")


def show() -> None:
    """The page, from top to bottom."""
    st.title("Compare two builds")
    shell.go(shell.FINISH, "Back to Finish", ":material/arrow_back:")
    jobs = _offered()
    if len(jobs) < 2:
        st.info(_too_few(), icon=":material/info:")
        return
    first, second = _chosen(jobs)
    if first.id == second.id:
        st.info("Choose two different builds.", icon=":material/info:")
        return
    with shell.errors():
        _told(_difference(first, second), first, second)


def _too_few() -> str:
    if hosted():
        return (
            "A shared server lists no builds. Open this page with the keys of two: `?first=KEY&second=KEY`."
        )
    return "There are fewer than two finished builds on this computer. Build another one first."


def _offered() -> list[Job]:
    """The finished builds to choose from; on a shared server those whose keys stand in the address."""
    asked = [builds.find(st.query_params.get(side, "")) for side in SIDES]
    every = [job for job in asked if job] if hosted() else builds.recent()
    return [job for job in every if builds.status(job).state is State.DONE]


def _chosen(jobs: Sequence[Job]) -> tuple[Job, Job]:
    """Two builds, the two newest unless the address names others."""
    columns = st.columns(2)
    chosen = []
    for place, (side, column) in enumerate(zip(SIDES, columns, strict=True)):
        known = [job.id for job in jobs]
        named = st.query_params.get(side, "")
        # The older one first, so that what came is on the right.
        start = known.index(named) if named in known else 1 - place
        job = column.selectbox(
            f"The {side} build",
            jobs,
            start,
            format_func=_name,
            key=f"difference.{side}",
        )
        st.query_params[side] = job.id
        chosen.append(job)
    return chosen[0], chosen[1]


def _name(job: Job) -> str:
    """Builds of the same data have the same title, so what tells them apart stands first, where nothing is cut."""
    return f"{many(builds.ledger(job)[Level.TRACES].kept, 'trace')} · {started(job)} · {job.title}"


def _difference(first: Job, second: Job) -> Difference:
    return loading.once(
        "difference",
        (first.id, second.id),
        lambda: away.run(
            looking.built_difference, first.out, second.out, what="Comparing the builds", seconds=SECONDS
        ),
    )


def _told(found: Difference, first: Job, second: Job) -> None:
    if found.same:
        st.success(f"Both hold the same {many(found.traces.both, 'trace')}.", icon=":material/check:")
    else:
        with st.container(key="shares"):
            _shares("Traces", found.traces)
            _shares("Questions", found.questions)
        told = many(found.told_otherwise, "question")
        st.caption(f"{told[:1].upper()}{told[1:]} in both have other traces.")
    st.subheader("Recipe")
    if found.fields:
        rows = [(title_of(one.field), _counted(one.left), _counted(one.right)) for one in found.fields]
        _table(rows, "Field", "Fields of the recipe that differ")
    else:
        st.caption("Both have the same recipe.")
    st.subheader("Kept and dropped")
    if found.ledger:
        ledger = [
            (
                f"{one.level.capitalize()}: {f'dropped because {one.reason}' if one.reason else 'kept'}",
                one.left,
                one.right,
            )
            for one in found.ledger
        ]
        _table(ledger, "What", "Lines of the ledger that differ")
    else:
        st.caption("Both ledgers are the same.")
    _examples(found, first, second)
    if hosted():
        return  # where a build lies on a shared server is nobody's business
    st.caption("The same on the command line:")
    st.code(
        shlex.join(["skill-factory", "diff", str(first.out), str(second.out)]),
        language="bash",
        wrap_lines=True,
    )


def _shares(what: str, shares: Shares) -> None:
    columns = st.columns(3)
    for column, name, number in zip(
        columns, ("in both", "only in the first", "only in the second"), shares, strict=True
    ):
        column.metric(f"{what} {name}", f"{number:,}")


def _counted(value: str) -> str:
    """A value of the recipe; of a long list, such as the IDs of reviewed traces, how long it is."""
    parts = value.split(", ")
    return value if len(parts) <= LISTED else f"{len(parts):,} entries"


def _table(rows: Sequence[tuple[object, object, object]], head: str, alt: str) -> None:
    table = pd.DataFrame(rows, columns=[head, "First", "Second"])
    st.dataframe(table.style.format(thousands=","), hide_index=True, alt=alt)


def _examples(found: Difference, first: Job, second: Job) -> None:
    """Rows that only one of the builds has: a list, and the one that is chosen, whole."""
    if not found.examples:
        return
    st.subheader("Examples")
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = found.examples[_list(found.examples)]
    with right:
        _trace(chosen, first if chosen.side == SIDES[0] else second)


def _list(examples: Sequence[Example]) -> int:
    """The examples as a table; gives which one is chosen."""
    rows = [(one.kind, one.label, first_line(one.question, SHORT)) for one in examples]
    picked = st.dataframe(
        pd.DataFrame(rows, columns=["What", "Type", "Question"]),
        hide_index=True,
        height="content",
        row_height=LINES,
        on_select="rerun",
        selection_mode="single-row-required",
        key="difference.examples",
        alt="Rows that only one of the builds has, three of each kind",
        column_config={
            "What": st.column_config.TextColumn(width=110),
            "Type": st.column_config.TextColumn(width=55),
            # As wide as its texts otherwise, most of it beyond the list's edge.
            "Question": st.column_config.TextColumn(width=190),
        },
    )
    place = (picked.get("selection", {}).get("rows") or [0])[0]
    return min(int(place), len(examples) - 1)  # two other builds may have fewer


def _trace(chosen: Example, job: Job) -> None:
    recipe = job.recipe
    shown = loading.once(
        "difference example",
        (job.id, chosen.place),
        lambda: away.run(looking.built_shown, job.out, [chosen.place], recipe.tags, what=job.label),
    )
    st.markdown(f"**{chosen.kind}**: row {chosen.place + 1:,} of the {chosen.side} build")
    trace_view.style()
    for row in shown:
        if row.story is None:
            st.code(row.text, language=None, wrap_lines=True)
        else:
            st.html(story_html(row.story, "difference", tokens_at(recipe.cutoff.chars_per_token)))
