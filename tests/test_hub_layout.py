"""Subsets, splits and files of a repository are those of the `datasets` library, whatever its layout and its card."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill_factory.hub.file_patterns import by_name, split_files
from skill_factory.hub.front_matter import front_matter, told_rows
from skill_factory.hub.layout import configs_of

pytest_plugins = ["tests.hub_fixtures"]

MALFORMED = {
    "data_files: mapping": "configs:\n- config_name: a\n  data_files:\n    train: data/x.parquet",
    "entry without path": "configs:\n- config_name: a\n  data_files:\n  - split: train",
    "path empty": "configs:\n- config_name: a\n  data_files:\n  - split: train\n    path:",
    "path number": "configs:\n- config_name: a\n  data_files:\n  - split: train\n    path: 5",
    "path list with null": "configs:\n- config_name: a\n  data_files:\n  - split: train\n    path: [null]",
    "data_files empty": "configs:\n- config_name: a\n  data_files:",
    "data_files number": "configs:\n- config_name: a\n  data_files: 5",
    "mapping, then text": "configs:\n- config_name: a\n  data_files:\n  - split: test\n    path: y\n  - data/x.parquet",
    "configs number": "configs: 5",
    "configs true": "configs: true",
    "configs mapping": "configs:\n  a: b",
    "data_dir list": "configs:\n- config_name: a\n  data_dir: [x]",
    "rows '12,000'": "dataset_info:\n  splits:\n  - name: train\n    num_examples: 12,000",
    "rows 1e3": "dataset_info:\n  splits:\n  - name: train\n    num_examples: 1e3",
    "rows empty": "dataset_info:\n  splits:\n  - name: train\n    num_examples:",
    "split null": "dataset_info:\n  splits:\n  - null",
    "dataset_info number": "dataset_info: 5",
    "splits number": "dataset_info:\n  splits: 5",
}


@pytest.mark.parametrize("form", MALFORMED)
def test_a_malformed_card_leaves_the_names_to_decide(form: str) -> None:
    """Front matter that can't be read declares nothing: one subset, its split by name, no error, no invented rows."""
    card = front_matter(f"---\n{MALFORMED[form]}\n---\n")
    (config,) = configs_of({"data/x.parquet": 1}, card)
    assert {split.name: split.files for split in config.splits} == {"train": ("data/x.parquet",)}
    assert told_rows(config.name, card) == {}


NAMES = [
    "train",
    "test",
    "latest",
    "greatest-test",
    "data",
    "extra",
    "responses_qwen",
    "train-00000-of-00001",
    "validation_1",
    "eval",
    "my eval",
    "dev2",
    "training-a",
    "x.train",
    "contest",
    "hard",
    "config",
    ".hidden",
    "__pycache__",
    "valset",
]


@pytest.mark.parametrize("seed", range(4))
def test_names_make_the_splits_that_the_library_makes(seed: int, tmp_path: Path) -> None:
    """Forty drawn layouts a seed: the same files in the same splits as the library finds in a folder of them."""
    from datasets.data_files import get_data_patterns, resolve_pattern

    draw = random.Random(seed)
    for k in range(40):
        folder, files = tmp_path / str(k), set()
        for _ in range(draw.randint(1, 5)):
            parts = draw.choices(NAMES, k=draw.randint(0, 2))
            path = folder.joinpath(
                *parts, draw.choice(NAMES) + draw.choice([".parquet", ".jsonl", ".csv", ".txt"])
            )
            if path.is_dir() or any(parent.is_file() for parent in path.parents):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
            files.add(str(path.relative_to(folder)))
        theirs = {}
        for split, patterns in (get_data_patterns(str(folder)) if _any_seen(files) else {}).items():
            found = [path for pattern in patterns for path in _resolved(resolve_pattern, pattern, folder)]
            theirs[str(split)] = {os.path.relpath(path, folder) for path in found}
        ours = {split: set(paths) for split, paths in split_files(files, by_name(files)).items() if paths}
        assert ours == {split: paths for split, paths in theirs.items() if paths}, sorted(files)


def _any_seen(files: set[str]) -> bool:
    return bool(split_files(files, {"any": ["**"]})["any"])


def _resolved(resolve: Callable[..., list[str]], pattern: str, folder: Path) -> list[str]:
    try:
        return resolve(pattern, str(folder))
    except FileNotFoundError:
        return []


