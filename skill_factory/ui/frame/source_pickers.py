"""Three ways to data: the demo, a dataset on the Hub, a file. Each leads to the Data page."""

import re
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from skill_factory.errors import HubError, SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.recipe.model import Source
from skill_factory.sources import source_of_recipe
from skill_factory.sources.demo.rows import DEFAULT_QUESTIONS
from skill_factory.sources.demo.worlds import COUNTDOWN, WORLDS
from skill_factory.sources.files import UPLOADS
from skill_factory.ui.frame import loading, signing_in, uploads, workspace
from skill_factory.ui.frame.steps import DATA
from skill_factory.wording import many
from skill_factory.work.home import new_place
from skill_factory.work.kept.workspaces import forget_uploads

UPLOAD_MB = 200


BESIDE = "beside"
"""What begins the keys of the doors that add a source to the one that is there."""


def enter(text: str, label: str = "", asked: Source | None = None, door: str = "door") -> None:
    """Choose a source and go to Data; if it can't be read, say why right here."""
    try:
        with st.spinner("Looking at the data …"):
            loading.choose(text, label, asked, beside=door == BESIDE)
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    st.switch_page(DATA.target())


def of_recipe() -> None:
    """Offer the data that an opened recipe was made for, if the recipe names it."""
    mine = workspace.current()
    spec = mine.recipe.source
    if mine.source or spec.kind not in ("demo", "hub"):
        return
    name = loading.called(spec)
    st.info(f"This recipe was made for **{workspace.plain(name)}**.", icon=":material/receipt_long:")
    if st.button("Open its data", key="door.recipe", icon=":material/database:", width="stretch"):
        enter(source_of_recipe(spec), name, spec if spec.kind == "hub" else None)


def demo(primary: bool = True, door: str = "door") -> None:
    """The demo: 500 questions of the chosen world, made on the spot."""
    # The button stands first, and opens what is chosen below it.
    above = st.container()
    name = st.segmented_control(
        "What the demo asks",
        [*WORLDS],
        default=_likely(door),
        required=True,
        format_func=_capitalized_title,
        key=f"{door}.demo.world",
        label_visibility="collapsed",
        width="stretch",
    )
    st.caption(
        f"{DEFAULT_QUESTIONS} questions with 8 answers each, made here: no download, no account, no model. {WORLDS[name].about}"
    )
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    if above.button(
        "Add the demo" if door == BESIDE else "Try the demo",
        type=kind,
        icon=":material/play_arrow:",
        key=f"{door}.demo",
        width="stretch",
    ):
        enter(_source(name), door=door)


def _source(world: str) -> str:
    return "demo" if world == COUNTDOWN.name else f"demo:{world}"


def _likely(door: str) -> str:
    """The world that is chosen at first; beside an open one, another."""
    here = workspace.current().source if door == BESIDE else ""
    return next((name for name in (COUNTDOWN.name, *WORLDS) if _source(name) != here), COUNTDOWN.name)


def _capitalized_title(world: str) -> str:
    title = WORLDS[world].title
    return title[:1].upper() + title[1:]


