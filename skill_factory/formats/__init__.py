"""The trace formats: which attempts a trace shows, in which order, with which closing (arXiv 2512.04072, section 3).

A format is one record (`record.py`): a function from a question to plans, and what people and forecasts need to know
about it. Ours are in `FORMATS`, in the order in which they are offered. To add one, write a file like `confirm.py` and
add its record there: gate, forecast, page, command, docs and tests take everything from the record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from skill_factory.errors import RecipeError
from skill_factory.formats.algorithm_1 import ALGORITHM_1
from skill_factory.formats.any_order import RANDOM
from skill_factory.formats.backtrack import BACKTRACK
from skill_factory.formats.confirm import CONFIRM
from skill_factory.formats.record import Format, FormatFunction, Plans
from skill_factory.formats.right_last import CORRECT_LAST, CORRECT_LAST_FULL, NO_REFLECTION, ONE_CORRECT
from skill_factory.model import Question
from skill_factory.recipe.model import Traces

FORMATS: dict[str, Format] = {
    record.code: record
    for record in (
        CORRECT_LAST_FULL,
        CORRECT_LAST,
        ONE_CORRECT,
        BACKTRACK,
        CONFIRM,
        NO_REFLECTION,
        RANDOM,
        ALGORITHM_1,
    )
}
"""Every format of the package, by code."""

OwnFormats = Mapping[str, FormatFunction | Format]
"""Formats of a caller's own, by code: a record, or its function alone."""


def chosen_formats(codes: Sequence[str], own: OwnFormats | None = None) -> dict[str, Format]:
    """The records of some codes. Errors: RecipeError that names the known codes."""
    known = {*FORMATS, *(own or {})}
    # Checked before a build begins: half a dataset is found out about too late.
    if unknown := [code for code in codes if code not in known]:
        raise RecipeError(
            f"There is no format {unknown[0]!r}. Choose from: {', '.join([*FORMATS, *(own or {})])}."
        )
    return {code: format_of(code, own) for code in codes}


def format_of(code: str, own: OwnFormats | None = None) -> Format:
    """The record of a code; for an unknown code, a record that says only what holds for every format."""
    # A caller's own format wins over ours of the same code, as its recipe means it.
    given = (own or {}).get(code) or FORMATS.get(code) or _not_here
    return replace(given, code=code) if isinstance(given, Format) else Format(code, given)


def overlapping(codes: Sequence[str], own: OwnFormats | None = None) -> list[list[str]]:
    """Groups of chosen formats whose traces may show the same attempts and reflections, and differ only in phrases."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for kind in (format_of(code, own) for code in codes):
        # An empty rule is one of the format's own, which nothing else shares.
        if kind.rule:
            groups.setdefault((kind.rule, kind.reflects), []).append(kind.code)
    return [group for group in groups.values() if len(group) > 1]


def overlap_sentence(codes: Sequence[str], own: OwnFormats | None = None) -> str:
    """What to know about such groups before building; empty if there are none."""
    groups = [
        " and ".join([", ".join(f"`{code}`" for code in group[:-1]), f"`{group[-1]}`"])
        for group in overlapping(codes, own)
    ]
    if not groups:
        return ""
    return (
        f"{'; '.join(groups)} draw the same attempts: where a question gives two traces of the same length, the two "
        "differ only in their phrases. Leave one of the formats out, or keep both if that is what you want."
    )


def _not_here(question: Question, ask: Traces) -> Plans:
    raise RecipeError("This recipe uses a format that only the program that built it knows.")
