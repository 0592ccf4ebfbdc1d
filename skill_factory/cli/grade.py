"""The command `grade`: labels for responses that have none, shown before they are written; one pair explained."""

import argparse
import json
import os
import sys
from pathlib import Path

from skill_factory.cli.grade_lines import doubt_lines, report_json, show_report
from skill_factory.cli.options.endpoint import add_part
from skill_factory.cli.output import JSON, say
from skill_factory.errors import SourceError
from skill_factory.grading import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Grade responses against the gold answers: the rules that also reward reinforcement learning."
    )
    parser.add_argument(
        "source", nargs="?", default="", help="a file, folder or glob, or a Hub dataset user/name[@revision]"
    )
    add_part(parser)
    parser.add_argument("--out", default="", metavar="FILE.parquet", help="the file to write")
    pair = parser.add_argument_group("one pair", "grade one answer and say how both sides were read")
    pair.add_argument("--answer", metavar="A", help="an answer")
    pair.add_argument("--gold", metavar="G", help="its gold answer")
    pair.add_argument(
        "--question", default="", metavar="Q", help="the question, for puzzles, choices and what is counted"
    )
    pair.add_argument(
        "--explain", action="store_true", help="say how both sides were read: what one pair always does"
    )
    parser.add_argument(
        "--task",
        choices=[*TASKS],
        default="auto",
        help="how answers are compared; default: by each gold answer. "
        + "; ".join(f"{task.name}: {task.label.lower()}" for task in TASKS.values()),
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="write no labels: show those of the source that are in doubt, the most doubtful first; with --out FILE.jsonl all of them",
    )
    parser.add_argument(
        "--convert-units",
        action="store_true",
        help="180 minutes answer 3 hours; default: nothing is converted",
    )
    parser.add_argument(
        "--final",
        choices=("auto", "tags", "stated", "column"),
        default="auto",
        help="where a final answer stands: in <answer> tags, stated (box, ####, “Answer: …”), or in a column; default: the tags of a response that has them, else what it states",
    )
    parser.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds a field"
    )
    parser.add_argument(
        "--sample", type=int, default=5, metavar="K", help="decisions of each kind to show; default: 5"
    )
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.add_argument("--replace", action="store_true", help="replace the file if it is there")
    parser.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Grade, show a sample, ask at a terminal, write. 0 when the file is there, 1 when the answer was no."""
    # One side alone also means "one pair"; what is missing is then said there.
    if args.answer is not None or args.gold is not None or args.explain:
        return _one_pair(args)
    if args.compare and args.source:
        return _compared(args)
    if not args.source or not args.out:
        raise SourceError("Give a source and --out FILE.parquet, or one pair: --answer A --gold G.")
    from skill_factory.cli.options.recipe import columns_of, token_for
    from skill_factory.grading import task_named
    from skill_factory.grading.labelling import label
    from skill_factory.recipe.model import Source
    from skill_factory.sources import open_source

    out = Path(args.out)
    if out.exists() and not args.replace:
        raise SourceError(f"{out} is there already. Give another --out, or --replace it.")
    part = Source(config=args.config, split=args.split, revision=args.revision)
    source = open_source(args.source, part, token_for(args.source))
    # Labels are written under another name, shown, and only then given theirs: "no" leaves nothing behind.
    waiting = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        report = label(
            source,
            waiting,
            task_named(args.task),
            args.final,
            columns_of(args),
            args.sample,
            args.convert_units,
        )
        show_report(report, to_error=args.json)
        # Scripts aren't asked: naming --out was their yes, and an existing file needs --replace anyway.
        if not args.yes and not args.json and sys.stdin.isatty() and not _agreed(out):
            say("Nothing was written.")
            return 1
        os.replace(waiting, out)
    finally:
        # After a "no", an error or Ctrl-C; after a yes it has moved away already.
        waiting.unlink(missing_ok=True)
    say(
        json.dumps({"path": str(out), **report_json(report)})
        if args.json
        else f"{report.responses:,} responses in {out}"
    )
    return 0


def _one_pair(args: argparse.Namespace) -> int:
    """Print how one answer is graded. Errors: SourceError where a side is missing."""
    from skill_factory.cli.output import plain, tell
    from skill_factory.grading import explain

    if args.answer is None or args.gold is None or args.source:
        raise SourceError("One pair needs --answer and --gold, and no source.")
    explained = explain(args.answer, args.gold, args.task, args.question, args.convert_units)
    if args.json:
        tell(explained._asdict())
        return 0
    print(
        plain(
            f"{explained.decision}: {explained.why}\n  task    {explained.task} ({explained.why_task})\n  answer  {explained.answer}\n  gold    {explained.gold}"
        )
    )
    return 0


def _compared(args: argparse.Namespace) -> int:
    """Show the labels in doubt. Errors: ColumnError, SourceError."""
    from skill_factory.cli.options.recipe import columns_of, token_for
    from skill_factory.cli.output import plain, tell
    from skill_factory.grading import task_named
    from skill_factory.grading.doubts import as_row, labels_in_doubt
    from skill_factory.recipe.model import Source
    from skill_factory.sources import open_source

    out = Path(args.out) if args.out else None
    if out and out.exists() and not args.replace:
        raise SourceError(f"{out} is there already. Give another --out, or --replace it.")
    part = Source(config=args.config, split=args.split, revision=args.revision)
    source = open_source(args.source, part, token_for(args.source))
    report, doubts = labels_in_doubt(
        source, task_named(args.task), args.final, columns_of(args), args.convert_units
    )
    # All doubts go into the file, since whoever corrects labels needs more than a sample.
    if out:
        lines = "".join(json.dumps(as_row(doubt), ensure_ascii=False) + "\n" for doubt in doubts)
        out.write_text(lines, encoding="utf-8")
    if args.json:
        shown = [as_row(doubt) for doubt in doubts[: args.sample]]
        tell({"compared": report.compared, "agreed": report.agreed, "in_doubt": len(doubts), "doubts": shown})
        return 0
    print(plain("\n".join(doubt_lines(report, doubts, args.sample))))
    return 0


def _agreed(out: Path) -> bool:
    return input(f"Write them to {out}? [y/N] ").strip().lower() in ("y", "yes")
