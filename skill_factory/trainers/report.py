"""What was seen of a build before its export, and its telling in the notes beside the exported files."""

from collections.abc import Sequence
from dataclasses import dataclass

from skill_factory.traces.lengths import Lengths, cut_table, largest_n
from skill_factory.trainers.options import Options
from skill_factory.trainers.preflight import Finding


@dataclass(frozen=True)
class Checked:
    """What was seen of a build before its export."""

    findings: Sequence[Finding]
    """Of the rows that are handed over: traces, or questions for verl."""
    lengths: Lengths
    """Of the traces."""


def report_of(checked: Checked, options: Options, dropped: int = 0) -> str:
    """What was found, as Markdown: the troubles, and a table of what the cut-off does by format and attempts."""
    lengths = checked.lengths
    over = sum(row.over for row in cut_table(lengths, options.cutoff))
    kept = "were left out" if dropped else "would be cut"
    n = largest_n(lengths, options.cutoff)
    lines = [
        findings_text(checked.findings, "traces"),
        f"## Lengths against a cut-off of {options.cutoff:,} tokens\n",
        f"Counted with {lengths.counter}."
        if lengths.exact
        else f"Not counted but estimated ({lengths.counter}).",
        f"{over:,} of {len(lengths.tokens):,} traces {kept}. "
        + (f"The largest N that keeps 99 % whole is {n}.\n" if n else "No N keeps 99 % whole.\n"),
        "| format | attempts | traces | over | median | 99 % | longest |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.format.replace('*', chr(92) + '*')} | {row.attempts} | {row.traces:,} | {row.share:.1%} "
        f"| {row.median:,} | {row.p99:,} | {row.longest:,} |"
        for row in cut_table(lengths, options.cutoff)
    ]
    if over and not dropped:
        lines.append(
            "\nTo lose none: export with `--drop-over`, or build again with `cutoff.tokens` and `cutoff.action = "
            '"fewer_attempts"`, which shortens them by their first attempts.'
        )
    return "\n".join(lines) + "\n"


def findings_text(findings: Sequence[Finding], what: str) -> str:
    """The troubles as Markdown, or that there are none."""
    if not findings:
        return f"## Checked before export\n\nNothing that a trainer would skip, strip, cut or misread in the {what}.\n"
    told = [
        f"- {one.count:,} {what} (the first is row {one.first}): {one.sentence} (`{one.trouble}`)"
        for one in findings
    ]
    return "## Checked before export\n\n" + "\n".join(told) + "\n"
