"""The Hub on loopback talks to the real, unpatched client libraries.

What needs `datasets` runs in a process of its own (the libraries read HF_ENDPOINT when imported); what needs only
`HfApi` runs here, with `endpoint=`.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub import Hub, Role, parquet_bytes, run_python

pytest_plugins = ["tests.hub_fixtures"]

TABLE = pa.table({"question": [f"q{n}" for n in range(5000)], "n": list(range(5000))})
CARD = "---\nconfigs:\n- config_name: sft_train\n  data_files:\n  - split: train\n    path: sft_train/*.parquet\n---\n# Hi\n"


def api(hub: Hub, user: str | None = "alice") -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token(user) if user else False)


def commit(hub: Hub, name: str, files: dict[str, bytes], **how: Any) -> str:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return str(api(hub).create_commit(name, operations, commit_message="m", repo_type="dataset", **how).oid)


def test_whoami_gives_the_name_and_the_organisations(hub: Hub) -> None:
    """A token stands for a user; an unknown one is refused with 401."""
    known = api(hub).whoami()
    assert (known["name"], [org["name"] for org in known["orgs"]]) == ("alice", ["lab"])
    with pytest.raises(HfHubHTTPError) as refused:
        HfApi(endpoint=hub.url, token="hf_nobody").whoami()
    assert refused.value.response.status_code == 401


def test_an_unknown_request_is_a_400(hub: Hub) -> None:
    """A client that asks for something else than we know is noticed."""
    assert httpx2.get(f"{hub.url}/api/daily_papers").status_code == 400
    assert hub.count("unknown", status=400) == 1


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_push_to_hub_and_load_dataset_round_trip(hub: Hub, in_client: Callable[..., Any], xet: bool) -> None:
    """`datasets` pushes and loads again the same rows, over Xet and over LFS, in one commit."""
    rows = in_client(
        """
import datasets, json
made = datasets.Dataset.from_dict({"a": list(range(3000)), "t": ["x" * 50 + str(n) for n in range(3000)]})
made.push_to_hub("alice/made", "sft_train", private=True)
back = datasets.load_dataset("alice/made", "sft_train", split="train")
streamed = list(datasets.load_dataset("alice/made", "sft_train", split="train", streaming=True).take(2))
print(json.dumps([back.num_rows, back[2999], streamed[1]["a"], datasets.get_dataset_config_names("alice/made")]))
""",
        user="alice",
        xet=xet,
    )
    assert rows == [3000, {"a": 2999, "t": "x" * 50 + "2999"}, 1, ["sft_train"]]
    assert hub.count("commit", status=200) == 1
    assert hub.count("lfs_put") == (0 if xet else 1)
    assert hub.count("xet_write_token") > 0 if xet else hub.count("xet_write_token") == 0
    assert hub.repo("alice/made").private


def test_a_seeded_data_set_loads(hub: Hub, in_client: Callable[..., Any]) -> None:
    """Parquet files and a card put in directly are what `load_dataset` reads, at a revision too."""
    first = hub.seed_dataset("alice/raw", {"sft_train/train-00000-of-00001.parquet": TABLE}, CARD)
    hub.seed_dataset("alice/raw", {"sft_train/train-00000-of-00001.parquet": TABLE.slice(0, 10)})
    found = in_client(
        f"""
import datasets, json
new = datasets.load_dataset("alice/raw", "sft_train", split="train")
old = datasets.load_dataset("alice/raw", "sft_train", split="train", revision="{first}")
print(json.dumps([new.num_rows, old.num_rows, old[4999]]))
"""
    )
    assert found == [10, 5000, {"question": "q4999", "n": 4999}]


def test_a_stale_parent_commit_is_a_412_and_changes_nothing(hub: Hub) -> None:
    """`parent_commit` guards against another's commit in between."""
    old = hub.seed("alice/set", {"a.txt": b"1"})
    new = hub.seed("alice/set", {"a.txt": b"2"})
    with pytest.raises(HfHubHTTPError) as refused:
        commit(hub, "alice/set", {"a.txt": b"3"}, parent_commit=old)
    assert refused.value.response.status_code == 412
    assert (hub.read("alice/set", "a.txt"), hub.repo("alice/set").head.oid) == (b"2", new)


