"""One table of the recipe fields that have options of their own: field, option and help. The docs print it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """An option of the command line that sets a field of the recipe."""

    flag: str
    field: str
    help: str
    metavar: str = ""
    """Stands for the value in the help; empty for a switch."""
    many: bool = False
    """Whether the option may be given several times."""
    number: bool = False
    value: Any = True
    """The value that a switch sets."""


OPTIONS = (
    Option("--format", "traces.formats", "trace format; may be given several times", "CODE", many=True),
    Option("--attempts", "traces.attempts", "N: maximum attempts in a trace, and responses that a question needs", "N", number=True),
    Option("--repeats", "traces.repeats", "traces of each kind per question", "R", number=True),
    Option("--seed", "traces.seed", "another seed draws other attempts, reflections and phrases", "S", number=True),
    Option("--distinct-variants", "traces.distinct_variants", "take each attempt of a trace from a different prompt variant"),
    Option("--sample-attempts", "traces.sample_attempts", "draw the number of attempts from 2..N"),
    Option("--layout", "traces.layout", "paper, or tight (one newline less after the thinking)", "NAME"),
    Option("--language", "phrases.language", "language of the phrases between attempts: zh, ja, ko, de, fr or es; default: that of the questions", "CODE"),
    Option("--given-away", "filters.given_away", "reflections of wrong responses that state the gold answer: keep, drop or cut", "WHAT"),
    Option("--variant", "filters.variants", "prompt variant to use; default: all found", "NAME", many=True),
    Option("--ban", "filters.ban", "word that drops a reflection; whole words, in any case", "WORD", many=True),
    Option("--ban-substrings", "filters.ban_substrings", "ban words inside other words too"),
    Option("--against-responses", "clean.responses", "leave out also questions whose responses have a benchmark's answers or solutions in them"),
    Option("--near-duplicates", "clean.near_duplicates", "keep one of several questions that say nearly the same"),
    Option("--holdout", "clean.holdout", "share of the questions to keep out of the traces, for evaluation, e.g. 0.1", "SHARE"),
    Option("--max-traces", "balance.max_traces", "maximum traces: the first N in written order", "N", number=True),
    Option("--think", "columns.think", "which part of a text with <think>…</think> counts: after, inside, both or drop", "RULE"),
    Option("--question-rule", "columns.question_rule", "how questions are read: last_turn, first_turn, conversation, chat or between", "RULE"),
    Option("--response-rule", "columns.response_rule", "how responses are read: last_turn, steps, flat or between", "RULE"),
    Option("--label-rule", "columns.label_rule", "which values mean right: words, threshold, all_right, first or steps", "RULE"),
    Option("--right", "columns.right", "a value that means right", "WORD", many=True),
    Option("--wrong", "columns.wrong", "a value that means wrong", "WORD", many=True),
    Option("--no-known-format", "columns.guess", "find columns by name and shape alone, whatever known format the data looks like", value="names"),
    Option("--answer-regex", "answers.pattern", "regular expression for the final answer; its last match counts", "PATTERN"),
    Option("--verdict-regex", "verdicts.pattern", "regular expression for a reflection's verdict; its first match counts", "PATTERN"),
    Option("--config", "source.config", "config (subset) of a Hub dataset", "NAME"),
    Option("--split", "source.split", "split of a Hub dataset; default: train", "NAME"),
    Option("--revision", "source.revision", "branch, tag or commit of a Hub dataset", "REV"),
    # The only switch that turns something off.
    Option("--no-lineage", "output.lineage", "write only the two training columns", value=False),
)  # fmt: skip


def recipe_changes(given: dict[str, Any]) -> dict[str, Any]:
    """The changes to recipe fields that some options ask for: field → value, from flag → value."""
    changes: dict[str, Any] = {}
    for option in OPTIONS:
        value = given.get(option.flag)
        # Not given; a switch that is off and a switch that wasn't mentioned are the same.
        if value is None or value is False:
            continue
        changes[option.field] = option.value if not option.metavar else value
    # Words alone would be ignored by every other label rule.
    if "columns.right" in changes or "columns.wrong" in changes:
        changes.setdefault("columns.label_rule", "words")
    if "answers.pattern" in changes:
        # In front of the tag, since somebody who gives a pattern means it; a column still knows better.
        changes["answers.rules"] = ("column", "regex", "tag")
    if "verdicts.pattern" in changes:
        changes["verdicts.rule"] = "regex"
    return changes
