"""What the command line prints: plain, aligned lines without control characters from the data."""

import json
import sys
from typing import TYPE_CHECKING, Any

from skill_factory.reasons import Level, sentence

if TYPE_CHECKING:
    from skill_factory.build.pipeline import BuildResult
    from skill_factory.insight.inspection import Inspection
    from skill_factory.traces.lint import LintReport

JSON = "print one JSON object, and nothing else, on standard output"
"""What `--json` does, for the help of each command."""


def tell(value: dict[str, Any]) -> None:
    """Print one JSON object, in characters that standard output can encode."""
    utf_8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not utf_8))


def plain(text: str) -> str:
    """A text without control characters, with which file names and cells could control the terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in text
    )


def show_inspection(found: "Inspection") -> None:
    """Columns, what they look like, mapping, rules, counts, usable questions and advice."""
    say("Columns")
    _aligned(found.columns)
    if found.preset:
        say(f"\nThis looks like {found.preset}: {found.about}")
    say("\nMapping")
    _aligned([*found.mapping, *((name, "not there") for name in found.missing)])
    if found.rules:
        say("\nRead by")
        _aligned([(one.rule.value, one.said) for one in found.rules])
    say("\nFound")
    _aligned([(name, f"{number:,}") for name, number in vars(found.found).items()])
    if found.usable:
        note = f"first {found.rows:,} rows; --whole reads all" if found.sampled else f"{found.rows:,} rows"
        say(f"\nUsable questions ({note})")
        _aligned([(f"N = {n}", f"{questions:,}") for n, questions in enumerate(found.usable, 1)])
    say("\nWhat to do")
    for line in found.advice:
        say(f"  - {line}")


def show_build(result: "BuildResult") -> None:
    """Print where the build is, what it holds and where the data went."""
    report = result.report
    if result.already:
        say(f"{result.path} holds this very build already: {report['traces']:,} traces. Nothing was done.")
        return
    resumed = f" (resumed: {result.resumed} partitions)" if result.resumed else ""
    say(f"{report['traces']:,} traces in {result.path}{resumed}")
    wanted = result.recipe.balance.max_traces
    if wanted and report["traces"] < wanted:
        say(f"  fewer than the {wanted:,} asked for: the data give no more.")
    for level in Level:
        one = report["ledger"][level.value]
        say(f"  {level.value:<12}{one['kept']:>12,} of {one['read']:>12,} kept")
        for reason, number in sorted(one["dropped"].items(), key=lambda item: -item[1]):
            say(f"  {'':<12}{number:>12,} {sentence(level, reason)} ({reason})")
    if thinking := report.get("thinking"):
        say(
            f"  thinking    {thinking['characters']:,} characters left out of {thinking['responses']:,} responses"
        )
    if given := report.get("given_away"):
        say(f"  given away  {given['kept']:,} kept reflections of wrong responses state the gold answer")
    labels = ", ".join(f"{label}: {n:,}" for label, n in report["traces_by_label"].items())
    say(f"  labels      {labels}")


def show_lint(report: "LintReport") -> None:
    """Print what the linter found, by rule, with examples."""
    for line in report.lines():
        say(line)


def _aligned(pairs: list[tuple[str, str]]) -> None:
    width = min(48, max((len(name) for name, _ in pairs), default=0))
    for name, text in pairs:
        say(f"  {name:<{width}}  {text}")


def say(line: str) -> None:
    print(plain(line))
