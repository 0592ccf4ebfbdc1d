"""Making without a connection: a file of requests to run where the model is, and its answers joined to the data."""

import shlex
from collections.abc import Callable
from typing import Any

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.ui.frame import uploads, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.wording import many
from skill_factory.work.making_asked import Asked, Stage
from skill_factory.work.makings import Making, Status

Run = Callable[[Asked, Stage], None]


def by_files(asked: Asked, made: Making | None, now: Status | None, run: Run) -> None:
    """Requests out, answers in."""
    st.markdown(
        "**1. Get the requests.** One line of JSON each, in the format of vLLM's `run-batch` and OpenAI's Batch API."
    )
    fresh = made is not None and asked.asks_for == made.asked.asks_for and made.requests.exists()
    with st.container(horizontal=True):
        if st.button(
            "Write the requests",
            type="secondary" if fresh else "primary",
            key="making.write",
            icon=":material/description:",
        ):
            run(asked, Stage.WRITE)
        if fresh and made:
            save_button(
                "requests.jsonl",
                lambda: made.requests.open("rb"),
                "requests.jsonl",
                key="making.requests",
            )
    if now and fresh and made and made.stage is Stage.WRITE and "requests" in now.told:
        st.caption(f"{many(now.told['requests'], 'request')} to {workspace.plain(asked.model)}.")
    st.markdown("**2. Run them** where the model is, for example:")
    model = shlex.quote(asked.model or "MODEL")
    st.code(f"vllm run-batch -i requests.jsonl -o answers.jsonl --model {model}", language="bash")
    st.markdown("**3. Upload the answers.**")
    sent = st.file_uploader(
        "Answers",
        type=["jsonl"],
        key="making.answers",
        help="The file that the batch run wrote.",
        disabled=not fresh,
    )
    if (
        fresh
        and made
        and sent is not None
        and st.button("Join the answers", type="primary", key="making.join")
    ):
        _join(asked, made, sent, run)


def _join(asked: Asked, made: Making, sent: Any, run: Run) -> None:
    try:
        uploads.keep(sent, made.answers)
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    run(asked, Stage.JOIN)
