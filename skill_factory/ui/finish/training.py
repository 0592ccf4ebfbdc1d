"""Hand a finished build to a trainer: choices, what was checked, files and commands to copy."""

from pathlib import Path
from typing import Any

import streamlit as st

from skill_factory.build.archives import folder_download
from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.recipe.model import Recipe
from skill_factory.traces.lengths import largest_n
from skill_factory.trainers import FOR_TOKENS, TRAINERS, Exported, Options, QuestionsTrainer, Trainer
from skill_factory.ui.finish import train_run, training_loss
from skill_factory.ui.frame import away, shell, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.wording import inflect, many, percent
from skill_factory.work import looking
from skill_factory.work.builds import Job

SHOWN = {".yaml": "yaml", ".yml": "yaml", ".sh": "bash", ".py": "python", ".json": "json", ".md": "markdown"}
EXPORT_SECONDS = 180.0
"""For a check of every trace, on a shared server."""
LONGEST = 20_000
"""Bytes of a file that is still shown on the page."""
LEAST, MOST = 256, 131_072
"""Cut-offs that can be chosen."""


def names() -> dict[str, str]:
    """Every trainer by its name, in words."""
    return {name: f"{trainer.title}: {trainer.does}" for name, trainer in (TRAINERS | FOR_TOKENS).items()}


def training(job: Job) -> None:
    """Train from here, or take the files to a trainer of one's own."""
    st.markdown("#### Train it from here")
    train_run.train_it(job)
    st.markdown("#### Or take the files to a trainer of your own")
    files(job)


def files(job: Job) -> None:
    """Choices on the left, files on the right."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        titles = names()
        chosen = st.selectbox(
            "Trainer",
            list(titles),
            format_func=titles.__getitem__,
            key="train.trainer",
            persist_state="session",
        )
        trainer = (TRAINERS | FOR_TOKENS)[chosen]
        loss = training_loss.choice(trainer)
        options = _options(trainer, job, loss)
        go = st.button(
            "Make the files",
            key="train.go",
            type="primary",
            icon=":material/construction:",
            disabled=options is None,
        )
        if options is None:
            st.caption("Name the model first.")
    if go and options is not None:
        with right, st.spinner("Checking every trace …"):
            _export(job, trainer, options)
    with right:
        if loss:
            training_loss.lit(job, loss)
        exported: Exported | None = st.session_state.get("trained", {}).get((job.id, trainer.name))
        if exported is None:
            st.markdown(
                "The files and the command for your trainer appear here, ready to copy, once every trace is checked."
            )
        else:
            _show(exported, trainer, options)


def _options(trainer: Trainer, job: Job, loss: str) -> Options | None:
    # The model that was named above is the likely one here.
    if not st.session_state.get("train.model"):
        st.session_state["train.model"] = st.session_state.get("fit.model") or ""
    model = st.text_input(
        "Model to train",
        key="train.model",
        persist_state="session",
        placeholder="user/model or a folder",
        help="The Hub name or the folder of the model that will learn from the traces.",
    )
    # One cut-off for all pages: setting it here moves the strip, too.
    st.session_state["train.cutoff"] = min(max(workspace.cutoff(job.recipe), LEAST), MOST)
    cutoff = st.number_input(
        "Cut-off in tokens",
        LEAST,
        MOST,
        step=512,
        key="train.cutoff",
        on_change=_take_cutoff,
        help="Trainers cut longer traces at the end, where the answer is. The numbers above and on Look use it too.",
    )
    drop, more = False, {}
    if isinstance(trainer, QuestionsTrainer):
        more = _questions(job)
    else:
        drop = st.toggle("Leave out longer traces", key="train.drop", persist_state="session")
    try:
        return (
            Options(
                model=model,
                cutoff=int(cutoff),
                drop_over=drop,
                loss=loss,
                tokenizer=training_loss.tokenizer(loss, model),
                **({"source": _source(job)} | more),
            )
            if model.strip()
            else None
        )
    except SkillFactoryError as error:
        st.warning(on_page(str(error)), icon=":material/info:")
        return None


QUESTIONS = {
    "random": "drawn from all",
    "unused": "those without a trace",
    "all": "all, those without a trace first",
}


def _questions(job: Job) -> dict[str, Any]:
    """What a trainer that asks questions is given: which ones, how hard, and where the source is, if it moved."""
    chosen = st.selectbox(
        "Questions",
        list(QUESTIONS),
        format_func=QUESTIONS.__getitem__,
        key="train.questions",
        persist_state="session",
        help="Those without a trace are those that the model never solved, or seldom: alone they are very hard.",
    )
    low, high = st.slider(
        "Pass rate",
        0.0,
        1.0,
        (0.0, 1.0),
        0.05,
        key="train.rate",
        persist_state="session",
        help="The share of right responses in the source. With outputs all right or all wrong, nothing is learned.",
    )
    more: dict[str, Any] = {"questions": chosen}
    if (low, high) != (0.0, 1.0):
        more["pass_rate"] = (low, high)
    # A server's disk is nobody's to name.
    recipe = job.recipe
    if isinstance(recipe, Recipe) and recipe.source.kind == "file" and not _source(job) and not hosted():
        more["source"] = st.text_input("Source file", key="train.source", placeholder=recipe.source.name)
    return more


CONTROLS = {
    "--model NAME": "the field *Model to train*",
    "--cutoff-len": "*Cut-off in tokens*",
    "--drop-over": "*Leave out longer traces*",
    "--tokenizer FILE": "the field *Tokenizer*",
    "--questions random": "*Questions: drawn from all*",
    "--pass-rate": "*Pass rate*",
    "--source PATH": "the field *Source file*",
    "--loss": "*What is trained*",
    " for -o": "",
}
"""What the command line's options are called on this page."""


