"""Columns that hold a reference, a choice that is offered or a place, and so no response of a model."""

import re
from collections.abc import Mapping
from typing import Any

from skill_factory.sources.guesses.free import differs_within, repeats, still_free
from skill_factory.sources.names import bare
from skill_factory.sources.profiles import Profile, flat

_REFERENCES = ("solution", "solutions", "lösung", "reference", "gold", "rationale", "explanation")
"""Names of the reference solution, where another text can be the model's."""


_CALLED_REFERENCE = re.compile(
    r"(?:groundtruth|reference|gold|golden|gt|canonical|official|expert|expected|target)"
    r"(?:solution|answer|response|output|completion|cot|rationale|explanation|text)s?|(?:right|true|best)answers?"
)
"""Names that say of a solution or answer that it is the reference, as `bare` writes them."""


_OFFERED = (
    "choices",
    "options",
    "candidateanswers",
    "distractors",
    "incorrectanswers",
    "wronganswers",
    "mc1targets",
    "mc2targets",
)
"""Names of what a question offers to choose from."""


def is_named_reference(path: str) -> bool:
    """Whether a column has the name of a reference solution."""
    name = bare(path.rpartition(".")[2])
    return name in _REFERENCES or _CALLED_REFERENCE.fullmatch(name) is not None


def is_offered(path: str, found: Mapping[str, Profile]) -> bool:
    """Whether a column is, or lies within, what a question offers; `choices` of records are the answers to a request."""
    parts = path.split(".")
    tops = (".".join(parts[: k + 1]) for k, part in enumerate(parts) if bare(part) in _OFFERED)
    return any(top not in found or found[top].kind != "structs" for top in tops)


_STATES = re.compile(r"\\boxed|####|answer(?: is)?:? ", re.IGNORECASE)


def worked_reference(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """A column that is called the reference and whose worked solutions state their answers."""
    question = found.get(str(told.get("question", "")))
    for one in still_free(told, found, ("text",)) if question is not None and "response" in told else ():
        states = sum(bool(_STATES.search(text)) for text in one.texts)
        if is_named_reference(one.path) and 2 * states > len(one.texts) and "." not in one.path:
            return one.path
    return ""


def is_reference(told: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether what is taken for the response has the name of a reference solution."""
    one = found.get(told["response"]) if isinstance(told.get("response"), str) else None
    question = found.get(str(told.get("question", "")))
    if one is None or not is_named_reference(one.path):
        return False
    if "answer" in told:
        return True
    return question is not None and repeats(question) and not differs_within(one, question)


def is_stated(one: Profile, told: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether many responses end with what stands in a column: so they do with gold answers."""
    response = found.get(str(told.get("response", "")))
    if response is None or one.kind not in ("text", "number", "flag"):
        return False
    pairs = [
        (str(gold), text)
        for gold, value in zip(one.values, response.values, strict=True)
        if gold is not None
        for text in flat(value)
        if isinstance(text, str)
    ]
    ends = sum(_ends_with(text, gold.strip()) for gold, text in pairs)
    return one.different > 1 and 5 * ends >= 2 * len(pairs) > 0


def _ends_with(text: str, gold: str) -> bool:
    """Whether the end of a text states an answer; a digit within a longer number doesn't."""
    # Only the end: somewhere in a long text a short gold answer stands by chance.
    return bool(gold) and re.search(rf"(?<![\w.]){re.escape(gold)}(?!\w|\.\d)", text[-80:]) is not None


def is_a_place(path: str) -> bool:
    """Whether a column only counts or names rows."""
    name = re.sub(r"(?<=[a-z\d])(?=[A-Z])", "_", path.rpartition(".")[2]).lower()
    return name in ("id", "idx", "index", "uuid", "key", "row", "number") or name.endswith(
        ("_id", "_idx", "_index", "_uuid")
    )
