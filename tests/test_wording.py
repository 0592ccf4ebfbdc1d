"""Numbers as people read them."""

import pytest

from skill_factory.wording import found, inflect, listed, many, percent, rounded


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(1, "question", "1 question"), (2, "question", "2 questions"), (0, "row", "no rows"), (3_120, "trace", "3,120 traces"), (2, "entry", "2 entries")],
)  # fmt: skip
def test_a_number_with_its_noun(number: int, noun: str, said: str) -> None:
    """One is singular, none and many are plural, thousands are separated."""
    assert many(number, noun) == said


def test_a_verb_agrees_with_its_number() -> None:
    """One question has, none and several have."""
    assert [inflect(number, "has", "have") for number in (0, 1, 2)] == ["have", "has", "have"]


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(1, 2, "50 %"), (0, 5, "0 %"), (5, 5, "100 %"), (1, 10_000, "0.1 %"), (9_999, 10_000, "99.9 %"), (3, 0, "0 %"), (13, 1_000, "1 %")],
)  # fmt: skip
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


def test_names_that_were_found_fit_a_sentence() -> None:
    """All of a few; of a thousand the first ones and how many more; a name as long as a page is cut."""
    assert found(["a", "b"]) == "a, b"
    assert found([f"c{k}" for k in range(1030)]).endswith("c28, c29 … and 1,000 more")
    assert len(found(["x" * 10_000])) == 60
