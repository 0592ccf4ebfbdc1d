"""A finished build at a glance: one trace, what all of them show and how long they are, and what could be wrong with them."""

from base64 import b64encode
from html import escape

import streamlit as st

from skill_factory.insight import built
from skill_factory.insight.html import story_html
from skill_factory.insight.pictures import DARK, LIGHT, Picture, of_tally, pictures
from skill_factory.insight.tables import too_long
from skill_factory.insight.trace_parts import tokens_at
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.tally import Tally
from skill_factory.ui.frame import away, loading, shell, trace_view, workspace
from skill_factory.wording import inflect, many, percent
from skill_factory.work import looking
from skill_factory.work.builds import Job

LINTED = 500
"""Traces that the linter looks at here; `lint` looks at all."""
SHORT = 8_000
"""Characters of a trace that is shown as the example, if there is one so short."""
CANDIDATES = 40
"""First traces among which the example is chosen."""


def show(job: Job, recipe: AnyRecipe, tally: Tally) -> None:
    """The example on the left; pictures and findings on the right."""
    trace_view.style()
    left, right = st.columns([1, 1], gap="large")
    with left:
        example(job, recipe)
    with right:
        composition(pictures(of_tally(tally, recipe)))
        findings(job, recipe, tally)


def composition(drawn: list[Picture]) -> None:
    """The pictures, in the colours of the page; as images, since a page may hold no drawing from a string."""
    ink = DARK if st.context.theme.type == "dark" else LIGHT
    images = [
        f'<img alt="{escape(one.words)}" src="data:image/svg+xml;base64,{b64encode(one.svg(ink).encode()).decode()}">'
        for one in drawn
    ]
    st.html(f'<div class="sf-pictures">{"".join(images)}</div>')


def example(job: Job, recipe: AnyRecipe) -> None:
    """One short trace that corrects a mistake, if there is one; the first one otherwise."""
    found = _example(job, recipe)
    if found is None:
        return
    st.markdown("**One of them**")
    with st.container(height=400, key="built.example"):
        if found.story is None:
            st.code(found.text, language=None, wrap_lines=True)
        else:
            st.html(story_html(found.story, "example", tokens_at(recipe.cutoff.chars_per_token)))


def _example(job: Job, recipe: AnyRecipe) -> built.Shown | None:
    table = index_of(job)
    first = range(min(CANDIDATES, table.traces))
    good = [place for place in first if table.fixed[place] and table.chars[place] < SHORT]
    if not table.traces:
        return None
    place = int((good or [0])[0])
    shown = loading.once(
        "built example",
        (job.id, place),
        lambda: away.run(looking.built_shown, job.out, [place], recipe.tags, what=job.label),
    )
    return shown[0] if shown else None


def index_of(job: Job, doubtful: tuple[str, ...] = ()) -> built.Index:
    """The narrow table of a build, read once for a session."""
    return loading.once(
        "built index",
        (job.id, doubtful),
        lambda: away.run(looking.built_index, job.out, list(doubtful), what=job.label),
    )


def findings(job: Job, recipe: AnyRecipe, tally: Tally) -> None:
    """What the linter finds, and what a trainer would cut off."""
    report = loading.once(
        "built lint",
        job.id,
        lambda: away.run(looking.built_lint, job.out, LINTED, recipe.tags, what=job.label),
    )
    looked = f"the first {report.rows:,} traces" if report.rows >= LINTED else many(report.rows, "trace")
    if not report.findings:
        st.markdown(f":green[:material/check_circle:] The linter finds nothing wrong in {looked}.")
    for meaning, number, found in report.findings:
        st.markdown(
            f":orange[:material/warning:] {number:,} of {looked}: {shell.plain(meaning)}, e.g. {shell.plain(found)}."
        )
    limit = workspace.cutoff(recipe)
    over = too_long(tally, limit, recipe.cutoff.chars_per_token)
    if over:
        st.markdown(
            f":orange[:material/content_cut:] {percent(over)} of the traces are longer than {limit:,} tokens "
            "(estimated): a trainer with that cut-off would cut off their end, where the answer is."
        )
    else:
        st.markdown(f":green[:material/check_circle:] No trace is longer than {limit:,} tokens (estimated).")
    table = index_of(job)
    if not table.lineage and table.traces:
        are = inflect(table.traces, "has", "have")
        st.caption(f"The traces {are} no lineage columns, so attempts can't be told apart below.")
