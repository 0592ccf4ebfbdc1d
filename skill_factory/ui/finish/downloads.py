"""A finished build as files: Parquet, JSONL, recipe, a page to mail, and what was dropped."""

from functools import partial
from pathlib import Path

import streamlit as st

from skill_factory.build import archives
from skill_factory.build.folder import BuildFolder
from skill_factory.insight.browse import Fate, Wanted
from skill_factory.insight.html import html_page
from skill_factory.insight.pictures import of_tally
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import Mixture
from skill_factory.sources import RawSource
from skill_factory.tally import tally_from_json
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.ui.frame.loading import Evidence
from skill_factory.ui.frame.mixed import which
from skill_factory.work import builds, looking
from skill_factory.work.builds import Job
from skill_factory.work.looking import Address
from skill_factory.work.wire import Shared

FILE_SECONDS = 120.0
"""For a file of all of them on a shared server."""
PREVIEWED = 20
"""How many questions the page to mail has."""


def downloads(job: Job, current: bool) -> None:
    """A button for each; a file is made when its button is clicked. `current`: the build is of the session's own data."""
    folder = BuildFolder(job.out)
    size = sum(path.stat().st_size for path in folder.shards())
    st.markdown(
        "Parquet is smaller, JSONL opens in any editor, and trainers read both. The folder has everything."
    )
    with st.container(horizontal=True):
        save_button(
            "Parquet",
            lambda: archives.parquet_download(folder),
            _parquet_name(folder),
            "save.parquet",
        )
        save_button(
            "JSONL",
            lambda: archives.jsonl_download(folder),
            "traces.jsonl",
            "save.jsonl",
        )
        save_button(
            "The whole folder",
            lambda: archives.folder_download(job.out),
            "build.zip",
            "save.folder",
        )
    st.markdown("To read, to keep, to build it again:")
    with st.container(horizontal=True):
        token = workspace.current().token  # taken along: the click is answered outside the session
        save_button("Page of traces", lambda: page(job, token), "traces.html", "save.page")
        save_button("Recipe", lambda: _text(job.out / "recipe.toml"), "recipe.toml", "save.recipe")
        save_button("Report", lambda: _text(job.out / "report.json"), "report.json", "save.report")
    if current:
        _dropped()
    if size > 500_000_000:
        st.caption(
            "This build is large. Publish it and load it from the Hub, rather than through your browser."
        )


def _dropped() -> None:
    seen, source = loading.evidence(), loading.source()
    mine = workspace.current()
    # A file of what a sample dropped would look complete.
    if not seen.exact:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"What was dropped{' of' if mine.mix else ', with the reasons:'}", width="content")
        which.show()  # of several sources, the one that is chosen here
    with st.container(horizontal=True):
        for level in (Level.RESPONSES, Level.REFLECTIONS):
            name = f"dropped-{level.value}.jsonl"
            save_button(
                f"Dropped {level.value}",
                partial(dropped, source, seen, loading.shared(seen.narrow), level),
                name,
                f"save.{level.value}",
            )


def dropped(source: RawSource, seen: Evidence, known: Shared, level: Level) -> str:
    """What was dropped at a level, one line of JSON each."""
    wanted = Wanted(level, Fate.DROPPED)
    walk = (source, seen.recipe, known, seen.judgement, wanted)
    return away.run(looking.items_file, *walk, "jsonl", seconds=FILE_SECONDS)


def _parquet_name(folder: BuildFolder) -> str:
    return "traces.parquet" if len(folder.shards()) == 1 else "traces-parquet.zip"


def page(job: Job, token: str) -> str:
    """One self-contained page with the first traces."""
    recipe = job.recipe
    if isinstance(recipe, Mixture):
        each = [Address(job.places[one.name], one.recipe.source, token) for one in recipe.sources]
        traces = away.run(looking.previewed_mixture, recipe, PREVIEWED, *each, what=job.label)
    else:
        address = Address(job.source, recipe.source, token)
        traces = away.run(looking.previewed, address, recipe, PREVIEWED, what=job.label).traces
    report = builds.report(job)
    whole = of_tally(tally_from_json(report), recipe) if report else None
    return html_page(traces, f"Traces from {job.label}", of=whole)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
