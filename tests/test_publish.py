"""Publishing: one commit with everything, or the repository stays as it was; whatever goes wrong in between."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.card import BEGIN, END
from skill_factory.build.pipeline import build
from skill_factory.errors import HubError
from skill_factory.hub.errors import HubConflict, NotOnHub, SignInNeeded
from skill_factory.publish.plan import Mode, PushPlan, plan_push
from skill_factory.publish.push import PushResult, PushStep, push
from skill_factory.publish.sending import GROUPS, groups
from skill_factory.recipe.model import Recipe
from tests.build_folders import build_folder, traces
from tests.hub import Hub, Role

pytest_plugins = ["tests.hub_fixtures"]

REPO = "alice/traces"
SHARDS = ["sft_train/train-00000-of-00002.parquet", "sft_train/train-00001-of-00002.parquet"]
TEXTS = ["README.md", "dataset_info.json", "recipe.toml", "report.json"]


class Clock:
    """Waits without waiting, and remembers how long it should have been."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


def plan(
    hub: Hub, folder: Path, mode: Mode = Mode.NEW, repo: str = REPO, user: str = "alice", **how: Any
) -> PushPlan:
    return plan_push(folder, repo, mode, hub.token(user), endpoint=hub.url, **how)


def publish(
    hub: Hub, folder: Path, mode: Mode = Mode.NEW, repo: str = REPO, user: str = "alice"
) -> PushResult:
    return push(plan(hub, folder, mode, repo, user), hub.token(user), wait=Clock())


def commits(hub: Hub, repo: str = REPO) -> int:
    """Commits on main behind the empty repository's own."""
    return len(hub.repo(repo).history(hub.repo(repo).head)) - 1


def holds(hub: Hub, folder: Path, repo: str = REPO, revision: str = "main") -> bool:
    """Whether the repository holds exactly this build: every shard and no other."""
    shards = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("*/*.parquet")}
    there = [path for path in hub.files(repo, revision) if path.endswith(".parquet")]
    same = all(hub.read(repo, path, revision) == content for path, content in shards.items())
    return sorted(shards) == there and same


# what is published


def test_a_new_data_set_is_one_commit_and_private(hub: Hub, tmp_path: Path) -> None:
    """Shards, card, recipe, report and the trainer's entry arrive together; a tag names the recipe."""
    done = publish(hub, build_folder(tmp_path / "b"))
    repo = hub.repo(REPO)
    assert (hub.count("commit"), commits(hub), repo.private) == (1, 1, True)
    assert hub.files(REPO) == sorted([".gitattributes", *TEXTS, *SHARDS])
    assert (done.commit, done.unchanged, repo.tags[done.tag]) == (repo.head.oid, False, repo.head.oid)
    assert done.url == f"{hub.url}/datasets/{REPO}"


def test_public_is_asked_for(hub: Hub, tmp_path: Path) -> None:
    """Only `public=True` makes a public repository; an existing one keeps its visibility, and that is said."""
    made = plan(hub, build_folder(tmp_path / "b"), public=True)
    push(made, hub.token("alice"))
    assert not hub.repo(REPO).private
    hub.create("dataset", "alice/closed", private=True)
    again = plan(hub, tmp_path / "b", repo="alice/closed", public=True)
    push(again, hub.token("alice"))
    assert hub.repo("alice/closed").private and "stays private" in " ".join(again.warnings)


