"""Which column holds what: a known format, else a proposal from names, and from the shape of what the names leave open."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_factory.recipe.model import Columns
from skill_factory.recipe.words import known_words
from skill_factory.sources.columns import Row, mapped
from skill_factory.sources.names import bare, place_of
from skill_factory.sources.presets import EMPTY, Preset, columns_of, recognised
from skill_factory.sources.profiles import Profile, flat, profiles
from skill_factory.sources.shapes import (
    by_shape,
    differs_within,
    is_a_place,
    is_named_reference,
    is_offered,
    is_stated,
    of_one_text,
    repeats,
    system_beside_talks,
    tools_beside_talks,
    verdict_column,
)
from skill_factory.sources.trying import with_conversation, with_proposals

_STAGES = ("mutated_prompts", "example_annotation")


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
    if preset is not None:
        own = columns_of(preset, found)
        known = _with_reward(_completed(own, preset, found), preset, found)
        added = tuple(field for field in ("correct", *_ADDED) if getattr(known, field) != getattr(own, field))
        fixed = {name for name in preset.columns if name.endswith("_rule")}
        told = with_conversation(with_proposals(known, rows, fixed), rows)
        if told.question_rule == "conversation" and not told.tools:
            asks = {"question": told.question}
            beside = {"system": system_beside_talks(asks, found), "tools": tools_beside_talks(asks, found)}
            told = told.model_copy(update=beside)
        return Guess(told, preset, added=added)
    columns, told_by_shape = _by_name_and_shape(names, rows, found)
    fixed = {name for name in ("question_rule", "response_rule") if getattr(columns, name)}
    return Guess(with_proposals(columns, rows, fixed), None, told_by_shape)


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
    added = {field: path for field, path in _by_name(own).items() if field in open_ones}
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
        if one.kind in _ALLOWED[field]
        and path not in taken
        and not is_a_place(path)
        and _could_be(field, one, found)
        and not (field == "response" and _is_no_response(one, found))
    ]
    if field in ("question", "response"):
        fitting.sort(key=lambda one: (one.kind == "flag", -one.length))
    return [one.path for one in fitting]


def _is_no_response(one: Profile, found: Mapping[str, Profile]) -> bool:
    """Whether a column is called the reference or what is offered, or holds words, as a subject does."""
    short = one.kind in ("text", "texts") and one.length < _SHORT
    words = one.kind == "flag" or short or _is_one_value(one)
    return words or is_named_reference(one.path) or is_offered(one.path, found)


_SHORT = 25


def _by_name_and_shape(
    names: Sequence[str], rows: Sequence[Row], found: Mapping[str, Profile]
) -> tuple[Columns, tuple[str, ...]]:
    fields = _by_name(found)
    fields |= _guess_stage(names, found)
    if "." in fields.get("response", ".") or "correct" not in fields:
        fields |= _guess_wide(names, rows, found)
    # Beside an answer, what is called a solution is the reference; columns of several models are the responses then.
    reference = fields.get("response") if "answer" in fields else None
    others = {f: p for f, p in fields.items() if f != "response" or not is_named_reference(str(reference))}
    fields |= _guess_numbered(others, found)
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
    return answer is not None and answer.kind in ("text", "texts") and answer.length >= _LONGEST_LABEL


def _are_several(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether what is called an answer is several worked texts for a question, in a list or in rows of their own."""
    answer = found.get(str(fields.get("answer", "")))
    if answer is None or not _is_worked(fields, found):
        return False
    lists = [one for one in answer.present if isinstance(one, list)]
    listed = 2 * sum(len(set(map(str, one))) > 1 for one in lists) > len(answer.present)
    return (listed and answer.length >= _WORKED) or _differs(answer, fields, found)


_WORKED = 60
"""Characters on average from which texts of a list are whole responses."""


def _texts_alone(found: Mapping[str, Profile]) -> list[str]:
    return [path for path, one in found.items() if one.kind == "text"]


# -- by name -------------------------------------------------------------------------------------------------------