def hub(door: str = "door") -> None:
    """A dataset on the Hub, by its name or by words in it."""
    # Beside the field, so that what a search finds stands right below it.
    with (
        st.form(f"{door}.hub", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        name = st.text_input(
            "Dataset on the Hugging Face Hub",
            placeholder="user/name, or words of it",
            key=f"{door}.hub.name",
            help="The name of a dataset on the Hugging Face Hub, as its page shows it; other words search the Hub.",
        )
        pressed = st.form_submit_button("Find", icon=":material/search:", width="content")
    if pressed and name.strip():
        st.session_state[f"{door}.hub.asked"] = name.strip()
    asked = st.session_state.get(f"{door}.hub.asked", "")
    if pressed and "/" in asked:
        enter(asked, asked.partition("@")[0], door=door)
    elif asked and "/" not in asked:
        _hits(asked, door)
    own_account(door)
    _own_datasets(door)


def own_account(door: str = "door") -> None:
    """Sign in, for datasets that aren't public."""
    if door == BESIDE:
        return  # the same doors stand in "Other data", where signing in is for all of them
    with st.popover("Private data? Sign in", type="tertiary", icon=":material/lock:"):
        account = signing_in.account()
        if account is None:
            signing_in.ways_in()
        else:
            st.markdown(f"Signed in as **{workspace.plain(account.name)}**")
            st.button("Sign out", on_click=signing_in.sign_out, type="tertiary", key="door.signout")


def _own_datasets(door: str) -> None:
    """After signing in: the visitor's own datasets, to open with two clicks."""
    from skill_factory.hub.client import datasets_of

    mine = workspace.current()
    if not mine.token or not mine.user:
        return
    try:
        own = loading.once(
            "own datasets", (mine.user, mine.token), lambda: datasets_of(mine.user, mine.token)
        )
    except HubError as error:
        st.caption(workspace.plain(str(error)))
        return
    if not own:
        st.caption(f"{workspace.plain(mine.user)} has no dataset on the Hub yet.")
        return
    private = {hit.name: " (private)" for hit in own if hit.private}
    chosen = st.selectbox(
        "Your datasets",
        [hit.name for hit in own],
        index=None,
        placeholder=many(len(own), "dataset"),
        format_func=lambda name: f"{name}{private.get(name, '')}",
        key=f"{door}.own",
    )
    if chosen and st.session_state.get(f"{door}.own.taken") != chosen:
        st.session_state[f"{door}.own.taken"] = chosen
        enter(chosen, chosen, door=door)


def _hits(words: str, door: str) -> None:
    from skill_factory.hub.client import search

    try:
        hits = loading.once(
            "hits",
            (words, workspace.current().token),
            lambda: search(words, workspace.current().token or None, 8),
        )
    except HubError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    if not hits:
        st.caption("No dataset has that in its name. Try fewer letters, or the full name: user/name.")
        return
    st.caption(f"{many(len(hits), 'dataset')} found. Open one:")
    for hit in hits:
        if st.button(workspace.plain(hit.name), key=f"{door}.hit.{hit.name}", icon=":material/database:"):
            enter(hit.name, hit.name, door=door)


def file(door: str = "door") -> None:
    """The visitor's own file; when the app runs on their own computer, also by its path."""
    sent = st.file_uploader(
        "My file",
        type=list(UPLOADS),
        key=f"{door}.file",
        help=f"Parquet, JSON, CSV, a spreadsheet, a log or an archive of these, up to {UPLOAD_MB} MB. For a larger file, create "
        "a private Hub dataset (New → Dataset → Upload files on the Hub's page) and open it by name.",
    )
    st.caption(
        "Parquet, JSON, CSV, Excel, logs of runs, or an archive of these (.zip, .tar); text also compressed."
    )
    if sent is not None and st.session_state.get(f"{door}.file.taken") != sent.file_id:
        st.session_state[f"{door}.file.taken"] = sent.file_id
        try:
            kept = keep(sent)
        except SkillFactoryError as error:
            st.error(workspace.plain(str(error)), icon=":material/error:")
            return
        enter(str(kept), sent.name, door=door)
    if not hosted():
        path = st.text_input(
            "Or a path on this computer",
            placeholder="data/answers.parquet, then press Enter",
            key=f"{door}.path",
        )
        if path.strip() and st.session_state.get(f"{door}.path.taken") != path:
            st.session_state[f"{door}.path.taken"] = path
            enter(path.strip(), door=door)


def keep(sent: Any) -> Path:
    """Write an upload into a new folder, where the build can find it too. Errors: SourceError for a full disk."""
    name = re.sub(r"[^\w.-]+", "_", Path(sent.name).name).lstrip(".")[-100:] or "upload"
    forget_uploads(days=1 if hosted() else 30)
    return uploads.keep(sent, new_place("uploads") / name)
