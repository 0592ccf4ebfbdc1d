"""What `grade` says of its labels: as lines for a terminal, and as one JSON object."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skill_factory.grading import Decision
    from skill_factory.grading.doubts import Doubt
    from skill_factory.grading.labelling import Graded, LabelReport

MOST_REASONS = 6
"""Reasons shown for each decision; the rest is counted in one line."""


def doubt_lines(report: "LabelReport", doubts: "list[Doubt]", most: int) -> list[str]:
    """The labels in doubt, the most doubtful first, and how to correct one."""
    from skill_factory.grading.doubts import witnesses
    from skill_factory.sources.columns import excerpt
    from skill_factory.wording import many

    lines = [
        f"{report.compared:,} labels were graded; {report.agreed:,} agree. {many(len(doubts), 'label')} in doubt"
    ]
    lines += [
        f"  {doubt.strength:4.1f}  row {doubt.response.row}: {witnesses(doubt, excerpt)}"
        for doubt in doubts[:most]
    ]
    if doubts:
        lines.append("To correct one in a build, by its key (--json or --out shows it):")
        lines.append(
            f"  --set 'labels.corrections={{\"{doubts[0].response.key}\" = {str(doubts[0].proposed).lower()}}}'"
        )
    return lines


def report_json(report: "LabelReport") -> dict[str, Any]:
    """All counts of a report as JSON values."""
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


def show_report(report: "LabelReport", to_error: bool) -> None:
    """Print a report, on standard error where standard output is for JSON."""
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


def _shown(graded: "Graded") -> str:
    from skill_factory.sources.columns import excerpt

    answer = excerpt(graded.answer, 60) if graded.answer is not None else "(no answer)"
    return f"row {graded.row}: {answer}  —  gold: {excerpt(graded.gold, 60) or '(none)'}"
