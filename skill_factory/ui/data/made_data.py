"""What was made becomes the chosen data, with a note on what it is and a way back."""

from dataclasses import dataclass

import streamlit as st

from skill_factory.build import archives
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import Columns, Source, Traces
from skill_factory.ui.frame import away, exact_tables, loading, workspace
from skill_factory.ui.frame.buttons import deleting
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.work import looking, makings
from skill_factory.work.making_asked import Asked, What
from skill_factory.work.makings import Making

_NOTE = "_made"
DELETE = {
    What.GRADE: "Delete these labels",
    What.RESPONSES: "Delete these answers",
    What.REFLECTIONS: "Delete these reflections",
}


@dataclass(frozen=True)
class Note:
    """What was made and taken as the data."""

    made: Making
    said: str


def take(made: Making, said: str) -> None:
    """Make the raw set the chosen data, and show the report on it."""
    adopt(str(made.out), makings.made_label(made))
    st.session_state[_NOTE] = Note(made, said)


def adopt(
    text: str, label: str, part: tuple[str, str, str] = Asked.part, columns: Columns | None = None
) -> None:
    """As `loading.choose`, for a source that this session has made or named: its columns are guessed or known."""
    mine = workspace.current()
    asked = Source(config=part[0], split=part[1], revision=part[2])
    found = loading.seen(text, asked, label)
    guessed = columns or away.run(looking.guessed, found, what=label)
    workspace.choose_source(text, label, found.spec, guessed)
    if mine.recipe.traces.formats == (TraceFormat.NO_REFLECTION,):  # what suited data without reflections
        workspace.change({"traces.formats": Traces().formats, "traces.attempts": Traces().attempts})
    st.session_state.pop("_kept", None)
    exact_tables.forget_failed()
    loading.suit()


def note() -> None:
    """The note on what was made, if that is the chosen data."""
    told: Note | None = st.session_state.get(_NOTE)
    if told is None or workspace.current().source != str(told.made.out):
        return
    st.success(workspace.plain(told.said), icon=":material/task_alt:")
    with st.container(horizontal=True, key="made"):
        save_button(
            "Save this data",
            lambda: archives.folder_download(told.made.out),
            "data.zip",
            key="making.save",
            help="The raw data with its card: which model, prompts and settings made it.",
        )
        st.button(
            "Back to the previous data",
            icon=":material/undo:",
            type="tertiary",
            on_click=_undo,
            key="making.undo",
        )


def delete_button(made: Making) -> None:
    """Delete what was made, finished or not, after saying what is lost."""
    deleting.delete_button(
        DELETE[made.asked.what], makings.lost(made), f"making.delete.{made.id}", makings.forget, made
    )


def _undo() -> None:
    asked = st.session_state.pop(_NOTE).made.asked
    adopt(asked.source, asked.label, asked.part, Columns(**asked.columns))