def test_one_commit_adds_changes_and_deletes(hub: Hub) -> None:
    """Files, large files and deletions (of a file, of a folder) make one commit; unchanged content makes none."""
    hub.seed("alice/set", {"a.txt": b"1", "old/x.txt": b"x", "old/y.txt": b"y"})
    before = len(hub.repo("alice/set").commits)
    big = parquet_bytes(TABLE)
    operations = [CommitOperationAdd("data/b.parquet", big), CommitOperationDelete("old/", is_folder=True)]
    api(hub).create_commit("alice/set", operations, commit_message="m", repo_type="dataset")
    assert hub.files("alice/set") == [".gitattributes", "a.txt", "data/b.parquet"]
    assert hub.read("alice/set", "data/b.parquet") == big
    commit(hub, "alice/set", {"data/b.parquet": big, "a.txt": b"1"})
    assert len(hub.repo("alice/set").commits) == before + 1
    with pytest.raises(EntryNotFoundError):
        operations = [CommitOperationDelete("nowhere.txt")]
        api(hub).create_commit("alice/set", operations, commit_message="m", repo_type="dataset")


def test_a_pull_request_leaves_main_alone(hub: Hub) -> None:
    """`create_pr` puts the commit on refs/pr/1, also for somebody who may not write."""
    head = hub.seed("alice/set", {"a.txt": b"1"})
    operations = [CommitOperationAdd("a.txt", b"2")]
    made = api(hub, "bob").create_commit(
        "alice/set", operations, commit_message="m", repo_type="dataset", create_pr=True
    )
    assert (made.pr_num, hub.repo("alice/set").head.oid) == (1, head)
    assert hub.read("alice/set", "a.txt", "refs/pr/1") == b"2"
    with pytest.raises(HfHubHTTPError) as refused:
        operations = [CommitOperationAdd("a.txt", b"2")]
        api(hub, "bob").create_commit("alice/set", operations, commit_message="m", repo_type="dataset")
    assert refused.value.response.status_code == 403


def test_branches_tags_refs_and_history(hub: Hub) -> None:
    """A branch and a tag are made once, listed, and resolve to their commit."""
    head = hub.seed("alice/set", {"a.txt": b"1"})
    client = api(hub)
    client.create_branch("alice/set", branch="dev", repo_type="dataset")
    client.create_tag("alice/set", tag="v1", repo_type="dataset")
    listed = client.list_repo_refs("alice/set", repo_type="dataset")
    assert {b.name for b in listed.branches} == {"main", "dev"}
    assert [(t.name, t.target_commit) for t in listed.tags] == [("v1", head)]
    assert client.dataset_info("alice/set", revision="v1").sha == head
    assert len(client.list_repo_commits("alice/set", repo_type="dataset")) == 2
    with pytest.raises(HfHubHTTPError) as again:
        client.create_tag("alice/set", tag="v1", repo_type="dataset")
    assert again.value.response.status_code == 409
    with pytest.raises(RevisionNotFoundError):
        client.dataset_info("alice/set", revision="nowhere")


def test_trees_and_paths_are_listed_in_pages(tmp_path: Path) -> None:
    """A tree comes in pages, with folders, sizes and LFS ids."""
    with Hub(tmp_path / "hub", page=3) as hub:
        hub.seed(
            "alice/set", {f"d/{n}.txt": b"x" * n for n in range(7)} | {"b.parquet": parquet_bytes(TABLE)}
        )
        client = api(hub)
        deep = list(client.list_repo_tree("alice/set", recursive=True, repo_type="dataset"))
        flat = list(client.list_repo_tree("alice/set", repo_type="dataset"))
        (one,) = client.get_paths_info("alice/set", ["b.parquet", "none"], repo_type="dataset")
    assert len(deep) == 10 and {entry.path for entry in flat} == {".gitattributes", "b.parquet", "d"}
    assert one.lfs is not None and one.lfs.size == len(parquet_bytes(TABLE))


