"""What is wrong with traces, ours or not: a linter for rows, files and folders.

A trace is linted as the trainer will see it, as messages; lineage columns of ours, where a row has them, allow more
(does a verdict say what the response is?). An `<answer>` inside a sample or a reflection is model text and fine.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skill_factory.errors import SourceError
from skill_factory.model import SegmentKind, Trace
from skill_factory.recipe.model import Tags
from skill_factory.sources.columns import excerpt
from skill_factory.traces.conversations import Turn, data_files, rows_of_file, tags_of, turns_of
from skill_factory.traces.lint_text import MEANING, Finding, Rule, lint_lineage, lint_text
from skill_factory.wording import many

EXAMPLES = 5
"""Examples kept for each rule."""

TEMPLATE_TOKEN = re.compile(
    r"<\|[A-Za-z][\w.-]*\|?>|<｜[^｜\n]{1,40}｜>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>"
)
"""Tokens by which chat templates mark turns; a trainer's tokenizer reads them as the end of the message."""


@dataclass
class LintReport:
    """What a linter run came to."""

    rows: int = 0
    flagged: int = 0
    """Rows with at least one finding."""
    findings: Counter[Rule] = field(default_factory=Counter)
    """Rows by rule."""
    examples: dict[Rule, list[str]] = field(default_factory=dict)

    def add(self, where: str, found: Iterable[Finding]) -> None:
        """Count one row."""
        by_rule: dict[Rule, Finding] = {}
        for one in found:
            by_rule.setdefault(one.rule, one)
        self.rows += 1
        self.flagged += bool(by_rule)
        for rule, one in by_rule.items():
            self.findings[rule] += 1
            if len(self.examples.setdefault(rule, [])) < EXAMPLES:
                self.examples[rule].append(f"{where}: {one.found}")

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values, rules in their own order."""
        return {
            "rows": self.rows,
            "clean": self.rows - self.flagged,
            "findings": {
                rule.value: {
                    "rows": self.findings[rule],
                    "meaning": MEANING[rule],
                    "examples": self.examples[rule],
                }
                for rule in Rule
                if self.findings[rule]
            },
        }

    def lines(self) -> list[str]:
        """The report for people."""
        traces = many(self.rows, "trace")
        if not self.findings:
            return [f"{traces}, nothing found."]
        lines = [f"{traces}, {self.flagged:,} with findings."]
        for rule in Rule:
            if self.findings[rule]:
                lines += ["", f"{self.findings[rule]:>8,}  {rule.value}: {MEANING[rule]}"]
                lines += [f"{'':>10}{one}" for one in self.examples[rule]]
        return lines


# -- one trace -----------------------------------------------------------------------------------------------------


def lint_trace(trace: Trace, tags: Tags) -> list[Finding]:
    """What is wrong with a trace of ours."""
    turns = [Turn("user", trace.plan.question.text), Turn("assistant", trace.text)]
    truths = trace.plan.right
    samples = [one.text for one in trace.segments if one.kind is SegmentKind.SAMPLE]
    return [*lint_turns(turns, tags), *lint_lineage(trace.text, truths, samples, tags)]


def lint_row(row: Mapping[str, Any], tags: Tags) -> list[Finding]:
    """What is wrong with a row of a data set of traces."""
    turns = turns_of(row)
    if not turns:
        return [Finding(Rule.NO_CONVERSATION, excerpt(f"columns {', '.join(map(str, row)) or 'none'}", 100))]
    found = lint_turns(turns, tags)
    if attempts := row.get("attempts"):
        text = turns[-1].text
        spans = row.get("spans") or []
        samples = [text[one["start"] : one["end"]] for one in spans if one["kind"] == "sample"]
        found += lint_lineage(text, [bool(one["correct"]) for one in attempts], samples or None, tags)
    return found


def lint_turns(turns: Sequence[Turn], tags: Tags) -> list[Finding]:
    """What is wrong with a conversation, told from its texts alone."""
    found = list(_wrong_turns(turns))
    for turn in turns:
        if token := TEMPLATE_TOKEN.search(turn.text):
            found.append(Finding(Rule.TEMPLATE_TOKEN, f"{token[0]!r} in the {turn.role}'s turn"))
    for turn in turns:
        if turn.role == "assistant":
            found += lint_text(turn.text, tags)
    return found


def _wrong_turns(turns: Sequence[Turn]) -> Iterator[Finding]:
    roles = [turn.role for turn in turns]
    spoken = roles[1:] if roles[0] == "system" else roles
    expected = ["user" if place % 2 == 0 else "assistant" for place in range(len(spoken))]
    if spoken != expected or roles[-1] != "assistant":
        yield Finding(Rule.WRONG_TURNS, excerpt(" → ".join(roles)))
    for turn in turns:
        if not turn.text.strip() and turn.role != "system":
            yield Finding(Rule.WRONG_TURNS, f"an empty turn of the {turn.role}")


# -- files ---------------------------------------------------------------------------------------------------------


def lint_path(path: Path, tags: Tags | None = None) -> LintReport:
    """
    Lint a Parquet, JSON Lines, JSON or CSV file, a folder of them, or a build folder with its own tag names.

    Errors: SourceError where it can't be read.
    """
    report = LintReport()
    chosen = tags or tags_of(path)
    files = data_files(path)
    for file in files.paths:
        for number, row in enumerate(rows_of_file(file, files.suffix), 1):
            report.add(f"{file.name}, row {number}", lint_row(row, chosen))
    if not report.rows:
        raise SourceError(f"{path.name} holds no rows, so there is nothing to check.")
    return report