_ALLOWED = {
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
_LONGEST_LABEL = 24
"""Characters; a column of longer texts names no right and wrong."""


def _by_name(found: Mapping[str, Profile]) -> dict[str, Any]:
    """The best name for each field; a column is taken once, by the field that has the first claim."""
    fields: dict[str, Any] = {}
    for field, kinds in _ALLOWED.items():
        if field == "thinking":
            continue  # meaningful only beside a response: `by_shape` looks
        claims = []
        for path, named, place in _named(field, found):
            profile = found[path]
            if profile.kind not in kinds or path in fields.values() or not _could_be(field, profile, found):
                continue
            # What a model put out may be called an answer there; the gold answer stands elsewhere.
            within = field == "answer" and any(_is_response(part) for part in named.split(".")[:-1])
            if field == "correct":
                within = _is_gold(profile, fields, found)
                if not _is_known(profile) and is_stated(profile, fields, found):
                    continue
            elif field == "answer":
                within = within or _differs(profile, fields, found)
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
            keys = ("aliases", *_WITHIN) if field == "answer" else _WITHIN
            inner = next((f"{path}.{key}" for key in keys if f"{path}.{key}" in found), "")
            if inner:
                yield inner, path, place


def _differs(profile: Profile, fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether rows of one question hold different texts: so do responses, and no gold answers."""
    question = found.get(str(fields.get("question", "")))
    alone = question is not None and profile.kind == "text" and repeats(question)
    return alone and question is not None and differs_within(profile, question)


def _is_gold(profile: Profile, fields: Mapping[str, Any], found: Mapping[str, Profile]) -> bool:
    """Whether what is called a label is the same for all responses to a question: so is a gold answer."""
    question = found.get(str(fields.get("question", "")))
    return question is not None and repeats(question) and not differs_within(profile, question)


def _is_response(name: str) -> bool:
    return place_of("response", name) is not None


def _could_be(field: str, profile: Profile, found: Mapping[str, Profile]) -> bool:
    """Whether what a column holds allows what its name says."""
    if field == "question" and profile.kind == "text" and profile.length < 1:
        return False
    if field == "question" and profile.kind == "text" and known_words(profile.texts) is not None:
        return False  # words of right and wrong ask nothing, whatever the column is called
    if field == "question":
        return not _is_one_value(profile) or not any(
            place_of(field, path) is not None and one.kind in _ALLOWED[field] and not _is_one_value(one)
            for path, one in found.items()
        )
    if field == "correct":
        if profile.kind in ("number", "numbers"):
            return profile.different > 1 and not _is_index(profile)
        if is_offered(profile.path, found):
            return False
        if _is_one_value(profile) and (
            not _is_known(profile) or bare(profile.path.rpartition(".")[2]) in _OF_A_CALL
        ):
            return False
        return profile.length <= _LONGEST_LABEL
    if field == "reflections" and profile.kind == "nothing":
        return "." not in profile.path  # a note that nobody wrote, in a record of something else
    if field == "prompt_variant":
        return profile.kind == "text" or profile.different > 1
    return True


def _is_known(profile: Profile) -> bool:
    return known_words(value for present in profile.present for value in flat(present)) is not None


def _is_one_value(profile: Profile) -> bool:
    return len(profile.present) > 3 and profile.different <= 1


def _is_index(profile: Profile) -> bool:
    """Whether numbers are counted through, or are places: whole, many, and none below zero."""
    values = [one for one in profile.present if isinstance(one, int)]
    return len(values) == len(profile.present) and len(set(values)) > 5


def _guess_stage(names: Sequence[str], found: Mapping[str, Profile]) -> dict[str, Any]:
    """The published script's scheme: a stage name runs through all columns."""
    stages = [m[1] for name in names if (m := re.fullmatch(r"model_responses__(.+)__eval_is_correct", name))]
    stages += [
        m[1]
        for name in names
        if (m := re.fullmatch(r"model_responses__((?:(?!__).)+?)", name)) and not name.endswith("_reflection")
    ]
    present = [
        s
        for s in dict.fromkeys(stages)
        if (one := found.get(f"model_responses__{s}")) and one.kind in ("text", "texts")
    ]
    present.sort(key=lambda s: (_STAGES.index(s) if s in _STAGES else len(_STAGES), s))
    if not present:
        return {}
    base = f"model_responses__{present[0]}"
    pattern = {
        "response": base,
        "correct": f"{base}__eval_is_correct",
        "extracted_answer": f"{base}__eval_extracted_answers",
        "reflections": f"{base}_reflection",
    }
    return {field: name for field, name in pattern.items() if name in names}


def _guess_wide(names: Sequence[str], rows: Sequence[Row], found: Mapping[str, Profile]) -> dict[str, Any]:
    """Several struct columns of one shape, each with a text and a truth value: one response each."""
    shapes: dict[tuple[str, str], list[str]] = {}
    for name in [path for path, one in found.items() if one.kind == "struct"]:
        inner = {p.removeprefix(f"{name}."): one.kind for p, one in found.items() if p.startswith(f"{name}.")}
        if not inner:
            continue
        texts = [key for key, kind in inner.items() if kind == "text"]
        flags = [key for key, kind in inner.items() if kind == "flag"]
        if len(texts) == 1 and len(flags) == 1:
            shapes.setdefault((texts[0], flags[0]), []).append(name)
    best = max(shapes.items(), key=lambda item: len(item[1]), default=None)
    if best is None or len(best[1]) < 2:
        return {}
    (text, flag), columns = best
    return {"response": [f"{c}.{text}" for c in columns], "correct": [f"{c}.{flag}" for c in columns]}


def _guess_numbered(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> dict[str, Any]:
    """Columns of one name with numbers or models (`response_1`, `gpt_response`): one response each, labels alike."""
    families: dict[tuple[str, str], list[str]] = {}
    for path, profile in found.items():
        if "." in path or profile.kind in EMPTY:
            continue
        if m := re.fullmatch(r"(.*?)[_ \-]?\d+|(.+)[_ ][a-dA-D]", path):
            families.setdefault((m[1] or m[2] or "", ""), []).append(path)
        if m := re.fullmatch(r"(\D+?)[_ \-]?\d+[_ \-]?(\D+)", path):
            families.setdefault((m[1], m[2].lower()), []).append(path)
        if m := re.fullmatch(r".+[_ ]([^\W_]+(?:_[^\W_]+)?)", path):
            families.setdefault(("", m[1].lower()), []).append(path)
        if (m := re.fullmatch(r"([^\W_]+)[_ ].*\D", path)) and profile.length >= _LONG_TEXT:
            families.setdefault((m[1], "…"), []).append(path)
    told: dict[str, Any] = _named_by_model(fields, found)
    for field in ("response", "correct", "reflections", "extracted_answer"):
        if field in fields or field in told:
            continue
        own = {family: [p for p in paths if _is_free(field, p, fields)] for family, paths in families.items()}
        fitting = [
            paths
            for (base, end), paths in own.items()
            if len(paths) > 1
            and (place_of(field, base or end) is not None or (field, end) == ("response", "answer"))
            and (field == "response" or end != "…")
            and all(found[p].kind in _ALLOWED[field] for p in paths)
        ]
        if field == "response" and not fitting:
            fitting = [
                paths
                for (base, end), paths in own.items()
                if len(paths) > 1 and end != "…" and _are_alike(base, paths, found)
            ]
        if fitting:
            told[field] = fitting[0]
    same = len(told.get("response", ()))
    return {f: paths for f, paths in told.items() if f == "response" or len(paths) == same}


_PARTS = (
    "hint",
    "step",
    "context",
    "passage",
    "document",
    "paragraph",
    "option",
    "choice",
    "sentence",
    "question",
    "source",
    "fact",
    "example",
    "incorrectanswer",
)
"""Names of numbered texts that belong to a question."""


def _are_alike(base: str, paths: Sequence[str], found: Mapping[str, Profile]) -> bool:
    """Whether numbered columns hold texts or talks that can be responses, whatever they are called."""
    ours = [found[path] for path in paths]
    if not base or bare(base) in _PARTS or is_named_reference(base):
        return False
    if all(one.kind == "messages" for one in ours):
        return True
    lengths = [one.length for one in ours]
    return (
        all(one.kind == "text" for one in ours)
        and min(lengths) >= _LONG_TEXT
        and max(lengths) <= 3 * min(lengths)
    )


_OF_A_MODEL = re.compile(
    r"\b(?:chat)?gpt|llama|qwen|claude|mi[sx]tral|gemma|gemini|deepseek|\bphi|grok|olmo|granite|command|kimi|\bglm|\d+b\b|\bo[134]\b",
    re.IGNORECASE,
)


def _named_by_model(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> dict[str, Any]:
    """Columns of texts whose names are those of models alone: one response each."""
    if "response" in fields:
        return {}
    told = [
        path
        for path, one in found.items()
        if _OF_A_MODEL.search(path)
        and one.kind == "text"
        and one.length >= _LONG_TEXT
        and path not in fields.values()
        and not any(path.startswith(f"{other}.") for other in found)
        and all(place_of(field, part) is None for field in _ALLOWED for part in re.split(r"[_ .]", path))
    ]
    return {"response": told} if len(told) > 1 else {}


_LONG_TEXT = 20
"""Characters of a text that may be a response where only the beginning of its column's name says so."""


def _is_free(field: str, path: str, fields: Mapping[str, Any]) -> bool:
    """Whether a column may be one of several responses: no other field has it, and it isn't called a gold answer itself."""
    if path in fields.values():
        return False
    return field != "response" or not (place_of("answer", path) is not None or is_named_reference(path))