def test_parquet_is_read_by_ranges(hub: Hub) -> None:
    """A reader of one column of one row group moves a part of the file only, by 206 answers."""
    hub.seed_dataset("alice/raw", {"d.parquet": TABLE}, row_group=100)
    files = HfFileSystem(endpoint=hub.url, token=hub.token("alice"), skip_instance_cache=True)
    with files.open("datasets/alice/raw/d.parquet", block_size=2**12) as file:
        numbers = pq.ParquetFile(file).read_row_group(3, columns=["n"])["n"].to_pylist()
    assert numbers == list(range(300, 400))
    ranged = [record for record in hub.requests if record.route == "resolve" and record.range]
    assert {record.status for record in ranged} == {206}
    assert sum(record.sent for record in ranged) < len(parquet_bytes(TABLE, 100))


def test_private_repositories_are_hidden(hub: Hub, tmp_path: Path) -> None:
    """Another user gets 404 RepoNotFound, nobody 401, and neither finds it by searching."""
    hub.seed("alice/secret", {"a.txt": b"1"}, private=True)
    hub.seed("alice/open", {"a.txt": b"1"})
    for user, status in (("bob", 404), (None, 401)):
        with pytest.raises(RepositoryNotFoundError) as refused:
            api(hub, user).dataset_info("alice/secret")
        assert refused.value.response.status_code == status
    assert [found.id for found in api(hub, "bob").list_datasets(search="alice")] == ["alice/open"]
    assert {found.id for found in api(hub).list_datasets(search="alice")} == {"alice/open", "alice/secret"}
    got = hf_hub_download(
        "alice/secret",
        "a.txt",
        repo_type="dataset",
        endpoint=hub.url,
        token=hub.token("alice"),
        cache_dir=tmp_path / "cache",
    )
    assert Path(got).read_bytes() == b"1"


def test_gated_repositories_show_themselves_but_not_their_files(hub: Hub) -> None:
    """The description is for all; files and auth-check need to be let in."""
    hub.seed("alice/gated", {"a.txt": b"1"}, gated=True)
    assert api(hub, "bob").dataset_info("alice/gated").gated == "manual"
    for user in ("bob", None):
        with pytest.raises(GatedRepoError):
            api(hub, user).auth_check("alice/gated", repo_type="dataset")
    hub.repo("alice/gated").granted.add("bob")
    api(hub, "bob").auth_check("alice/gated", repo_type="dataset")


def test_repositories_are_made_and_deleted_by_their_owners(hub: Hub) -> None:
    """A second creation is a 409, another's namespace a 403, a read token too."""
    client = api(hub)
    client.create_repo("lab/set", repo_type="dataset", private=True)
    client.create_repo("lab/set", repo_type="dataset", exist_ok=True)
    for token, name in ((hub.token("bob"), "lab/other"), (hub.token("alice", Role.READ), "alice/x")):
        with pytest.raises(HfHubHTTPError) as refused:
            HfApi(endpoint=hub.url, token=token).create_repo(name, repo_type="dataset")
        assert refused.value.response.status_code == 403
    client.delete_repo("lab/set", repo_type="dataset")
    assert not client.repo_exists("lab/set", repo_type="dataset")


def test_an_app_token_writes_only_what_it_made(hub: Hub) -> None:
    """`contribute-repos`: repositories of the app, no others."""
    hub.seed("alice/before", {"a.txt": b"1"})
    app = HfApi(endpoint=hub.url, token=hub.token("alice", Role.CONTRIBUTE))
    app.create_repo("alice/made", repo_type="dataset")
    app.create_commit("alice/made", [CommitOperationAdd("a", b"1")], commit_message="m", repo_type="dataset")
    with pytest.raises(HfHubHTTPError):
        app.create_commit(
            "alice/before", [CommitOperationAdd("a", b"1")], commit_message="m", repo_type="dataset"
        )


