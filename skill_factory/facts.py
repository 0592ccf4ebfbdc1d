"""The narrow table: all that a filter decides on, without the texts.

Made once per source; every setting of the filters is then a few array operations away (`questions.judge`). The build
makes it per partition, the app for the whole source: judging exists once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest

from skill_factory.recipe import Recipe
from skill_factory.reflections import banned, verdict_rule
from skill_factory.responses import block_tag_pattern, escape_block_tags, final_answer, variant_codes

Ids: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """
    One entry per question, response and reflection, in the order in which they stood in the canonical rows.

    Lengths are in characters; ids are 64-bit hashes of the texts; `response_answer` is a hash of the final answer
    without white space at its edges, 0 where none was found; verdicts are 1, 0 and -1 (missing).
    """

    question_id: Ids
    variants: tuple[str, ...]
    """Names behind `response_variant`, sorted, the missing one ("") last."""
    response_question: Places
    response_id: Ids
    response_correct: Flags
    response_variant: Places
    response_chars: Places
    response_empty: Flags
    response_tags: Flags
    response_answer: Ids
    reflection_response: Places
    reflection_id: Ids
    reflection_verdict: npt.NDArray[np.int8]
    reflection_chars: Places
    reflection_empty: Flags
    reflection_tags: Flags
    reflection_banned: Flags


@dataclass(frozen=True)
class Reading:
    """Facts with the texts beside them, place for place."""

    facts: Facts
    questions: Sequence[str]
    golds: Sequence[str | None]
    """Gold answer of each question: the smallest one that its rows give."""
    responses: Sequence[str]
    answers: Sequence[str | None]
    reflections: Sequence[str]


def read(table: pa.Table, recipe: Recipe) -> Reading:
    """Facts and texts of canonical rows (columns.CANONICAL)."""
    question, question_ids, texts, golds = _questions(table)
    responses = _texts(table["response"], recipe)
    flat, owners = _flatten(table["reflections"])
    reflections = _texts(flat, recipe)
    verdicts = _flatten(table["verdicts"])[0].to_pylist() if recipe.verdicts.rule == "column" else None
    correct = table["correct"].to_pylist()
    find = final_answer(recipe.answers)
    columns = (responses, table["extracted"].to_pylist(), table["answer"].to_pylist(), correct)
    answers = [find(*one) for one in zip(*columns, strict=True)]
    codes, names = variant_codes(table["variant"].to_pylist())
    judge, holds = verdict_rule(recipe.verdicts), banned(recipe.filters)
    said = verdicts if verdicts is not None else [""] * len(reflections)
    facts = Facts(
        question_id=question_ids,
        variants=names,
        response_question=question,
        response_id=text_ids(responses),
        response_correct=np.array(correct, dtype=np.bool_),
        response_variant=np.array(codes, dtype=np.int32),
        response_chars=np.array([len(text) for text in responses], dtype=np.int32),
        response_empty=_empty(responses),
        response_tags=_tagged(table["response"], recipe),
        response_answer=np.array([text_hash(a.strip()) if a else 0 for a in answers], dtype=np.uint64),
        reflection_response=owners,
        reflection_id=text_ids(reflections),
        reflection_verdict=np.array(
            [judge(*one) for one in zip(reflections, said, strict=True)], dtype=np.int8
        ),
        reflection_chars=np.array([len(text) for text in reflections], dtype=np.int32),
        reflection_empty=_empty(reflections),
        reflection_tags=_tagged(flat, recipe),
        reflection_banned=_banned(reflections, holds)
        if recipe.filters.ban
        else np.zeros(len(reflections), np.bool_),
    )
    return Reading(facts, texts, golds, responses, answers, reflections)


def joined(parts: Sequence[Facts]) -> Facts:
    """The facts of several batches as one table; a question that stands in several is one."""
    if len(parts) == 1:
        return parts[0]
    ids, inverse = np.unique(np.concatenate([p.question_id for p in parts]), return_inverse=True)
    names = [*sorted({n for p in parts for n in p.variants if n}), ""]
    place = {name: i for i, name in enumerate(names)}
    questions, variants, owners = [], [], []
    seen_questions = seen_responses = 0
    for part in parts:
        questions.append(inverse[seen_questions + part.response_question].astype(np.int32))
        recode = np.array([place[n] for n in part.variants], dtype=np.int32)
        variants.append(recode[part.response_variant])
        owners.append(part.reflection_response + np.int32(seen_responses))
        seen_questions += len(part.question_id)
        seen_responses += len(part.response_id)
    rest = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in Facts.__annotations__
        if name
        not in {"question_id", "variants", "response_question", "response_variant", "reflection_response"}
    }
    return Facts(
        question_id=ids,
        variants=tuple(names),
        response_question=np.concatenate(questions),
        response_variant=np.concatenate(variants),
        reflection_response=np.concatenate(owners),
        **rest,
    )


def with_banned(facts: Facts, flags: Flags) -> Facts:
    """The same facts after another ban list was looked for in the texts."""
    return replace(facts, reflection_banned=flags)


def text_hash(text: str) -> int:
    """64 bits of a text's XXH3 hash, never 0."""
    return xxh3_64_intdigest(text.encode()) or 1


def question_ids(questions: pa.ChunkedArray) -> tuple[Places, Ids, pa.Array]:
    """For each row the place of its question among the different ones; their ids; their texts."""
    encoded = questions.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    texts = encoded.dictionary
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32), text_ids(texts.to_pylist()), texts


def _questions(table: pa.Table) -> tuple[Places, Ids, list[str], list[str | None]]:
    places, ids, texts = question_ids(table["question"])
    golds: list[str | None] = [None] * len(ids)
    for place, gold in zip(places.tolist(), table["answer"].to_pylist(), strict=True):
        known = golds[place]
        if gold is not None and (known is None or gold < known):
            golds[place] = gold
    return places, ids, texts.to_pylist(), golds


def _texts(column: pa.ChunkedArray | pa.Array, recipe: Recipe) -> list[str]:
    texts: list[str] = column.to_pylist()
    if recipe.filters.block_tags == "escape":
        for place in np.flatnonzero(_tagged(column, recipe)).tolist():
            texts[place] = escape_block_tags(texts[place], recipe.tags)
    return texts


def _flatten(column: pa.ChunkedArray) -> tuple[pa.Array, Places]:
    """The items of a column of lists, and for each the row it came from."""
    lists = column.combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0) if lists.num_chunks else pa.array([], column.type)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return lists.flatten(), np.repeat(np.arange(len(lists), dtype=np.int32), lengths)


def text_ids(texts: Sequence[str]) -> Ids:
    """The ids of some texts, as `draws.text_id` makes them."""
    return np.array([xxh3_64_intdigest(text.encode()) for text in texts], dtype=np.uint64)


def _empty(texts: Sequence[str]) -> Flags:
    return np.array([not text or text.isspace() for text in texts], dtype=np.bool_)


def _banned(texts: Sequence[str], holds: object) -> Flags:
    return np.array([holds(text) for text in texts], dtype=np.bool_)  # type: ignore[operator]


def _tagged(column: pa.ChunkedArray | pa.Array, recipe: Recipe) -> Flags:
    found = pc.match_substring_regex(column, block_tag_pattern(recipe.tags))
    return np.asarray(
        found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy(), np.bool_
    )
