"""The one way out: check a build, then write a trainer's folder, whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from skill_factory.asked import asked
from skill_factory.errors import HandoffError
from skill_factory.traces.lengths import (
    Lengths,
    TokenCounter,
    estimating_counter,
    load_counter,
    measure_lengths,
)
from skill_factory.trainers.bundle import Bundle, open_bundle
from skill_factory.trainers.loss import chosen_loss
from skill_factory.trainers.options import Options
from skill_factory.trainers.preflight import (
    CONTROL_TOKENS,
    OF_QWEN3,
    OF_TOKENS,
    RowLimits,
    Trouble,
    preflight,
)
from skill_factory.trainers.questions import read_questions, split_questions, within
from skill_factory.trainers.record import (
    Questions,
    QuestionsTrainer,
    Tokens,
    TokensTrainer,
    Traces,
    TracesTrainer,
    Trainer,
)
from skill_factory.trainers.report import Checked, findings_text, report_of, tokens_text
from skill_factory.trainers.tokens import load_encoder, write_tokens

MARK = "handoff.json"
"""Marks a folder as an export, and says of which build and which files belong to it."""


@dataclass(frozen=True)
class Exported:
    """The result of an export: the folder, its files, what the checks found, and how many rows were dropped as too long."""

    path: Path
    files: Sequence[str]
    checked: Checked
    dropped: int


def counter_for(bundle: Bundle, options: Options, token: str | None = None) -> TokenCounter:
    """The user's tokenizer, or an estimate from the recipe's characters per token."""
    if options.tokenizer:
        return load_counter(options.tokenizer, token)
    return estimating_counter(bundle.recipe.cutoff.chars_per_token)


def check_build(
    folder: str | Path, options: Options, token: str | None = None, trainer: Trainer | None = None
) -> Checked:
    """
    Find what a trainer would skip, strip, truncate or misread in a build's traces, and their lengths; write nothing.

    Without a trainer, for any of them.
    """
    if trainer is not None:
        _check_loss(trainer, options)
    bundle = open_bundle(folder)
    counter = counter_for(bundle, options, token)
    checked = _check_traces(bundle, counter, options, trainer)
    return _as_tokens(bundle, options, checked, None, token) if options.loss else checked


def _check_traces(
    bundle: Bundle, counter: TokenCounter, options: Options, trainer: Trainer | None
) -> Checked:
    tags = bundle.recipe.tags
    limits = RowLimits(
        counter.count, options.cutoff, 0, counter.special or CONTROL_TOKENS, think_tag=tags.think
    )
    findings = preflight(bundle.rows(), limits)
    # What another model's template would do doesn't matter to this one.
    if trainer is not None:
        spared = set() if trainer.by_qwen3(options) else OF_QWEN3
        spared = spared - {Trouble.NO_THINKING} if trainer.adds_thinking(options) else spared
        findings = [problem for problem in findings if problem.trouble not in spared]
    return Checked(findings, measure_lengths(bundle.rows(), counter, tags.sample))


def export_build(
    folder: str | Path, trainer: Trainer, out: str | Path, options: Options, token: str | None = None
) -> Exported:
    """
    Write what a trainer needs from the build in `folder` into `out`, replacing an earlier export but nothing else.

    Errors: HandoffError for a folder without a build, an `out` that is taken, or data that doesn't suit the trainer.
    """
    target = Path(out)
    # Before anything is read: lengths of a large build take minutes.
    _check_free(target)
    bundle = open_bundle(folder)
    counter = counter_for(bundle, options, token)
    _check_loss(trainer, options)
    # Traces are checked for verl too: its notes say how long the model's own answers are.
    checked = _check_traces(bundle, counter, options, trainer)
    # Written beside its place first: a trainer never sees half an export.
    staging, dropped = _staging(target), 0
    try:
        if isinstance(trainer, QuestionsTrainer):
            questions = _questions(bundle, options, counter, checked.lengths, token)
            checked = questions.checked
            trainer.write(questions.given, staging)
        elif options.loss and isinstance(trainer, TracesTrainer | TokensTrainer) and trainer.tokens:
            checked = _as_tokens(bundle, options, checked, staging / "data", token)
            dropped = sum(checked.tokens.dropped.values()) if checked.tokens else 0
            trainer.tokens(Tokens(bundle, options, report_of(checked, options)), staging)
        elif isinstance(trainer, TracesTrainer):
            keep = checked.lengths.tokens <= options.cutoff if options.drop_over else None
            dropped = int((~keep).sum()) if keep is not None else 0
            # An empty file would be found out about only when training starts.
            if keep is not None and not keep.any():
                raise HandoffError(
                    f"Every trace is longer than the cut-off of {options.cutoff:,} tokens. Raise --cutoff-len."
                )
            trainer.write(
                Traces(bundle, options, keep, checked.lengths, report_of(checked, options, dropped)), staging
            )
        else:
            raise HandoffError(
                f"{trainer.title} learns from neither traces nor questions, so there is nothing to write."
            )
        files = _mark(staging, bundle, trainer)
        _replace(staging, target)
    except OSError as error:
        raise HandoffError(
            f"Can't write to {target}: {error.strerror or error}. Choose another folder for -o."
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Exported(target, files, checked, dropped)


def _check_loss(trainer: Trainer, options: Options) -> None:
    takes = isinstance(trainer, TracesTrainer | TokensTrainer) and trainer.tokens is not None
    if options.loss and not takes:
        raise HandoffError(
            f"{trainer.title} takes no tokens with labels, so --loss can't be used with it. Leave out --to for plain "
            "Parquet and a script, or take --to trl, axolotl or llamafactory."
        )
    if isinstance(trainer, TokensTrainer) and not options.loss:
        raise HandoffError(
            f"{trainer.title} trains on tokens: say on which, with --loss (all, for instance)."
        )


def _as_tokens(
    bundle: Bundle, options: Options, checked: Checked, folder: Path | None, token: str | None
) -> Checked:
    """The checks with what became of the traces as tokens; they are written into `folder`, if there is one."""
    template = options.template if options.template.endswith(".jinja") else ""
    encoder, chosen = load_encoder(options.tokenizer, template, token), chosen_loss(options.loss)
    longest = options.cutoff if options.drop_over else 0
    written = write_tokens(bundle, encoder, chosen, folder, longest)
    # No template rewrites the traces any more.
    findings = [problem for problem in checked.findings if problem.trouble in OF_TOKENS]
    told = tokens_text(written, encoder, chosen, options.cutoff)
    return replace(checked, findings=findings, tokens=written, told=told)


class _CheckedQuestions(NamedTuple):
    given: Questions
    checked: Checked


def _questions(
    bundle: Bundle, options: Options, counter: TokenCounter, lengths: Lengths, token: str | None
) -> _CheckedQuestions:
    pool = read_questions(bundle, options.source, options.task, token)
    chosen = within(pool.questions, options.pass_rate)
    split = split_questions(chosen, options.questions, options.most, options.test_share, options.seed)
    questions = [*split.train, *split.test]
    # A question is checked as a row with an answer that has nothing wrong with it.
    rows = (
        {"conversations": [*(turn._asdict() for turn in asked(question.question).turns), _ANSWERED]}
        for question in questions
    )
    limits = RowLimits(counter.count, 0, options.prompt_limit, counter.special or CONTROL_TOKENS)
    checked = Checked(preflight(rows, limits), lengths)
    report = findings_text(checked.findings, "questions")
    return _CheckedQuestions(Questions(bundle, options, pool, split, report), checked)


_ANSWERED = {"role": "assistant", "content": "<think>\n\n</think>\n\n."}


# -- the folder -------------------------------------------------------------------------------------------------------


def _check_free(target: Path) -> None:
    # Only a folder that an export has marked may be replaced.
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise HandoffError(
            f"{target} holds files that weren't written by an export. Choose another folder for -o."
        )
    if target.exists() and not target.is_dir():
        raise HandoffError(f"{target} is a file. Give a folder for -o.")


def _staging(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, since a move to another disk isn't one step.
        return Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise HandoffError(
            f"Can't write to {target.parent}: {error.strerror or error}. Choose another folder for -o."
        ) from None


def _mark(staging: Path, bundle: Bundle, trainer: Trainer) -> list[str]:
    # Listed, so that the next export removes exactly these and leaves a person's own files.
    files = sorted(str(path.relative_to(staging)) for path in staging.rglob("*") if path.is_file())
    mark = {"trainer": trainer.name, "build": bundle.recipe.fingerprint(), "files": files}
    (staging / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
    return files


def _replace(staging: Path, target: Path) -> None:
    """Move the new export into place; of an earlier export remove only its own files."""
    # A temporary folder is private to its maker; a trainer may run as somebody else.
    os.chmod(staging, 0o755)
    if not target.exists() or not any(target.iterdir()):
        os.replace(staging, target)
        return
    earlier = json.loads((target / MARK).read_text(encoding="utf-8"))
    for name in earlier.get("files", []):
        # The list comes from a file in the folder, so it must not lead out of it.
        path = (target / name).resolve()
        if path.is_relative_to(target.resolve()):
            path.unlink(missing_ok=True)
            # A folder that our files have emptied; one with anything else in it stays.
            if path.parent != target.resolve() and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()
    for path in sorted(staging.rglob("*")):
        destination = target / path.relative_to(staging)
        if path.is_dir():
            destination.mkdir(exist_ok=True)
        else:
            os.replace(path, destination)