def test_the_repository_name_is_put_into_card_and_entry(hub: Hub, tmp_path: Path) -> None:
    """Both name the repository they lie in; the folder itself stays as it was built."""
    folder = build_folder(tmp_path / "b")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    publish(hub, folder)
    card, entry = hub.read(REPO, "README.md").decode(), json.loads(hub.read(REPO, "dataset_info.json"))
    assert f'load_dataset("{REPO}", "sft_train")' in card and "USER/NAME" not in card
    assert entry["skill_factory_sft"]["hf_hub_url"] == REPO
    assert entry["skill_factory_sft"]["subset"] == "sft_train"
    assert "script_url" not in entry["skill_factory_sft"]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_what_was_published_loads_with_the_same_rows(
    hub: Hub, tmp_path: Path, in_client: Callable[..., Any], xet: bool
) -> None:
    """`load_dataset(REPO, "sft_train")` gives the rows that the build wrote, in their order."""
    folder = build_folder(tmp_path / "b", shards=3, rows=50)
    rows = in_client(
        f"""
import json, os
from pathlib import Path
from skill_factory.publish.push import push
from skill_factory.publish.plan import plan_push
push(plan_push(Path({str(folder)!r}), "{REPO}", token=os.environ["HF_TOKEN"]), os.environ["HF_TOKEN"])
import datasets
print(json.dumps(datasets.load_dataset("{REPO}", "sft_train", split="train").to_list()))
""",
        user="alice",
        xet=xet,
    )
    assert rows == traces(50).to_pylist()
    assert (hub.count("lfs_put") > 0) != xet


def test_an_unchanged_push_commits_nothing(hub: Hub, tmp_path: Path) -> None:
    """Publishing the same build again, in any mode, says so: no commit, no upload, no second tag."""
    folder = build_folder(tmp_path / "b")
    first = publish(hub, folder)
    for mode in Mode:
        again = plan(hub, folder, mode)
        done = push(again, hub.token("alice"))
        assert done.unchanged and done.commit == first.commit and "nothing would change" in again.lines()[0]
    assert (hub.count("commit"), commits(hub), len(hub.repo(REPO).tags)) == (1, 1, 1)


def test_many_shards_are_sent_ahead_and_committed_once(hub: Hub, tmp_path: Path) -> None:
    """Sixty shards: contents go in groups with progress per file, then one commit shows them all."""
    folder, steps = build_folder(tmp_path / "b", shards=60, rows=60), list[PushStep]()
    push(plan(hub, folder), hub.token("alice"), steps.append)
    assert hub.count("commit") == 1 and holds(hub, folder)
    assert len([step for step in steps if step.what.endswith(".parquet")]) == 60
    assert (
        steps[-1].done
        == steps[-1].total
        == sum(p.stat().st_size for p in folder.rglob("*.parquet"))
        + sum(len(hub.read(REPO, text)) for text in TEXTS)
    )


@pytest.mark.parametrize(("number", "count"), [(0, 0), (1, 1), (20, 20), (21, 11), (500, 20)])
def test_groups_hold_every_file_once(number: int, count: int) -> None:
    """Few files go one by one, many in at most GROUPS groups."""
    files: list[Any] = list(range(number))
    made = groups(files)
    assert [one for group in made for one in group] == files
    assert len(made) == count <= GROUPS


# a repository that holds something


def test_new_refuses_another_data_set_and_says_what_is_there(hub: Hub, tmp_path: Path) -> None:
    """The refusal names subset, rows and columns, and nothing is written."""
    head = hub.seed_dataset(REPO, {"data/train-00000-of-00001.parquet": traces(7, extra=("note",))})
    made = plan(hub, build_folder(tmp_path / "b"))
    assert "7 rows" in made.refusal and "note" in made.refusal and "--mode replace" in made.refusal
    with pytest.raises(HubConflict, match="already holds another dataset"):
        push(made, hub.token("alice"))
    assert hub.repo(REPO).head.oid == head


def test_new_takes_an_empty_repository_and_keeps_its_card(hub: Hub, tmp_path: Path) -> None:
    """A repository made by hand, with a card and no data, is where the build goes."""
    hub.seed(REPO, {"README.md": b"---\nlicense: mit # ours\n---\n# My words\n"})
    publish(hub, build_folder(tmp_path / "b"))
    card = hub.read(REPO, "README.md").decode()
    assert "license: mit # ours" in card and "# My words" in card and "sft_train" in card


