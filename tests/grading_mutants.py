"""A right answer, changed a little: what must not stay right, but by a law that is stated here.

`make docs` writes the table of the mutants into docs/grading.md; a test holds that every survivor has a law.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from skill_factory.grading import equivalent
from tests.grading_grammar import right_answers

RIGHT_ANSWERS, EACH = 500, 10
LESS = [
    "not",
    "about",
    "squared",
    "dozen",
    "or more",
    "short",
    "wrong",
    "times",
    "left",
    "thirds",
    "fewer",
    "except",
]


class Mutant(NamedTuple):
    """A right answer and what became of it."""

    change: str
    before: str
    after: str
    question: str


def _word_behind(text: str, dice: random.Random) -> str:
    return f"{text} {dice.choice(LESS)}"


def _word_before(text: str, dice: random.Random) -> str:
    return f"{dice.choice(LESS)} {text}"


def _digit_added(text: str, dice: random.Random) -> str:
    places = [found.start() for found in re.finditer("[0-9]", text)]
    at = dice.choice(places) if places else len(text)
    return text[:at] + dice.choice("123456789") + text[at:]


def _digit_changed(text: str, dice: random.Random) -> str:
    places = [found.start() for found in re.finditer("[0-9]", text)]
    if not places:
        return text
    at = dice.choice(places)
    return text[:at] + dice.choice([one for one in "0123456789" if one != text[at]]) + text[at + 1 :]


def _digit_dropped(text: str, dice: random.Random) -> str:
    places = [found.start() for found in re.finditer("[0-9]", text)]
    at = dice.choice(places) if places else 0
    return text[:at] + text[at + 1 :]


def _sign_added(text: str, dice: random.Random) -> str:
    places = [found.start() for found in re.finditer("(?<![0-9A-Za-z.^_])[0-9A-Za-z]", text)]
    at = dice.choice(places) if places else 0
    return f"{text[:at]}-{text[at:]}"


def _sign_changed(text: str, dice: random.Random) -> str:
    places = [found.start() for found in re.finditer("[-+]", text)]
    if not places:
        return f"-{text}"
    at = dice.choice(places)
    return text[:at] + {"-": "+", "+": "-"}[text[at]] + text[at + 1 :]


def _parts_swapped(text: str, dice: random.Random) -> str:
    words = re.findall(r"[0-9]+|[A-Za-z]+|[^0-9A-Za-z]+", text)
    places = [place for place, word in enumerate(words) if word.isalnum()]
    if len(places) < 2:
        return text
    one, other = dice.sample(places, 2)
    words[one], words[other] = words[other], words[one]
    return "".join(words)


def _bracket_changed(text: str, dice: random.Random) -> str:
    places = [found.start() for found in re.finditer(r"[()\[\]]", text)]
    at = dice.choice(places) if places else 0
    return text[:at] + {"(": "[", "[": "(", ")": "]", "]": ")"}.get(text[at], text[at]) + text[at + 1 :]


def _letter_changed(text: str, dice: random.Random) -> str:
    places = [found.start() for found in re.finditer("[A-Za-z]", text)]
    if not places:
        return text
    at = dice.choice(places)
    return text[:at] + dice.choice([one for one in "abcdefghxyz" if one != text[at].lower()]) + text[at + 1 :]


def _space_added(text: str, dice: random.Random) -> str:
    at = dice.randrange(1, len(text)) if len(text) > 1 else 0
    return f"{text[:at]} {text[at:]}"


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "a word behind": _word_behind,
    "a word before": _word_before,
    "a digit added": _digit_added,
    "a digit changed": _digit_changed,
    "a digit dropped": _digit_dropped,
    "a minus added": _sign_added,
    "a sign changed": _sign_changed,
    "two parts swapped": _parts_swapped,
    "a bracket changed": _bracket_changed,
    "a letter changed": _letter_changed,
    "a space added": _space_added,
}


def mutants(seed: int) -> Iterator[Mutant]:
    """Ten changes of each of 500 right answers; one that changed nothing but dress is drawn again."""
    dice = random.Random(seed)
    for pair in islice(right_answers(seed), RIGHT_ANSWERS):
        made: list[Mutant] = []
        while len(made) < EACH:
            change = dice.choice(list(CHANGES))
            after = CHANGES[change](pair.gold, dice)
            if after.strip() != pair.gold.strip():
                made.append(Mutant(change, pair.gold, after, pair.question))
        yield from made


def survivors(seed: int) -> list[tuple[Mutant, str]]:
    """The mutants that are still right, each with the law that says so; "" where none does."""
    alive = [one for one in mutants(seed) if equivalent(one.after, one.before, question=one.question)]
    return [(one, law(one)) for one in alive]


def counts(seed: int) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """How many of each change, and how many survivors by change and law."""
    return Counter(one.change for one in mutants(seed)), Counter(
        (one.change, found) for one, found in survivors(seed)
    )


# -- the laws ---------------------------------------------------------------------------------------------------------


def law(mutant: Mutant) -> str:
    """Why a changed answer may stay right, by the form of the two texts alone; "" where nothing says so."""
    found = next((name for name, holds in LAWS.items() if holds(mutant.before, mutant.after)), "")
    letter, _, text = mutant.after.strip("( ").partition(")")
    found = found or (
        "a letter of a choice may stand alone"
        if re.fullmatch(r"\(?[A-D][).] ?", mutant.after) and mutant.before.startswith(mutant.after.strip())
        else ""
    )
    return found or (OPTION if text.strip() and f"({letter}) {text.strip()}" in mutant.question else "")


def _bare(text: str) -> str:
    return re.sub(
        r"(?<![0-9])\s+|\s+(?![0-9])|\$|\\[,;: ]|\\(?:text|mathrm|textbf|boxed|left|right)(?![a-z])", "", text
    ).lower()


def _numbers(text: str) -> list[str]:
    return re.findall(r"[0-9]+(?:\.[0-9]+)?", text)


def _sorted(text: str) -> list[str]:
    return sorted(re.findall(r"\\?[A-Za-z]+|-?[0-9.]+", text))


def _spaces_only(before: str, after: str) -> bool:
    def close(text: str) -> str:
        return re.sub(r"(?<![0-9]) | (?![0-9])", "", " ".join(text.split()))

    return close(before) == close(after)


def _grouped(before: str, after: str) -> bool:
    return "".join(before.split()) == "".join(after.split()) and bool(
        re.search("[0-9] [0-9]{3}(?![0-9])", after)
    )


def _zeros(before: str, after: str) -> bool:
    def stripped(text: str) -> str:
        text = re.sub(r"(?<![0-9])\.(?=[0-9])", "0.", text)
        return re.sub(
            r"\.0*(?![0-9])",
            "",
            re.sub(r"(\.[0-9]*?)0+(?![0-9])", r"\1", re.sub(r"(?<![0-9.])0+(?=[0-9])", "", text)),
        )

    return _bare(stripped(before)) == _bare(stripped(after))


def _zero_has_no_sign(before: str, after: str) -> bool:
    none = re.search(r"[-+] ?(?:0(?![0-9.])|zero)", before + after)
    signs = before.replace("-", "").replace("+", "") == after.replace("-", "").replace("+", "")
    if re.sub(r"frac\{0\}\{[1-9]\}", "0", before) == re.sub(r"frac\{0\}\{[1-9]\}", "0", after):
        return True
    return bool(none and signs) or (_numbers(before) == _numbers(after) == ["0"] and "-" not in after)


def _unordered(before: str, after: str) -> bool:
    listed = re.search(r"^[^(\[]*[,;{]|\bor\b|\band\b|\\cup|∪", before)
    return bool(listed) and _sorted(before) == _sorted(after)


def _commutes(before: str, after: str) -> bool:
    return sorted(_bare(before)) == sorted(_bare(after)) and bool(
        re.search(r"[-+*^x=<>√]|\\cdot|\\times|\\sqrt|\\le|\\ge|\\ne", before)
    )


def _same_number(before: str, after: str) -> bool:
    def value(text: str) -> Fraction | None:
        mixed = re.fullmatch(r"(\d+) (\d+)[/÷](\d+)", text)
        if mixed and int(mixed[3]):
            return int(mixed[1]) + Fraction(int(mixed[2]), int(mixed[3]))
        found = re.fullmatch(r"\D*?(-?\d+)(?:/|÷|\}\{|\s*\\over\s*)(-?\d+)\D*", text)
        return Fraction(int(found[1]), int(found[2])) if found and int(found[2]) else None

    return value(before) is not None and value(before) == value(after)


def _both_signs(before: str, after: str) -> bool:
    return bool(re.search(r"±|\\pm", before)) and before.replace("-", "") == after.replace("-", "")


def _date(before: str, after: str) -> bool:
    dated = re.search(r"[A-Z][a-z]{2}|^[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,4}$", before)
    return (
        bool(dated)
        and len(_numbers(before)) > 1
        and sorted(re.findall(r"\w+", before)) == sorted(re.findall(r"\w+", after))
    )


def _letter_in_brackets(before: str, after: str) -> bool:
    return (
        re.sub(r"[^A-Za-z]", "", before) == re.sub(r"[^A-Za-z]", "", after)
        and len(re.findall("[A-Z]", before)) == 1
        and not _numbers(before + after)
    )


def _factor_of_one(before: str, after: str) -> bool:
    return re.sub(r"(?<![0-9.])1(?=[a-z(])", "", before) == re.sub(r"(?<![0-9.])1(?=[a-z(])", "", after)


def _unit_named(before: str, after: str) -> bool:
    return (
        len(_numbers(before)) == 1
        and _numbers(before) == _numbers(after)
        and bool(re.search("[0-9][)]? ?[A-Za-z]+$", after))
    )


def _chosen_or_left(before: str, after: str) -> bool:
    one, other = _numbers(before), _numbers(after)
    return (
        bool(re.search("binom|choose", before))
        and len(one) == len(other) == 2
        and one[0] == other[0] == str(int(one[1]) + int(other[1]))
    )


LAWS: dict[str, Callable[[str, str], bool]] = {
    "spaces between signs say nothing": _spaces_only,
    "a space may group thousands": _grouped,
    "zeros before a number or behind its last decimal say nothing": _zeros,
    "zero has no sign, no scale and no parts": _zero_has_no_sign,
    "± holds both signs": _both_signs,
    "the parts of a date may stand in any order": _date,
    "a set, a bare list and a union have no order": _unordered,
    "sums and products commute, and an equation may be turned round": _commutes,
    "two fractions may have one value": _same_number,
    "a letter of a choice may wear brackets": _letter_in_brackets,
    "n over k is n over n - k": _chosen_or_left,
    "a factor of 1 says nothing": _factor_of_one,
    "a unit that one side names is let go": _unit_named,
}
OPTION = "the text beside a letter is its option in the question"
