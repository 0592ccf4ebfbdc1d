"""What no name tells is told by shape: which text differs within a question, which values are two, which lists go along."""

from collections.abc import Mapping, Sequence
from typing import Any

from skill_factory.sources.columns import Row
from skill_factory.sources.guesses import beside
from skill_factory.sources.guesses.free import TALKS, TEXTS, differs_within, put, repeats, still_free
from skill_factory.sources.guesses.references import (
    is_a_place,
    is_named_reference,
    is_offered,
    is_reference,
    worked_reference,
)
from skill_factory.sources.names import bare, ends_as, place_of
from skill_factory.sources.profiles import Profile, flat
from skill_factory.sources.turns import WHOLE_TALKS, turns_of


def by_shape(fields: Mapping[str, Any], found: Mapping[str, Profile], rows: Sequence[Row]) -> dict[str, Any]:
    """The fields with what shape can add; a reference solution gives its place up to a text that can be the model's."""
    told = dict(fields)
    _dialogues(told, found)
    # The question first: which text is a response shows in that it differs within a question.
    if "question" not in told:
        put(told, "question", _question(told, found))
    if "response" not in told or is_reference(told, found):
        other = _by_ending(told, found) or _response(told, found)
        if other and "response" in told:
            _give_back(told, other)
        put(told, "response", other)
    if whole := _whole_text(told, found):
        told.setdefault("extracted_answer", told["response"])
        told["response"] = whole
    if "correct" not in told:
        put(told, "correct", beside.label(told, found))
    if "reflections" not in told:
        put(told, "reflections", beside.reflections(told, found))
    if "answer" not in told:
        put(told, "answer", beside.gold(told, found) or worked_reference(told, found))
    put(told, "thinking", beside.thinking(told, found))
    put(told, "system", beside.system_beside_talks(told, found))
    put(told, "tools", beside.tools_beside_talks(told, found))
    return {field: path for field, path in told.items() if path}


def of_one_text(found: Mapping[str, Profile]) -> dict[str, Any]:
    """Question and response from a text that holds both between the marks of a chat template; {} where none does."""
    for one in found.values():
        for asked, end, said, stop in WHOLE_TALKS if one.kind == "text" else ():
            whole = [text for text in one.texts if asked in text and said in text.partition(asked)[2]]
            closed = [text for text in whole if stop and stop in text.partition(said)[2]]
            answered = [text for text in whole if text.rpartition(said)[2].strip()]
            if 2 * len(answered) > len(one.texts):
                ends = stop if 2 * len(closed) > len(whole) else ""
                return {
                    "question": one.path,
                    "question_rule": "between",
                    "question_marks": [asked, end],
                    "response": one.path,
                    "response_rule": "between",
                    "response_marks": [said, ends],
                }
    return {}


def _dialogues(told: dict[str, Any], found: Mapping[str, Profile]) -> None:
    """A column of messages that holds both turns is question and response alike."""
    talks = [one for one in found.values() if one.kind in TALKS and _has_answer(one)]
    if not talks:
        return
    if isinstance(told.get("response"), list) and talks[0].path in told["response"]:
        told.setdefault("question", talks[0].path)
    if told.get("response") in (None, talks[0].path):
        told["response"] = talks[0].path
        if "question" not in told:
            told["question"] = talks[0].path


def _has_answer(profile: Profile) -> bool:
    return {"assistant", "user"} <= _roles(profile)


def _roles(profile: Profile) -> set[str]:
    """Who speaks in a column of messages, or of lists of them."""
    talks = (
        talk
        for value in profile.present[:20]
        for talk in (value if profile.kind == "dialogues" and isinstance(value, list) else [value])
    )
    return {turn.role for talk in talks for turn in turns_of(talk) or ()}


# -- within a question ---------------------------------------------------------------------------------------------


