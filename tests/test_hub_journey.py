"""The whole way, as a person goes it: raw data on the Hub → inspect → build → push → load, with real clients."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skill_factory.sources.demo.rows import write_demo
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]

ROOT = Path(__file__).parents[1]
RAW, MADE = "alice/raw", "alice/traces"
SHARD = "data/train-00000-of-00001.parquet"


def command(hub: Hub, *arguments: object, user: str | None = "alice") -> subprocess.CompletedProcess[str]:
    """One command in a process of its own that knows this Hub only."""
    line = [sys.executable, "-m", "skill_factory", *map(str, arguments)]
    return subprocess.run(line, env=hub.env(user), cwd=ROOT, capture_output=True, text=True, timeout=180)


def built(folder: Path) -> list[dict[str, Any]]:
    return [row for shard in sorted(folder.glob("*/*.parquet")) for row in pq.read_table(shard).to_pylist()]


@pytest.fixture
def raw(hub: Hub, tmp_path: Path) -> Path:
    """The demo's raw data as a file, and as alice's private data set."""
    path = tmp_path / "raw.parquet"
    write_demo(str(path), 40, 0)
    hub.seed(RAW, {SHARD: path.read_bytes()}, private=True)
    return path


def test_from_the_hub_to_the_hub(hub: Hub, tmp_path: Path, raw: Path, in_client: Callable[..., Any]) -> None:
    """What `load_dataset` gives is what was built, and what the same data at home would have given."""
    seen = command(hub, "inspect", RAW, "--json")
    assert seen.returncode == 0, seen.stderr
    out, home = tmp_path / "b", tmp_path / "home"
    for done in (command(hub, "build", RAW, "--out", out), command(hub, "build", raw, "--out", home)):
        assert done.returncode == 0, done.stderr
    done = command(hub, "push", out, MADE)
    assert done.returncode == 0, done.stderr
    code = f"import datasets, json; print(json.dumps(datasets.load_dataset('{MADE}', 'sft_train', split='train').to_list()))"
    loaded = in_client(code, user="alice")
    assert loaded == built(out) != []
    digests = [json.loads((folder / "report.json").read_text())["rows_digest"] for folder in (out, home)]
    assert digests[0] == digests[1]
    card, recipe = hub.read(MADE, "README.md").decode(), hub.read(MADE, "recipe.toml").decode()
    assert f'load_dataset("{MADE}", "sft_train"' in card and hub.repo(RAW).head.oid in recipe
    assert json.loads(hub.read(MADE, "dataset_info.json"))["skill_factory"]["hf_hub_url"] == MADE


def test_a_published_data_set_is_built_again_from_its_own_recipe(hub: Hub, tmp_path: Path, raw: Path) -> None:
    """Source and settings come from the Hub, at the old commit: the rows are the same, and that is said."""
    for done in (
        command(hub, "build", RAW, "--out", tmp_path / "b"),
        command(hub, "push", tmp_path / "b", MADE),
    ):
        assert done.returncode == 0, done.stderr
    hub.seed(RAW, {SHARD: b"another state"}, private=True)
    again = command(hub, "build", "--recipe", f"hf:{MADE}", "--out", tmp_path / "again", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["same_as_published"] is True
    assert built(tmp_path / "again") == built(tmp_path / "b")
    refused = command(hub, "build", "--recipe", f"hf:{MADE}", "--out", tmp_path / "bob", user="bob")
    assert (refused.returncode, refused.stdout) == (2, "") and MADE in refused.stderr


def test_a_build_pushed_again_after_the_owner_wrote_a_card(hub: Hub, tmp_path: Path, raw: Path) -> None:
    """Real cards: the owner's licence and words live through a second publish with other settings."""
    for name, attempts in (("one", 5), ("two", 3)):
        done = command(hub, "build", raw, "--out", tmp_path / name, "--attempts", attempts)
        assert done.returncode == 0, done.stderr
    assert command(hub, "push", tmp_path / "one", MADE).returncode == 0
    card = hub.read(MADE, "README.md").decode()
    hub.seed(
        MADE,
        {"README.md": card.replace("---\n", "---\nlicense: mit\n", 1).encode() + b"\n## Thanks\n\nTo all.\n"},
    )
    done = command(hub, "push", tmp_path / "two", MADE, "--mode", "replace", "--yes")
    assert done.returncode == 0, done.stderr
    text = hub.read(MADE, "README.md").decode()
    assert "license: mit" in text and text.endswith("## Thanks\n\nTo all.\n") and text.count("## Recipe") == 1
    assert "unchanged" in command(hub, "push", tmp_path / "two", MADE).stdout.lower()


def test_the_second_visitor_sees_nothing_of_private_data(hub: Hub, tmp_path: Path, raw: Path) -> None:
    """After alice has built from her private data, bob and nobody are refused, on the same machine and home."""
    env = hub.env("alice")
    line = [sys.executable, "-m", "skill_factory", "build", RAW, "--out"]
    first = subprocess.run(
        [*line, tmp_path / "a"], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert first.returncode == 0, first.stderr
    for number, token in enumerate((hub.token("bob"), "")):
        visitor = {**env, "HF_TOKEN": token}
        out = tmp_path / f"b{number}"
        done = subprocess.run(
            [*line, out], env=visitor, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "") and RAW in done.stderr
        assert not list(out.rglob("*.parquet"))


def test_the_token_lies_in_no_file_after_the_journey(hub: Hub, tmp_path: Path, raw: Path) -> None:
    """Recipe, report, card, shards, logs, caches and work folders: none holds it."""
    outputs = [
        command(hub, "build", RAW, "--out", tmp_path / "b"),
        command(hub, "push", tmp_path / "b", MADE),
    ]
    assert [one.returncode for one in outputs] == [0, 0], outputs
    token = hub.token("alice").encode()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and token in path.read_bytes()]
    assert not [one for one in outputs if token.decode() in one.stdout + one.stderr]
