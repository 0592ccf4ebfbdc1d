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
    return [
        bytes([int(token[3:5], 16)]) if re.fullmatch("<0x..>", token) else token.encode() for token in tokens
    ]


@pytest.mark.long
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
    tokens = result.checked.tokens
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


# -- choices from files ---------------------------------------------------------------------------------------------------


def exported(demo: Path, made: dict[str, Tokenizer], folder: Path, loss: str, **more: object) -> list[dict]:
    """The rows of an export under the byte-level tokenizer without a template."""
    model = tokenizer_folder(folder / "model", made["byte_level"])
    options = Options("any", loss=loss, tokenizer=str(model / "tokenizer.json"), **more)
    return rows_of(export_build(demo, TRANSFORMERS, folder / "out", options).path / "data")


def trained_text(made: dict[str, Tokenizer], row: dict) -> str:
    """The trained tokens of a row, decoded."""
    ids = [token for token in row["labels"] if token != IGNORED]
    return made["byte_level"].decode(ids, skip_special_tokens=False)


def test_a_file_lists_parts(demo: Path, made: dict[str, Tokenizer], tmp_path: Path) -> None:
    """All parts together are the whole trace; some of them are those alone."""
    originals = {row["trace_id"]: row for row in rows_of(demo / "sft_train")}
    for name, parts in (("whole", list(Part)), ("some", ["right_samples", "answer"])):
        (tmp_path / f"{name}.toml").write_text(f"train = {json.dumps(parts)}\n")
        for row in exported(demo, made, tmp_path / name, str(tmp_path / f"{name}.toml")):
            original = originals[row["trace_id"]]
            text = original["conversations"][1]["content"]
            wanted = [text[start:end] for part, start, end in stretches(original) if part in parts]
            assert trained_text(made, row) == "".join(wanted) + ("<|im_end|>\n" if name == "whole" else "")
        assert "".join(wanted) if name == "some" else wanted


def test_a_file_names_spans_trace_by_trace(demo: Path, made: dict[str, Tokenizer], tmp_path: Path) -> None:
    """Only the traces it names are written, each with its spans; ids of other builds are counted."""
    first, second = rows_of(demo / "sft_train")[:2]
    lines = [
        {"trace_id": first["trace_id"], "spans": [[0, 7], [8, 16]]},
        {"trace_id": second["trace_id"], "spans": [[0, 7]]},
        {"trace_id": "of another build", "spans": [[0, 7]]},
    ]
    (tmp_path / "spans.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = exported(demo, made, tmp_path, str(tmp_path / "spans.jsonl"))
    assert [row["trace_id"] for row in found] == [first["trace_id"], second["trace_id"]]
    assert [trained_text(made, row) for row in found] == ["<think><sample>", "<think>"]
    notes = (tmp_path / "out" / "TRAINING.md").read_text()
    assert "1 traces that spans.jsonl names are not in this build" in notes
    assert "(`nothing_to_train_on`)" in notes


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "train = ['wrong']", "right_samples"),
        ("a.toml", "train = ", "isn't TOML"),
        ("a.jsonl", '{"trace_id": 7, "spans": []}', "Line 1 of a.jsonl"),
        ("a.jsonl", '{"trace_id": "x", "spans": [[5, 2]]}', "Line 1 of a.jsonl"),
        ("a.jsonl", "\n", "names no trace"),
        ("a.jsonl", "[1, 2", "Line 1 of a.jsonl"),
    ],
)
def test_a_file_that_says_nothing_is_refused(name: str, text: str, said: str, tmp_path: Path) -> None:
    """One sentence with what was found and what the file has to look like."""
    (tmp_path / name).write_text(text)
    with pytest.raises(HandoffError, match=re.escape(said)):
        chosen_loss(str(tmp_path / name))


def test_a_span_beyond_its_text_is_refused(demo: Path, made: dict[str, Tokenizer], tmp_path: Path) -> None:
    """The file belongs to another build, and training on parts of it would be training on the wrong ones."""
    line = {"trace_id": rows_of(demo / "sft_train")[0]["trace_id"], "spans": [[0, 10**6]]}
    (tmp_path / "spans.jsonl").write_text(json.dumps(line))
    with pytest.raises(HandoffError, match="belongs to another build"):
        exported(demo, made, tmp_path, str(tmp_path / "spans.jsonl"))
    assert not (tmp_path / "out").exists()


# -- the command ----------------------------------------------------------------------------------------------------------


