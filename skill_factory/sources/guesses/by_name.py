"""Which column is which by its name, where what it holds could be that."""

from collections.abc import Iterator, Mapping
from typing import Any

from skill_factory.recipe.words import known_words
from skill_factory.sources.guesses.free import differs_within, repeats
from skill_factory.sources.guesses.references import is_offered, is_stated
from skill_factory.sources.names import bare, place_of
from skill_factory.sources.profiles import Profile, flat

ALLOWED = {
    "question": ("text", "messages"),
    "answer": ("text", "number", "flag", "texts", "numbers", "flags"),
    "response": ("text", "texts", "nested", "messages", "dialogues", "flag"),
    "correct": ("flag", "flags", "number", "numbers", "text", "texts"),
    "extracted_answer": ("text", "texts", "number", "numbers", "flag", "flags", "missing", "nothing"),
    "reflections": ("text", "texts", "nested", "nothing"),
    "prompt_variant": ("text", "number", "flag"),
    "thinking": ("text", "texts"),
}


_OF_A_CALL = ("success", "issuccess", "status", "result", "results", "isvalid")
"""Names that may speak of the request: where every row says the same, they do."""


LONGEST_LABEL = 24
"""Characters; a column of longer texts names no right and wrong."""
_FEW_WORDS = 3
_OWN_NAMES = ("reflection", "reflections", "critique", "critiques")
"""Names that mean reflections and nothing else: where these say little, that is told, and they aren't left out."""


def fields_by_name(found: Mapping[str, Profile]) -> dict[str, Any]:
    """The best name for each field; a column is taken once, by the field that has the first claim."""
    fields: dict[str, Any] = {}
    for field, kinds in ALLOWED.items():
        if field == "thinking":
            continue  # meaningful only beside a response: `by_shape` looks
        claims = []
        for path, named, place in _named(field, found):
            profile = found[path]
            if profile.kind not in kinds or path in fields.values() or not could_be(field, profile, found):
                continue
            # What a model put out may be called an answer there; the gold answer stands elsewhere.
            within = field == "answer" and any(_is_response(part) for part in named.split(".")[:-1])
            if field == "correct":
                # Behind all others, not out: where nothing else can be the label it is taken, and doubted.
                within = _is_gold(profile, fields, found)
                if not _is_known(profile) and is_stated(profile, fields, found):
                    continue
            elif field == "answer":
                within = within or differs(profile, fields, found)
                if _decides(profile, fields, found):
                    continue
            # The smallest wins: what stands in a response's record last, then by depth, then the most telling name.
            claims.append((within, named.count("."), place, path))
        if claims:
            fields[field] = min(claims)[3]
    return fields


_WITHIN = (
    "text",
    "value",
    "content",
    "answer",
    "solution",
    "response",
    "output",
    "critique",
    "feedback",
    "comment",
    "question",
    "prompt",
    "full_text",
)
_WITHIN_REFLECTIONS = (*_WITHIN, "analysis", "explanation", "rationale", "reasoning")
"""What the one text of a record is called, where the record has the name of a field."""


def _named(field: str, found: Mapping[str, Profile]) -> Iterator[tuple[str, str, int]]:
    """(path, the path that has the name, its place): columns named as a field, and what records of that name hold."""
    for path, profile in found.items():
        place = place_of(field, path)
        if place is None:
            continue
        yield path, path, place
        if field in ("question", "answer", "response", "reflections") and profile.kind in (
            "struct",
            "structs",
        ):
            keys = {"answer": ("aliases", *_WITHIN), "reflections": _WITHIN_REFLECTIONS}.get(field, _WITHIN)
            inner = next((f"{path}.{key}" for key in keys if f"{path}.{key}" in found), "")
            if inner:
                yield inner, path, place


def differs(profile: Profile, fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether rows of one question hold different texts: so do responses, and no gold answers."""
    question = found.get(str(fields.get("question", "")))
    alone = question is not None and profile.kind == "text" and repeats(question)
    return alone and question is not None and differs_within(profile, question)


def _decides(profile: Profile, fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether what is called an answer says right of one row and wrong of another of the same question: it judges them."""
    question = found.get(str(fields.get("question", "")))
    words = known_words(value for present in profile.present for value in flat(present))
    both = words is not None and all(words)
    return both and question is not None and repeats(question) and differs_within(profile, question)


def _is_gold(profile: Profile, fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether what is called a label is the same for all responses to a question: so is a gold answer."""
    question = found.get(str(fields.get("question", "")))
    return question is not None and repeats(question) and not differs_within(profile, question)


def _is_response(name: str) -> bool:
    return place_of("response", name) is not None


def could_be(field: str, profile: Profile, found: Mapping[str, Profile]) -> bool:
    """Whether what a column holds allows what its name says."""
    if field == "question" and profile.kind == "text" and profile.length < 1:
        return False
    if field == "question" and profile.kind == "text" and known_words(profile.texts) is not None:
        return False  # words of right and wrong ask nothing, whatever the column is called
    if field == "question":
        return not is_one_value(profile) or not any(
            place_of(field, path) is not None and one.kind in ALLOWED[field] and not is_one_value(one)
            for path, one in found.items()
        )
    if field == "correct":
        if profile.kind in ("number", "numbers"):
            return profile.different > 1 and not _is_index(profile)
        if is_offered(profile.path, found):
            return False
        if is_one_value(profile) and (
            not _is_known(profile) or bare(profile.path.rpartition(".")[2]) in _OF_A_CALL
        ):
            return False
        return profile.length <= LONGEST_LABEL
    if field == "reflections" and bare(profile.path) not in _OWN_NAMES and _are_few_words(profile):
        return False  # they judge, and say nothing of why
    if field == "reflections" and profile.kind == "nothing":
        return "." not in profile.path  # a note that nobody wrote, in a record of something else
    if field == "prompt_variant":
        return profile.kind == "text" or profile.different > 1
    return True


def _are_few_words(profile: Profile) -> bool:
    short = profile.kind in ("text", "texts") and profile.length <= LONGEST_LABEL
    return short and profile.different <= _FEW_WORDS < len(profile.present)


def _is_known(profile: Profile) -> bool:
    return known_words(value for present in profile.present for value in flat(present)) is not None


def is_one_value(profile: Profile) -> bool:
    return len(profile.present) > 3 and profile.different <= 1


def _is_index(profile: Profile) -> bool:
    """Whether numbers are counted through, or are places: whole, many, and none below zero."""
    values = [one for one in profile.present if isinstance(one, int)]
    return len(values) == len(profile.present) and len(set(values)) > 5
