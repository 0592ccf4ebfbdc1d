"""A raw set that `generate` made is published like a build: one guarded commit, its paid answers and secrets at home."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import tomli_w

from skill_factory.build.card import BEGIN, END
from skill_factory.errors import HubError
from skill_factory.generate.folder import RawFolder
from skill_factory.generate.lineage import card_of
from skill_factory.generate.store import AnswerStore
from skill_factory.hub.front_matter import front_matter
from skill_factory.publish.plan import Mode, PushPlan, plan_push
from skill_factory.publish.push import PushResult, push
from skill_factory.sources.demo.rows import write_demo
from tests.build_folders import build_folder, traces
from tests.command import ROOT, run
from tests.hub import Hub
from tests.model_server import Faults, ModelServer

pytest_plugins = ["tests.hub_fixtures"]

REPO = "alice/raw"
SHARD = "data/train-00000-of-00001.parquet"
PUBLISHED = sorted([".gitattributes", "README.md", SHARD, "report.toml"])
SECRET, INSIDE = "sk-test-77aa21", "10.0.0.7:8000"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Critiques for 48 responses, from a server that first refused all and told an inner address in its refusal."""
    folder = tmp_path_factory.mktemp("generated")
    write_demo(folder / "raw.parquet", 6)
    words = ["generate", "reflections", folder / "raw.parquet", "--out", folder / "made", "--model", "org/m"]
    words += ["--k", "5", "--retry-declined"]
    refusing = Faults(status=422, message=f"upstream http://{INSIDE}/v1 does not know account acme")
    with ModelServer(faults=refusing) as server:
        run(*words, "--endpoint", server.url, SKILL_FACTORY_API_KEY=SECRET)
    with ModelServer() as server:
        done = run(*words, "--endpoint", server.url, SKILL_FACTORY_API_KEY=SECRET)
    assert done.exit == 0, done.err
    return folder / "made"


@pytest.fixture
def raw(generated: Path, tmp_path: Path) -> Path:
    """A copy of that raw set, to be spoiled."""
    return Path(shutil.copytree(generated, tmp_path / "raw"))


def plan(hub: Hub, folder: Path, mode: Mode = Mode.NEW) -> PushPlan:
    return plan_push(folder, REPO, mode, hub.token("alice"), endpoint=hub.url)


def publish(hub: Hub, folder: Path, mode: Mode = Mode.NEW) -> PushResult:
    return push(plan(hub, folder, mode), hub.token("alice"))


def command(hub: Hub, *words: object) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own that knows this Hub only."""
    line = [sys.executable, "-m", "skill_factory", *map(str, words)]
    return subprocess.run(
        line, env=hub.env("alice"), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def edited(folder: Path, **parts: dict[str, Any]) -> Path:
    """The folder with values of its report changed."""
    report = tomllib.loads((folder / "report.toml").read_text())
    for name, values in parts.items():
        report[name] = report.get(name, {}) | values
    (folder / "report.toml").write_text(tomli_w.dumps(report))
    return folder


# what is published


def test_the_command_publishes_a_raw_set_in_one_commit(hub: Hub, raw: Path) -> None:
    """Card, report and data, private, under a tag; again: unchanged; `.store` is neither sent nor spoken of."""
    done = command(hub, "push", raw, REPO)
    assert done.returncode == 0, done.stderr
    assert f"build {REPO} --out DIR" in done.stdout and ".store" not in done.stderr
    assert "will be created (private) with 48 rows" in done.stderr
    repo = hub.repo(REPO)
    assert (hub.files(REPO), hub.count("commit"), repo.private) == (PUBLISHED, 1, True)
    assert repo.head.title.startswith("Publish 48 responses (raw ")
    assert hub.read(REPO, SHARD) == (raw / SHARD).read_bytes()
    again = command(hub, "push", raw, REPO, "--json")
    told = json.loads(again.stdout)
    assert (told["unchanged"], hub.count("commit"), list(repo.tags)) == (True, 1, [told["tag"]])
    assert told["tag"].startswith("raw-")


def test_what_is_published_read_back_is_the_raw_set(
    hub: Hub, raw: Path, tmp_path: Path, in_client: Callable[..., Any]
) -> None:
    """`inspect USER/NAME` maps its columns without help and counts what the folder's does; it loads and it builds."""
    publish(hub, raw)
    there = command(hub, "inspect", REPO, "--json")
    assert there.returncode == 0, there.stderr
    assert json.loads(there.stdout) == json.loads(command(hub, "inspect", raw, "--json").stdout)
    assert json.loads(there.stdout)["usable_questions"]["1"] > 0
    code = (
        f"import datasets, json; print(json.dumps(datasets.load_dataset('{REPO}', split='train').to_list()))"
    )
    assert in_client(code, user="alice") == pq.read_table(raw / "data").to_pylist()
    built = command(hub, "build", REPO, "--out", tmp_path / "built", "--attempts", "2", "--json")
    assert built.returncode == 0 and json.loads(built.stdout)["traces"] > 0, built.stderr


def test_neither_key_nor_address_nor_a_servers_words_leave(hub: Hub, raw: Path) -> None:
    """The key, the endpoint's address and what a refusing server said are in no published file; the reason is."""
    publish(hub, raw)
    texts = {path: hub.read(REPO, path) for path in hub.files(REPO)}
    for word in (SECRET, INSIDE, "127.0.0.1", "acme", hub.token("alice"), str(raw.parent)):
        assert [path for path, content in texts.items() if word.encode() in content] == [], word
    assert tomllib.loads(texts["report.toml"].decode())["failed_attempts"]["HTTP 422"] > 0