def test_a_wrong_card_is_refused_before_anything_is_uploaded(hub: Hub) -> None:
    """The client validates README.md first, and the Hub says what is wrong."""
    hub.seed("alice/set", {"a.txt": b"1"})
    with pytest.raises(ValueError, match="configs"):
        commit(hub, "alice/set", {"README.md": b"---\nconfigs: 3\n---\n"})
    assert hub.count("preupload") == 0


def test_spaces_need_a_plan_and_keep_their_variables(hub: Hub) -> None:
    """A Docker Space is made with its variables and secrets' names; an account without a plan gets a 402."""
    made = {"repo_type": "space", "space_sdk": "docker", "space_variables": [{"key": "A", "value": "1"}]}
    api(hub).create_repo("alice/app", **made)
    api(hub).add_space_variable("alice/app", "B", "2")
    space = hub.repo("alice/app", "space")
    assert (space.sdk, space.variables) == ("docker", {"A": "1", "B": "2"})
    assert api(hub).get_space_runtime("alice/app").stage == "BUILDING"
    with pytest.raises(HfHubHTTPError) as refused:
        api(hub, "carol").create_repo("carol/app", **made)
    assert refused.value.response.status_code == 402


@pytest.mark.filterwarnings("ignore:.*experimental")
def test_a_job_runs_with_its_files_and_its_log(hub: Hub, tmp_path: Path) -> None:
    """`run_uv_job` ships local files in a bucket, the log is followed to the end, secrets are not shown."""
    script = tmp_path / "job.py"
    script.write_text("print('hello')")
    client = api(hub)
    job = client.run_uv_job(
        str(script),
        script_args=["--x", "1"],
        secrets={"HF_TOKEN": "t"},
        flavor="cpu-upgrade",
        token=hub.token("alice"),
    )
    lines = list(client.fetch_job_logs(job_id=job.id, follow=True))
    (sent,) = (json.loads(record.body) for record in hub.requests if record.route == "job_run")
    assert lines == ["started", "done"] and sent["flavor"] == "cpu-upgrade"
    assert sent["command"][-3:] == ["/data/job.py", "--x", "1"]
    assert client.inspect_job(job_id=job.id).status.stage == "COMPLETED"
    assert len(hub.buckets["alice/jobs-artifacts"]) == 1


def test_a_device_code_becomes_a_token_once_it_is_approved(hub: Hub) -> None:
    """Pending, then the token; a code is good for one token."""
    asked = httpx2.post(f"{hub.url}/oauth/device", data={"client_id": "c", "scope": "openid profile"}).json()
    form = {"client_id": "c", "device_code": asked["device_code"]}
    assert httpx2.post(f"{hub.url}/oauth/token", data=form).json() == {"error": "authorization_pending"}
    token = hub.approve(asked["user_code"], "alice")
    assert httpx2.post(f"{hub.url}/oauth/token", data=form).json()["access_token"] == token
    assert httpx2.post(f"{hub.url}/oauth/token", data=form).json() == {"error": "expired_token"}
    assert HfApi(endpoint=hub.url, token=token).whoami()["name"] == "alice"


def test_faults_come_as_often_as_told_and_with_or_without_effect(hub: Hub) -> None:
    """A 409 without effect, then a 504 whose commit landed all the same."""
    hub.seed("alice/set", {"a.txt": b"1"})
    hub.faults.add("commit", status=409)
    hub.faults.add("commit", status=504, after_effect=True)
    for status, content in ((409, b"1"), (504, b"2")):
        with pytest.raises(HfHubHTTPError) as failed:
            commit(hub, "alice/set", {"a.txt": b"2"})
        assert (failed.value.response.status_code, hub.read("alice/set", "a.txt")) == (status, content)
    commit(hub, "alice/set", {"a.txt": b"3"})
    assert [record.status for record in hub.requests if record.route == "commit"] == [409, 504, 200]


