"""Which column holds what: a known format, else a proposal from names, and from the shape of what the names leave open."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import Row, mapped
from skill_factory.sources.guesses.beside import system_beside_talks, tools_beside_talks, verdict_column
from skill_factory.sources.guesses.by_name import (
    ALLOWED,
    LONGEST_LABEL,
    could_be,
    differs,
    fields_by_name,
    is_one_value,
)
from skill_factory.sources.guesses.references import is_a_place, is_named_reference, is_offered
from skill_factory.sources.guesses.several import guess_keyed, guess_numbered, guess_stage, guess_wide
from skill_factory.sources.guesses.shapes import by_shape, of_one_text
from skill_factory.sources.names import bare, place_of
from skill_factory.sources.presets import Preset, columns_of, recognised
from skill_factory.sources.profiles import Profile, profiles
from skill_factory.sources.trying import with_conversation, with_proposals


@dataclass(frozen=True)
class Guess:
    """A proposed reading of a source."""

    columns: Columns
    preset: Preset | None = None
    by_shape: tuple[str, ...] = ()
    """Fields that no name told, only what the columns hold."""
    added: tuple[str, ...] = ()
    """Fields that the known format leaves open and a column's name tells."""

    @property
    def labels(self) -> str:
        """Where right and wrong come from in a known format, in words."""
        if "correct" in self.added:
            return f"the column `{self.columns.correct[0]}`"
        return self.preset.labels if self.preset else ""


def guess(names: Sequence[str], rows: Sequence[Row]) -> Columns:
    """A mapping with its rules of reading; fields that nothing fits stay empty."""
    return recognise(names, rows).columns


def recognise(names: Sequence[str], rows: Sequence[Row], presets: bool = True) -> Guess:
    """What some rows look like: a known format where one fits, else by names, else by shape."""
    found = profiles(names, rows)
    preset = recognised(found) if presets else None
    if preset is not None and not preset.aside:
        own = columns_of(preset, found)
        known = _with_reward(_completed(own, preset, found), preset, found)
        added = tuple(field for field in ("correct", *_ADDED) if getattr(known, field) != getattr(own, field))
        # A format's own rules are known; to try others on a few rows could only make them worse.
        fixed = {name for name in preset.columns if name.endswith("_rule")}
        told = with_conversation(with_proposals(known, rows, fixed), rows)
        if told.question_rule == "conversation" and not told.tools:
            asks = {"question": told.question}
            beside = {"system": system_beside_talks(asks, found), "tools": tools_beside_talks(asks, found)}
            told = told.model_copy(update=beside)
        return Guess(told, preset, added=added)
    data = {path: one for path, one in found.items() if preset is None or path not in preset.aside}
    columns, told_by_shape = _by_name_and_shape(names, rows, data)
    fixed = {name for name in ("question_rule", "response_rule") if getattr(columns, name)}
    return Guess(with_proposals(columns, rows, fixed), preset, told_by_shape)


def _completed(columns: Columns, preset: Preset, found: Mapping[str, Profile]) -> Columns:
    """The mapping with what a person added to a known format, as far as a name tells it and no column is taken twice."""
    fields = {field: value for field, value in columns.model_dump().items() if value}
    open_ones = {"correct", *_ADDED} - fields.keys()
    if preset.has_no_label or columns.label_rule or len(columns.response) > 1:
        open_ones -= {"correct"}
    if not open_ones or not columns.response:
        return columns
    taken = {path for _, path in mapped(columns)}
    # A record whose inside is read is taken as a whole: a judge's note within it is part of the format.
    tops = {path.partition(".")[0] for path in taken}
    own = {path: one for path, one in found.items() if path.partition(".")[0] not in tops}
    added = {field: path for field, path in fields_by_name(own).items() if field in open_ones}
    return Columns(**(fields | added))


_ADDED = ("answer", "reflections", "extracted_answer")
"""Fields beside the label that people add to a log when they grade or criticise it."""


_REWARD = re.compile(r"acc|correct|answer|reward|score|verif|right", re.IGNORECASE)


def _with_reward(columns: Columns, preset: Preset, found: Mapping[str, Profile]) -> Columns:
    """The mapping with the one column that can be the label, where a log names its reward in a way of its own."""
    if columns.correct or "correct" not in preset.columns or columns.label_rule:
        return columns
    taken = {path for _, path in mapped(columns)}
    fitting = [
        path
        for path, one in found.items()
        if "." not in path
        and path not in taken
        and one.kind in ("flag", "flags", "number", "numbers")
        and _REWARD.search(path)
        and "format" not in path.lower()
        and 1 < one.different <= 5
    ]
    # A log may have several rewards; the one that names the answer is the label, format rewards aren't.
    told = [path for path in fitting if re.search("acc|correct|answer", path, re.IGNORECASE)] or fitting
    return columns.model_copy(update={"correct": (told[0],)}) if len(told) == 1 else columns