SIDE_BY_SIDE = """
import io, json
import pyarrow as pa, pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, HfApi
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset
from skill_factory.recipe.model import Columns, Source
from skill_factory.sources import open_source
from skill_factory.hub.look import look

def rows(start, n=3):
    return [dict(question=f"{i}+1?", response=f"try {i}", correct=True) for i in range(start, start + n)]
def parquet(start):
    file = io.BytesIO(); pq.write_table(pa.Table.from_pylist(rows(start)), file); return file.getvalue()
def lines(start):
    return "".join(json.dumps(row) + "\\n" for row in rows(start)).encode()
def csv(start):
    return ("question,response,correct\\n" + "".join(f"{r['question']},{r['response']},true\\n" for r in rows(start))).encode()

C = "---\\nconfigs:\\n"
REPOS = {
    "datadir": {"README.md": C + "- config_name: easy\\n  data_dir: easy\\n- config_name: hard\\n  data_dir: hard\\n---\\n", "easy/train.parquet": parquet(0), "hard/train.parquet": parquet(3)},
    "mixdir": {"README.md": C + "- config_name: easy\\n  data_files: easy/*.parquet\\n- config_name: hard\\n  data_dir: hard\\n---\\n", "easy/train.parquet": parquet(0), "hard/train.parquet": parquet(3)},
    "data_and_root": {"data/train-00000-of-00001.parquet": parquet(0), "extra.parquet": parquet(3)},
    "train_and_other": {"train.jsonl": lines(0), "responses_qwen.jsonl": lines(3)},
    "latest": {"latest.jsonl": lines(0), "greatest-test.jsonl": lines(3)},
    "folders": {"train/a.jsonl": lines(0), "test/b.jsonl": lines(3), "c.jsonl": lines(6)},
    "sharded": {"data/train-00000-of-00002.parquet": parquet(0), "data/train-00001-of-00002.parquet": parquet(3), "data/test-00000-of-00001.parquet": parquet(6)},
    "own_split": {"data/gold-00000-of-00001.parquet": parquet(0), "data/train-00000-of-00001.parquet": parquet(3)},
    "plain": {"answers.jsonl": lines(0), "more.jsonl": lines(3)},
    "mixed_kinds": {"a.parquet": parquet(0), "b.csv": csv(3), "c.parquet": parquet(6)},
    "csv": {"train.csv": csv(0), "dev.csv": csv(3)},
    "one_pattern": {"README.md": C + "- config_name: a\\n  data_files: raw/*.jsonl\\n---\\n", "raw/x.jsonl": lines(0), "other.jsonl": lines(3)},
    "list_of_patterns": {"README.md": C + "- config_name: a\\n  data_files:\\n  - one/*\\n  - two/*\\n---\\n", "one/x.jsonl": lines(0), "two/y.jsonl": lines(3)},
    "splits": {"README.md": C + "- config_name: a\\n  data_files:\\n  - split: train\\n    path: x.jsonl\\n  - split: odd\\n    path: [y.jsonl, z.jsonl]\\n---\\n", "x.jsonl": lines(0), "y.jsonl": lines(3), "z.jsonl": lines(6)},
    "dir_and_files": {"README.md": C + "- config_name: a\\n  data_dir: deep/er\\n  data_files: '*.jsonl'\\n---\\n", "deep/er/x.jsonl": lines(0), "x.jsonl": lines(3)},
    "double_star": {"README.md": C + "- config_name: a\\n  data_files: '**/*.jsonl'\\n---\\n", "d/e/x.jsonl": lines(0), "x.jsonl": lines(3)},
    "default": {"README.md": C + "- config_name: a\\n  data_files: x.jsonl\\n- config_name: b\\n  default: true\\n  data_files: y.jsonl\\n---\\n", "x.jsonl": lines(0), "y.jsonl": lines(3)},
    "hidden": {".old/x.jsonl": lines(0), "__old/y.jsonl": lines(3), "z.jsonl": lines(6)},
    "notes": {"dataset_infos.json": b"{}", "config.json": b"{}", "train.jsonl": lines(0)},
    "nested_names": {"v1/train.jsonl": lines(0), "v1/test.jsonl": lines(3), "v2/train.jsonl": lines(6)},
}
api, told = HfApi(), {}
for name, files in REPOS.items():
    repo = "alice/" + name.replace("_", "-")
    api.create_repo(repo, repo_type="dataset", exist_ok=True)
    adds = [CommitOperationAdd(path, io.BytesIO(content if isinstance(content, bytes) else content.encode())) for path, content in files.items()]
    api.create_commit(repo, repo_type="dataset", operations=adds, commit_message="x")
    theirs, ours = {}, {}
    for config in get_dataset_config_names(repo):
        for split in get_dataset_split_names(repo, config):
            theirs[f"{config}/{split}"] = sorted(row["question"] for row in load_dataset(repo, config, split=split, streaming=True))
    for config in look(repo, "hf_alice").configs:
        for split in config.splits:
            source = open_source(repo, Source(config=config.name, split=split.name), "hf_alice")
            mapped = Columns(question="question", response="response", correct="correct")
            batches = [batch for piece in source.pieces() for batch in piece.batches(mapped)]
            read = [row for batch in batches for row in (batch if isinstance(batch, list) else batch.to_pylist())]
            ours[f"{config.name}/{split.name}"] = sorted(row["question"] for row in read)
    told[name] = [theirs, ours]
print(json.dumps(told))
"""


