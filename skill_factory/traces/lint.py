"""What is wrong with traces, ours or not: a linter for rows, files and folders.

A trace is linted as a trainer sees it, as messages. Where a row has our lineage columns, more can be checked: whether a
verdict agrees with the label, for example. An `<answer>` inside a sample or a reflection is the model's text and fine.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skill_factory.asked import asked
from skill_factory.draws import text_id
from skill_factory.errors import SourceError
from skill_factory.model import SegmentKind, Trace
from skill_factory.recipe.model import Tags
from skill_factory.sources.columns import excerpt
from skill_factory.sources.thinking import MARKS, SHELLS
from skill_factory.traces.conversations import Turn, data_files, rows_of_file, tags_of, turns_of
from skill_factory.traces.lint_text import MEANING, LintFinding, Rule, lint_lineage, lint_text
from skill_factory.wording import inflect, many, percent

EXAMPLES = 5
"""Examples kept for each rule."""

TEMPLATE_TOKEN = re.compile(
    r"<\|[A-Za-z][\w.-]*\|?>|<｜[^｜\n]{1,40}｜>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>"
)
"""Tokens that mark turns in chat templates; a trainer's tokenizer would read them as the end of the message."""


THINKING_MARKS = {mark for pair in (*MARKS, *SHELLS) for mark in pair}
"""Marks of thinking: they look like tokens of a template, but are text."""
SPEAKERS = {"function_call": "assistant", "observation": "user", "tool": "user"}
"""Turns of tools, by LLaMA-Factory's names: the model makes the call, and the result takes the place of a user turn."""


