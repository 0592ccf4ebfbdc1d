"""The command `grade`: labels for responses that have none, shown before they are written."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.cli.generate import add_part
from skill_factory.cli.output import JSON, say
from skill_factory.errors import SourceError

if TYPE_CHECKING:
    from skill_factory.grading import Decision
    from skill_factory.grading.labelling import Graded, LabelReport

TASKS = ("auto", "exact", "number", "math", "countdown")


def add_arguments(made: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    made.description = (
        "Grade responses against the gold answers: the rules that also reward reinforcement learning."
    )
    made.add_argument("source", help="a file, folder or glob, or a Hub data set user/name[@revision]")
    add_part(made)
    made.add_argument("--out", required=True, metavar="FILE.parquet", help="the file to write")
    made.add_argument(
        "--task", choices=TASKS, default="auto", help="how answers are compared; default: by each gold answer"
    )
    made.add_argument(
        "--final", choices=("auto", "tags", "stated", "column"), default="auto",
        help="where a final answer stands: in <answer> tags, stated (box, ####, “Answer: …”), or in a column; default: tags if there are any",
    )  # fmt: skip
    made.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds a field"
    )
    made.add_argument(
        "--sample", type=int, default=5, metavar="K", help="decisions of each kind to show; default: 5"
    )
    made.add_argument("--yes", action="store_true", help="write without asking")
    made.add_argument("--replace", action="store_true", help="replace the file if it is there")
    made.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Grade, show a sample, ask at a terminal, write. 0 when the file is there, 1 when the answer was no."""
    from skill_factory.cli.recipe_options import columns_of, token_for
    from skill_factory.grading import Task
    from skill_factory.grading.labelling import label
    from skill_factory.recipe.model import Source
    from skill_factory.sources import open_source

    out = Path(args.out)
    if out.exists() and not args.replace:
        raise SourceError(f"{out} is there already. Give another --out, or --replace it.")
    part = Source(config=args.config, split=args.split, revision=args.revision)
    source = open_source(args.source, part, token_for(args.source))
    waiting = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        report = label(source, waiting, Task(args.task), args.final, columns_of(args), args.sample)
        _show(report, to_error=args.json)
        if not args.yes and not args.json and sys.stdin.isatty() and not _agreed(out):
            say("Nothing was written.")
            return 1
        os.replace(waiting, out)
    finally:
        waiting.unlink(missing_ok=True)
    say(
        json.dumps({"path": str(out), **_told(report)})
        if args.json
        else f"{report.responses:,} responses in {out}"
    )
    return 0


def _agreed(out: Path) -> bool:
    return input(f"Write them to {out}? [y/N] ").strip().lower() in ("y", "yes")


def _told(report: "LabelReport") -> dict[str, Any]:
    from skill_factory.grading import Decision

    return {
        "rows": report.rows, "responses": report.responses, "final": report.final, "task": report.task.value,
        **{kind.value: report.decided[kind] for kind in Decision},
        "no_answer": report.no_answer, "unreadable": dict(report.unreadable),
        "unjudged_rows": report.unjudged_rows, "compared": report.compared, "agreed": report.agreed,
    }  # fmt: skip


def _show(report: "LabelReport", to_error: bool) -> None:
    from skill_factory.cli.output import plain

    for line in _lines(report):
        print(plain(line), file=sys.stderr if to_error else sys.stdout)


def _lines(report: "LabelReport") -> list[str]:
    from skill_factory.grading import Decision

    where = {"tags": "<answer> tags", "stated": "what the text states", "column": "the mapped column"}[
        report.final
    ]
    lines = [f"{report.responses:,} responses of {report.rows:,} rows; final answers from {where}"]
    for kind in Decision:
        lines.append(f"  {kind.value:<9}{report.decided[kind]:>12,}{_note(report, kind)}")
        lines += [f"    {_shown(one)}" for one in report.samples.get(kind, [])]
    lines += [
        f"  unreadable {number:>11,} rows: {reason}" for reason, number in sorted(report.unreadable.items())
    ]
    if report.compared:
        share = report.agreed / report.compared
        lines.append(f"  {report.compared:,} had a label already; {report.agreed:,} ({share:.1%}) agree")
    return lines


def _note(report: "LabelReport", kind: "Decision") -> str:
    if kind == "wrong" and report.no_answer:
        return f"   ({report.no_answer:,} responses have no final answer)"
    if kind == "unjudged" and report.unjudged_rows:
        rows = ", ".join(map(str, report.unjudged_rows))
        return f"   (no gold answer that fits the task; rows {rows}{' …' if report.decided[kind] > len(report.unjudged_rows) else ''})"
    return ""


def _shown(one: "Graded") -> str:
    from skill_factory.sources.columns import excerpt

    answer = excerpt(one.answer, 60) if one.answer is not None else "(no answer)"
    return f"row {one.row}: {answer}  —  gold: {excerpt(one.gold, 60) or '(none)'}"
