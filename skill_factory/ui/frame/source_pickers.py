"""Three ways to data: the demo, a data set on the Hub, a file. Each ends on the page Data."""

import re
from pathlib import Path
from typing import Any

import streamlit as st

from skill_factory.errors import HubError, SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.recipe.model import Source
from skill_factory.sources import source_of_recipe
from skill_factory.sources.files import PACKED, SUFFIXES
from skill_factory.ui.frame import loading, signing_in, uploads, workspace
from skill_factory.ui.frame.steps import DATA
from skill_factory.work.home import forget_old, new_place

UPLOAD_MB = 200
KINDS = [s.lstrip(".") + p for s in SUFFIXES for p in ("", *PACKED) if not (s == ".parquet" and p)]


def enter(text: str, label: str = "", asked: Source | None = None) -> None:
    """Choose a source and go to Data; where it can't be read, say why, here."""
    try:
        with st.spinner("Looking at the data …"):
            loading.choose(text, label, asked)
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    st.switch_page(DATA.path)


def of_recipe() -> None:
    """The data that an opened recipe was made for, where they can be named."""
    mine = workspace.current()
    spec = mine.recipe.source
    if mine.source or spec.kind not in ("demo", "hub"):
        return
    name = loading.called(spec)
    st.info(f"This recipe was made for **{workspace.plain(name)}**.", icon=":material/receipt_long:")
    if st.button("Open its data", key="door.recipe", icon=":material/database:", width="stretch"):
        enter(source_of_recipe(spec), name, spec if spec.kind == "hub" else None)


def demo(primary: bool = True) -> None:
    """The demo: 500 puzzles, made on the spot."""
    kind = "primary" if primary else "secondary"
    if st.button("Try the demo", type=kind, icon=":material/play_arrow:", key="door.demo", width="stretch"):
        enter("demo")


def hub() -> None:
    """A data set on the Hub, by name or by words."""
    with st.form("door.hub", border=False):
        name = st.text_input("Hub data set", placeholder="user/name, or words to search for", key="door.hub.name",
                             help="The name of a data set on the Hugging Face Hub, as its page shows it.")  # fmt: skip
        pressed = st.form_submit_button(
            "Open from the Hub", icon=":material/cloud_download:", width="stretch"
        )
    if pressed and name.strip():
        st.session_state["door.hub.asked"] = name.strip()
    asked = st.session_state.get("door.hub.asked", "")
    if pressed and "/" in asked:
        enter(asked, asked.partition("@")[0])
    elif asked and "/" not in asked:
        _hits(asked)
    own_account()


def own_account() -> None:
    """Sign in, for data sets that not everybody may read."""
    with st.popover("Private data? Sign in", type="tertiary", icon=":material/lock:"):
        found = signing_in.account()
        if found is None:
            signing_in.ways_in()
        else:
            st.markdown(f"Signed in as **{workspace.plain(found.name)}**")
            st.button("Sign out", on_click=signing_in.sign_out, type="tertiary", key="door.signout")


def _hits(words: str) -> None:
    from skill_factory.hub.client import search

    try:
        found = loading.once(
            "hits",
            (words, workspace.current().token),
            lambda: search(words, workspace.current().token or None, 8),
        )
    except HubError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    if not found:
        st.caption("No data set has that in its name. Try fewer letters, or the whole name: user/name.")
    for one in found:
        if st.button(workspace.plain(one.name), key=f"door.hit.{one.name}", icon=":material/database:"):
            enter(one.name, one.name)


def file() -> None:
    """A file of one's own; on one's own machine also by path."""
    sent = st.file_uploader(
        "My file", type=KINDS, key="door.file",
        help=f"Parquet, JSON Lines, JSON or CSV, up to {UPLOAD_MB} MB. Larger: put it into a private Hub data set "
        "(New → Dataset → Upload files on the Hub's page) and open it by name.",
    )  # fmt: skip
    st.caption("Parquet, JSON Lines, JSON or CSV, also packed (.gz, .zst).")
    if sent is not None and st.session_state.get("door.file.taken") != sent.file_id:
        st.session_state["door.file.taken"] = sent.file_id
        try:
            kept = keep(sent)
        except SkillFactoryError as error:
            st.error(workspace.plain(str(error)), icon=":material/error:")
            return
        enter(str(kept), sent.name)
    if not hosted():
        path = st.text_input(
            "or its path on this computer", placeholder="data/answers.parquet, then Enter", key="door.path"
        )
        if path.strip() and st.session_state.get("door.path.taken") != path:
            st.session_state["door.path.taken"] = path
            enter(path.strip())


def keep(sent: Any) -> Path:
    """Write an upload into a folder of its own, where the build finds it too. Errors: SourceError for a full disk."""
    name = re.sub(r"[^\w.-]+", "_", Path(sent.name).name).lstrip(".")[-100:] or "upload"
    forget_old("uploads", days=1 if hosted() else 30)
    return uploads.keep(sent, new_place("uploads") / name)
