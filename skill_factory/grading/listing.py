"""Do two lists, tuples, sets or matrices hold the same? Their items are compared by what is handed over."""

from collections.abc import Callable
from fractions import Fraction

from skill_factory.grading.decisions import Decision, Finding, Rules, unread
from skill_factory.grading.groups import MOST_UNORDERED, Group
from skill_factory.grading.plain import form
from skill_factory.grading.quantities import read_amount
from skill_factory.grading.readings import Named, Words, read

Same = Callable[[str, str], Finding]
"""Compares two items."""


def compare_lists(one: Group, other: Group, same: Same, rules: Rules, most: int = MOST_UNORDERED) -> Finding:
    """In order or in any, as the brackets and the names of the items ask; up to `most` items each with each."""
    mine, theirs = _flat(one), _flat(other)
    kinds = {mine.brackets, theirs.brackets}
    if not _brackets_fit(mine, theirs):
        return Finding(Decision.WRONG, "the brackets or the shape differ")
    if {mine.joint, theirs.joint} == {"or", ","} and _is_words(mine.items + theirs.items):
        return Finding(Decision.WRONG, "one says “or”, the other doesn't")
    named = [_by_name(side, rules) for side in (mine, theirs)]
    # A set holds a thing once, and so do values with names; in tuples and bare lists, twice is twice.
    if kinds == {"{}"} or all(named):
        mine, theirs = _once_each(mine, same), _once_each(theirs, same)
    mine, theirs, ordered = _in_place(mine, theirs, named, bool(kinds - {"", "{}"}))
    if len(mine.items) != len(theirs.items):
        return Finding(Decision.WRONG, "one lists more than the other")
    return _in_order(mine, theirs, same) if ordered else _in_any_order(mine, theirs, same, most)


def _brackets_fit(one: Group, other: Group) -> bool:
    """The same brackets, or none on one side; a tuple may be a row or a column of a matrix."""
    kinds = {one.brackets, other.brackets}
    if kinds == {"matrix"} or kinds == {"determinant"}:
        return one.columns == other.columns
    if "matrix" in kinds:
        matrix = one if one.brackets == "matrix" else other
        return bool(kinds & {"()", "[]"}) and matrix.columns in (1, len(matrix.items))
    return len(kinds) == 1 or ("" in kinds and not kinds & {"[)", "(]", "determinant"})


def _flat(group: Group) -> Group:
    r"""With `\pm` in a bare list or a set written out."""
    if group.brackets not in ("", "{}") or not any("\\pm" in item for item in group.items):
        return group
    items: list[str] = []
    for item in group.items:
        inner = read(item)
        items += inner.items if isinstance(inner, Group) and not inner.brackets else [item]
    return group._replace(items=tuple(items))


def _is_words(items: tuple[str, ...]) -> bool:
    return any(item.isalpha() or isinstance(read(item), Words) for item in items)


def _by_name(group: Group, rules: Rules) -> dict[str, str]:
    """What each name of a bare list stands for, where every item has a name of its own."""
    readings = [read(item, rules.asked) for item in group.items]
    named = {one.name: one.text for one in readings if isinstance(one, Named)}
    return named if len(named) == len(readings) and group.brackets in ("", "{}", "()") else {}


def _in_place(
    one: Group, other: Group, named: list[dict[str, str]], ordered: bool
) -> tuple[Group, Group, bool]:
    """Named items against a tuple: in the order of their names."""
    sides = [side for side, names in zip((one, other), named, strict=True) if not names]
    if (
        len(sides) != 1
        or len(one.items) == 1
        or any(isinstance(read(item), Named) for item in sides[0].items)
    ):
        return one, other, ordered and not all(named)
    by_name = [
        side._replace(items=tuple(text for _, text in sorted(names.items()))) if names else side
        for side, names in zip((one, other), named, strict=True)
    ]
    return by_name[0], by_name[1], True


def _once_each(group: Group, same: Same) -> Group:
    if len(group.items) > MOST_UNORDERED:
        return group._replace(items=tuple(dict.fromkeys(group.items)))
    kept: list[str] = []
    for item in group.items:
        if not any(same(item, other).decision == Decision.RIGHT for other in kept):
            kept.append(item)
    return group._replace(items=tuple(kept))


def _in_order(one: Group, other: Group, same: Same) -> Finding:
    found = [same(left, right) for left, right in zip(one.items, other.items, strict=True)]
    for decision in (Decision.WRONG, Decision.UNJUDGED):
        if first := next((one for one in found if one.decision == decision), None):
            return Finding(decision, f"in one place {first.why}" if decision == Decision.WRONG else first.why)
    return Finding(Decision.RIGHT, "the same in every place")


def _in_any_order(one: Group, other: Group, same: Same, most: int) -> Finding:
    if len(one.items) > most:
        return _in_one_order(one, other)
    left, unsure = list(one.items), False
    for item in other.items:
        decided = [(mine, same(mine, item).decision) for mine in left]
        match = next((mine for mine, decision in decided if decision == Decision.RIGHT), None)
        unsure |= match is None and any(decision == Decision.UNJUDGED for _, decision in decided)
        if match is None and not unsure:
            return Finding(Decision.WRONG, "they list different things")
        if match is not None:
            left.remove(match)
    return unread("an item can't be read") if unsure else Finding(Decision.RIGHT, "both list the same")


def _in_one_order(one: Group, other: Group) -> Finding:
    """Many items, sorted: by value where they are rational, else by their form, which proves no difference."""
    if sorted(map(_key, one.items)) == sorted(map(_key, other.items)):
        return Finding(Decision.RIGHT, "both list the same")
    plain = all(_is_rational(item) for item in one.items + other.items)
    return (
        Finding(Decision.WRONG, "they list different things")
        if plain
        else unread("too many items to compare each with each")
    )


def _is_rational(item: str) -> bool:
    amount = read_amount(item)
    return amount is not None and amount.value is not None


def _key(item: str) -> str:
    amount = read_amount(item)
    value = amount.value if amount else None
    return f"{value}" if isinstance(value, Fraction) and amount and not amount.unit else form(item)
