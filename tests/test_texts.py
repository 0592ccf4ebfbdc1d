"""Texts looked at by the hundred say what each says by itself."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.draws import text_id
from skill_factory.judge.reflections import tagged_verdict, verdict_rule, verdicts_of
from skill_factory.judge.texts import BLOCK, Block, Texts
from skill_factory.recipe.model import Verdicts

PIECES = [
    "<verdict>",
    "</verdict>",
    "<ver",
    "dict>",
    "</ver",
    "<",
    ">",
    "Correct",
    " wrong",
    "\n",
    "\u2003",
    "é",
    "\x1f",
    "🙂",
]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), min_size=1, max_size=30)


def blocks(texts: list[str], skipped: int = 0) -> list[Block]:
    """The blocks of a column of which the first texts were cut off."""
    return list(Texts(pa.array(["<verdict>"] * skipped + texts, pa.large_string())[skipped:]).blocks())


@given(TEXTS, st.integers(0, 2))
def test_a_block_knows_each_text_its_id_its_length_and_whether_it_is_empty(
    texts: list[str], skipped: int
) -> None:
    [block] = blocks(texts, skipped)
    assert block.texts == texts
    assert [one.decode() for one in block.raw] == texts
    assert block.ids().tolist() == [text_id(text) for text in texts]
    assert block.chars().tolist() == [len(text) for text in texts]
    assert block.empty().tolist() == [not text or text.isspace() for text in texts]


@given(TEXTS, st.integers(0, 2))
def test_tags_found_in_all_texts_at_once_are_those_found_in_each(texts: list[str], skipped: int) -> None:
    [block] = blocks(texts, skipped)
    places, words = block.between(b"<verdict>", b"</verdict>")
    found = {place: word.decode() for place, word in zip(places.tolist(), words, strict=True)}
    assert [found.get(place) for place in range(len(texts))] == [tagged_verdict(text) for text in texts]


@given(TEXTS, st.sampled_from(["tag", "regex", "column"]))
def test_verdicts_of_many_reflections_are_those_of_each(texts: list[str], rule: str) -> None:
    rules = Verdicts.model_validate({"rule": rule, "pattern": "(?s)<ver.*?>(.*)<" if rule == "regex" else ""})
    column = [text or None for text in reversed(texts)]
    [block] = blocks(texts)
    judge = verdict_rule(rules)
    assert list(verdicts_of(rules)(block, column)) == [
        judge(text, said) for text, said in zip(texts, column, strict=True)
    ]


def test_a_long_column_comes_in_blocks_and_none_is_left_out() -> None:
    texts = [f"number {n}" for n in range(2 * BLOCK + 7)]
    parts = blocks(texts)
    assert [text for block in parts for text in block.texts] == texts
    assert [block.places for block in parts] == [
        slice(0, BLOCK),
        slice(BLOCK, 2 * BLOCK),
        slice(2 * BLOCK, len(texts)),
    ]
