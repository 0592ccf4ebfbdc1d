"""Looking at and reading from the Hub: little is moved, and nobody sees what their token may not see."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from skill_factory.errors import HubError
from skill_factory.hub.client import check_access, read_text, safe_name, search, whoami
from skill_factory.hub.errors import NotOnHub, SignInNeeded, patiently, status_of
from skill_factory.hub.file_patterns import data_files
from skill_factory.hub.layout import configs_of
from skill_factory.hub.look import look
from tests.hub import Hub, Role, User, parquet_bytes

pytest_plugins = ["tests.hub_fixtures"]

RAW = pa.table({"question": [f"q{n}" * 500 for n in range(2000)], "n": list(range(2000))})
CARD = """---
configs:
- config_name: raw
  data_files: raw/*.parquet
- config_name: eval
  default: true
  data_files:
  - split: dev
    path: [eval/a.jsonl]
  - split: test
    path: eval/b.jsonl
---
"""


def test_whoami_tells_name_organisations_and_whether_it_writes(hub: Hub) -> None:
    """Organisations are offered as namespaces; a reading token is known as one."""
    account = whoami(hub.token("alice"), hub.url)
    assert (account.namespaces, account.can_write) == (("alice", "lab"), True)
    assert not whoami(hub.token("alice", Role.READ), hub.url).can_write
    assert whoami(hub.token("alice", Role.CONTRIBUTE), hub.url).can_write


@pytest.mark.parametrize("token", [None, "", "hf_expired"])
def test_without_a_valid_token_the_user_is_asked_to_sign_in(hub: Hub, token: str | None) -> None:
    """Missing and refused tokens are one kind of error, whose sentence never shows the token."""
    with pytest.raises(SignInNeeded) as refused:
        whoami(token, hub.url)
    assert "hf_expired" not in str(refused.value)


def test_look_tells_everything_and_moves_next_to_nothing(hub: Hub) -> None:
    """Subset, split, rows, columns, sizes and the commit of two shards, for a small part of their bytes."""
    content = parquet_bytes(RAW)
    paths = [f"data/train-{n:05d}-of-00002.parquet" for n in range(2)]
    commit = hub.seed("alice/raw", dict.fromkeys(paths, content))
    found = look("alice/raw", hub.token("alice"), endpoint=hub.url)
    (config,) = found.configs
    (split,) = config.splits
    assert (found.commit, found.private, config.name, split.name) == (commit, False, "default", "train")
    assert (split.files, split.rows, split.size) == (tuple(paths), 4000, 2 * len(content))
    assert config.columns == {"question": "string", "n": "int64"}
    moved = sum(record.sent for record in hub.requests if record.route == "resolve")
    assert moved < 2 * 2**16 + 1000 and not any(
        r.status == 200 and r.range is None for r in hub.requests if r.route == "resolve"
    )


def test_look_at_many_shards_asks_little(hub: Hub) -> None:
    """Fifty footers cost a request or two each, and the listing is not asked for again and again."""
    hub.seed_dataset("alice/many", {f"train-{n:02d}.parquet": RAW.slice(n * 40, 40) for n in range(50)})
    (config,) = look("alice/many", None, endpoint=hub.url).configs
    counts = hub.counts()
    assert config.rows == 2000 and counts["resolve"] <= 100 and counts["tree"] + counts["revision"] <= 4


def test_look_reads_an_older_revision(hub: Hub) -> None:
    """A commit, tag or branch gives what was there then."""
    old = hub.seed_dataset("alice/raw", {"train.parquet": RAW})
    hub.seed_dataset("alice/raw", {"train.parquet": RAW.slice(0, 5)})
    rows = {revision: look("alice/raw", None, revision, hub.url).configs[0].rows for revision in (None, old)}
    assert rows == {None: 5, old: 2000}
    with pytest.raises(HubError, match="no such revision"):
        look("alice/raw", None, "nowhere", hub.url)


def test_look_follows_the_card(hub: Hub) -> None:
    """Declared subsets and splits, in Parquet and JSON lines; the marked one is the default."""
    lines = b'{"q": "a", "n": 1}\n{"q": "b", "n": 2}\n'
    hub.seed(
        "alice/two",
        {
            "README.md": CARD.encode(),
            "raw/x.parquet": parquet_bytes(RAW),
            "eval/a.jsonl": lines,
            "eval/b.jsonl": lines,
        },
    )
    found = look("alice/two", None, endpoint=hub.url)
    assert {c.name: [s.name for s in c.splits] for c in found.configs} == {
        "raw": ["train"],
        "eval": ["dev", "test"],
    }
    default = found.config()
    assert default is not None and default.name == "eval" and default.columns == {"q": "string", "n": "int64"}
    assert found.config("raw") is not None and found.config("absent") is None


def test_rows_of_many_shards_come_from_the_card(hub: Hub) -> None:
    """Where the card tells them, ten shards cost one footer."""
    told = "---\ndataset_info:\n  splits:\n  - name: train\n    num_examples: 50\n---\n"
    hub.seed_dataset("alice/many", {f"train-{n}.parquet": RAW.slice(n, 5) for n in range(10)}, told)
    (config,) = look("alice/many", None, endpoint=hub.url).configs
    assert config.rows == 50
    assert len({r.path for r in hub.requests if r.route == "resolve" and r.path.endswith(".parquet")}) == 1


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("train.csv", b"a,b\n1,x\n", {"a": "int64", "b": "string"}),
        ("train.csv.gz", b"packed", {}),
        ("train.jsonl", b'{"a": [1]}\n' * 20_000, {"a": "list<item: int64>"}),
        ("train.jsonl", b"nonsense\n", {}),
    ],
)
def test_columns_of_text_files_come_from_their_head(
    hub: Hub, name: str, content: bytes, columns: dict[str, str]
) -> None:
    """The first lines tell the columns; what can't be read has none, and is no error yet."""
    hub.seed("alice/text", {name: content})
    (config,) = look("alice/text", None, endpoint=hub.url).configs
    assert dict(config.columns) == columns


def test_a_broken_parquet_file_is_named(hub: Hub) -> None:
    """A file that is no Parquet inside is an error that names it."""
    hub.seed("alice/bad", {"train.parquet": b"no parquet at all"})
    with pytest.raises(HubError, match=r"train\.parquet in alice/bad"):
        look("alice/bad", None, endpoint=hub.url)


def test_a_repository_without_data_has_no_subsets(hub: Hub) -> None:
    """Nothing to read is a look with nothing in it."""
    hub.seed("alice/empty", {"README.md": b"# Soon\n"})
    assert look("alice/empty", None, endpoint=hub.url).configs == ()


def test_private_data_are_seen_with_their_owners_token_only(hub: Hub) -> None:
    """Look, access check, search and reading: the owner sees them, another user and nobody do not."""
    hub.seed("alice/secret", {"train.jsonl": b'{"a": 1}\n', "recipe.toml": b"version = 1\n"}, private=True)
    assert look("alice/secret", hub.token("alice"), endpoint=hub.url).private
    assert read_text("alice/secret", "recipe.toml", hub.token("alice"), endpoint=hub.url) == "version = 1\n"
    for token, advice in ((hub.token("bob"), "can't see it"), (None, "sign in")):
        for read in (look, check_access):
            with pytest.raises(NotOnHub, match=advice):
                read("alice/secret", token, endpoint=hub.url)
        with pytest.raises(NotOnHub):
            read_text("alice/secret", "recipe.toml", token, endpoint=hub.url)
        assert search("secret", token, endpoint=hub.url) == ()
    assert [hit.name for hit in search("secret", hub.token("alice"), endpoint=hub.url)] == ["alice/secret"]


@pytest.mark.parametrize("pasted", ["hf alice", "hf_a\nb", "„hf_alice“"])
def test_a_token_that_is_none_is_told_before_it_is_sent(hub: Hub, pasted: str) -> None:
    """White space around a pasted token is forgiven, anything else in it is not."""
    with pytest.raises(SignInNeeded, match="Copy it again"):
        whoami(pasted, hub.url)
    assert whoami(f" {hub.token('alice')}\n", hub.url).name == "alice" and hub.count() == 1


def test_a_stored_login_is_never_used(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token means nobody, also where the machine's owner has HF_TOKEN set."""
    hub.seed("alice/secret", {"train.jsonl": b'{"a": 1}\n'}, private=True)
    monkeypatch.setenv("HF_TOKEN", hub.token("alice"))
    with pytest.raises(NotOnHub):
        look("alice/secret", None, endpoint=hub.url)
    with pytest.raises(SignInNeeded):
        whoami(None, hub.url)
    assert {record.token for record in hub.requests} == {None}


def test_gated_data_ask_for_consent(hub: Hub) -> None:
    """The sentence says where to accept the terms; once let in, the user reads."""
    hub.seed("alice/gated", {"train.jsonl": b'{"a": 1}\n'}, gated=True)
    with pytest.raises(HubError, match=f"Accept them at {hub.url}/datasets/alice/gated"):
        look("alice/gated", hub.token("bob"), endpoint=hub.url)
    hub.repo("alice/gated").granted.add("bob")
    assert look("alice/gated", hub.token("bob"), endpoint=hub.url).gated


def test_access_that_was_taken_back_is_noticed(hub: Hub) -> None:
    """What a visitor could read a minute ago is refused now: nothing comes from a cache."""
    hub.seed("alice/set", {"recipe.toml": b"version = 1\n"}, private=True)
    hub.users["bob"] = User("bob", ("alice",))
    assert read_text("alice/set", "recipe.toml", hub.token("bob"), endpoint=hub.url)
    hub.users["bob"] = User("bob")
    with pytest.raises(NotOnHub):
        read_text("alice/set", "recipe.toml", hub.token("bob"), endpoint=hub.url)


def test_reading_writes_nothing_to_disk(hub: Hub, tmp_path: Path, in_client: Any) -> None:
    """After a look and a read of private data, no file below HF_HOME holds a row or the token."""
    hub.seed(
        "alice/secret",
        {"train.jsonl": b'{"a": "classified"}\n', "recipe.toml": b"classified\n"},
        private=True,
    )
    code = """
import json, os
from pathlib import Path
from skill_factory.hub.client import read_text
from skill_factory.hub.look import look
token = os.environ.pop("HF_TOKEN")
look("alice/secret", token); read_text("alice/secret", "recipe.toml", token)
home = Path(os.environ["HF_HOME"])
print(json.dumps([p.name for p in home.rglob("*") if p.is_file() and (b"classified" in p.read_bytes() or token.encode() in p.read_bytes())]))
"""
    assert in_client(code, user="alice") == []


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "status 500"), (429, "too many requests"), (402, "paid plan"), (418, "status 418")],
)
def test_refusals_are_told_in_plain_words(hub: Hub, status: int, words: str) -> None:
    """Each status becomes a sentence with what to do."""
    hub.faults.add("whoami", status=status, times=9)
    with pytest.raises(HubError, match=words):
        whoami(hub.token("alice"), hub.url)


def test_an_unreachable_hub_is_told_so() -> None:
    """No server at all is no traceback."""
    with pytest.raises(HubError, match="can't be reached"):
        whoami("hf_x", "http://127.0.0.1:9")


def test_patience_ends() -> None:
    """A broken line is tried four times, with growing pauses; another error is raised at once."""
    waits: list[float] = []

    def broken() -> None:
        raise ConnectionError("gone")

    def wrong() -> None:
        raise RuntimeError("no line trouble")

    with pytest.raises(ConnectionError):
        patiently(broken, waits.append)
    assert waits == [1.0, 2.0, 4.0]
    with pytest.raises(RuntimeError):
        patiently(wrong, waits.append)
    assert len(waits) == 3 and status_of(RuntimeError()) == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("traces_reflections5_formats-C.", "traces_reflections5_formats-C"),
        ("a*C*IC b", "a-C-IC-b"),
        ("x" * 94 + "-y", "x" * 94),
        ("*", "traces"),
    ],
)
def test_safe_names_are_taken_by_the_hub(text: str, name: str) -> None:
    """Cut at 95 characters without a dash or dot at the end, as the published script leaves one."""
    assert safe_name(text) == name


@pytest.mark.parametrize(
    ("paths", "splits"),
    [
        (["train.jsonl", "test.jsonl"], {"train": 1, "test": 1}),
        (["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"], {"train": 2}),
        (["val/a.csv", "dev/b.csv", "c.csv"], {"validation": 2}),
        (["a.parquet", "notes.csv", "b.parquet"], {"train": 2}),
        (["dataset_info.json", ".hidden/x.parquet", "readme.txt"], {}),
    ],
)
def test_splits_are_told_from_names(paths: list[str], splits: dict[str, int]) -> None:
    """Without a card, words in the path name the split, and the format of most files wins."""
    configs = configs_of(dict.fromkeys(paths, 1), {})
    assert {split.name: len(split.files) for config in configs for split in config.splits} == splits


def test_data_files_leave_notes_and_hidden_files_out() -> None:
    """What a library or we wrote about the data is no data."""
    paths = ["report.json", "a/b.jsonl", ".x.jsonl", "_y/z.csv", "d.PARQUET", "e.png"]
    assert data_files(paths) == ["a/b.jsonl", "d.PARQUET"]