def test_replace_takes_stale_shards_away_in_the_same_commit(hub: Hub, tmp_path: Path) -> None:
    """A smaller build after a larger one: no shard of the old one is left to be read along."""
    publish(hub, build_folder(tmp_path / "old", shards=4, rows=40))
    new = build_folder(tmp_path / "new", shards=2, rows=10, salt="b", extra=("origin",))
    made = plan(hub, new, Mode.REPLACE)
    assert (len(made.delete), made.before is not None and made.before.rows) == (4, 40)
    assert any("New columns: origin" in line for line in made.lines())
    push(made, hub.token("alice"))
    assert holds(hub, new) and commits(hub) == 2


def test_other_columns_load_cleanly_afterwards(
    hub: Hub, tmp_path: Path, in_client: Callable[..., Any]
) -> None:
    """A card with features of the old columns would make the data unreadable; ours loads."""
    stale = "---\ndataset_info:\n  config_name: sft_train\n  features:\n  - name: gone\n    dtype: int64\n---\n# Mine\n"
    hub.seed_dataset(REPO, {"sft_train/train-00000-of-00001.parquet": traces(3)}, stale)
    new = build_folder(tmp_path / "new", rows=5, extra=("origin",))
    publish(hub, new, Mode.REPLACE)
    code = f"import datasets, json; print(json.dumps(datasets.load_dataset('{REPO}', 'sft_train', split='train').to_list()))"
    assert in_client(code, user="alice") == traces(5, extra=("origin",)).to_pylist()
    assert "gone" not in hub.read(REPO, "README.md").decode()


def test_replacing_a_foreign_data_set_takes_its_data_but_no_other_file(hub: Hub, tmp_path: Path) -> None:
    """Old data under other names would be read along; code, pictures and words stay."""
    files = {"plot.png": b"\x89PNG\0", "clean.py": b"print()", "LICENSE": b"MIT"}
    hub.seed(REPO, files | {"dataset_infos.json": b"{}", "data/old.jsonl": b'{"a": 1}\n'})
    publish(hub, build_folder(tmp_path / "b"), Mode.REPLACE)
    assert hub.files(REPO) == sorted([".gitattributes", *files, *TEXTS, *SHARDS])


def test_what_the_owner_put_beside_ours_stays(
    hub: Hub, tmp_path: Path, in_client: Callable[..., Any]
) -> None:
    """A second subset and words in the card, added after our first publish, survive the next."""
    publish(hub, build_folder(tmp_path / "old", rows=8))
    card = hub.read(REPO, "README.md").decode()
    more = "configs:\n- config_name: eval\n  data_files:\n  - split: test\n    path: eval/*.parquet\n"
    owned = card.replace("configs:\n", more).replace(END, f"{END}\n\n## My notes\n") + "Thanks!\n"
    hub.seed_dataset(REPO, {"eval/test.parquet": traces(2)}, owned)
    publish(hub, build_folder(tmp_path / "new", rows=9, salt="n"), Mode.REPLACE)
    text = hub.read(REPO, "README.md").decode()
    assert (
        "## My notes" in text and text.endswith("Thanks!\n") and text.count(BEGIN) == 1 and "9 traces" in text
    )
    code = """
import datasets, json
found = {name: datasets.load_dataset("alice/traces", name) for name in datasets.get_dataset_config_names("alice/traces")}
print(json.dumps({name: {split: data.num_rows for split, data in one.items()} for name, one in found.items()}))
"""
    assert in_client(code, user="alice") == {"sft_train": {"train": 9}, "eval": {"test": 2}}


def test_a_pull_request_proposes_and_leaves_the_data_set_alone(hub: Hub, tmp_path: Path) -> None:
    """Somebody without the right to write proposes; main stays, the address of the request is told."""
    old, new = build_folder(tmp_path / "old"), build_folder(tmp_path / "new", rows=6, salt="n")
    push(plan(hub, old, public=True), hub.token("alice"))
    done = publish(hub, new, Mode.PR, user="bob")
    assert done.pull_request == f"{hub.url}/datasets/{REPO}/discussions/1" and not done.tag
    assert holds(hub, old) and holds(hub, new, revision="refs/pr/1") and hub.count("commit") == 2


