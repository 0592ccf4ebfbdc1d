"""What a page's address brings: a workspace (`?work=`), a recipe (`?recipe=`), a build (`?job=`), each on any page."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.hub.errors import NotOnHub, SignInNeeded
from skill_factory.recipe.mixture import Mixture
from skill_factory.sources import source_of_recipe
from skill_factory.sources.files import UPLOADS
from skill_factory.ui.frame import cleanup, loading, signing_in, source_pickers, visitor, workspace
from skill_factory.ui.frame.kept import session, tabs
from skill_factory.ui.frame.mixed import mixing
from skill_factory.ui.frame.steps import CHOOSE, DATA, FINISH, LOOK, NO_PAGE
from skill_factory.work import builds
from skill_factory.work.builds import Job
from skill_factory.work.home import place
from skill_factory.work.kept import workspaces
from skill_factory.work.kept.folder import Kept

PARAMETER = "work"
RETURN = {step.title: step for step in (DATA, CHOOSE, LOOK, FINISH)}
"""The pages that *Continue* leads back to."""


def arrive(title: str) -> str:
    """Open what the address names, and what another tab has changed; gives the sentence to show if a link can't be read."""
    mine, asked = workspace.current(), st.query_params.get(PARAMETER, "")
    if mine.saved is None:
        mine.saved = mine.state
    # The address may still name what was copied by the press that is answered now.
    if asked and asked not in (shown(), mine.said):
        open_workspace(asked)
    else:
        workspace.follow()
    if st.query_params.pop(NO_PAGE, ""):
        mine.notices.append("There is no page at that address, so this is Start.")
    refused = workspace.open_link()
    workspace.keep()
    _turn(title)
    say_address()
    return refused


def _turn(title: str) -> None:
    mine = workspace.current()
    if title not in RETURN or title == mine.page:
        return
    mine.page = title
    if mine.kept:
        with suppress(SkillFactoryError):  # deleted in another tab: said when something is changed
            mine.kept = workspaces.turn(mine.kept, title)


def shown() -> str:
    """The name of the workspace on this page, one's own or somebody else's; empty if nothing was begun."""
    mine = workspace.current()
    return mine.kept.id if mine.kept else mine.of


def say_address() -> None:
    """Put the workspace into the address, so that a reload, a bookmark and a link lead back to it."""
    mine, name = workspace.current(), shown()
    if name:
        tabs.shows(name)
    mine.said = name
    if name and st.query_params.get(PARAMETER) != name:
        st.query_params[PARAMETER] = name
    if mine.kept and not mine.unsaved and mine.link and mine.link == st.query_params.get("recipe"):
        # The recipe is in the workspace now: a reload must not undo what was changed since.
        st.query_params.pop("recipe")


def open_workspace(id: str) -> None:
    """Show a workspace, or say why it can't be."""
    mine, kept = workspace.current(), workspaces.find(id)
    if kept is None:
        gone = f"deleted, or nobody opened it for {cleanup.idle_words()}" if hosted() else "deleted"
        mine.notices.append(f"The workspace of this link isn't here any more: it was {gone}.")
        st.query_params.pop(PARAMETER, None)
        return
    try:
        session.take(kept)
    except SkillFactoryError as error:
        mine.notices.append(str(error))
        st.query_params.pop(PARAMETER, None)
        return
    if kept.lost:
        mine.notices.append(
            "The last change of this workspace couldn't be read from the disk. This is its latest state that could."
        )
    if kept.owner != visitor.mark():
        _as_copy(kept)


def _as_copy(kept: Kept) -> None:
    mine = workspace.current()
    mine.kept, mine.of, mine.name, mine.job = None, kept.id, f"Copy of {kept.title}", ""
    mine.saved = mine.state
    mine.notices.append(
        "You opened somebody else's workspace. What you change is kept in a copy of your own."
    )