def on_page(text: str) -> str:
    """A message for Markdown, in which options of the command line are named by their controls here."""
    said = workspace.sentence(text)
    for flag, control in CONTROLS.items():
        said = said.replace(shell.plain(flag), control)
    return said


def _take_cutoff() -> None:
    if "train.cutoff" in st.session_state:  # a browser may report a field after its page was left
        workspace.current().cutoff = int(st.session_state["train.cutoff"])


def _source(job: Job) -> str | tuple[str, ...]:
    """Where the files of the build's sources are, as far as they are still there."""
    if job.places:
        return tuple(f"{name}={place}" for name, place in job.places.items() if Path(place).exists())
    return job.source if job.source and Path(job.source).exists() else ""


def _export(job: Job, trainer: Trainer, options: Options) -> None:
    try:
        exported = away.run(
            looking.exported,
            job.out,
            trainer.name,
            job.path / f"train-{trainer.name}",
            options,
            workspace.current().token,
            what=job.label,
            seconds=EXPORT_SECONDS,
        )
    except SkillFactoryError as error:
        st.error(on_page(str(error)), icon=":material/error:")
        return
    st.session_state.setdefault("trained", {})[job.id, trainer.name] = exported


def _show(exported: Exported, trainer: Trainer, options: Options | None) -> None:
    lengths = exported.checked.lengths
    over = int((lengths.tokens > options.cutoff).sum()) if options else 0
    counted = "" if lengths.exact else ", estimated from characters"
    if options and over:
        n = largest_n(lengths, options.cutoff)
        advice = f" With N = {n}, at least 99 % would fit." if n else ""
        st.warning(
            f"{many(over, 'trace')} ({percent(over, len(lengths.tokens))}) {inflect(over, 'is', 'are')} longer than the "
            f"cut-off{counted}.{advice}",
            icon=":material/content_cut:",
        )
    else:
        st.markdown(f":material/check_circle: No trace is longer than the cut-off{counted}.")
    if tokens := exported.checked.tokens:
        st.markdown(
            f":material/highlight: {many(tokens.trained, 'token')} of {tokens.tokens:,} are trained "
            f"({percent(tokens.trained, tokens.tokens)}), in {many(tokens.rows, 'trace')}; "
            f"{many(tokens.crossing, 'token')} across a border {inflect(tokens.crossing, 'is', 'are')} not."
        )
    for finding in exported.checked.findings:
        st.caption(f":material/info: {many(finding.count, 'row')}: {workspace.sentence(finding.sentence)}")
    save_button(
        "All files (zip)",
        lambda: folder_download(exported.path),
        f"train-{trainer.name}.zip",
        key="train.zip",
    )
    for name in sorted(exported.files, key=lambda name: (name.count("/"), name)):
        _file(exported.path / name, name)


def _file(path: Path, name: str) -> None:
    language = SHOWN.get(path.suffix)
    if language is None or not path.is_file() or path.stat().st_size > LONGEST:
        return
    with st.expander(name, expanded=name.endswith((".yaml", ".sh"))):
        st.code(path.read_text(encoding="utf-8"), language=language, wrap_lines=True)
