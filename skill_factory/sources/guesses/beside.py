"""What stands beside questions and responses, told by shape: labels, reflections, gold answers, thinking, prompts and tools."""

import re
from collections.abc import Mapping
from typing import Any

from skill_factory.recipe.words import known_words
from skill_factory.sources.chats.tools import tools_of
from skill_factory.sources.guesses.free import TALKS, TEXTS, differs_within, repeats, still_free
from skill_factory.sources.guesses.references import is_a_place, is_offered, is_stated
from skill_factory.sources.names import ends_as, place_of
from skill_factory.sources.profiles import Profile, flat

_VERDICT = re.compile(
    r"</?verdict>|\b(?:verdict|conclusion|judge?ment|assessment|urteil|verdikt|conclusión|veredicto|veredito|verdetto|вердикт|вывод)\b|判断|判定|结论|結論|判決|判决|판정|결론|الحكم",
    re.IGNORECASE,
)


_OF_A_RUN = re.compile(
    r"truncat|cut_?off|time_?out|timed_?out|crash|exception|refus|flagged|unsafe|safe|harm|toxic|format|stop|finish|complete|cached|stream",
    re.IGNORECASE,
)
"""Names of what happened to a response; with a gold answer, grading says more of whether it is right."""


def judges(profile: Profile) -> bool:
    """Whether most texts of a column give a verdict."""
    texts = profile.texts
    return 2 * sum(bool(_VERDICT.search(text)) for text in texts) > len(texts)


def label(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """Two values that differ within a question, or a list as long as the responses; only where one column alone fits."""
    question, response = found.get(str(told.get("question", ""))), found.get(str(told.get("response", "")))
    if question is None or response is None:
        return ""
    fitting = []
    for one in still_free(told, found, ("flag", "flags", "text", "texts", "number", "numbers")):
        values = [value for present in one.present for value in flat(present)]
        # Two words for right and wrong, and perhaps two for what is unclear or missing.
        if not 2 <= len({str(value) for value in values}) <= 4 or known_words(values) is None:
            continue
        if is_offered(one.path, found) or ("answer" in told and _OF_A_RUN.search(one.path)):
            continue
        if goes_along(one, response) and (differs_within(one, question) or not repeats(question)):
            fitting.append(one.path)
    if not fitting:
        fitting = _scores(told, found, question, response)
    return fitting[0] if len(fitting) == 1 else ""


def _scores(
    told: Mapping[str, Any], found: Mapping[str, Profile], question: Profile, response: Profile
) -> list[str]:
    """Numbers that differ within a question and whose name ends as a label's: `total_reward`, `answer_correctness`."""
    return [
        one.path
        for one in still_free(told, found, ("flag", "flags", "number", "numbers"))
        if re.search(r"[_.](?:correctness|accuracy|reward|score)s?$", one.path)
        and not re.search("format|instruct|prompt|question|query|input", one.path)
        and goes_along(one, response)
        and (differs_within(one, question) or not repeats(question))
        and one.different > 1
    ]


def goes_along(one: Profile, other: Profile) -> bool:
    """Whether each row has as many of one as of the other."""
    sizes = [
        (_size(a, one), _size(b, other))
        for a, b in zip(one.values, other.values, strict=True)
        if a is not None and b is not None
    ]
    return bool(sizes) and all(a == b for a, b in sizes)


def _size(value: Any, profile: Profile) -> int:
    """How many texts a value stands for; a conversation is one."""
    return len(value) if isinstance(value, list) and profile.kind != "messages" else 1


def reflections(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """Texts that give a verdict."""
    fitting = [one for one in still_free(told, found, TEXTS) if judges(one) and one.length >= 10]
    return fitting[0].path if len(fitting) == 1 else ""


def verdict_column(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """A column of words that judge, one for each reflection, where the reflections themselves don't say."""
    reflections = found.get(str(told.get("reflections", "")))
    if reflections is None or "correct" not in told or judges(reflections):
        return ""
    fitting = [
        (place, one.path)
        for one in still_free(told, found, ("flag", "flags", "text", "texts"))
        if (place := place_of("verdicts", one.path)) is not None
        and known_words(value for present in one.present for value in flat(present)) is not None
        and goes_along(one, reflections)
    ]
    return min(fitting)[1] if fitting else ""


def gold(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """A short text, the same for all rows of a question, with which many responses end."""
    question, response = found.get(str(told.get("question", ""))), found.get(str(told.get("response", "")))
    if question is None or response is None:
        return ""
    for one in still_free(told, found, ("text", "number")):
        if one.length > 60 or differs_within(one, question) or is_a_place(one.path):
            continue
        if is_stated(one, told, found):
            return one.path
    return ""


def system_beside_talks(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """The system prompt of a conversation, in a column of its name beside it."""
    question = found.get(str(told.get("question", "")))
    if question is None or question.kind not in TALKS:
        return ""
    free = still_free(told, found, ("text",))
    return next((one.path for one in free if place_of("system", one.path) is not None), "")


def tools_beside_talks(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """The tools that a conversation may call, in a column of their name beside it."""
    question = found.get(str(told.get("question", "")))
    if question is None or question.kind not in TALKS:
        return ""
    for one in found.values():
        if place_of("tools", one.path) is not None and any(tools_of(value) for value in one.present):
            return one.path
    return ""


def thinking(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """The thinking of the responses, in a column of its name beside them."""
    response = found.get(str(told.get("response", "")))
    if response is None or response.kind not in ("text", "texts"):
        return ""
    for one in still_free(told, found, ("text", "texts")):
        if (
            (place_of("thinking", one.path) is not None or ends_as("thinking", one.path))
            and one.kind == response.kind
            and one.path.rpartition(".")[0] in ("", response.path.rpartition(".")[0])
            and goes_along(one, response)
        ):
            return one.path
    return ""
