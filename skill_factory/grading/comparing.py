"""Do two readings say the same? Right, wrong, or unjudged where one of them could not be read, with the reason."""

import re
from fractions import Fraction

from skill_factory.grading.algebra import same_constant, same_statements, values_decide
from skill_factory.grading.decisions import USUAL, Decision, Finding, Rules, told, unread
from skill_factory.grading.expressions import Term, read_statement
from skill_factory.grading.groups import MOST_UNORDERED, Group
from skill_factory.grading.listing import compare_lists
from skill_factory.grading.moments import Moment, same_moment
from skill_factory.grading.plain import plain, same_form, says_more, stated
from skill_factory.grading.quantities import (
    Amount,
    read_amount,
    same_after_conversion,
    same_share,
    units_fit,
)
from skill_factory.grading.readings import (
    IN_PARTS,
    PLACE,
    SHARE,
    SPANNED,
    Formula,
    Literal,
    Named,
    Reading,
    Unread,
    Words,
    read,
)
from skill_factory.grading.regions import LEAST, MOST, Piece, Region, interval

_DEEPEST = 4
MOST_NESTED = 3
"""Parts of a set within a set that are compared each with each: the work grows with both."""


def compare(answer: str, gold: str, rules: Rules = USUAL, depth: int = 0) -> Finding:
    """Do the two texts say the same? Symmetric: the two may change places."""
    # First what costs least: most right answers are written as the gold answer is.
    if answer.split() == gold.split() or same_form(answer, gold):
        return Finding(Decision.RIGHT, "both are written the same")
    if depth > _DEEPEST:
        return unread("they are nested too deep")
    one, other = read(answer, rules.asked), read(gold, rules.asked)
    for side, name in ((other, "gold answer"), (one, "answer")):
        if isinstance(side, Unread):
            return unread(f"the {name} can't be read: {side.why}")
    return _of_kinds(one, other, stated(answer), stated(gold), rules, depth)


def _of_kinds(one: Reading, other: Reading, answer: str, gold: str, rules: Rules, depth: int) -> Finding:
    # From the kinds that hold others to those that hold nothing: a name stands for a region, a group, an amount.
    if isinstance(one, Named) or isinstance(other, Named):
        return _named(one, other, answer, gold, rules, depth)
    if isinstance(one, Region) or isinstance(other, Region):
        return _regions(one, other, answer, gold)
    if isinstance(one, Group) or isinstance(other, Group):
        return _grouped(one, other, answer, gold, rules, depth)
    match one, other:
        case Amount(), Amount():
            return _amounts(one, other, rules)
        case Literal(), Literal() if SPANNED in (one.kind, other.kind):
            alike = re.findall("[0-9.]+", one.text) == re.findall("[0-9.]+", other.text)
            return told(
                alike and {one.kind, other.kind} <= _SPANS,
                "the same two numbers",
                "they say different things",
            )
        case Literal(), Literal() if one != other and _same_share(one, other):
            return unread("the same share of different numbers")
        case Literal(), Literal() if {one.text, other.text} in _ALIKE:
            return unread("yes may mean true, and no false")
        case Words(), Words() if one != other and says_more(answer, gold):
            return unread("one side says more than the other")
        case (Words(), Words()) | (Literal(), Literal()):
            return told(one == other, "both say the same", "they say different things")
        case Moment(), Moment():
            same = same_moment(one, other)
            return (
                unread("one side leaves open what the other says of the moment")
                if same is None
                else told(same, "the same moment", "different moments")
            )
        case (Formula(), Formula() | Amount()) | (Amount(), Formula()):
            return _formulas(one, other, answer, gold)
    return _unlike(one, other, answer, gold)


_ALIKE = ({"yes", "true"}, {"no", "false"})
_SPANS = {SPANNED, "ratio", "score or range"}


def _same_share(one: Literal, other: Literal) -> bool:
    """Whether both say a share, of different numbers: `2 out of 4`, `1 out of 2`."""
    return one.kind == other.kind == SHARE and Fraction(one.text) == Fraction(other.text)


