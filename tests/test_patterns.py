"""Patterns of a recipe: what they meant they mean, in time that grows with the text alone, on every machine."""

import random
import re
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.patterns import compiled

LONG = 30_000
"""Characters of the texts that patterns are timed on."""
FAR_TOO_LONG = 8.0
"""Seconds; a pattern that backtracks takes them many times over, one of RE2 a fraction."""


def in_python(pattern: str, text: str) -> tuple[str | None, str | None]:
    """The first and the last match as Python's own engine finds them."""
    known = re.compile(pattern)
    found = list(known.finditer(text))
    if not found:
        return None, None
    first = next((one for one in found[0].groups() if one is not None), None)
    return (first, found[-1][1]) if known.groups else (found[0][0], found[-1][0])


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"A: (.*)", "A: 5\nA: 6\n"),
        (r"(?m)^Answer: (.*)$", "Answer: 5\nno\nAnswer: 7"),
        (r"(?i)the ANSWER is (\d+)", "The answer is 12. The Answer is 13"),
        (r"\d+", "٣ and 12"),
        (r"\w+$", "été\n"),
        (r"[^\W\d_]+", "ab1_é"),
        (r"[^\S\n]+", "a \t\u00a0\nb"),
        (r"[\s\S]", "a\n"),
        (r"(?x) verdict : \s* ( \w+ )", "verdict: right"),
        (r"a|ab", "abab"),
        (r"(?s)begin(.*?)end", "begin 1 end begin\n2 end"),
        (r"(a)?b", "ab b"),
        (r"(right)|(wrong)", "so wrong, then right"),
        (r"x*", "axxb"),
        (r"(?P<found>\w+)!", "one! two!"),
        (r"\Aa.\Z", "ab"),
        (r"(?a:\w+)", "aé"),
        (r"\b(Über\w*)\b", "das Überall, Über"),
        (r"\bgrößer\b", "viel größer."),
        (r"答案\b", "答案 是"),
        (r"\b答案\b", "参考答案 答案"),
        (r"\b(\w+)입니다\b", "답은 사과입니다. 배입니다"),
        (r"\b(\d+)\b", "５６円 ５６ 円 7"),
        (r"\b(\d+)\b", "12円 and 7"),
        (r"\Bö\B", "öööö"),
        (r"(?i)\bÄpfel$", "zwei äpfel\n"),
        (r"(?m)^\b(\w+)\b$", "één\ntwee drie\nvier"),
        (r"^\bé|\b^ö", "é"),
        (r"[^a\b]\b[\D]", "aé é-x"),
        (r"\b[à-\U0010ffff]+\b", "naïve àé"),
        (r"(?a)é\b", "éa é b"),
        (r"\b\w\b\W\b\w\b", "é ö ü a"),
        (r"\b.\b", "é\U0010ffff\U0010fffe a"),
    ],
)
def test_a_pattern_means_what_it_meant(pattern: str, text: str) -> None:
    """The first and the last match are those of Python's own engine, Unicode and all."""
    known = compiled(pattern)
    assert (known.first(text), known.last(text)) == in_python(pattern, text)


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        ".",
        r"\d",
        r"\D",
        r"\w",
        r"\s",
        "[ab]",
        "[^a]",
        "é",
        "1",
        r"\.",
        "(a)",
        "(?:b|ab)",
        r"(?:\bé)",
    ]
)
# A repeat of what may be empty is the one thing that engines understand differently.
REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "{1,2}"])
PARTS = st.tuples(ATOMS, REPEATS).map("".join) | st.sampled_from(["(.*)", r"\b", r"\b", r"\B"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("".join)
TEXTS = st.text("ab1 .é한\n", max_size=12)


@given(PATTERNS, TEXTS)
def test_drawn_patterns_mean_what_they_meant(pattern: str, text: str) -> None:
    """Whatever is drawn: first and last match agree, but for what may be empty in the middle, where engines differ."""
    assume(re._parser.parse(pattern).getwidth()[0] > 0)  # type: ignore[attr-defined]
    known = compiled(pattern)
    assert (known.first(text), known.last(text)) == in_python(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"(?=a)b", "lookahead or lookbehind"),
        (r"(?<!a)b", "negative lookahead or lookbehind"),
        (r"(a)\1", "backreference"),
        (r"(a)?(?(1)b|c)", "condition on an earlier group"),
        (r"(?>a*)b", "atomic group"),
        (r"a*+b", "possessive repeat"),
        (r"a{2000}", "more than 1,000 times"),
        (r"((\w{100}){100})", "can't be used|repeats too much"),
        (r"(a", "not a valid regular expression"),
        ("(" * 1500 + ")" * 500, "not a valid regular expression|nested"),
        ("a" * 2001, "at most 2,000 characters"),
        (r"[^\Wa-f]", r"inside \[\^"),
    ],
)
def test_what_can_t_be_done_is_refused_with_a_sentence(pattern: str, said: str) -> None:
    """At home as on a shared server, before anything is read."""
    with pytest.raises(RecipeError, match=said):
        Recipe().changed({"answers.rules": ("regex",), "answers.pattern": pattern})


HOSTILE = (
    r"(a|a)*b",
    r"(a*)*b",
    r"(a+)+$",
    r"(\w+\s?)*$",
    r"(x+x+)+y",
    r"(?s)x.*y|x",
    r"(.*a){12}",
    r"(?:a?){300}a{300}",
    r"([a-z]+)*=",
    r"(.*)(.*)(.*)(.*)=",
    r"(?:(?:a|b|ab)+)+c",
    r"(a|aa|aaa)+$",
    r"\s+$",
    r"(?:.*,){11}P",
)


@pytest.mark.parametrize("pattern", HOSTILE)
def test_no_pattern_runs_away(pattern: str) -> None:
    """Patterns that took more than eight seconds, or for ever, with an engine that backtracks."""
    known = compiled(pattern)
    for text in ("a" * LONG, "x" * LONG, "a " * (LONG // 2), " " * LONG, "ab," * (LONG // 3)):
        began = time.monotonic()
        known.first(text)
        known.last(text)
        assert time.monotonic() - began < FAR_TOO_LONG


def drawn(rng: random.Random, depth: int = 0) -> str:
    """A pattern by grammar, with repeats in repeats."""
    if depth > 3 or rng.random() < 0.3:
        return rng.choice(["a", "b", ".", r"\w", r"\d", r"\s", "[ab]", "[^x]", "ab", "x"])
    inside = [drawn(rng, depth + 1) for _ in range(rng.randint(1, 3))]
    match rng.randrange(4):
        case 0:
            return "".join(inside)
        case 1:
            return f"({'|'.join(inside)})"
        case 2:
            return f"(?:{''.join(inside)}){rng.choice(['*', '+', '?', '*?', '+?'])}"
        case _:
            low = rng.randint(0, 5)
            return f"(?:{''.join(inside)}){{{low},{low + rng.randint(0, 12)}}}"


@pytest.mark.parametrize("seed", range(3))
def test_patterns_by_grammar_run_in_time_that_grows_with_the_text(seed: int) -> None:
    """A hundred of each seed, refused or quick on thirty thousand letters."""
    rng = random.Random(seed)
    texts = ["a" * LONG, "".join(rng.choice("ab x1\n") for _ in range(LONG))]
    for _ in range(100):
        pattern = drawn(rng)
        try:
            known = compiled(pattern)
        except ValueError as error:
            assert str(error)
            continue
        for text in texts:
            began = time.monotonic()
            known.last(text)
            assert time.monotonic() - began < FAR_TOO_LONG, pattern
