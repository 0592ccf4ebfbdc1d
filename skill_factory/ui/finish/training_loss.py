"""Train on a part of each trace: which part, with whose tokenizer, and a trace on which it is lit."""

import re

import streamlit as st

from skill_factory.errors import HandoffError, SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.trainers import FOR_TOKENS, Trainer
from skill_factory.trainers.loss import MEANING, Loss
from skill_factory.ui.frame import away, shell, trace_view, workspace
from skill_factory.work import looking
from skill_factory.work.builds import Job

AS_TEXT = "the whole trace, as text"


def choice(trainer: Trainer) -> str:
    """What is trained: empty for the trace as text, which is all that some trainers take."""
    if trainer.name not in FOR_TOKENS:
        return ""
    words = {loss.value: MEANING[loss] for loss in Loss}
    # A trainer that reads texts can have the text as it is; the others take tokens alone.
    options = words if not hasattr(trainer, "write") else {"": AS_TEXT, **words}
    return str(
        st.selectbox(
            "What is trained",
            list(options),
            format_func=options.__getitem__,
            key=f"train.loss.{trainer.name}",
            persist_state="session",
            help="A part of each trace needs the model's own tokenizer: the files then hold tokens with labels.",
        )
    )


def tokenizer(loss: str, model: str) -> str:
    """The tokenizer for a choice of parts: its field, else the model's own. Errors: HandoffError for a server's file."""
    if not loss:
        return ""
    told = st.text_input(
        "Tokenizer",
        key="train.tokenizer",
        persist_state="session",
        placeholder=model or "user/model on the Hub",
        help="A tokenizer.json, its folder, or a model on the Hub. Empty for that of the model to train.",
    )
    name = told.strip() or model.strip()
    if name and hosted() and not re.fullmatch(r"[\w][\w.-]*/[\w.-]+(@[\w.-]+)?", name):
        raise HandoffError("On a shared server the tokenizer is one of a model on the Hub: user/model.")
    return name


def lit(job: Job, loss: str) -> None:
    """A trace of the build on which the chosen part is marked."""
    trace_view.style()
    try:
        shown = away.run(looking.lit, job.out, loss, job.recipe.tags, what=job.label)
    except SkillFactoryError as error:
        st.warning(workspace.sentence(str(error)), icon=":material/info:")
        return
    if shown:
        st.html(shown)
    else:
        st.caption(shell.plain("This build has no lineage columns, so no trace can be shown by its parts."))