def _unlike(one: Reading, other: Reading, answer: str, gold: str) -> Finding:
    """Two kinds: wrong, unless a number could hide in words, a moment or a place."""
    place = next((side for side in (one, other) if isinstance(side, Literal) and side.kind == PLACE), None)
    number = next((side for side in (one, other) if isinstance(side, Amount)), None)
    share = next((side for side in (one, other) if isinstance(side, Literal) and side.kind == SHARE), None)
    truth = next(
        (side for side in (one, other) if isinstance(side, Literal) and side.text in ("true", "false")), None
    )
    if truth and (answer.lower() == truth.text[0] or gold.lower() == truth.text[0]):
        return unread("a letter may stand for true or false")
    if share and number and number.unit:
        return unread("one side says of how many, the other a unit")
    if number and any(isinstance(side, Literal) and side.kind == IN_PARTS for side in (one, other)):
        return unread("one side gives a quantity in parts, the other in one")
    if share and number:
        # “3” may be the 3 of “3 out of 4”, left short.
        if number.value == int(share.text.partition("/")[0]):
            return unread("one side says of how many, the other doesn't")
        return told(number.value == Fraction(share.text), "the same share", "the values differ")
    if place and number and number.value in (int(place.text), Fraction(1, int(place.text) or 1)):
        return unread("one side may be a place in an order, the other a number")
    if isinstance(one, Words) or isinstance(other, Words):
        words, rest = (answer, other) if isinstance(one, Words) else (gold, one)
        if isinstance(rest, Amount | Formula | Moment | Literal | Group) and _may_hold(
            words, rest, gold if words is answer else answer
        ):
            return unread("a word in it is not known")
    if (isinstance(one, Moment) and isinstance(other, Amount)) or (
        isinstance(one, Amount) and isinstance(other, Moment)
    ):
        moment, amount = (one, other) if isinstance(one, Moment) else (other, one)
        if (
            isinstance(moment, Moment)
            and isinstance(amount, Amount)
            and not amount.unit
            and moment.minutes is not None
            and moment.half
            and moment.minutes % 60 == 0
        ):
            return unread("one side is a time of day, the other a bare number")
    return Finding(Decision.WRONG, f"one is {kind_of(one)}, the other {kind_of(other)}")


_NUMBER_WORDS = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|half|third|hundred|thousand|squared|root|over|pi|negative|minus)\b"
)


def _may_hold(words: str, rest: Reading, text: str) -> bool:
    """Could the words, a unit that is not known among them, still say what the other side says?"""
    if isinstance(rest, Amount):
        numbers = [read_amount(found) for found in re.findall(r"-?[0-9][0-9,.]*[0-9]|[0-9]", words)]
        return any(one is not None and same_constant(one.term, rest.term) for one in numbers) or bool(
            _NUMBER_WORDS.search(words.lower())
        )
    if isinstance(rest, Literal):
        return re.search(rf"\b{re.escape(rest.text)}\b", words.lower()) is not None
    if isinstance(rest, Group):
        return any(plain(item).lower() == words.lower() for item in rest.items)
    return text.lower() in words.lower() or bool(re.search("[0-9]", words))


def kind_of(reading: Reading) -> str:
    """What a reading is, with its article, for people."""
    if isinstance(reading, Literal):
        article = "an" if reading.kind[0] in "aeiou" else "a"
        return f"{article} {reading.kind}"
    if isinstance(reading, Formula) and reading.statement.relation:
        return "an equation" if reading.statement.relation == "=" else "an inequality"
    return {
        Words: "words",
        Moment: "a date or time",
        Amount: "a number",
        Formula: "a formula",
        Region: "an interval",
        Group: "a list",
        Named: "a named value",
        Unread: "not read",
    }[type(reading)]


# -- numbers and formulas ---------------------------------------------------------------------------------------------


def _amounts(one: Amount, other: Amount, rules: Rules) -> Finding:
    if "%" in (one.unit, other.unit) and one.unit != other.unit:
        if one.unit and other.unit:
            return Finding(Decision.WRONG, "the units differ")
        return told(same_share(one, other), "the same share", "the values differ")
    if not units_fit(one, other):
        if rules.convert and same_after_conversion(one, other):
            return Finding(Decision.RIGHT, "the same after conversion")
        return Finding(Decision.WRONG, "the units differ")
    # `9 * 2` for 18 copies the question's work; where both stand like that, it is what was asked for.
    if one.standing != other.standing:
        return Finding(Decision.WRONG, "a sum or product was not worked out")
    return told(same_constant(one.term, other.term), "the same value", "the values differ")


def _formulas(one: Reading, other: Reading, answer: str, gold: str) -> Finding:
    if isinstance(one, Formula) and isinstance(other, Formula):
        if one.statement.relation or other.statement.relation:
            return told(
                same_statements(one.statement, other.statement), "the same equation", "the equations differ"
            )
        return _by_value(one.statement.term, other.statement.term, answer, gold)
    amount, formula, text = (one, other, gold) if isinstance(one, Amount) else (other, one, answer)
    if not isinstance(amount, Amount) or not isinstance(formula, Formula):
        return unread("one side can't be read")
    # `5m` is five metres, or five times m.
    if (touching := re.fullmatch(r"(.*[0-9]) ?([A-Za-z])", text)) and (
        spaced := read_amount(f"{touching[1]} {touching[2]}")
    ):
        if amount.unit and spaced.unit == amount.unit and same_constant(spaced.term, amount.term):
            return Finding(Decision.RIGHT, "the same value")
        if same_constant(spaced.term, amount.term):
            return unread("a letter behind the number may be a unit or a factor")
    if formula.statement.relation or amount.unit:
        return Finding(Decision.WRONG, f"one is {kind_of(amount)}, the other {kind_of(formula)}")
    return _by_value(amount.term, formula.statement.term, answer, gold)


def _by_value(one: Term, other: Term, answer: str, gold: str) -> Finding:
    decision = values_decide(one, other)
    # As letters the two may differ where i² = -1 makes them equal.
    if decision is not Decision.RIGHT and _imaginary(answer, gold):
        return unread("i may be a letter or a root of -1")
    if decision is Decision.UNJUDGED:
        return unread("the values can't be compared")
    return told(decision is Decision.RIGHT, "the same value for all letters", "the values differ")


