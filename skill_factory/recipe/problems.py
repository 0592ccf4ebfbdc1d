"""What is wrong with a recipe, in a sentence that a person can act on."""

from typing import Any

from pydantic import BaseModel

from skill_factory.recipe.part import nearest


def explained(problem: Any, whole: type[BaseModel]) -> str:
    """A problem that pydantic reports of a `whole` recipe, as a sentence with the field, what was found and what is known."""
    place = ".".join(str(step) for step in problem["loc"])
    if problem["type"] == "extra_forbidden":
        # The part is looked up, so that the advice names fields of that part and not of the whole recipe.
        *outer, last = (str(step) for step in problem["loc"])
        part = whole.model_fields[outer[0]].annotation if outer else whole
        known = [*getattr(part, "model_fields", {})]
        return f"A recipe has no field {place!r}.{nearest(last, known)} Known here: {', '.join(known)}."
    shown = (
        ""
        # A whole table as "what was found" would fill the screen.
        if isinstance(problem.get("input"), dict | BaseModel)
        else f" (found {_shown(problem.get('input'))})"
    )
    # pydantic's own words before a sentence of ours.
    reason = problem["msg"].removeprefix("Value error, ")
    return f"Recipe field {place!r}: {reason}{shown}." if place else f"Recipe: {reason}{shown}."


def _shown(value: Any) -> str:
    """A value as an error shows it; Python refuses to write a number of thousands of digits."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "a number that is too long"
    return text if len(text) <= 200 else f"{text[:200]}…"