def test_a_rate_limit_is_waited_for(hub: Hub) -> None:
    """429 with Retry-After on the preupload: the client's own retry obeys and goes on."""
    hub.seed("alice/set", {"a.txt": b"1"})
    hub.faults.add("preupload", status=429, headers={"Retry-After": "0"})
    commit(hub, "alice/set", {"a.txt": b"2"})
    assert [record.status for record in hub.requests if record.route == "preupload"] == [429, 200]


def test_a_cut_upload_is_sent_again(hub: Hub) -> None:
    """The connection is cut after 1,000 bytes of a shard; the client sends it once more, whole."""
    code = """
from huggingface_hub import HfApi; import json
HfApi().upload_file(path_or_fileobj=b"\\0" * 200_000, path_in_repo="x.parquet", repo_id="alice/set", repo_type="dataset")
print(json.dumps("ok"))
"""
    hub.seed("alice/set", {"a.txt": b"1"})
    hub.faults.add("lfs_put", cut_after=1000)
    done = run_python(code, hub.env("alice", xet=False))
    assert done.returncode == 0, done.stderr
    assert [record.status for record in hub.requests if record.route == "lfs_put"] == [0, 200]
    assert len(hub.read("alice/set", "x.parquet")) == 200_000


def test_a_cut_download_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    """The connection is cut after 1,000 bytes; the client asks once more and has the whole file."""
    content = os.urandom(50_000)
    hub.seed("alice/set", {"x.parquet": content})
    hub.faults.add("resolve", cut_after=1000, skip=1)
    got = hf_hub_download(
        "alice/set", "x.parquet", repo_type="dataset", endpoint=hub.url, token=False, cache_dir=tmp_path / "c"
    )
    assert Path(got).read_bytes() == content
    assert [r.sent for r in hub.requests if r.route == "resolve" and r.method == "GET"] == [1000, 50_000]


def test_a_reader_meets_another_publisher(hub: Hub) -> None:
    """`first` runs before the request is answered: a second publisher's commit, at the worst moment."""
    head = hub.seed("alice/set", {"a.txt": b"1"})
    hub.faults.add("commit", first=lambda: hub.seed("alice/set", {"a.txt": b"theirs"}))
    with pytest.raises(HfHubHTTPError) as refused:
        commit(hub, "alice/set", {"a.txt": b"ours"}, parent_commit=head)
    assert refused.value.response.status_code == 412
    assert hub.read("alice/set", "a.txt") == b"theirs"


def test_an_expired_token_is_a_401_that_says_so(hub: Hub) -> None:
    """A revoked token is refused everywhere, also for what is public."""
    hub.seed("alice/set", {"a.txt": b"1"})
    client = api(hub)
    hub.revoke("hf_alice")
    with pytest.raises(HfHubHTTPError) as refused:
        client.dataset_info("alice/set")
    assert refused.value.response.status_code == 401


def test_lost_uploads_can_not_be_committed(hub: Hub) -> None:
    """A commit that names a large file which never arrived is a 400."""
    hub.seed("alice/set", {"a.txt": b"1"})
    line = {"key": "lfsFile", "value": {"path": "x.parquet", "algo": "sha256", "oid": "0" * 64, "size": 3}}
    body = "\n".join(json.dumps(item) for item in ({"key": "header", "value": {"summary": "m"}}, line))
    headers = {"Authorization": f"Bearer {hub.token('alice')}", "Content-Type": "application/x-ndjson"}
    sent = httpx2.post(f"{hub.url}/api/datasets/alice/set/commit/main", content=body, headers=headers)
    assert sent.status_code == 400
    assert hub.files("alice/set") == [".gitattributes", "a.txt"]