def test_the_command_writes_tokens_and_says_what_is_trained(
    demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """Without --to and --model: a tokenizer file is enough; ChatML is said, since the file has no template."""
    made["byte_level"].save(str(tmp_path / "bare.json"))
    words = ("export", demo, "--loss", "no_wrong_attempts", "--tokenizer", tmp_path / "bare.json")
    checked = run(*words)
    done = run(*words, "-o", tmp_path / "out")
    told = run(*words, "--json")
    assert (checked.exit, done.exit, told.exit) == (0, 0, 0)
    for said in (checked.out, done.out + done.err):
        assert "ChatML" in said and "everything but the inside of wrong samples" in said
    rows = rows_of(tmp_path / "out" / "data")
    counted = json.loads(told.out)["trained"]
    assert counted["rows"] == len(rows) > 0
    assert counted["trained"] == sum(label != IGNORED for row in rows for label in row["labels"])
    assert {*rows[0]} == {"input_ids", "attention_mask", "labels", "trace_id"}


def test_a_models_name_is_not_looked_up_beside_a_tokenizer_file(
    demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """`--model` is a name only: it goes into the script, and no request goes anywhere."""
    made["byte_level"].save(str(tmp_path / "tokenizer.json"))
    words = ("--loss", "all", "--tokenizer", tmp_path / "tokenizer.json", "--model", "nobody/nothing")
    done = run("export", demo, *words, "-o", tmp_path / "out", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.exit == 0, done.err
    assert "'nobody/nothing'" in (tmp_path / "out" / "train_tokens.py").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--loss", "wrong"), "no_wrong_attempts"),
        (("--loss", "all", "--to", "verl"), "verl takes no tokens"),
        (("--to", "transformers", "--model", "any"), "with --loss"),
        ((), "Name the trainer"),
    ],
)
def test_what_can_not_be_trained_is_refused_in_a_sentence(
    words: tuple, said: str, demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """Exit code 2, one sentence, nothing written."""
    made["byte_level"].save(str(tmp_path / "tokenizer.json"))
    done = run("export", demo, *words, "--tokenizer", tmp_path / "tokenizer.json", "-o", tmp_path / "out")
    assert done.exit == 2 and said in done.err and not (tmp_path / "out").exists()


def test_tokens_need_a_tokenizer() -> None:
    """An estimate from characters has no ids."""
    with pytest.raises(HandoffError, match="--tokenizer FILE"):
        Options("any", loss="all")


def test_a_build_without_lineage_says_what_it_can_still_do(
    made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """Which attempts are right stands nowhere; the whole and what stands behind the thinking are still known."""
    build(
        "demo:5",
        tmp_path / "bare",
        Recipe().changed({"traces.attempts": 2, "output.lineage": False}),
        workers=1,
    )
    with pytest.raises(HandoffError, match="no lineage"):
        exported(tmp_path / "bare", made, tmp_path / "no", "right")
    rows = exported(tmp_path / "bare", made, tmp_path / "yes", "answers")
    texts = [row["conversations"][1]["content"] for row in rows_of(tmp_path / "bare" / "sft_train")]
    wanted = [text.rpartition("</think>")[2] + "<|im_end|>\n" for text in texts]
    assert [trained_text(made, row) for row in rows] == wanted


def test_long_traces_are_dropped_only_when_asked(
    demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """By their length as tokens; none left is an error, since training would find out much later."""
    whole = exported(demo, made, tmp_path / "whole", "all", cutoff=400)
    some = exported(demo, made, tmp_path / "some", "all", cutoff=400, drop_over=True)
    assert [row for row in whole if len(row["input_ids"]) <= 400] == some != whole
    with pytest.raises(HandoffError, match="No trace is left"):
        exported(demo, made, tmp_path / "none", "all", cutoff=5, drop_over=True)


# -- templates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ raise_exception('only tools') }}", "only tools"),
        ("{% for", "can't be read as Jinja"),
        ("{{ messages[0].content }}", "doesn't show the assistant's text"),
        ("{{ messages.__class__.__mro__ }}", "can't write a question"),
        ("{{ 1 / 0 }}", "can't write a question"),
    ],
)
def test_a_template_that_does_not_work_is_said(
    template: str, said: str, demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """With the template's own words; a template is somebody else's program, and runs in a sandbox."""
    folder = tokenizer_folder(tmp_path / "model", made["byte_level"], template)
    with pytest.raises(HandoffError, match=re.escape(said)):
        export_build(demo, TRL, tmp_path / "out", Options("any", loss="all", tokenizer=str(folder)))


def test_a_template_file_goes_before_the_tokenizers_own(
    demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """`--template FILE.jinja`; `chat_template.jinja` beside the tokenizer goes before its configuration."""
    folder = tokenizer_folder(tmp_path / "model", made["byte_level"], TEMPLATES["llama"])
    base = {"loss": "all", "tokenizer": str(folder)}
    ends = []
    for more in ({}, {"beside": True}, {"template": str(tmp_path / "own.jinja")}):
        (tmp_path / "own.jinja").write_text(
            "Q {{ messages[0].content }} A {{ messages[1].content }}<|im_end|>"
        )
        if more.pop("beside", None):
            (folder / "chat_template.jinja").write_text(TEMPLATES["chatml"] or "{{ messages[1].content }}!")
        out = export_build(demo, TRL, tmp_path / "out", Options("any", **base, **more)).path
        ends.append(trained_text(made, rows_of(out / "data")[0]).rpartition("</answer>")[2])
    assert ends == ["<|end|>", "!", "<|im_end|>"]


@pytest.mark.parametrize("trainer", [TRL, AXOLOTL, LLAMAFACTORY], ids=lambda one: one.name)
def test_trainers_get_the_same_tokens_and_no_template(
    trainer, demo: Path, made: dict[str, Tokenizer], tmp_path: Path
) -> None:
    """Each gets the data and files of its own that name them; verl asks questions and gets none."""
    folder = tokenizer_folder(tmp_path / "model", made["byte_level"])
    options = Options("any", loss="right", tokenizer=str(folder))
    out = export_build(demo, trainer, tmp_path / "out", options).path
    assert rows_of(out / "data") == exported(demo, made, tmp_path / "plain", "right")
    assert "What is trained" in (out / "TRAINING.md").read_text()
    with pytest.raises(HandoffError, match="takes no tokens"):
        export_build(demo, VERL, tmp_path / "verl", options)
