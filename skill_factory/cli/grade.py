"""The command `grade`: labels for responses that have none, shown before they are written; one pair explained."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.cli.endpoint_options import add_part
from skill_factory.cli.output import JSON, say
from skill_factory.errors import SourceError
from skill_factory.grading import TASKS

if TYPE_CHECKING:
    from skill_factory.grading import Decision
    from skill_factory.grading.doubts import Doubt
    from skill_factory.grading.labelling import Graded, LabelReport

MOST_REASONS = 6
"""Reasons shown for each decision; the rest is counted in one line."""


def add_arguments(made: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    made.description = (
        "Grade responses against the gold answers: the rules that also reward reinforcement learning."
    )
    made.add_argument(
        "source", nargs="?", default="", help="a file, folder or glob, or a Hub dataset user/name[@revision]"
    )
    add_part(made)
    made.add_argument("--out", default="", metavar="FILE.parquet", help="the file to write")
    pair = made.add_argument_group("one pair", "grade one answer and say how both sides were read")
    pair.add_argument("--answer", metavar="A", help="an answer")
    pair.add_argument("--gold", metavar="G", help="its gold answer")
    pair.add_argument(
        "--question", default="", metavar="Q", help="the question, for puzzles, choices and what is counted"
    )
    pair.add_argument(
        "--explain", action="store_true", help="say how both sides were read: what one pair always does"
    )
    made.add_argument(
        "--task",
        choices=[*TASKS],
        default="auto",
        help="how answers are compared; default: by each gold answer. "
        + "; ".join(f"{task.name}: {task.label.lower()}" for task in TASKS.values()),
    )
    made.add_argument(
        "--compare",
        action="store_true",
        help="write no labels: show those of the source that are in doubt, the most doubtful first; with --out FILE.jsonl all of them",
    )
    made.add_argument(
        "--convert-units",
        action="store_true",
        help="180 minutes answer 3 hours; default: nothing is converted",
    )
    made.add_argument(
        "--final",
        choices=("auto", "tags", "stated", "column"),
        default="auto",
        help="where a final answer stands: in <answer> tags, stated (box, ####, “Answer: …”), or in a column; default: the tags of a response that has them, else what it states",
    )
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
    # One side alone also means "one pair"; what is missing is then said there.
    if args.answer is not None or args.gold is not None or args.explain:
        return _one_pair(args)
    if args.compare and args.source:
        return _compared(args)
    if not args.source or not args.out:
        raise SourceError("Give a source and --out FILE.parquet, or one pair: --answer A --gold G.")
    from skill_factory.cli.recipe_options import columns_of, token_for
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
        _show(report, to_error=args.json)
        # Scripts aren't asked: naming --out was their yes, and an existing file needs --replace anyway.
        if not args.yes and not args.json and sys.stdin.isatty() and not _agreed(out):
            say("Nothing was written.")
            return 1
        os.replace(waiting, out)
    finally:
        # After a "no", an error or Ctrl-C; after a yes it has moved away already.
        waiting.unlink(missing_ok=True)
    say(
        json.dumps({"path": str(out), **_told(report)})
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
    told = explain(args.answer, args.gold, args.task, args.question, args.convert_units)
    if args.json:
        tell(told._asdict())
        return 0
    print(
        plain(
            f"{told.decision}: {told.why}\n  task    {told.task} ({told.why_task})\n  answer  {told.answer}\n  gold    {told.gold}"
        )
    )
    return 0


def _compared(args: argparse.Namespace) -> int:
    """Show the labels in doubt. Errors: ColumnError, SourceError."""
    from skill_factory.cli.output import plain, tell
    from skill_factory.cli.recipe_options import columns_of, token_for
    from skill_factory.grading import task_named
    from skill_factory.grading.doubts import as_row, labels_in_doubt
    from skill_factory.recipe.model import Source
    from skill_factory.sources import open_source

    out = Path(args.out) if args.out else None
    if out and out.exists() and not args.replace:
        raise SourceError(f"{out} is there already. Give another --out, or --replace it.")
    part = Source(config=args.config, split=args.split, revision=args.revision)
    source = open_source(args.source, part, token_for(args.source))
    report, found = labels_in_doubt(
        source, task_named(args.task), args.final, columns_of(args), args.convert_units
    )
    # All doubts go into the file, since whoever corrects labels needs more than a sample.
    if out:
        lines = "".join(json.dumps(as_row(one), ensure_ascii=False) + "\n" for one in found)
        out.write_text(lines, encoding="utf-8")
    if args.json:
        shown = [as_row(one) for one in found[: args.sample]]
        tell({"compared": report.compared, "agreed": report.agreed, "in_doubt": len(found), "doubts": shown})
        return 0
    print(plain("\n".join(_doubt_lines(report, found, args.sample))))
    return 0


def _doubt_lines(report: "LabelReport", found: "list[Doubt]", most: int) -> list[str]:
    from skill_factory.grading.doubts import witnesses
    from skill_factory.sources.columns import excerpt
    from skill_factory.wording import many

    lines = [
        f"{report.compared:,} labels were graded; {report.agreed:,} agree. {many(len(found), 'label')} in doubt"
    ]
    lines += [
        f"  {one.strength:4.1f}  row {one.response.row}: {witnesses(one, excerpt)}" for one in found[:most]
    ]
    if found:
        lines.append("To correct one in a build, by its key (--json or --out shows it):")
        lines.append(
            f"  --set 'labels.corrections={{\"{found[0].response.key}\" = {str(found[0].proposed).lower()}}}'"
        )
    return lines


def _agreed(out: Path) -> bool:
    return input(f"Write them to {out}? [y/N] ").strip().lower() in ("y", "yes")


def _told(report: "LabelReport") -> dict[str, Any]:
    from skill_factory.grading import Decision

    return {
        "rows": report.rows,
        "responses": report.responses,
        "final": report.final,
        "task": report.task.name,
        "tasks": [
            {"task": task, "why": why, "responses": number}
            for (task, why), number in report.tasks.most_common()
        ],
        "reasons": [
            {"grade": kind.value, "why": why, "responses": number}
            for (kind, why), number in report.reasons.most_common()
        ],
        **{kind.value: report.decided[kind] for kind in Decision},
        "no_answer": report.no_answer,
        "unreadable": dict(report.unreadable),
        "unjudged_rows": report.unjudged_rows,
        "compared": report.compared,
        "agreed": report.agreed,
    }


def _show(report: "LabelReport", to_error: bool) -> None:
    from skill_factory.cli.output import plain

    for line in _lines(report):
        print(plain(line), file=sys.stderr if to_error else sys.stdout)


def _lines(report: "LabelReport") -> list[str]:
    from skill_factory.grading import Decision

    where = {
        "tags": "<answer> tags",
        "stated": "what the text states",
        "column": "the mapped column",
        "auto": "<answer> tags, else what the text states",
    }[report.final]
    lines = [f"{report.responses:,} responses of {report.rows:,} rows; final answers from {where}"]
    lines += [
        f"  task {task:<10}{number:>8,} ({number / report.responses:.0%}): {why}"
        for (task, why), number in report.tasks.most_common(MOST_REASONS)
    ]
    for kind in Decision:
        lines.append(f"  {kind.value:<9}{report.decided[kind]:>12,}{_note(report, kind)}")
        lines += _by_reason(report, kind)
        lines += [f"    {_shown(one)}" for one in report.samples.get(kind, [])]
    lines += [
        f"  unreadable {number:>11,} rows: {reason}" for reason, number in sorted(report.unreadable.items())
    ]
    if report.compared:
        share = report.agreed / report.compared
        lines.append(f"  {report.compared:,} had a label already; {report.agreed:,} ({share:.1%}) agree")
    return lines


def _by_reason(report: "LabelReport", kind: "Decision") -> list[str]:
    """How often for which reason, each with an example, the most frequent first."""
    reasons = [(number, why) for (decided, why), number in report.reasons.most_common() if decided == kind]
    lines = [
        f"    {number:,} because {why}, as in {_shown(report.example_of[kind, why])}"
        for number, why in reasons[:MOST_REASONS]
    ]
    rest = sum(number for number, _ in reasons[MOST_REASONS:])
    return [*lines, *([f"    {rest:,} for other reasons"] if rest else [])]


def _note(report: "LabelReport", kind: "Decision") -> str:
    if kind == "unjudged" and report.unjudged_rows:
        more = " …" if report.decided[kind] > len(report.unjudged_rows) else ""
        return f"   (rows {', '.join(map(str, report.unjudged_rows))}{more})"
    return ""


def _shown(one: "Graded") -> str:
    from skill_factory.sources.columns import excerpt

    answer = excerpt(one.answer, 60) if one.answer is not None else "(no answer)"
    return f"row {one.row}: {answer}  —  gold: {excerpt(one.gold, 60) or '(none)'}"