def test_a_pull_request_needs_a_repository(hub: Hub, tmp_path: Path) -> None:
    """There is nothing to propose a change to."""
    with pytest.raises(HubError, match="a new one instead"):
        publish(hub, build_folder(tmp_path / "b"), Mode.PR)
    assert not hub.repos


def test_files_that_no_build_wrote_stay_at_home(hub: Hub, tmp_path: Path) -> None:
    """A note or a secret in the folder is not published, and the note is named."""
    folder = build_folder(tmp_path / "b")
    (folder / "notes.txt").write_text("private")
    (folder / ".env").write_text("secret")
    made = plan(hub, folder)
    push(made, hub.token("alice"))
    assert "notes.txt" in made.warnings[0] and hub.files(REPO) == sorted([".gitattributes", *TEXTS, *SHARDS])


@pytest.mark.parametrize("spoil", ["report.json", ".work", "shards"])
def test_an_unfinished_folder_is_no_build(hub: Hub, tmp_path: Path, spoil: str) -> None:
    """Without its report, with work files, or without traces, a folder is refused before the Hub is asked."""
    folder = build_folder(tmp_path / "b")
    if spoil == ".work":
        (folder / ".work").mkdir()
    elif spoil == "shards":
        [shard.unlink() for shard in folder.glob("*/*.parquet")]
    else:
        (folder / spoil).unlink()
    with pytest.raises(HubError, match=r"finished build|no traces"):
        plan(hub, folder)
    assert not hub.requests


# refusals


def test_nobody_publishes_without_a_token(hub: Hub, tmp_path: Path) -> None:
    """Without a token the sentence says how to get one; a stored login is not used behind the user's back."""
    with pytest.raises(SignInNeeded, match="HF_TOKEN"):
        plan_push(build_folder(tmp_path / "b"), REPO, token=None, endpoint=hub.url)


def test_an_expired_token_asks_to_sign_in(hub: Hub, tmp_path: Path) -> None:
    """401: the token is refused, at the first request or in the middle; the folder can be published later."""
    made, token = plan(hub, build_folder(tmp_path / "b")), hub.token("alice")
    hub.revoke(token)
    with pytest.raises(SignInNeeded, match="Sign in again") as refused:
        push(made, token)
    assert token not in str(refused.value)


def test_a_reading_token_is_told_so(hub: Hub, tmp_path: Path) -> None:
    """403: neither another's namespace nor a token for reading can be published with."""
    folder = build_folder(tmp_path / "b")
    with pytest.raises(HubError, match="isn't allowed to do that"):
        publish(hub, folder, repo="lab/traces", user="bob")
    read = hub.token("alice", Role.READ)
    with pytest.raises(HubError, match="isn't allowed to do that"):
        push(plan_push(folder, REPO, token=read, endpoint=hub.url), read)


def test_another_users_private_repository_looks_absent(hub: Hub, tmp_path: Path) -> None:
    """404: planning tells nothing of it, creating is refused."""
    hub.seed("alice/secret", {"a.parquet": b"x"}, private=True)
    made = plan(hub, build_folder(tmp_path / "b"), repo="alice/secret", user="bob")
    assert made.creates and "secret" not in made.refusal
    with pytest.raises(HubError):
        push(made, hub.token("bob"))


def test_a_deleted_repository_is_named(hub: Hub, tmp_path: Path) -> None:
    """404 between plan and push: the sentence says that there is no such repository."""
    publish(hub, build_folder(tmp_path / "old"))
    made = plan(hub, build_folder(tmp_path / "new", salt="n"), Mode.REPLACE)
    del hub.repos["dataset", REPO]
    with pytest.raises(NotOnHub, match=REPO):
        push(made, hub.token("alice"))


