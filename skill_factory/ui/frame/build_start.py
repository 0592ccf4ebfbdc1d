"""The start of a build, from whichever page has the button."""

from collections.abc import Callable

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.insight.estimate import Pace, estimate_build
from skill_factory.reasons import Level
from skill_factory.ui.frame import loading, uploads, visitor, workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.work import builds
from skill_factory.work.builds import Job
from skill_factory.work.home import home
from skill_factory.work.quota import refusal

_REFUSED = "build.refused"


def begin(start: Callable[[], Job]) -> None:
    """Start a build and make it the one that the page shows; or keep why it wasn't started."""
    try:
        job = start()
    except OSError as error:
        st.session_state[_REFUSED] = uploads.no_room("The build", home(), error)
        return
    except SkillFactoryError as error:
        st.session_state[_REFUSED] = str(error)
        return
    workspace.current().job = job.id
    st.query_params["job"] = job.id


def begin_shown() -> None:
    """Start the build of the shown source under the present recipe."""
    mine = workspace.current()
    begin(lambda: builds.start(mine.source, mine.label, loading.recipe(), mine.token, visitor.key()))


def begin_if_room(seen: Evidence) -> None:
    """As `begin_shown`, unless it needs more disk than there is: Finish says that where nothing was started."""
    rows = loading.source().rows or seen.narrow.rows.ledger[Level.ROWS].read
    takes = estimate_build(seen.outlook, seen.scale, loading.typical(), Pace(0, 0.0), 0, 1)
    if refused := refusal(rows, takes.text_bytes, visitor.mark()):
        st.session_state[_REFUSED] = refused
    else:
        begin_shown()


def refused() -> str:
    """Why the last press started nothing, once; else empty."""
    return str(st.session_state.pop(_REFUSED, ""))
