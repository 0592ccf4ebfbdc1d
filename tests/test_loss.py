"""`export --loss`: the trained labels are the chosen parts of each trace, whatever tokenizer and template a model has."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytest.importorskip("tokenizers")

from tokenizers import Tokenizer

from skill_factory.build.pipeline import build
from skill_factory.errors import HandoffError
from skill_factory.recipe.model import Recipe
from skill_factory.trainers import AXOLOTL, LLAMAFACTORY, TRANSFORMERS, TRL, VERL, Options, export_build
from skill_factory.trainers.loss import Loss, Part, chosen_loss, stretches
from tests.command import run
from tests.tokenizers_made import BEHIND, MARKS, TEMPLATES, TOKENIZERS, tokenizer_folder

IGNORED = -100


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with every closing, with and without reflections, in any order."""
    folder = tmp_path_factory.mktemp("loss") / "demo"
    formats = ["*C_full", "*C*IC", "*CC", "no_reflection", "random"]
    build("demo:12", folder, Recipe().changed({"traces.formats": formats, "traces.attempts": 3}), workers=1)
    return folder


@pytest.fixture(scope="module")
def made(demo: Path) -> dict[str, Tokenizer]:
    """The three tokenizers, trained on the build's own texts."""
    texts = [turn["content"] for row in rows_of(demo / "sft_train") for turn in row["conversations"]]
    return {name: make(texts) for name, make in TOKENIZERS.items()}


def rows_of(folder: Path) -> list[dict]:
    """All rows of the Parquet files of a folder."""
    return [row for path in sorted(folder.glob("train-*.parquet")) for row in pq.read_table(path).to_pylist()]


def chosen_ranges(loss: Loss, row: dict) -> list[tuple[int, int]]:
    """The characters to be trained, found by the tags and the attempts' labels alone: another way than the code's."""
    text = row["conversations"][1]["content"]
    end = text.rindex("</think>")
    behind = (end + len("</think>"), len(text))
    samples = [found.span(1) for found in re.finditer(r"(?s)<sample>\n(.*?)\n</sample>", text[:end])]
    right = [attempt["correct"] for attempt in row["attempts"]]
    assert len(samples) == len(right)
    if loss is Loss.ALL:
        return [(0, len(text))]
    if loss is Loss.ANSWERS:
        return [behind]
    if loss is Loss.RIGHT:
        return [*(place for place, fine in zip(samples, right, strict=True) if fine), behind]
    if loss is Loss.REFLECTIONS_ONLY:
        return [found.span() for found in re.finditer(r"(?s)<reflect>\n.*?\n</reflect>", text[:end])]
    wrong = [place for place, fine in zip(samples, right, strict=True) if not fine]
    borders = [0, *(border for place in wrong for border in place), len(text)]
    return list(zip(borders[::2], borders[1::2], strict=True))


def bytes_of(kind: str, tokenizer: Tokenizer, ids: list[int]) -> list[bytes]:
    """What each token stands for in the text."""
    if kind == "byte_level":
        # GPT-2's alphabet: printable bytes stand for themselves, the others for the signs from 256 on, in order.
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [n for n in range(256) if n not in printable]
        signs = {chr(n): n for n in printable} | {chr(256 + place): n for place, n in enumerate(others)}
        special = {tokenizer.token_to_id(mark) for mark in MARKS}
        return [
            mark.encode() if token in special else bytes(signs[sign] for sign in mark)
            for token in ids
            for mark in [tokenizer.id_to_token(token)]
        ]
    tokens = [tokenizer.id_to_token(token).replace("▁", " ") for token in ids]
    if kind == "unigram" and tokens[0].startswith(" "):
        # The space that stands in front of every text, and belongs to none.
        tokens[0] = tokens[0][1:]
    return [bytes([int(token[3:5], 16)]) if re.fullmatch("<0x..>", token) else token.encode() for token in tokens]


@pytest.mark.parametrize("loss", list(Loss))
@pytest.mark.parametrize("template", list(TEMPLATES))
@pytest.mark.parametrize("kind", list(TOKENIZERS))
def test_the_trained_labels_are_the_chosen_parts(
    kind: str, template: str, loss: Loss, demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """
    Token by token: trained if all its characters are chosen, counted if only some are.

    The end of the turn goes with the answer; the trace goes in whole even where a template would rewrite it.
    """
    folder = tokenizer_folder(tmp_path / "model", made[kind], TEMPLATES[template])
    options = Options("any", loss=loss.value, tokenizer=str(folder))
    result = export_build(demo, TRANSFORMERS, tmp_path / "out", options)
    tokens = result.tokens
    by_id = {row["trace_id"]: row for row in rows_of(result.path / "data")}
    originals = rows_of(demo / "sft_train")
    ranges = {row["trace_id"]: chosen_ranges(loss, row) for row in originals}
    silent = [row for row in originals if not ranges[row["trace_id"]]]
    assert tokens.dropped == ({"nothing_to_train_on": len(silent)} if silent else {})
    assert len(by_id) == tokens.rows == len(originals) - len(silent) > 0
    crossing = 0
    for original in (row for row in originals if row["trace_id"] in by_id):
        row = by_id[original["trace_id"]]
        trace = original["conversations"][1]["content"]
        pieces = bytes_of(kind, made[kind], row["input_ids"])
        whole = b"".join(pieces)
        # The trace goes in whole, whatever the template would have made of it.
        before, found, behind = whole.rpartition(trace.encode())
        assert found and behind == BEHIND[template].encode()
        trained = [False] * len(before)
        for place, sign in enumerate(trace):
            chosen = any(start <= place < end for start, end in ranges[original["trace_id"]])
            trained += [chosen] * len(sign.encode())
        trained += [loss is not Loss.REFLECTIONS_ONLY] * len(behind)
        assert len(row["input_ids"]) == len(row["labels"]) == len(row["attention_mask"])
        at = 0
        for token, label, piece in zip(row["input_ids"], row["labels"], pieces, strict=True):
            parts = trained[at : (at := at + len(piece))]
            assert label == (token if parts and all(parts) else IGNORED)
            crossing += any(parts) and not all(parts)
    assert tokens.crossing == crossing
    if kind == "byte_level" and template != "marked":
        assert crossing == 0