def begin() -> None:
    """Leave the workspace and begin with nothing; it stays on the list. The sign-in stays, too."""
    before = workspace.current()
    fresh = session.Workspace(token=before.token, user=before.user)
    fresh.saved = fresh.state
    st.session_state["workspace"] = fresh
    for name in (PARAMETER, "recipe", "job", "making"):
        st.query_params.pop(name, None)


def go(kept: Kept, page: str = "") -> None:
    """Open a workspace of a list, on the page where it was left unless another is named; ends the run."""
    step = RETURN.get(page or kept.page, DATA)
    st.switch_page(step.target(), query_params={PARAMETER: kept.id})


def own() -> list[Kept]:
    """The visitor's workspaces, the latest first; on a shared server only where it knows its visitor."""
    return workspaces.recent(visitor.mark()) if visitor.known() else []


def offer(page: str) -> None:
    """On a page that was opened without data, such as in a new tab: the way to the work that was open last."""
    for kept in own()[:1]:
        label = f"Continue with {workspace.plain(kept.title)}"
        if st.button(label, icon=":material/arrow_forward:", type="primary", key="kept.continue"):
            go(kept, page)


# -- its data ------------------------------------------------------------------------------------------------------


def job() -> Job | None:
    """The build that the address or the workspace names."""
    return builds.find(st.query_params.get("job", "") or workspace.current().job)


def data(title: str) -> None:
    """On a page that needs data: open that of the link's recipe or build, and ask for an upload that is gone."""
    mine = workspace.current()
    if not mine.source:
        _of_build() or _of_recipe()
    if mine.source and _upload_gone(mine.source):
        st.title(title)
        _ask_again()
    elif mine.source and not mine.token and mine.recipe.source.kind == "hub":
        _open_or_sign_in(title)


def _open_or_sign_in(title: str) -> None:
    """A token is never kept, so after a reload private data asks for a sign-in again; the work waits."""
    try:
        loading.source()
    except (SignInNeeded, NotOnHub) as error:
        st.title(title)
        st.warning(
            f"{workspace.plain(str(error))} Your sign-in ends with the tab and is never kept; your recipe and your decisions "
            "are. Sign in again to continue.",
            icon=":material/lock:",
        )
        signing_in.ways_in()
        st.stop()
    except SkillFactoryError:  # said by the page itself
        return


def _of_build() -> bool:
    mine, built = workspace.current(), job()
    if built is None:
        return False
    recipe = built.recipe
    with workspace.one_change():
        if isinstance(recipe, Mixture):
            mixing.open_mixture(recipe, built.places)
        else:
            mine.source, mine.label, mine.recipe = built.source, built.label, recipe
        mine.job, mine.suited = built.id, True
    return True


def _of_recipe() -> bool:
    mine = workspace.current()
    spec = mine.recipe.source
    if spec.kind not in ("demo", "hub"):
        return False
    with st.spinner("Looking at the recipe's data …"):
        loading.choose(source_of_recipe(spec), loading.called(spec), spec if spec.kind == "hub" else None)
    return True


def _upload_gone(source: str) -> bool:
    path = Path(source)
    # Only uploads are cleared away here; any other path that is gone is for its owner to say.
    return path.parent.parent == place("uploads") and not path.exists()


def _ask_again() -> None:
    mine = workspace.current()
    kept = f"for {cleanup.idle_words()}" if hosted() else "for 30 days"
    st.warning(
        f"**{workspace.plain(mine.label)}** isn't here any more: an upload that nobody uses is kept {kept}. Your recipe and "
        "your decisions are. Upload the file again to continue.",
        icon=":material/upload_file:",
    )
    sent = st.file_uploader(
        f"Upload {workspace.plain(mine.label)} again", type=list(UPLOADS), key="again.file"
    )
    if sent is not None and st.session_state.get("again.taken") != sent.file_id:
        st.session_state["again.taken"] = sent.file_id
        loading.choose_again(str(source_pickers.keep(sent)), sent.name)
        st.rerun()
    st.stop()