def _question(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """A text that repeats while others differ; else the first text that is a sentence."""
    free = [
        one
        for one in still_free(told, found, ("text",))
        if one.different > 1 and one.length >= 8 and not is_a_place(one.path) and _says_words(one)
    ]
    again = [one for one in free if repeats(one)]
    asks = [one for one in free if 2 * sum(_asks(text) for text in one.texts) > len(one.texts)]
    talks = [one for one in still_free(told, found, TALKS) if "user" in _roles(one)]
    prompts = [one for one in talks if "assistant" not in _roles(one)]
    best = next(iter(prompts), None) or max(again, key=lambda one: one.length, default=None)
    best = best or next(iter([*talks, *asks]), None)
    return best.path if best else ""


def _says_words(profile: Profile) -> bool:
    """Whether most texts have several words, or a script without spaces: an id, a path or a label asks nothing."""
    texts = [text.strip() for text in profile.texts]
    return 2 * sum(" " in text or not text.isascii() for text in texts) > len(texts)


def _asks(text: str) -> bool:
    return text.rstrip().endswith(("?", "？", "؟", "."))


def _response(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """The longest text that differs within a question, or lists of several; where questions stand once, the longest."""
    question = found.get(str(told.get("question", "")))
    kept = {f: p for f, p in told.items() if f != "response"}
    free = [
        one
        for one in still_free(kept, found, TEXTS)
        if one.different > 1
        and not (is_named_reference(one.path) or is_a_place(one.path) or is_offered(one.path, found))
    ]
    free = [one for one in free if place_of("extracted_answer", one.path) is None and not beside.judges(one)]
    free = [one for one in free if one.kind != "text" or _says_words(one)]
    if question is not None:
        differing = [one for one in free if differs_within(one, question)]
        if not differing and not repeats(question):
            differing = [one for one in free if one.length >= 20 or one.kind != "text"]
        free = differing
    if not free:
        free = [one for one in still_free(kept, found, TALKS) if _roles(one) == {"assistant"}]
    return max(free, key=lambda one: one.length, default=Profile("", "", [])).path


def _by_ending(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """The one column that a model's name and a response's make up: `deepseek_solution`, `gpt4_response`."""
    kept = {f: p for f, p in told.items() if f != "response"}
    fitting = [
        one.path
        for one in still_free(kept, found, ("text", "texts"))
        if ends_as("response", one.path)
        and one.length >= _LONG
        and not is_named_reference(one.path)
        and not is_offered(one.path, found)
    ]
    return fitting[0] if len(fitting) == 1 else ""


_LONG = 20
"""Characters of a text that can be a response where its name says it half."""


_BARE = 40
"""Characters of a text that may be a bare answer which another column has with its working."""


def _whole_text(told: Mapping[str, Any], found: Mapping[str, Profile]) -> str:
    """The column of whole responses, where what is called a response is the bare answer that most of them contain."""
    bare_one = found.get(told["response"]) if isinstance(told.get("response"), str) else None
    question = found.get(str(told.get("question", "")))
    if bare_one is None or question is None or bare_one.kind not in ("text", "texts", "flag", "number"):
        return ""
    for one in still_free(told, found, ("text", "texts")):
        if one.length < 3 * bare_one.length or bare_one.length > _BARE or is_named_reference(one.path):
            continue
        if place_of("response", one.path) is None and "response" not in bare(one.path):
            continue
        pairs = [
            (str(short), text, str(asked))
            for shorts, texts, asked in zip(bare_one.values, one.values, question.values, strict=True)
            for short, text in zip(flat(shorts), flat(texts), strict=False)
            if short is not None and isinstance(text, str)
        ]
        inside = sum(short in text and asked not in text for short, text, asked in pairs)
        if pairs and 5 * inside >= 4 * len(pairs) and beside.goes_along(one, bare_one):
            return one.path
    return ""


def _give_back(told: dict[str, Any], response: str) -> None:
    told["response"] = response
    # What stood as the model's text is the reference; its own fields are not known by it any more.