def test_a_shard_that_vanished_is_named(hub: Hub, tmp_path: Path) -> None:
    """The folder changes between plan and push: the sentence names the file, and the repository stays empty."""
    folder = build_folder(tmp_path / "b")
    made = plan(hub, folder)
    (folder / SHARDS[1]).unlink()
    with pytest.raises(HubError, match="train-00001-of-00002"):
        push(made, hub.token("alice"), wait=Clock())
    assert commits(hub) == 0


def test_a_bad_name_is_refused_before_the_hub_is_asked(hub: Hub, tmp_path: Path) -> None:
    """A name without an account, or ending in a dash, as a cut name can."""
    folder = build_folder(tmp_path / "b")
    for name in ("traces", "alice/traces-", "alice/a b", "alice/x/y"):
        with pytest.raises(HubError, match=r"named|doesn't accept"):
            plan(hub, folder, repo=name)
    assert not hub.requests


# faults: either the old state or the whole new one

RETRIED = [
    pytest.param({"status": 409}, [409, 200], id="409"),
    pytest.param({"status": 412}, [412, 200], id="412"),
    pytest.param({"status": 429, "headers": {"Retry-After": "7"}}, [429, 200], id="429"),
    pytest.param({"status": 500}, [500, 200], id="500"),
    pytest.param({"status": 503, "times": 2}, [503, 503, 200], id="503 twice"),
    pytest.param({"cut_after": 10}, [0, 200], id="cut"),
]


@pytest.mark.parametrize(("fault", "statuses"), RETRIED)
def test_a_failing_commit_is_tried_again(
    hub: Hub, tmp_path: Path, fault: dict[str, Any], statuses: list[int]
) -> None:
    """The library would give up at once; we look, wait and try again, and one commit comes of it."""
    folder, clock = build_folder(tmp_path / "b"), Clock()
    hub.faults.add("commit", **fault)
    push(plan(hub, folder), hub.token("alice"), wait=clock)
    assert [record.status for record in hub.requests if record.route == "commit"] == statuses
    assert holds(hub, folder) and commits(hub) == 1 and len(clock.waits) == len(statuses) - 1
    assert 429 not in statuses or clock.waits == [7.0]


def test_a_commit_that_always_fails_ends(hub: Hub, tmp_path: Path) -> None:
    """Retries are bounded: five commits were asked for, the old state stands, a sentence says so."""
    old = build_folder(tmp_path / "old")
    publish(hub, old)
    hub.requests.clear()
    hub.faults.add("commit", status=503, times=99)
    with pytest.raises(HubError, match="status 503"):
        publish(hub, build_folder(tmp_path / "new", salt="n"), Mode.REPLACE)
    assert hub.count("commit") == 5 and holds(hub, old) and commits(hub) == 1


@pytest.mark.parametrize("fault", [{"status": 504}, {"status": 0}], ids=["504", "no answer"])
@pytest.mark.parametrize("mode", [Mode.NEW, Mode.REPLACE, Mode.PR])
def test_a_commit_that_landed_is_not_made_twice(
    hub: Hub, tmp_path: Path, fault: dict[str, Any], mode: Mode
) -> None:
    """The Hub did it, and its answer got lost: the second look finds it, and there is no second commit."""
    folder = build_folder(tmp_path / "b", salt="n")
    if mode is not Mode.NEW:
        publish(hub, build_folder(tmp_path / "old"))
    hub.requests.clear()
    hub.faults.add("commit", after_effect=True, **fault)
    done = publish(hub, folder, mode)
    assert hub.count("commit") == 1 and not done.unchanged
    assert holds(hub, folder, revision="refs/pr/1" if mode is Mode.PR else "main")
    assert len([name for name in hub.repo(REPO).branches if name.startswith("refs/pr/")]) == (mode is Mode.PR)
    assert (
        done.pull_request.endswith("/discussions/1")
        if mode is Mode.PR
        else done.commit == hub.repo(REPO).head.oid
    )


