"""Several columns that hold one response each: numbered, named by model or by stage, or wide."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from skill_factory.sources.columns import Row
from skill_factory.sources.guesses.by_name import ALLOWED
from skill_factory.sources.guesses.references import is_named_reference
from skill_factory.sources.names import bare, place_of
from skill_factory.sources.presets import EMPTY
from skill_factory.sources.profiles import Profile

_STAGES = ("mutated_prompts", "example_annotation")


def guess_stage(names: Sequence[str], found: Mapping[str, Profile]) -> dict[str, Any]:
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


def guess_wide(names: Sequence[str], rows: Sequence[Row], found: Mapping[str, Profile]) -> dict[str, Any]:
    """Several struct columns of one shape, each with a text and a truth value: one response each."""
    shapes: dict[tuple[str, str], list[str]] = {}
    for name in [path for path, one in found.items() if one.kind == "struct"]:
        inner = {p.removeprefix(f"{name}."): one.kind for p, one in found.items() if p.startswith(f"{name}.")}
        if not inner:
            continue
        texts = [key for key, kind in inner.items() if kind == "text" and found[f"{name}.{key}"].length]
        flags = [key for key, kind in inner.items() if kind == "flag"]
        if len(texts) == 1 and len(flags) == 1:
            shapes.setdefault((texts[0], flags[0]), []).append(name)
    best = max(shapes.items(), key=lambda item: len(item[1]), default=None)
    if best is None or len(best[1]) < 2:
        return {}
    (text, flag), columns = best
    return {"response": [f"{c}.{text}" for c in columns], "correct": [f"{c}.{flag}" for c in columns]}


def guess_numbered(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> dict[str, Any]:
    """Columns of one name with numbers or models (`response_1`, `gpt_response`): one response each, labels alike."""
    families: dict[tuple[str, str], list[str]] = {}
    for path, profile in found.items():
        if "." in path or profile.kind in EMPTY:
            continue
        # `response_1`, `response 2`, `answer_A`
        if m := re.fullmatch(r"(.*?)[_ \-]?\d+|(.+)[_ ][a-dA-D]", path):
            families.setdefault((m[1] or m[2] or "", ""), []).append(path)
        # `model_1_response`
        if m := re.fullmatch(r"(\D+?)[_ \-]?\d+[_ \-]?(\D+)", path):
            families.setdefault((m[1], m[2].lower()), []).append(path)
        # `gpt4_response`, `llama_final_answer`
        if m := re.fullmatch(r".+[_ ]([^\W_]+(?:_[^\W_]+)?)", path):
            families.setdefault(("", m[1].lower()), []).append(path)
        # `output_gpt4`: of such names only long texts count, since anything may begin alike.
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
            and all(found[p].kind in ALLOWED[field] for p in paths)
        ]
        if field == "response" and not fitting:
            fitting = [
                paths
                for (base, end), paths in own.items()
                if len(paths) > 1 and end != "…" and _are_alike(base, paths, found)
            ]
        if fitting:
            told[field] = fitting[0]
    # Labels that aren't one for each response belong to something else.
    same = len(told.get("response", ()))
    return {f: paths for f, paths in told.items() if f == "response" or len(paths) == same}


def guess_keyed(fields: Mapping[str, Any], found: Mapping[str, Profile]) -> dict[str, Any]:
    """Responses of a question in a record, by model or by number: `{"a": text, "b": text}`; labels and reflections alike."""
    for path, one in found.items():
        if one.kind != "struct" or place_of("response", path) is None:
            continue
        keys = _keys_alike(path, found)
        if len(keys) < 2:
            continue
        told: dict[str, Any] = {"response": [f"{path}.{key}" for key in keys]}
        for field in ("correct", "reflections", "extracted_answer"):
            beside = (
                other
                for other in found
                if place_of(field, other) is not None and found[other].kind == "struct"
            )
            if same := next((other for other in beside if _has_keys(other, keys, field, found)), ""):
                told[field] = [f"{same}.{key}" for key in keys]
        return told
    return {}


def _keys_alike(path: str, found: Mapping[str, Profile]) -> list[str]:
    """The fields of a record, if all of them are texts that can be responses and none has the name of something else."""
    inner = {
        other.removeprefix(f"{path}."): one for other, one in found.items() if other.startswith(f"{path}.")
    }
    named = any(place_of(field, key) is not None for field in ALLOWED for key in inner)
    texts = all(one.kind == "text" and one.length >= _LONG_TEXT for one in inner.values())
    lengths = [one.length for one in inner.values()]
    alike = bool(lengths) and max(lengths) <= 3 * min(lengths)
    return list(inner) if texts and alike and not named and not {"text", "content"} & inner.keys() else []


def _has_keys(path: str, keys: Sequence[str], field: str, found: Mapping[str, Profile]) -> bool:
    return all((one := found.get(f"{path}.{key}")) and one.kind in ALLOWED[field] for key in keys)


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
        and all(place_of(field, part) is None for field in ALLOWED for part in re.split(r"[_ .]", path))
    ]
    return {"response": told} if len(told) > 1 else {}


_LONG_TEXT = 20
"""Characters of a text that may be a response where only the beginning of its column's name says so."""


def _is_free(field: str, path: str, fields: Mapping[str, Any]) -> bool:
    """Whether a column may be one of several responses: no other field has it, and it isn't called a gold answer itself."""
    if path in fields.values():
        return False
    return field != "response" or not (place_of("answer", path) is not None or is_named_reference(path))
