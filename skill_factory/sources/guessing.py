"""Which column holds what: a proposal from the columns' names and from what some of their values are."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import Row, is_nan

_SYNONYMS = {
    "question": ("question", "problem", "query", "instruction", "prompt", "input", "question_text",
                 "problem_statement", "task"),
    "answer": ("answer", "gold_answer", "gold", "ground_truth", "reference_answer", "target", "expected_answer",
               "correct_answer", "reference"),
    "response": ("response", "responses", "model_response", "model_responses", "generation", "generations",
                 "completion", "completions", "output", "outputs", "solution", "model_output", "prediction", "model_answer",
                 "model_answers", "generated_text", "attempt", "attempts", "sample", "samples", "rollout", "rollouts"),
    "correct": ("correct", "is_correct", "correctness", "is_solved", "passed", "label", "labels", "verified",
                "score", "scores", "reward", "rewards", "accuracy"),
    "extracted_answer": ("extracted_answer", "extracted_answers", "extracted", "predicted_answer", "pred"),
    "reflections": ("reflections", "reflection", "critiques", "critique", "feedback", "self_reflections"),
    "prompt_variant": ("prompt_variant", "prompt_type", "variant", "prompt_name"),
}  # fmt: skip
_FLAGS = {"true", "false", "yes", "no", "1", "0"}
"""Texts that are a yes or no: all that a CSV has."""
_STAGES = ("mutated_prompts", "example_annotation")


def guess(names: Sequence[str], rows: Sequence[Row]) -> Columns:
    """A mapping from names and the types of some rows; fields that nothing fits stay empty."""
    kinds = {name: _kind([row.get(name) for row in rows]) for name in names}
    found: dict[str, Any] = {}
    for field, words in _SYNONYMS.items():
        allowed = _ALLOWED[field]
        for word in words:
            match = next((n for n in names if n.lower() == word and kinds[n] in allowed), "")
            if match and match not in found.values():
                found[field] = match
                break
    found |= _guess_stage(names, kinds)
    if "response" not in found or "correct" not in found:
        found |= _guess_wide(names, kinds, rows)
    return Columns(**found)


def _guess_stage(names: Sequence[str], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The published script's scheme: a stage name runs through all columns."""
    stages = [m[1] for name in names if (m := re.fullmatch(r"model_responses__(.+)__eval_is_correct", name))]
    stages += [
        m[1] for name in names
        if (m := re.fullmatch(r"model_responses__((?:(?!__).)+?)", name)) and not name.endswith("_reflection")
    ]  # fmt: skip
    present = [s for s in dict.fromkeys(stages) if kinds.get(f"model_responses__{s}") in _ALLOWED["response"]]
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


def _guess_wide(names: Sequence[str], kinds: Mapping[str, str], rows: Sequence[Row]) -> dict[str, Any]:
    """Several struct columns of one shape, each with a text and a truth value: one response each."""
    shapes: dict[tuple[str, str], list[str]] = {}
    for name in names:
        structs = [row[name] for row in rows if isinstance(row.get(name), Mapping)]
        if kinds[name] != "struct" or not structs:
            continue
        inner = {key: _kind([one.get(key) for one in structs]) for key in structs[0]}
        texts = [key for key, kind in inner.items() if kind == "text"]
        flags = [key for key, kind in inner.items() if kind == "flag"]
        if len(texts) == 1 and len(flags) == 1:
            shapes.setdefault((texts[0], flags[0]), []).append(name)
    best = max(shapes.items(), key=lambda item: len(item[1]), default=None)
    if best is None:
        return {}
    (text, flag), columns = best
    return {"response": [f"{c}.{text}" for c in columns], "correct": [f"{c}.{flag}" for c in columns]}


_ALLOWED = {
    "question": ("text",),
    "answer": ("text", "number", "flag", "texts"),
    "response": ("text", "texts"),
    "correct": ("flag", "flags"),
    "extracted_answer": ("text", "texts", "number", "flag", "flags", "missing", "nothing"),
    "reflections": ("text", "texts", "nested", "nothing"),
    "prompt_variant": ("text",),
}


def _kind(values: Sequence[Any]) -> str:
    """What most values of a column are; one odd row must not hide a column."""
    kinds = Counter(_kind_of(value) for value in values)
    del kinds["missing"]
    if len(kinds) > 1:
        del kinds["nothing"]
    if not kinds:
        return "missing"
    kind, number = kinds.most_common(1)[0]
    return kind if number * 2 > kinds.total() else "mixed"


def _kind_of(value: Any) -> str:
    if value is None or is_nan(value):
        return "missing"
    if isinstance(value, list):
        inner = {_kind_of(one) for one in value} - {"missing"}
        names = {"text": "texts", "flag": "flags", "texts": "nested", "number": "numbers"}
        return "nothing" if not inner else names.get(inner.pop(), "mixed") if len(inner) == 1 else "mixed"
    if isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in _FLAGS):
        return "flag"
    if isinstance(value, int | float):
        return "flag" if value in (0, 1) else "number"
    return {str: "text"}.get(type(value), "struct" if isinstance(value, Mapping) else "mixed")
