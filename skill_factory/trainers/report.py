"""What the checks before an export found, and how the notes beside the exported files say it."""

from collections.abc import Sequence
from dataclasses import dataclass

from skill_factory.traces.lengths import Lengths, cut_table, largest_n
from skill_factory.trainers.loss import Chosen
from skill_factory.trainers.options import Options
from skill_factory.trainers.preflight import Problem
from skill_factory.trainers.tokens import NOTHING_TRAINED, TOO_LONG, Encoder, TokensWritten


@dataclass(frozen=True)
class Checked:
    """What the checks of a build found before its export."""

    findings: Sequence[Problem]
    """The problems of what is exported: traces, or questions for verl."""
    lengths: Lengths
    """The lengths of the traces."""
    tokens: TokensWritten | None = None
    """What became of the traces as tokens, where a loss was chosen."""
    told: str = ""
    """The same as Markdown."""


def report_of(checked: Checked, options: Options, dropped: int = 0) -> str:
    """What was found, as Markdown: the problems, and a table of what the cut-off does by format and attempts."""
    if checked.tokens:
        return f"{checked.told}\n{findings_text(checked.findings, 'traces')}"
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


def tokens_text(written: TokensWritten, encoder: Encoder, chosen: Chosen, cutoff: int) -> str:
    """What became of the traces as tokens, as Markdown."""
    template = encoder.template.origin or "ChatML, since the tokenizer comes without a chat template"
    over = (
        "" if written.longest <= cutoff else f", over the cut-off of {cutoff:,}: the trainer may truncate it"
    )
    share = f"{written.trained / written.tokens:.1%}"
    lines = [
        f"## What is trained\n\n`{chosen.name}`: {chosen.words}. {ELSE}\n",
        f"- {written.rows:,} traces, {written.tokens:,} tokens, {written.trained:,} of them trained ({share})",
        f"- the longest trace has {written.longest:,} tokens{over}",
        f"- tokenizer {encoder.name}, chat template: {template}",
        f"- {written.crossing:,} tokens lie across the border of a trained part, and are not trained",
        *(
            f"- {count:,} traces dropped: {DROPPED[reason]} (`{reason}`)"
            for reason, count in written.dropped.items()
        ),
    ]
    if written.wrong_answers:
        lines.append(
            f"- {written.wrong_answers:,} traces end in a wrong answer, which is trained like the others"
        )
    if written.unnamed:
        lines.append(f"- {written.unnamed:,} traces that {chosen.name} names are not in this build")
    return "\n".join(lines) + "\n"


ELSE = "Everything else has the label -100, the question and the template's marks in front of the trace too."
DROPPED = {
    NOTHING_TRAINED: "no token of theirs would be trained",
    TOO_LONG: "longer than the cut-off",
}