@dataclass
class LintReport:
    """The result of a linter run."""

    rows: int = 0
    flagged: int = 0
    """Rows with at least one finding."""
    findings: Counter[Rule] = field(default_factory=Counter)
    """Rows that break each rule."""
    examples: dict[Rule, list[str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    """Rows with attempts, with thinking, equal to another row, or with marks of their own for thinking."""
    _texts: set[int] = field(default_factory=set)

    def look_at(self, turns: Sequence[Turn], tags: Tags) -> None:
        """Note what isn't wrong with a row by itself, only compared with the other rows."""
        spoken = "\x1e".join(turn.text for turn in turns if turn.role == "assistant")
        whole = text_id("\x1f".join(f"{turn.role}\x1e{turn.text}" for turn in turns))
        self.seen["looked at"] += 1
        self.seen["equal"] += whole in self._texts
        self._texts.add(whole)
        self.seen["attempts"] += f"<{tags.sample}>" in spoken
        own = next((opening for opening, closing in MARKS[1:] if opening in spoken or closing in spoken), "")
        self.seen["thinking"] += bool(own) or f"</{tags.think}>" in spoken or f"<{tags.think}>" in spoken
        if own:
            self.seen[f"marks {own}"] += 1

    def notes(self) -> list[str]:
        """What is true of the rows as a whole, in sentences."""
        notes = []
        for name, number in sorted(self.seen.items()):
            if name.startswith("marks "):
                mark = name.removeprefix("marks ")
                notes.append(
                    f"{many(number, 'row')} {inflect(number, 'marks its', 'mark their')} thinking with {mark}, the dataset's own "
                    "mark, not with <think>."
                )
        if self.seen["looked at"] and not self.seen["attempts"]:
            notes.append("No row has a trace with attempts: none contains a <sample>.")
        if self.seen["equal"]:
            notes.append(
                f"{many(self.seen['equal'], 'row')} of {self.rows:,} {inflect(self.seen['equal'], 'has', 'have')} exactly the "
                "text of an earlier row."
            )
        if 0 < self.seen["thinking"] < self.seen["looked at"]:
            notes.append(
                f"{percent(self.seen['thinking'], self.rows)} of the rows think before they answer; the others don't."
            )
        return notes

    def add(self, where: str, findings: Iterable[LintFinding]) -> None:
        """Count one row and its findings."""
        by_rule: dict[Rule, LintFinding] = {}
        for finding in findings:
            by_rule.setdefault(finding.rule, finding)
        self.rows += 1
        self.flagged += bool(by_rule)
        for rule, finding in by_rule.items():
            self.findings[rule] += 1
            if len(self.examples.setdefault(rule, [])) < EXAMPLES:
                self.examples[rule].append(f"{where}: {finding.found}")

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values, in the order of the rules."""
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
            "notes": self.notes(),
        }

    def lines(self) -> list[str]:
        """The report in lines for people."""
        traces = many(self.rows, "trace")
        if not self.findings:
            return [f"{traces}, nothing wrong.", *self.notes()]
        lines = [f"{traces}, {self.flagged:,} with findings."]
        for rule in Rule:
            if self.findings[rule]:
                lines += ["", f"{self.findings[rule]:>8,}  {rule.value}: {MEANING[rule]}"]
                lines += [f"{'':>10}{example}" for example in self.examples[rule]]
        return [*lines, *(["", *self.notes()] if self.notes() else [])]


# -- one trace -----------------------------------------------------------------------------------------------------


def lint_trace(trace: Trace, tags: Tags) -> list[LintFinding]:
    """What is wrong with one of our traces."""
    before = asked(trace.plan.question.text).turns
    turns = [*(Turn(turn.role, turn.content) for turn in before), Turn("assistant", trace.text)]
    truths = trace.plan.right
    samples = [segment.text for segment in trace.segments if segment.kind is SegmentKind.SAMPLE]
    return [*lint_turns(turns, tags), *lint_lineage(trace.text, truths, samples, tags)]


def lint_row(row: Mapping[str, Any], tags: Tags) -> list[LintFinding]:
    """What is wrong with a row of a dataset of traces."""
    turns = turns_of(row)
    if not turns:
        return [
            LintFinding(Rule.NO_CONVERSATION, excerpt(f"columns {', '.join(map(str, row)) or 'none'}", 100))
        ]
    findings = lint_turns(turns, tags)
    if attempts := row.get("attempts"):
        text = turns[-1].text
        spans = row.get("spans") or []
        samples = [text[span["start"] : span["end"]] for span in spans if span["kind"] == "sample"]
        findings += lint_lineage(
            text, [bool(attempt["correct"]) for attempt in attempts], samples or None, tags
        )
    return findings


def lint_turns(turns: Sequence[Turn], tags: Tags) -> list[LintFinding]:
    """What is wrong with a conversation, as far as its texts alone can tell."""
    findings = list(_wrong_turns(turns))
    for turn in turns:
        if token := next(
            (mark for mark in TEMPLATE_TOKEN.finditer(turn.text) if mark[0] not in THINKING_MARKS), None
        ):
            findings.append(LintFinding(Rule.TEMPLATE_TOKEN, f"{token[0]!r} in the {turn.role}'s turn"))
    for turn in turns:
        if turn.role == "assistant":
            findings += lint_text(turn.text, tags)
    return findings


def _wrong_turns(turns: Sequence[Turn]) -> Iterator[LintFinding]:
    roles = [SPEAKERS.get(turn.role, turn.role) for turn in turns]
    spoken = roles[1:] if roles[0] == "system" else roles
    expected = ["user" if place % 2 == 0 else "assistant" for place in range(len(spoken))]
    if spoken != expected or roles[-1] != "assistant":
        yield LintFinding(Rule.WRONG_TURNS, excerpt(" → ".join(turn.role for turn in turns)))
    for turn in turns:
        if not turn.text.strip() and turn.role not in ("system", "observation", "tool"):
            yield LintFinding(Rule.WRONG_TURNS, f"the {turn.role} has an empty turn")


# -- files ---------------------------------------------------------------------------------------------------------


def lint_path(path: Path, tags: Tags | None = None) -> LintReport:
    """
    Lint a Parquet, JSON Lines, JSON or CSV file, a folder of them, or a build folder with its own tag names.

    Errors: SourceError if it can't be read.
    """
    report = LintReport()
    chosen = tags or tags_of(path)
    files = data_files(path)
    for file in files.paths:
        for number, row in enumerate(rows_of_file(file, files.suffix), 1):
            report.add(f"{file.name}, row {number}", lint_row(row, chosen))
            report.look_at(turns_of(row), chosen)
    if not report.rows:
        raise SourceError(f"{path.name} has no rows, so there is nothing to check.")
    return report
