"""Numbers as people read them."""

import ast
import re
from pathlib import Path

import pytest

from skill_factory.insight import doubts
from skill_factory.wording import (
    duration,
    file_size,
    found,
    inflect,
    listed,
    many,
    percent,
    rough_duration,
    rounded,
    without_options,
)
from tests import command


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (1, "question", "1 question"),
        (2, "question", "2 questions"),
        (0, "row", "no rows"),
        (3_120, "trace", "3,120 traces"),
        (2, "entry", "2 entries"),
        (2, "key", "2 keys"),
        (2, "reply", "2 replies"),
        (0, "batch", "no batches"),
    ],
)
def test_a_number_with_its_noun(number: int, noun: str, said: str) -> None:
    """One is singular, none and many are plural, thousands are separated."""
    assert many(number, noun) == said


def test_a_verb_agrees_with_its_number() -> None:
    """One question has, none and several have."""
    assert [inflect(number, "has", "have") for number in (0, 1, 2)] == ["have", "has", "have"]


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (1, 2, "50 %"),
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 10_000, "0.1 %"),
        (9_999, 10_000, "99.9 %"),
        (3, 0, "0 %"),
        (13, 1_000, "1 %"),
    ],
)
def test_a_share(part: int, whole: int, said: str) -> None:
    """Little is not nothing, nearly all is not all, and of nothing there is no share."""
    assert percent(part, whole) == said


@pytest.mark.parametrize(
    ("items", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_as_a_phrase(items: list[str], said: str) -> None:
    """Commas, and a word before the last."""
    assert listed(items) == said


@pytest.mark.parametrize(
    ("number", "said"), [(226_807, 227_000), (45.4, 45), (0, 0), (999.6, 1000), (1_234, 1_230)]
)
def test_an_estimate_keeps_three_digits(number: float, said: int) -> None:
    """What is not known exactly is not said to the last digit."""
    assert rounded(number) == said


def test_sizes_are_words() -> None:
    """What people read: a digit behind the point only where there is one before it."""
    assert [file_size(n) for n in (0, 999, 1500, 64_000_000, 2_000_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "64 MB",
        "2.0 GB",
    ]


def test_durations_are_words() -> None:
    """What was measured is told as such, what is expected without false precision."""
    assert [duration(n) for n in (3.2, 89, 200, 5399, 6480)] == ["3 s", "89 s", "3 min", "90 min", "1.8 h"]
    assert [rough_duration(n) for n in (3, 27, 200, 6480, 90_000, 537_840)] == [
        "a few seconds",
        "about 25 seconds",
        "about 3 minutes",
        "about 1.8 hours",
        "about 25 hours",
        "about 6 days",
    ]


BY_HAND = re.compile(r"""['"]s['"] if \w+ [!>]| else ['"]s['"]|\} (?:MB|kB|min|h)\b""")


def test_plurals_sizes_and_durations_are_worded_in_one_place() -> None:
    """No module of the core makes a plural, a size or a duration in words by itself."""
    files = [path for path in (command.ROOT / "skill_factory").rglob("*.py") if "ui" not in path.parts]
    found = [
        f"{path.relative_to(command.ROOT)}:{number}"
        for path in sorted(files)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if BY_HAND.search(line) and path.name != "wording.py"
    ]
    assert found == []


def test_names_that_were_found_fit_a_sentence() -> None:
    """All of a few; of a thousand the first ones and how many more; a name as long as a page is cut."""
    assert found(["a", "b"]) == "a, b"
    assert found([f"c{k}" for k in range(1030)]).endswith("c28, c29 … and 1,000 more")
    assert len(found(["x" * 10_000])) == 60


@pytest.mark.parametrize(
    ("advice", "said"),
    [
        ("Pick the column (--map response=COLUMN).", "Pick the column."),
        ("Cut them with --given-away cut, or drop them with --given-away drop.", "Cut them, or drop them."),
        (
            'Pick a rule: --set answers.rules=\'["boxed", "stated"]\' or --answer-regex PATTERN.',
            "Pick a rule.",
        ),
        ("Keep it - or don't.", "Keep it - or don't."),
    ],
)
def test_advice_is_said_without_options(advice: str, said: str) -> None:
    """What the command line adds to a sentence is left out; the rest stays as it is."""
    assert without_options(advice) == said


def test_no_advice_about_data_needs_the_command_line() -> None:
    """Each sentence of the doubts reads without its options, up to its full stop."""
    folder = Path(doubts.__file__).parent
    strings = [
        node.value
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "--" in node.value
    ]
    whole = [text for text in strings if text.endswith(".")]
    assert len(whole) > 10
    assert all("--" not in without_options(text) and without_options(text).endswith(".") for text in whole)