def test_a_card_edited_meanwhile_is_merged_again(hub: Hub, tmp_path: Path) -> None:
    """The owner saves a sentence while we publish: 412, then both are there."""
    publish(hub, build_folder(tmp_path / "old"))
    card = hub.read(REPO, "README.md")
    new = build_folder(tmp_path / "new", salt="n")
    hub.faults.add("commit", first=lambda: hub.seed(REPO, {"README.md": card + b"A late word.\n"}))
    publish(hub, new, Mode.REPLACE)
    assert holds(hub, new) and hub.read(REPO, "README.md").decode().endswith("A late word.\n")
    assert [record.status for record in hub.requests if record.route == "commit"] == [200, 412, 200]


@pytest.mark.parametrize("mode", [Mode.NEW, Mode.REPLACE])
def test_of_two_publishers_at_once_one_wins_whole(hub: Hub, tmp_path: Path, mode: Mode) -> None:
    """The slower one is told; what is there is one of the two data sets, never a mixture."""
    mine, theirs = (
        build_folder(tmp_path / "mine", salt="m"),
        build_folder(tmp_path / "theirs", shards=3, salt="t"),
    )
    if mode is Mode.REPLACE:
        publish(hub, build_folder(tmp_path / "old"))
    done = commits(hub) if mode is Mode.REPLACE else 0
    hub.faults.add("commit", first=lambda: publish(hub, theirs, mode))
    with pytest.raises(HubConflict):
        publish(hub, mine, mode)
    assert holds(hub, theirs) and commits(hub) == done + 1


def test_a_publisher_who_made_the_repository_first_is_noticed(hub: Hub, tmp_path: Path) -> None:
    """Between our look and our creation somebody publishes under that name: nothing of theirs is lost."""
    mine, theirs = build_folder(tmp_path / "mine", salt="m"), build_folder(tmp_path / "theirs", salt="t")
    hub.faults.add("create", first=lambda: publish(hub, theirs))
    with pytest.raises(HubConflict, match="already holds"):
        publish(hub, mine)
    assert holds(hub, theirs) and commits(hub) == 1


def test_a_failed_tag_is_a_warning(hub: Hub, tmp_path: Path) -> None:
    """The data are there, so the push has succeeded; publishing again makes the tag up."""
    folder = build_folder(tmp_path / "b")
    hub.faults.add("tag", status=403)
    done = publish(hub, folder)
    assert not done.tag and "couldn't be tagged" in done.warnings[0] and holds(hub, folder)
    assert publish(hub, folder).tag in hub.repo(REPO).tags


def test_publishing_a_recipe_again_gets_a_tag_of_its_own(hub: Hub, tmp_path: Path) -> None:
    """There and back again: the third publish is the first one's recipe, and is found under a tag too."""
    first, second = build_folder(tmp_path / "1"), build_folder(tmp_path / "2", salt="n")
    tags = [publish(hub, folder, Mode.REPLACE).tag for folder in (first, second, first)]
    assert tags[2] == f"{tags[0]}-2" and hub.repo(REPO).tags[tags[2]] == hub.repo(REPO).head.oid


def test_a_cut_upload_goes_on(hub: Hub, tmp_path: Path, in_client: Callable[..., Any]) -> None:
    """The line breaks in mid-shard: the content is sent again, and one commit comes of it."""
    folder = build_folder(tmp_path / "b", rows=2000)
    hub.faults.add("lfs_put", cut_after=500)
    in_client(push_code(folder), user="alice", xet=False)
    assert [r.status for r in hub.requests if r.route == "lfs_put"].count(0) == 1
    assert holds(hub, folder) and commits(hub) == 1


