"""A gold answer that no rule reads leaves answers unjudged, never wrong, unless it is words or there is none at all."""

import pytest

from skill_factory.grading import explain, judge
from skill_factory.grading.decisions import Decision

WORKED = [
    "1.4422...", "1.4422…", "3.33...", "0.(3)", "≈ 3.1", "~3.1", "about 3.1", "approximately 3.1", "approx. 3.1", "3.1 (approx.)",
    "etwa 3,1", "at least 3", "more than 3", "3+", "x + ", "10^", "(1,2", "[1,2", "12%-15%", "1.2.3", "12.345.678", "5'11\"", "∫x dx",
    "2n+1 for n in Z", "2 R 3", "2 remainder 3", "7 (mod 12)", "1 2 3", "n log n", "−5..5", "≈ 2:1", "12cm by 5cm", "3 (three)",
    "A∪B", "≥ 3", "\\approx 3.1", "$1.4422\\ldots$",
]  # fmt: skip
"""Numbers and formulas that nothing reads today; whichever is read tomorrow leaves the list."""
WORDS = [
    "Paris", "Paris 2024", "Windows 10", "iPhone 15", "Apollo 11", "3rd floor", "H2O", "CO2", "C6H12O6", "NaCl", "B12", "v1.2",
    "the Treaty of 1648", "Henry VIII", "infinitely many", "blue whale", "巴黎",
]  # fmt: skip
NONE = [
    "see text", "See solution.", "see the figure", "refer to the solution", "Answers will vary", "answers may vary.", "proof",
    "notfound", "not given", "N/A", "?", "-", "—", "...", "TBD", "(omitted)", "siehe Lösung", "voir la figure", "见解析", "略",
]  # fmt: skip


@pytest.mark.parametrize("gold", WORKED)
def test_a_number_that_no_rule_reads_judges_nothing(gold: str) -> None:
    """Another answer may be the same in another writing; only the very same is right, and none is wrong."""
    assert judge("17", gold) is Decision.UNJUDGED
    assert judge(gold, gold) is Decision.RIGHT


@pytest.mark.parametrize("gold", WORDS)
def test_words_compare_as_words(gold: str) -> None:
    """A name with a number in it is a name."""
    assert judge("Rome", gold) is Decision.WRONG
    assert judge(gold.upper(), gold) is Decision.RIGHT


@pytest.mark.parametrize("gold", NONE)
def test_what_stands_for_a_gold_answer_is_none(gold: str) -> None:
    """Nobody can be wrong by it, and the reason says why."""
    assert judge("17", gold) is Decision.UNJUDGED
    assert explain("17", gold).why == "there is no gold answer"


def test_who_asks_for_the_same_words_gets_them() -> None:
    """The task of exact words was chosen by a person, so that other words are wrong."""
    assert judge("1.44", "1.4422...", "exact") is Decision.WRONG
