"""Lengths against a cut-off: counted with the user's tokenizer or estimated, by format and number of attempts."""

import json
from pathlib import Path

import pytest

from skill_factory.errors import HandoffError
from skill_factory.traces.lengths import (
    AROUND,
    chars_per_token,
    cut_table,
    estimate,
    largest_n,
    load_counter,
    measure,
)


def row(n: int, characters: int, format: str = "*C_full", lineage: bool = True) -> dict:
    """A row whose question and trace have so many characters together."""
    blocks = "<sample>" * n
    trace = blocks + "x" * (characters - 10 - len(blocks))
    turns = [{"role": "user", "content": "q" * 10}, {"role": "assistant", "content": trace}]
    known = {"format": format, "attempts": [{}] * n} if lineage else {}
    return {"conversations": turns, "sft_template_type_idx": f"{n}C", **known}


ROWS = [row(n, 100 * n) for n in (1, 2, 3) for _ in range(100)] + [row(3, 9000)] * 3


def test_an_estimate_is_labelled_and_rounds_up() -> None:
    """Characters over characters per token; the label says that it is an estimate."""
    counter = estimate(4)
    assert (counter.exact, counter.name) == (
        False,
        "estimate: 4 characters per token, fewer where the script is dense",
    )
    assert counter.count(["", "a", "abcd", "abcde"]) == [0, 1, 1, 2]


def test_the_table_says_what_is_cut_by_format_and_attempts() -> None:
    """Per format and n: traces, those over the cut-off, median, 99 % and longest, the template's tokens included."""
    table = cut_table(measure(ROWS, estimate(1)), 1000)
    assert [(one.attempts, one.traces, one.over) for one in table] == [(1, 100, 0), (2, 100, 0), (3, 103, 3)]
    assert (table[0].median, table[2].longest) == (100 + AROUND, 9000 + AROUND)
    assert table[2].share == pytest.approx(3 / 103)


def test_the_largest_n_keeps_ninety_nine_percent_whole() -> None:
    """Of all traces with up to N attempts; a smaller N that fails ends the search."""
    lengths = measure(ROWS, estimate(1))
    assert largest_n(lengths, 1000) == 3
    assert largest_n(lengths, 1000, keep=0.995) == 2
    assert largest_n(lengths, 100) == 0


def test_rows_without_lineage_are_counted_by_their_blocks_and_label() -> None:
    """A build without lineage still has its label, and its sample blocks."""
    lengths = measure([row(2, 200, lineage=False)], estimate(1))
    assert (lengths.formats, lengths.attempts.tolist()) == (["2C"], [2])


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer of single bytes with a control token, as its own file."""
    tokenizers = pytest.importorskip("tokenizers", reason="the optional extra tokenizers is not installed")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocab={s: n for n, s in enumerate(alphabet)}, merges=[])
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(["<|end|>"])
    made.enable_truncation(5)
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_a_tokenizer_counts_exactly(tokenizer: Path) -> None:
    """The file or its folder; its own truncation is off; its control tokens are known."""
    for place in (tokenizer, tokenizer.parent):
        counter = load_counter(str(place))
        assert counter.exact and counter.special == ("<|end|>",)
        assert list(counter.count(["äbc", "", "a<|end|>", "x" * 50])) == [4, 0, 2, 50]
        assert str(tokenizer.parent.parent) not in counter.name


def test_characters_per_token_are_measured_without_the_template(tokenizer: Path) -> None:
    """The figure that a recipe's estimate takes: here one byte is one token."""
    assert chars_per_token(measure(ROWS, load_counter(str(tokenizer)))) == pytest.approx(1.0)


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    """Neither file nor Hub name, or a file of another kind."""
    pytest.importorskip("tokenizers", reason="the optional extra tokenizers is not installed")
    with pytest.raises(HandoffError, match="no tokenizer at"):
        load_counter(str(tmp_path / "none.json"))
    (tmp_path / "tokenizer.json").write_text(json.dumps({"version": "1.0"}))
    with pytest.raises(HandoffError, match=r"readable tokenizer\.json"):
        load_counter(str(tmp_path))