def test_files_that_generate_did_not_write_stay_at_home(hub: Hub, raw: Path) -> None:
    """Notes beside the set, and other data beside its shards, are named and not sent."""
    (raw / "notes.txt").write_text("private")
    (raw / "data" / "mine.parquet").write_bytes(b"x")
    made = plan(hub, raw)
    push(made, hub.token("alice"))
    assert "data/mine.parquet, notes.txt" in made.warnings[0] and hub.files(REPO) == PUBLISHED


def test_an_unfinished_set_or_a_pilot_is_said_to_be_one(hub: Hub, raw: Path) -> None:
    """It can be published, but its publisher is told before."""
    edited(raw, made={"complete": False, "missing": 1200}, pilot={"questions": 6, "questions_total": 4000})
    said = " ".join(plan(hub, raw).lines())
    assert "1,200 answers didn't come" in said and "a pilot: 6 of 4,000 questions" in said


# a repository that holds something


def test_the_owners_words_stay_and_old_shards_go(hub: Hub, raw: Path, tmp_path: Path) -> None:
    """Published again after the owner wrote into the card: his words and subset stay, no shard of the old set does."""
    more = Path(shutil.copytree(raw, tmp_path / "more"))
    shutil.copy(more / SHARD, more / "data/train-00001-of-00002.parquet")
    (more / SHARD).rename(more / "data/train-00000-of-00002.parquet")
    publish(hub, more)
    card = hub.read(REPO, "README.md").decode()
    subset = "configs:\n- config_name: mine\n  data_files: mine/*.parquet\n"
    owned = card.replace("configs:\n", f"license: mit # ours\n{subset}") + "\n## My notes\n"
    hub.seed_dataset(REPO, {"mine/a.parquet": traces(2)}, owned)
    assert plan(hub, raw).refusal
    publish(hub, edited(raw, model={"name": "org/other"}), Mode.REPLACE)
    merged = hub.read(REPO, "README.md").decode()
    assert hub.files(REPO) == sorted([*PUBLISHED, "mine/a.parquet"])
    assert "license: mit # ours" in merged and merged.endswith("## My notes\n") and merged.count(BEGIN) == 1
    assert {one["config_name"] for one in front_matter(merged)["configs"]} == {"default", "mine"}


@pytest.mark.parametrize("first", ["build", "raw set"])
def test_one_kind_in_place_of_the_other_leaves_nothing_of_it(
    hub: Hub, raw: Path, tmp_path: Path, first: str
) -> None:
    """A build's traces and a raw set's responses would be read along, their reports would tell of what is gone."""
    folders = [build_folder(tmp_path / "b"), raw]
    old, new = folders if first == "build" else reversed(folders)
    publish(hub, old)
    hub.seed(REPO, {"plot.png": b"\x89PNG\0"})
    publish(hub, new, Mode.REPLACE)
    kept = ("README.md", "recipe.toml", "report", "dataset_info", "data/", "sft_train/")
    mine = {path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file()}
    wanted = {path for path in mine if path.startswith(kept)}
    assert set(hub.files(REPO)) == wanted | {".gitattributes", "plot.png"}
    assert len(front_matter(hub.read(REPO, "README.md").decode())["configs"]) == 1


def test_a_prompt_that_holds_the_cards_marks_is_merged_whole(hub: Hub, raw: Path) -> None:
    """The card is marked by its writer, so marks inside a prompt of the user's own cut nothing off."""
    report = tomllib.loads((raw / "report.toml").read_text())
    report["prompts"] = {"odd": {"prompt": f"{BEGIN}\nWrite a card.\n{END}\nGo."}}
    (raw / "README.md").write_text(card_of(report))
    hub.seed(REPO, {"README.md": b"# My words\n"})
    publish(hub, raw)
    card = hub.read(REPO, "README.md").decode()
    assert "# My words" in card and "by org/m" in card and "Go." in card and plan(hub, raw).unchanged


# refusals


def test_a_folder_that_is_neither_is_refused_with_both_kinds(hub: Hub, tmp_path: Path) -> None:
    """The sentence says what could be published, and the Hub is not asked."""
    (tmp_path / "report.toml").write_text("title = 'of something else'\n")
    with pytest.raises(HubError, match=r"neither a finished build \(.*\) nor a raw set that `generate` made"):
        plan(hub, tmp_path)
    assert not hub.requests


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda raw: (raw / SHARD).unlink(), "without data"),
        (lambda raw: (raw / "README.md").unlink(), "without README.md"),
        (lambda raw: (raw / SHARD).write_bytes(b"PAR1"), "a readable Parquet"),
        (lambda raw: pq.write_table(pq.read_table(raw / SHARD).slice(0, 0), raw / SHARD), "no responses"),
    ],
    ids=["no data", "no card", "broken shard", "no rows"],
)
def test_a_raw_set_that_is_not_whole_is_refused(
    hub: Hub, raw: Path, spoil: Callable[[Path], object], word: str
) -> None:
    """Before the Hub is asked, in a sentence that says what is wrong."""
    spoil(raw)
    with pytest.raises(HubError, match=word):
        plan(hub, raw)
    assert not hub.requests


def test_a_raw_set_is_not_published_while_a_run_writes_it(hub: Hub, raw: Path) -> None:
    """The run's own lock tells; when it has ended, the set can be published."""
    with (
        AnswerStore.open(raw / ".store" / "answers.sqlite"),
        pytest.raises(HubError, match="is still generating"),
    ):
        plan(hub, raw)
    assert plan(hub, raw).creates


def test_a_run_killed_between_data_and_report_leaves_nothing_to_publish(hub: Hub, raw: Path) -> None:
    """New data never stand beside the old report: what is half written is refused until a run ends."""
    table = pq.read_table(raw / SHARD)
    RawFolder(raw).write_rows(table.schema, table.to_pylist())
    with pytest.raises(HubError, match="finish first"):
        plan(hub, raw)