def _imaginary(answer: str, gold: str) -> bool:
    return any(re.search(r"(?<![A-Za-z\\])i(?![A-Za-z])", text) for text in (answer, gold))


# -- names ------------------------------------------------------------------------------------------------------------


def _named(one: Reading, other: Reading, answer: str, gold: str, rules: Rules, depth: int) -> Finding:
    equations = read_statement(answer), read_statement(gold)
    if isinstance(one, Named) and isinstance(other, Named):
        if one.name == other.name:
            return compare(one.text, other.text, rules, depth + 1)
        if all(equations) and _same_equations(answer, gold):
            return Finding(Decision.RIGHT, "the same equation")
        return Finding(Decision.WRONG, "the names differ")
    named, rest, text = (one, other, gold) if isinstance(one, Named) else (other, one, answer)
    if isinstance(rest, Formula) and rest.statement.relation:
        return told(_same_equations(answer, gold), "the same equation", "the equations differ")
    if not isinstance(named, Named):
        return unread("one side can't be read")
    if isinstance(rest, Region) and rest.letter:
        return (
            Finding(Decision.WRONG, "the names differ")
            if rest.letter != named.name
            else compare(named.text, re.sub(r"^.*?\\in(?![a-z]) ?", "", text), rules, depth + 1)
        )
    return (
        compare(named.text, text, rules, depth + 1)
        if isinstance(one, Named)
        else compare(text, named.text, rules, depth + 1)
    )


def _same_equations(answer: str, gold: str) -> bool:
    one, other = read_statement(answer), read_statement(gold)
    return one is not None and other is not None and same_statements(one, other)


# -- intervals --------------------------------------------------------------------------------------------------------


def _regions(one: Reading, other: Reading, answer: str, gold: str) -> Finding:
    if _same_equations(answer, gold):
        return Finding(Decision.RIGHT, "the same inequality")
    mine, theirs = _region(one), _region(other)
    if mine is None or theirs is None:
        return Finding(Decision.WRONG, f"one is {kind_of(one)}, the other {kind_of(other)}")
    if mine.letter and theirs.letter and mine.letter != theirs.letter:
        return Finding(Decision.WRONG, "the names differ")
    if len(mine.pieces) != len(theirs.pieces):
        return (
            # Pieces may touch and make one: [0,1] ∪ [1,2] is [0,2], which isn't worked out here.
            unread("one side is in more pieces")
            if min(len(mine.pieces), len(theirs.pieces)) > 1
            else Finding(Decision.WRONG, "the intervals differ")
        )
    left = list(theirs.pieces)
    for piece in mine.pieces:
        match = next((fit for fit in left if _same_piece(piece, fit)), None)
        if match is None:
            return Finding(Decision.WRONG, "the intervals differ")
        left.remove(match)
    return Finding(Decision.RIGHT, "the same interval")


def _region(reading: Reading) -> Region | None:
    if isinstance(reading, Group) and reading.brackets in ("()", "[]") and len(reading.items) == 2:
        piece = interval(reading.brackets[0] + ",".join(reading.items) + reading.brackets[1])
        return Region((piece,)) if piece else None
    return reading if isinstance(reading, Region) else None


def _same_piece(one: Piece, other: Piece) -> bool:
    return (
        (one.low_in, one.high_in) == (other.low_in, other.high_in)
        and _same_end(one.low, other.low)
        and _same_end(one.high, other.high)
    )


def _same_end(one: str, other: str) -> bool:
    if one in (LEAST, MOST) or other in (LEAST, MOST):
        return one == other
    return compare(one, other, USUAL, _DEEPEST).decision == Decision.RIGHT


# -- lists ------------------------------------------------------------------------------------------------------------


def _decimal_comma(side: Reading, other: Reading, text: str) -> bool:
    """Whether a list of two numbers, `0,5`, is the other side's number with a decimal comma."""
    pair = (
        re.fullmatch(r"-?[0-9]+,[0-9]+", text)
        if isinstance(side, Group) and isinstance(other, Amount)
        else None
    )
    return bool(pair) and isinstance(other, Amount) and other.value == Fraction(text.replace(",", "."))


def _grouped(one: Reading, other: Reading, answer: str, gold: str, rules: Rules, depth: int) -> Finding:
    for side, text, rest in ((one, answer, gold), (other, gold, answer)):
        if isinstance(side, Group) and len(side.items) == 1 and side.brackets in ("{}", "[]"):
            return (
                compare(side.items[0], rest, rules, depth + 1)
                if text is answer
                else compare(rest, side.items[0], rules, depth + 1)
            )
    if any(_decimal_comma(*pair) for pair in ((one, other, answer), (other, one, gold))):
        return unread("a comma may be a decimal point")
    if not isinstance(one, Group) or not isinstance(other, Group):
        return _unlike(one, other, answer, gold)

    def same(left: str, right: str) -> Finding:
        return compare(left, right, rules, depth + 1)

    return compare_lists(one, other, same, rules, MOST_NESTED if depth else MOST_UNORDERED)
