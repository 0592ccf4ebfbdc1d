"""The start of a build of the shown source, from whichever page has the button."""

from collections.abc import Callable, Mapping

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.insight.estimate import Pace, estimate_build
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.ui.frame import loading, uploads, visitor, workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.work import builds
from skill_factory.work.home import home
from skill_factory.work.quota import refusal

_REFUSED = "build.refused"


def start_if_room(seen: Evidence) -> None:
    """Start it unless it needs more disk than there is; Finish says why, where nothing was started."""
    rows = loading.source().rows or seen.narrow.rows.ledger[Level.ROWS].read
    takes = estimate_build(seen.outlook, seen.scale, loading.typical(), Pace(0, 0.0), 0, 1)
    if refused := refusal(rows, takes.text_bytes, visitor.mark()):
        st.session_state[_REFUSED] = refused
    else:
        start()


def start() -> None:
    """Start it under the present recipe, and remember it; a refusal is kept until `refused` is asked."""
    mine = workspace.current()
    begin(mine.source, mine.label, loading.recipe)


def begin(
    source: str, label: str, recipe: Callable[[], AnyRecipe], places: Mapping[str, str] | None = None
) -> None:
    """As `start`, for a source or the sources of a mixture."""
    mine = workspace.current()
    try:
        job = builds.start(source, label, recipe(), mine.token, visitor.key(), places)
    except OSError as error:
        st.session_state[_REFUSED] = uploads.no_room("The build", home(), error)
        return
    except SkillFactoryError as error:
        st.session_state[_REFUSED] = str(error)
        return
    mine.job = job.id
    st.query_params["job"] = job.id


def refused() -> str:
    """Why the last press started nothing, once; else empty."""
    return str(st.session_state.pop(_REFUSED, ""))