def test_twenty_layouts_are_read_as_the_library_reads_them(in_client: Callable[..., Any]) -> None:
    """Side by side on a Hub on loopback: the same subsets, the same splits, the same rows."""
    told = in_client(SIDE_BY_SIDE, user="alice")
    assert len(told) == 20
    assert {name: ours for name, (_, ours) in told.items()} == {
        name: theirs for name, (theirs, _) in told.items()
    }


LATE = """
import io, json, tempfile
from huggingface_hub import CommitOperationAdd, HfApi
from skill_factory.insight.inspection import inspect
api = HfApi()
row = dict(question="Q?", answer="1", response="r <answer>1</answer>", correct=True, reflections=["<verdict>Correct</verdict>"])
text = "".join(json.dumps({**row, "question": f"{k}?", "response": "x" * 2000 + row["response"], "note": None}) + "\\n" for k in range(6000)) + json.dumps({**row, "note": "late"}) + "\\n"
path = tempfile.mkdtemp() + "/rows.jsonl"
open(path, "w").write(text)
api.create_repo("alice/late", repo_type="dataset")
api.create_commit("alice/late", repo_type="dataset", operations=[CommitOperationAdd("rows.jsonl", io.BytesIO(text.encode()))], commit_message="x")
print(json.dumps([vars(inspect(path, whole=True).found), vars(inspect("alice/late", whole=True, token="hf_alice").found)]))
"""


def test_late_text_in_a_column_of_nulls_reads_as_from_disk(in_client: Callable[..., Any]) -> None:
    """A column that begins with thousands of nulls and holds text at its end stops no one."""
    disk, hub = in_client(LATE, user="alice")
    assert disk == hub
    assert disk["responses"] == 6001


DEEP = """
import io, json
import pyarrow as pa, pyarrow.parquet as pq
from huggingface_hub import CommitOperationAdd, HfApi
from skill_factory.errors import SkillFactoryError
from skill_factory.sources import open_source
from skill_factory.hub.look import look
nested = pa.int64()
for _ in range(200):
    nested = pa.struct([("a", nested)])
table = io.BytesIO()
pq.write_table(pa.table({"x": pa.nulls(1, nested)}), table)
texts = {
    "deep.jsonl": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"\\n"),
    "lists.jsonl": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}\\n",
    "deep.parquet": table.getvalue(),
    "latin.csv": "frage,l\\u00f6sung\\n1,2\\n".encode("latin-1"),
    "brackets.jsonl": json.dumps({"a": "[{" * 5_000}).encode() + b"\\n",
}
api, told = HfApi(), {}
for number, (name, data) in enumerate(texts.items()):
    repo = f"alice/deep{number}"
    api.create_repo(repo, repo_type="dataset")
    api.create_commit(repo, repo_type="dataset", operations=[CommitOperationAdd(name, io.BytesIO(data))], commit_message="x")
    try:
        told[name] = look(repo, "hf_alice").configs[0].columns
    except SkillFactoryError as error:
        told[name] = str(error)
print(json.dumps(told))
"""


def test_values_nested_without_end_are_not_looked_into(in_client: Callable[..., Any]) -> None:
    """Ten thousand levels end no process; brackets inside texts are only text, and a name may be in any encoding."""
    told = in_client(DEEP, user="alice")
    assert (told["deep.jsonl"], told["lists.jsonl"]) == ({}, {})
    assert "isn't a readable Parquet file" in told["deep.parquet"] and "nested" in told["deep.parquet"]
    assert told["latin.csv"] == {}
    assert told["brackets.jsonl"] == {"a": "string"}
