"""The narrow table: all that a filter decides on, without the texts.

Made once per source; every setting of the filters is then a few array operations away (`questions.judge`). The build
makes it per partition, the app for the whole source: judging exists once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest

from skill_factory.judge.corrections import corrected
from skill_factory.judge.given_away import cut_behind_verdict, gives_away
from skill_factory.judge.reflections import banned, verdicts_of
from skill_factory.judge.responses import block_tag_pattern, escape_block_tags, final_answer, variant_codes
from skill_factory.judge.texts import Block, Texts
from skill_factory.recipe.model import Recipe

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
    response_corrected: Flags
    """Whether a correction of the recipe changed the stored label."""
    response_variant: Places
    response_chars: Places
    response_empty: Flags
    response_cut: Flags
    """Whether nothing is left of it because it ended inside its thinking."""
    response_tags: Flags
    response_answer: Ids
    reflection_response: Places
    reflection_id: Ids
    reflection_verdict: npt.NDArray[np.int8]
    reflection_chars: Places
    reflection_empty: Flags
    reflection_tags: Flags
    reflection_banned: Flags
    reflection_gives_away: Flags
    """Whether it states the gold answer, though its response is wrong."""


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
    responses, response_tags = _texts(one_array(table["response"]), recipe)
    flat, owners = _flatten(table["reflections"])
    stored = np.array(table["correct"].to_pylist(), dtype=np.bool_)
    labels, changed = corrected(
        stored, question_ids[question], _ids_of(responses, recipe), recipe.labels.corrections
    )
    correct: list[bool] = labels.tolist()
    golds_of = _golds_to_hide(table, correct, owners)
    # Cut before anything is noted: ids and lengths have to be those of the text that is written.
    if recipe.filters.given_away == "cut":
        flat = _cut(flat, golds_of)
    reflections, reflection_tags = _texts(flat, recipe)
    codes, names = variant_codes(table["variant"].to_pylist())
    of_responses, answers = _look_at_responses(responses, table, correct, recipe)
    of_reflections, verdicts, banned_flags, given = _look_at_reflections(reflections, table, recipe, golds_of)
    facts = Facts(
        question_id=question_ids,
        variants=names,
        response_question=question,
        response_id=of_responses.ids,
        response_correct=labels,
        response_corrected=changed,
        response_variant=np.array(codes, dtype=np.int32),
        response_chars=of_responses.chars,
        response_empty=of_responses.empty,
        response_cut=of_responses.empty & (table["left_out"].to_numpy() > 0),
        response_tags=response_tags,
        # Without white space at the edges: “ 8” and “8” of two equal responses don't contradict each other.
        response_answer=np.array([text_hash(a.strip()) if a else 0 for a in answers], dtype=np.uint64),
        reflection_response=owners,
        reflection_id=of_reflections.ids,
        reflection_verdict=verdicts,
        reflection_chars=of_reflections.chars,
        reflection_empty=of_reflections.empty,
        reflection_tags=reflection_tags,
        reflection_banned=banned_flags,
        reflection_gives_away=given,
    )
    return Reading(facts, texts, golds, responses, answers, reflections)


def _ids_of(responses: Texts, recipe: Recipe) -> Ids:
    """The ids of responses before anything else is looked at; nothing where no label is corrected."""
    if not recipe.labels.corrections:
        return np.zeros(len(responses), np.uint64)
    ids = np.empty(len(responses), np.uint64)
    for block in responses.blocks():
        ids[block.places] = block.ids()
    return ids


class _Looks:
    """What is noted of every text."""

    def __init__(self, n: int) -> None:
        self.ids = np.empty(n, np.uint64)
        self.chars = np.empty(n, np.int32)
        self.empty = np.empty(n, np.bool_)

    def note(self, block: Block) -> None:
        self.ids[block.places] = block.ids()
        self.chars[block.places] = block.chars()
        self.empty[block.places] = block.empty()


def _look_at_responses(
    responses: Texts, table: pa.Table, correct: Sequence[bool], recipe: Recipe
) -> tuple[_Looks, list[str | None]]:
    """What is noted of each response, and its final answer."""
    extracted, golds = table["extracted"].to_pylist(), table["answer"].to_pylist()
    find = final_answer(recipe.answers)
    looks, answers = _Looks(len(responses)), list[str | None]()
    for block in responses.blocks():
        looks.note(block)
        part = block.places
        answers += map(find, block.texts, extracted[part], golds[part], correct[part])
    return looks, answers


def _golds_to_hide(table: pa.Table, correct: Sequence[bool], owners: Places) -> list[bytes | None]:
    """For each reflection of a wrong response the gold answer that it should not state; None for others."""
    # As bytes: a block's reflections lie there as bytes too, and to search them needs no string of each.
    golds = [
        gold.strip().encode() or None if gold and not right else None
        for gold, right in zip(table["answer"].to_pylist(), correct, strict=True)
    ]
    return [golds[owner] for owner in owners.tolist()] if any(golds) else [None] * len(owners)


def _cut(flat: pa.Array, golds: Sequence[bytes | None]) -> pa.Array:
    """The reflections, those that state the gold answer cut behind their verdict."""
    texts: list[str] = flat.to_pylist()
    for place, gold in enumerate(golds):
        if gold is not None and gives_away(texts[place].encode(), gold):
            texts[place] = cut_behind_verdict(texts[place])
    return pa.array(texts, pa.large_string())


def _look_at_reflections(
    reflections: Texts, table: pa.Table, recipe: Recipe, golds: Sequence[bytes | None]
) -> tuple[_Looks, npt.NDArray[np.int8], Flags, Flags]:
    """What is noted of each reflection, its verdict, whether it holds a banned word, and whether it gives the answer away."""
    by_column = recipe.verdicts.rule == "column"
    said = _flatten(table["verdicts"])[0].to_pylist() if by_column else []
    say, holds = verdicts_of(recipe.verdicts), banned(recipe.filters)
    n = len(reflections)
    looks, verdicts, flags = _Looks(n), np.empty(n, np.int8), np.zeros(n, np.bool_)
    given = np.zeros(n, np.bool_)
    for block in reflections.blocks():
        looks.note(block)
        verdicts[block.places] = say(block, said[block.places])
        if recipe.filters.ban:
            flags[block.places] = [holds(text) for text in block.texts]
        beside = zip(block.raw, golds[block.places], strict=True)
        given[block.places] = [
            # `in` first: it is done in C, and most reflections don't hold the answer at all.
            gold is not None and gold in raw and gives_away(raw, gold)
            for raw, gold in beside
        ]
    return looks, verdicts, flags, given


def joined(parts: Sequence[Facts]) -> Facts:
    """The facts of several batches as one table; a question that stands in several is one."""
    if len(parts) == 1:
        return parts[0]
    # By id, so that the order in which pieces were read can't show in the table.
    ids, inverse = np.unique(np.concatenate([p.question_id for p in parts]), return_inverse=True)
    # The missing variant goes last, as `variant_codes` puts it.
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


def text_hash(text: str) -> int:
    """64 bits of a text's XXH3 hash, never 0."""
    # 0 is taken: `response_answer` says by it that no answer was found.
    return xxh3_64_intdigest(text.encode()) or 1


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """The values of a column in one array; copied only where they lie in several."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def question_ids(questions: pa.ChunkedArray) -> tuple[Places, Ids, pa.Array]:
    """For each row the place of its question among the different ones; their ids; their texts."""
    # Arrow finds the different texts, so only these become strings and are hashed.
    encoded = one_array(questions).dictionary_encode()
    texts = encoded.dictionary
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32), text_ids(texts.to_pylist()), texts


def _questions(table: pa.Table) -> tuple[Places, Ids, list[str], list[str | None]]:
    places, ids, texts = question_ids(table["question"])
    golds: list[str | None] = [None] * len(ids)
    for place, gold in zip(places.tolist(), table["answer"].to_pylist(), strict=True):
        known = golds[place]
        # Where rows disagree the smallest counts, not the first: the order of rows decides nothing.
        if gold is not None and (known is None or gold < known):
            golds[place] = gold
    return places, ids, texts.to_pylist(), golds


def _texts(column: pa.Array, recipe: Recipe) -> tuple[Texts, Flags]:
    """The texts of a column, with block tags escaped where the recipe says so, and which of them held some."""
    found = pc.match_substring_regex(column, block_tag_pattern(recipe.tags))
    tagged = np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)
    if recipe.filters.block_tags == "escape" and tagged.any():
        texts: list[str] = column.to_pylist()
        for place in np.flatnonzero(tagged).tolist():
            texts[place] = escape_block_tags(texts[place], recipe.tags)
        column = pa.array(texts, pa.large_string())
    return Texts(column), tagged


def _flatten(column: pa.ChunkedArray) -> tuple[pa.Array, Places]:
    """The items of a column of lists, and for each the row it came from."""
    lists = one_array(column)
    # A row may have no list at all, which is one without items.
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return lists.flatten(), np.repeat(np.arange(len(lists), dtype=np.int32), lengths)


def text_ids(texts: Sequence[str]) -> Ids:
    """The ids of some texts, as `draws.text_id` makes them."""
    return np.array([xxh3_64_intdigest(text.encode()) for text in texts], dtype=np.uint64)
