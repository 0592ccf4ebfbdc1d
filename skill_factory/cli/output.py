"""What the command line prints: plain, aligned lines without control characters from the data."""

import json
import sys
from typing import TYPE_CHECKING, Any

from skill_factory.reasons import Level, sentence
from skill_factory.wording import many, percent

if TYPE_CHECKING:
    from skill_factory.build.pipeline import BuildResult
    from skill_factory.insight.inspection import Inspection
    from skill_factory.insight.mixed import Mixed
    from skill_factory.insight.opinion import Opinion
    from skill_factory.traces.lint import LintReport

JSON = "print one JSON object, and nothing else, on standard output"
"""What `--json` does, for the help of each command."""


def tell(value: dict[str, Any]) -> None:
    """Print one JSON object, in characters that standard output can encode."""
    # Escaped where the terminal's encoding lacks characters: JSON has to stay JSON.
    utf_8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not utf_8))


def plain(text: str) -> str:
    """A text without control characters, with which file names and cells could control the terminal."""
    return "".join(
        # A file name with an escape sequence could rewrite what the terminal shows above it.
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in text
    )


def show_inspection(inspection: "Inspection", price_in: float = 0.0, price_out: float = 0.0) -> None:
    """The opinion first; then columns, what they look like, mapping, rules, counts, what each N gives, and advice."""
    show_opinion(inspection.opinion, price_in, price_out)
    say("\nColumns")
    _aligned(inspection.columns)
    if inspection.preset:
        say(f"\nThis looks like {inspection.preset}: {inspection.about}")
    say("\nMapping")
    _aligned([*inspection.mapping, *((name, "none") for name in inspection.missing)])
    if inspection.rules:
        say("\nRead by")
        _aligned([(rule.rule.value, rule.said) for rule in inspection.rules])
    say("\nFound")
    # `critiques` is a key of the JSON; people read the field's own word.
    counts = vars(inspection.found).items()
    _aligned([("reflections" if name == "critiques" else name, f"{number:,}") for name, number in counts])
    if inspection.usable:
        note = (
            f"the first {inspection.rows:,} rows; --whole reads all"
            if inspection.sampled
            else f"{inspection.rows:,} rows"
        )
        say(f"\nUsable questions ({note})")
        _aligned([(f"N = {n}", f"{questions:,}") for n, questions in enumerate(inspection.usable, 1)])
    if inspection.opinion.table:
        say("\nWhat each N gives (expected)")
        columns([_TRADE_OFFS, *([f"{n:,}" for n in row] for row in inspection.opinion.table)])
    if inspection.labels_in_doubt:
        _show_label_queue(inspection)
    say("\nWhat to do")
    for line in inspection.advice:
        say(f"  - {line}")


_TRADE_OFFS = ["N", "questions", "traces", "with a mistake corrected", "tokens"]


def show_opinion(opinion: "Opinion", price_in: float = 0.0, price_out: float = 0.0) -> None:
    """Print whether some data is ready, why or why not, and the next step with its price."""
    say(f"Is this data ready? {opinion.headline} (grade {opinion.grade})")
    for reason in opinion.reasons:
        if reason.weight != "note":  # notes stand under "What to do"
            say(f"  - {reason.sentence}")
    # Without reasons nothing has to be made, so there is nothing to pay for.
    price = opinion.price.line(price_in, price_out) if opinion.reasons else ""
    say(f"  Next: {opinion.todo} {price}".rstrip())


def columns(rows: list[list[str]]) -> None:
    """Print rows of cells one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))


def _show_label_queue(inspection: "Inspection") -> None:
    from skill_factory.grading.doubts import witnesses
    from skill_factory.sources.columns import excerpt

    queue = inspection.labels_in_doubt
    say(
        f"\nLabels in doubt ({len(queue):,} of {inspection.compared:,} that were compared, the most doubtful first)"
    )
    for one in queue[:MOST_LABELS]:
        say(f"  {one.strength:4.1f}  row {one.response.row}: {witnesses(one, excerpt)}")


MOST_LABELS = 5
"""Labels in doubt that a first look lists."""


SHARES = ("source", "traces", "share", "it could give", "too few", "questions", "in an earlier source")


def show_shares(mixed: "Mixed") -> None:
    """Print what each source of a mixture will give."""
    about = "" if mixed.exact else "about "
    say(f"{about}{many(mixed.traces, 'trace')} of {many(len(mixed.parts), 'source')}".capitalize())
    rows = [
        (
            part.name,
            f"{part.takes:,}",
            percent(part.share),
            f"{about}{part.offer.traces:,}",
            f"{part.short:,}" if part.short else "",
            f"{part.offer.questions:,}",
            f"{part.offer.elsewhere:,}",
        )
        for part in mixed.parts
    ]
    columns([list(SHARES), *map(list, rows)])


def show_build(result: "BuildResult") -> None:
    """Print where the build is, what it holds and where the data went."""
    from skill_factory.recipe.model import Recipe

    report = result.report
    # The same recipe and source: building again would write the same bytes.
    if result.already:
        say(f"{result.path} already holds this build: {many(report['traces'], 'trace')}. Nothing was done.")
        return
    resumed = f" (resumed: {many(result.resumed, 'partition')})" if result.resumed else ""
    say(f"{many(report['traces'], 'trace')} in {result.path}{resumed}")
    wanted = result.recipe.balance.max_traces if isinstance(result.recipe, Recipe) else 0
    # Not an error: the limit is a maximum, and the data decides what there is.
    if wanted and report["traces"] < wanted:
        say(f"  fewer than the {wanted:,} asked for: the data gives no more.")
    for level in Level:
        counted = report["ledger"][level.value]
        say(f"  {level.value:<12}{counted['kept']:>12,} of {counted['read']:>12,} kept")
        # What costs the most traces first; it is what a person can do something about.
        for reason, number in sorted(counted["dropped"].items(), key=lambda item: -item[1]):
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
    # One column with a very long name must not push all others out of the terminal.
    width = min(48, max((len(name) for name, _ in pairs), default=0))
    for name, text in pairs:
        say(f"  {name:<{width}}  {text}")


def say(line: str) -> None:
    print(plain(line))