def _guess_rest(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> dict[str, Any]:
    """What belongs behind the question: the input of an instruction, and the choices of a question."""
    question = found.get(str(fields.get("question", "")))
    if question is None or question.kind != "text" or fields.get("question") == fields.get("response"):
        return {}
    taken = {p for value in fields.values() for p in (value if isinstance(value, list | tuple) else [value])}
    rest = []
    if bare(question.path) in ("instruction", "prompt", "task"):
        rest += [p for p in ("input", "context") if p in found and p not in taken and found[p].kind == "text"]
    for path, one in found.items():
        listed = one.kind == "texts" and all(2 <= len(v) <= 26 for v in one.present if isinstance(v, list))
        if (
            place_of("question_rest", path) is not None
            and path not in taken
            and (listed or one.kind == "struct")
        ):
            rest.append(path)
            break
    if not rest:
        return {}
    answer = str(fields.get("answer", ""))
    return {"question_rest": rest} | (
        {"answer": f"{rest[-1]}@{answer}"} if _is_a_choice(answer, rest[-1], found) else {}
    )


def _is_a_choice(answer: str, choices: str, found: Mapping[str, Profile]) -> bool:
    """Whether whole numbers are the places of the right choices, and not what these say."""
    golds, lists = found.get(answer), found.get(choices)
    if golds is None or lists is None:
        return False
    pairs = [
        (gold, listed) for gold, listed in zip(golds.values, lists.values, strict=True) if gold is not None
    ]
    placed = all(
        isinstance(gold, int)
        and not isinstance(gold, bool)
        and isinstance(listed, list)
        and 0 <= gold < len(listed)
        for gold, listed in pairs
    )
    return bool(pairs) and placed and not all(str(gold) in map(str, listed) for gold, listed in pairs)


def candidates(field: str, columns: Columns, names: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Paths that could be a field by what they hold, the likeliest first; none that is mapped already."""
    found = profiles(names, rows)
    taken = {path for _, path in mapped(columns)}
    fitting = [
        one
        for path, one in found.items()
        if one.kind in ALLOWED[field]
        and path not in taken
        and not is_a_place(path)
        and could_be(field, one, found)
        and not (field == "response" and _is_no_response(one, found))
    ]
    if field in ("question", "response"):
        fitting.sort(key=lambda one: (one.kind == "flag", -one.length))
    return [one.path for one in fitting]


def _is_no_response(one: Profile, found: Mapping[str, Profile]) -> bool:
    """Whether a column is called the reference or what is offered, or holds words, as a subject does."""
    short = one.kind in ("text", "texts") and one.length < _SHORT
    words = one.kind == "flag" or short or is_one_value(one)
    return words or is_named_reference(one.path) or is_offered(one.path, found)


_SHORT = 25


def _by_name_and_shape(
    names: Sequence[str], rows: Sequence[Row], found: Mapping[str, Profile]
) -> tuple[Columns, tuple[str, ...]]:
    fields = fields_by_name(found)
    fields |= guess_stage(names, found)
    # What stands inside records may be one of several such records, each a response with its label.
    if "." in fields.get("response", ".") or "correct" not in fields:
        fields |= guess_wide(names, rows, found)
    # Beside an answer, what is called a solution is the reference; columns of several models are the responses then.
    reference = fields.get("response") if "answer" in fields else None
    others = {f: p for f, p in fields.items() if f != "response" or not is_named_reference(str(reference))}
    fields |= guess_numbered(others, found)
    if "response" not in fields:
        fields |= guess_keyed(fields, found)
    if "response" not in fields and fields.get("question") in (None, *_texts_alone(found)):
        fields |= of_one_text(found)
    if "response" not in fields and (
        ({"correct", "reflections"} & fields.keys() and _is_worked(fields, found))
        or _are_several(fields, found)
    ):
        fields["response"] = fields.pop("answer")  # what is judged is a model's, whatever it is called
    if isinstance(fields.get("response"), list):
        for field in ("reflections", "correct"):
            if isinstance(fields.get(field), str):
                del fields[field]  # one critique or label can't be about several responses
    named = set(fields)
    fields = by_shape(fields, found, rows)
    fields |= _guess_rest(fields, found)
    if verdicts := verdict_column(fields, found):
        fields["verdicts"] = verdicts
    return Columns(**fields), tuple(sorted(set(fields) - named))


def _is_worked(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    answer = found.get(str(fields.get("answer", "")))
    return answer is not None and answer.kind in ("text", "texts") and answer.length >= LONGEST_LABEL


def _are_several(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether what is called an answer is several worked texts for a question, in a list or in rows of their own."""
    answer = found.get(str(fields.get("answer", "")))
    if answer is None or not _is_worked(fields, found):
        return False
    lists = [one for one in answer.present if isinstance(one, list)]
    listed = 2 * sum(len(set(map(str, one))) > 1 for one in lists) > len(answer.present)
    talk = next((path for path, one in found.items() if one.kind == "messages"), "")
    return (listed and answer.length >= _WORKED) or differs(answer, {"question": talk, **fields}, found)


_WORKED = 60
"""Characters on average from which texts of a list are whole responses."""


def _texts_alone(found: Mapping[str, Profile]) -> list[str]:
    return [path for path, one in found.items() if one.kind == "text"]
