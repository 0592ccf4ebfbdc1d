"""The command `export`: check a build for a trainer, and write what the trainer needs."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from skill_factory.cli.output import JSON, plain, say
from skill_factory.errors import HandoffError
from skill_factory.grading import TASKS, task_named
from skill_factory.hub.client import stored_token
from skill_factory.traces.lengths import chars_per_token, cut_table, largest_n
from skill_factory.trainers import (
    FOR_TOKENS,
    TRAINERS,
    TRANSFORMERS,
    Checked,
    Exported,
    Options,
    QuestionsTrainer,
    check_build,
    export_build,
)
from skill_factory.trainers.loss import Loss
from skill_factory.trainers.options import CHOICES
from skill_factory.trainers.report import report_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Check a build for a trainer, and write data, configuration and notes. Without -o, only check."
    )
    parser.add_argument("folder", metavar="DIR", help="a finished build folder")
    parser.add_argument(
        "--to",
        choices=[*TRAINERS, TRANSFORMERS.name],
        help="the trainer; with --loss it may be left out: a script for Transformers",
    )
    parser.add_argument(
        "-o", "--out", default="", metavar="OUT", help="the folder to write; default: only check"
    )
    parser.add_argument(
        "--model", default="", metavar="NAME", help="the model to train: a folder or a name on the Hub"
    )
    parser.add_argument(
        "--template",
        default="",
        metavar="NAME",
        help="the trainer's chat template; default: from the model's name",
    )
    parser.add_argument(
        "--loss",
        default="",
        metavar="WHAT",
        help=f"write tokens, and train only on a part: {', '.join(Loss)} or a file (.toml with parts, .jsonl with "
        "spans); with the tokenizer of --tokenizer or --model",
    )
    _length_arguments(parser)
    _question_arguments(parser)
    parser.add_argument("--json", action="store_true", help=JSON)


def _length_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cutoff-len",
        type=int,
        default=Options.cutoff,
        metavar="TOKENS",
        help=f"the trainer's cut-off; default: {Options.cutoff}",
    )
    parser.add_argument(
        "--drop-over", action="store_true", help="drop traces over the cut-off; default: keep them"
    )
    parser.add_argument(
        "--tokenizer",
        default="",
        metavar="FILE",
        help="tokenizer.json, its folder or a model on the Hub; default: an estimate",
    )
    parser.add_argument(
        "--epochs",
        type=float,
        default=Options.epochs,
        metavar="E",
        help=f"epochs of fine-tuning; default: {Options.epochs:g}",
    )


def _question_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("questions", "for verl: read again from the build's source")
    group.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="PATH",
        help="the source file, if the build was made from one; for each source of a mixture NAME=PATH",
    )
    group.add_argument(
        "--questions",
        choices=CHOICES,
        default=Options.questions,
        help="a random choice of all (default), those without a trace, or all with these first",
    )
    group.add_argument(
        "--pass-rate",
        type=_window,
        default=None,
        metavar="LOW:HIGH",
        help="only questions whose share of right responses lies there, such as 0.2:0.8",
    )
    group.add_argument(
        "--most", type=int, default=Options.most, metavar="K", help="maximum questions; default: no limit"
    )
    group.add_argument(
        "--test-share",
        type=float,
        default=Options.test_share,
        metavar="S",
        help=f"share held out for testing; default: {Options.test_share:g}",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=Options.seed,
        metavar="S",
        help="seed of the choice and the split; default: 0",
    )
    group.add_argument(
        "--task",
        choices=[*TASKS],
        default=Options.task.name,
        help="how the reward compares answers; default: auto",
    )


def _window(told: str) -> tuple[float, float]:
    low, _, high = told.partition(":")
    try:
        return float(low), float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"give two shares, such as 0.2:0.8; found {told!r}") from None


def run(args: argparse.Namespace) -> int:
    """Check, export if -o is given, and print what was found. Errors: HandoffError."""
    args.to = args.to or (TRANSFORMERS.name if args.loss else "")
    if not args.to:
        raise HandoffError(f"Name the trainer: --to {', '.join(TRAINERS)}. With --loss it may be left out.")
    trainer = {**TRAINERS, **FOR_TOKENS}[args.to]
    options, token = _options(args), _token(args)
    # Checking comes first and costs nothing; a folder is written only where one was named.
    if not args.out:
        checked = check_build(args.folder, options, token, trainer)
        print(
            json.dumps(_told(checked, options)) if args.json else plain(report_of(checked, options)),
            end="\n" if args.json else "",
        )
        return 0
    result = export_build(args.folder, trainer, args.out, options, token)
    if args.json:
        summary = {
            "path": str(result.path),
            "trainer": args.to,
            "files": list(result.files),
            "dropped": result.dropped,
        }
        print(json.dumps(summary | _told(result.checked, options)))
    else:
        say("\n".join(_lines(result, options)))
    return 0


def _options(args: argparse.Namespace) -> Options:
    return Options(
        # A check needs no model, since only configuration files name one.
        model=args.model or ("" if args.out and not args.loss else args.tokenizer or "any model"),
        cutoff=args.cutoff_len,
        drop_over=args.drop_over,
        template=args.template,
        epochs=args.epochs,
        # Of a model on the Hub the tokenizer is known, too; with a file the model is a name only.
        tokenizer=args.tokenizer or (args.model if args.loss else ""),
        loss=args.loss,
        source=tuple(args.source),
        questions=args.questions,
        pass_rate=args.pass_rate,
        most=args.most,
        test_share=args.test_share,
        seed=args.seed,
        task=task_named(args.task),
    )


def _token(args: argparse.Namespace) -> str | None:
    """The stored login, which a gated tokenizer or a private source may need."""
    # Asked for only where something on the Hub may be read: it imports the Hub's library.
    return stored_token() if args.tokenizer or isinstance(TRAINERS.get(args.to), QuestionsTrainer) else None


def _told(checked: Checked, options: Options) -> dict[str, Any]:
    tokens = {"loss": options.loss, **asdict(checked.tokens)} if checked.tokens else {}
    return {
        **({"trained": tokens} if tokens else {}),
        "findings": {problem.trouble.value: problem.count for problem in checked.findings},
        "tokens": checked.lengths.counter,
        "exact": checked.lengths.exact,
        "chars_per_token": round(chars_per_token(checked.lengths), 3),
        "largest_n": largest_n(checked.lengths, options.cutoff),
        "lengths": [asdict(row) for row in cut_table(checked.lengths, options.cutoff)],
    }


def _lines(result: Exported, options: Options) -> list[str]:
    if result.checked.tokens:
        shown = [f"{len(result.files)} files in {result.path}", *(f"  {name}" for name in result.files)]
        return [*shown, "", plain(report_of(result.checked, options))]
    lengths = result.checked.lengths
    over = int((lengths.tokens > options.cutoff).sum())
    counted = "counted with " + lengths.counter if lengths.exact else lengths.counter
    lines = [f"{len(result.files)} files in {result.path}", *(f"  {name}" for name in result.files)]
    lines += [
        f"  {problem.count:>12,} {problem.sentence} ({problem.trouble})"
        for problem in result.checked.findings
    ]
    lines.append(
        f"  {over:>12,} of {len(lengths.tokens):,} traces are longer than {options.cutoff:,} tokens ({counted}); "
        f"99 % fit up to N = {largest_n(lengths, options.cutoff)}"
    )
    return [*lines, *([f"  {result.dropped:>12,} of them dropped"] if result.dropped else [])]