def test_killed_in_mid_upload_and_run_again(hub: Hub, tmp_path: Path, in_client: Callable[..., Any]) -> None:
    """A process killed while a shard is on its way leaves no data set; run again, it ends in one commit."""
    folder = build_folder(tmp_path / "b", shards=4, rows=400)
    victims: list[subprocess.Popen[bytes]] = []
    hub.faults.add("lfs_put", skip=2, first=lambda: victims[0].kill())
    victims.append(
        subprocess.Popen([sys.executable, "-c", push_code(folder)], env=hub.env("alice", xet=False))
    )
    assert victims[0].wait(60) < 0
    assert commits(hub) == 0 and hub.files(REPO) == [".gitattributes"]
    sent = hub.count("lfs_put", status=200)
    in_client(push_code(folder), user="alice", xet=False)
    assert holds(hub, folder) and commits(hub) == 1 and hub.count("lfs_put", status=200) - sent <= 2


def test_older_clients_read_what_was_published(hub: Hub, tmp_path: Path) -> None:
    """The generation that trainers still pin (datasets 4.0, hub 0.36) loads the same rows."""
    python = os.environ.get("OLD_CLIENTS_PYTHON")
    if not python:
        pytest.skip("set OLD_CLIENTS_PYTHON to a Python with datasets==4.0.0 and huggingface_hub==0.36.2")
    folder = build_folder(tmp_path / "b", shards=3, rows=50)
    publish(hub, folder)
    code = f"import datasets, json; print(json.dumps(datasets.load_dataset('{REPO}', 'sft_train', split='train').to_list()))"
    done = subprocess.run(
        [python, "-c", code], env=hub.env("alice"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == traces(50).to_pylist()


def push_code(folder: Path) -> str:
    return f"""
import json, os, sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from skill_factory.publish.push import push
from skill_factory.publish.plan import plan_push
done = push(plan_push(Path({str(folder)!r}), "{REPO}", token=os.environ["HF_TOKEN"]), os.environ["HF_TOKEN"])
print(json.dumps(done.commit))
"""


# what changed


def test_a_version_that_replaces_another_says_what_changed(hub: Hub, tmp_path: Path) -> None:
    """From both recipes and reports: numbers, fields, reasons, and how to see the rows; the next version says its own."""
    build("demo:20", tmp_path / "five", workers=1)
    build(
        "demo:20",
        tmp_path / "three",
        Recipe().changed({"traces.attempts": 3, "filters.ban": ["total"]}),
        workers=1,
    )
    publish(hub, tmp_path / "five")
    first = hub.repo(REPO).head.oid
    assert "What changed" not in hub.read(REPO, "README.md").decode()

    publish(hub, tmp_path / "three", Mode.REPLACE)
    card = hub.read(REPO, "README.md").decode()
    changed = card.partition("## What changed\n")[2].partition(END)[0]
    kept = [json.loads((tmp_path / name / "report.json").read_text())["traces"] for name in ("five", "three")]
    assert f"Traces: {kept[0]:,} before, {kept[1]:,} now." in changed
    assert "Recipe, `traces.attempts`: `5` before, `3` now." in changed
    assert f"skill-factory diff {REPO}@{first[:12]} {REPO}" in changed

    # Whoever pushes the same again, since an answer got lost, finds the same card and changes nothing.
    assert plan(hub, tmp_path / "three", Mode.REPLACE).unchanged
    publish(hub, tmp_path / "five", Mode.REPLACE)
    card = hub.read(REPO, "README.md").decode()
    assert card.count("## What changed") == 1
    assert f"Traces: {kept[1]:,} before, {kept[0]:,} now." in card


def test_a_data_set_of_others_is_replaced_without_a_word_about_changes(hub: Hub, tmp_path: Path) -> None:
    """What no build of ours wrote can't be compared, nor a report that isn't one: the push goes through all the same."""
    folder = build_folder(tmp_path / "build")
    for number, files in enumerate(
        ({"data/train.jsonl": b'{"a": 1}\n'}, {"recipe.toml": b"[", "report.json": b"[]"})
    ):
        repo = f"alice/other{number}"
        hub.seed(repo, {"README.md": b"# Mine\n", **files})
        publish(hub, folder, Mode.REPLACE, repo)
        assert "What changed" not in hub.read(repo, "README.md").decode()
