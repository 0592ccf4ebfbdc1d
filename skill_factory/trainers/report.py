"""What the checks before an export found, and how the notes beside the exported files say it."""

from collections.abc import Sequence
from dataclasses import dataclass

from skill_factory.traces.lengths import Lengths, cut_table, largest_n
from skill_factory.trainers.options import Options
from skill_factory.trainers.preflight import Problem


@dataclass(frozen=True)
class Checked:
    """What the checks of a build found before its export."""

    findings: Sequence[Problem]
    """The problems of what is exported: traces, or questions for verl."""
    lengths: Lengths
    """The lengths of the traces."""


def report_of(checked: Checked, options: Options, dropped: int = 0) -> str:
    """What was found, as Markdown: the problems, and a table of what the cut-off does by format and attempts."""
    lengths = checked.lengths
    # From the same table that is printed below, so that the two can't disagree.
    over = sum(row.over for row in cut_table(lengths, options.cutoff))
    fate = "were dropped" if dropped else "would be truncated"
    n = largest_n(lengths, options.cutoff)
    lines = [
        findings_text(checked.findings, "traces"),
        f"## Lengths against a cut-off of {options.cutoff:,} tokens\n",
        f"Counted with {lengths.counter}."
        if lengths.exact
        else f"Estimated, not counted ({lengths.counter}).",
        f"{over:,} of {len(lengths.tokens):,} traces {fate}. "
        + (
            f"Up to N = {n}, 99 % of the traces fit.\n"
            if n
            else "There is no N at which 99 % of the traces fit.\n"
        ),
        "| format | attempts | traces | over | median | 99 % | longest |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.format.replace('*', chr(92) + '*')} | {row.attempts} | {row.traces:,} | {row.share:.1%} "
        f"| {row.median:,} | {row.p99:,} | {row.longest:,} |"
        for row in cut_table(lengths, options.cutoff)
    ]
    if over and not dropped:
        lines.append(
            "\nTo lose no answer, export with `--drop-over`, or build again with `cutoff.tokens` and `cutoff.action = "
            '"fewer_attempts"`, which leaves out the first attempts of long traces.'
        )
    return "\n".join(lines) + "\n"


def findings_text(findings: Sequence[Problem], what: str) -> str:
    """The problems as Markdown, or that there are none."""
    if not findings:
        return f"## Checked before export\n\nThere is nothing in the {what} that a trainer would skip, strip, truncate or misread.\n"
    lines = [
        f"- {problem.count:,} {what} (the first is row {problem.first}): {problem.sentence} (`{problem.trouble}`)"
        for problem in findings
    ]
    return "## Checked before export\n\n" + "\n".join(lines) + "\n"
