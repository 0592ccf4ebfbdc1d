"""`diff`: what two builds have in common and what not, in folders and on the Hub."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from skill_factory.insight.difference import difference, open_built
from tests.command import build, run, shards
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the demo with up to five attempts."""
    build("demo:30", folder := tmp_path_factory.mktemp("five") / "build")
    return folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same data with up to three attempts, and fewer reflections."""
    options = ("--attempts", "3", "--ban", "total")
    build("demo:30", folder := tmp_path_factory.mktemp("three") / "build", *options)
    return folder


def ids(folder: Path, column: str) -> set[str]:
    """All values of a lineage column, read the obvious way."""
    return {value for shard in shards(folder) for value in pq.read_table(shard)[column].to_pylist()}


def test_rows_and_questions_are_counted_as_sets(five: Path, three: Path) -> None:
    """By trace id and by question, as two Python sets count them."""
    found = difference(open_built(str(five)), open_built(str(three)))
    for shares, column in ((found.traces, "trace_id"), (found.questions, "question_id")):
        mine, theirs = ids(five, column), ids(three, column)
        assert shares == (len(mine & theirs), len(mine - theirs), len(theirs - mine))
    assert found.traces.both and found.traces.only_left and not found.same


def test_recipes_and_ledgers_stand_side_by_side(five: Path, three: Path) -> None:
    """The fields that differ with both values; the lines of the ledger that differ, and no others."""
    found = difference(open_built(str(five)), open_built(str(three)))
    fields = {field.field: (field.left, field.right) for field in found.fields}
    assert fields["traces.attempts"] == ("5", "3")
    assert set(fields) == {"traces.attempts", "filters.ban"}
    ledgers = [json.loads((folder / "report.json").read_text())["ledger"] for folder in (five, three)]
    kept = {entry.level: (entry.left, entry.right) for entry in found.ledger if not entry.reason}
    assert kept["traces"] == tuple(ledger["traces"]["kept"] for ledger in ledgers)
    assert all(entry.left != entry.right for entry in found.ledger)


def test_each_kind_of_difference_has_examples(five: Path, three: Path) -> None:
    """Up to three of a kind, of rows that the other build lacks."""
    found = difference(open_built(str(five)), open_built(str(three)))
    kinds = [example.kind for example in found.examples]
    assert kinds and all(kinds.count(kind) <= 3 for kind in kinds)
    [first, *_] = [example for example in found.examples if example.side == "first"]
    assert first.question and first.trace.startswith("<think>")
    rows = [row for shard in shards(five) for row in pq.read_table(shard).to_pylist()]
    text = " ".join(rows[first.place]["conversations"][-1]["content"].split())
    assert text.startswith(first.trace.removesuffix("…")[:40])


def test_a_build_does_not_differ_from_itself(five: Path) -> None:
    """Exit code 0, as `diff` of files has it; another build: 1."""
    same = run("diff", five, five)
    assert (same.exit, same.err) == (0, "") and "Both hold the same" in same.out


def test_the_command_tells_it_in_lines_and_as_json(five: Path, three: Path) -> None:
    """One JSON object with every part; the lines name what differs."""
    told = run("diff", five, three)
    assert told.exit == 1 and "Recipe, traces.attempts: 5 in the first, 3 in the second." in told.out
    found = json.loads(run("diff", five, three, "--json").out)
    assert set(found) == {"left", "right", "same", "traces", "questions", "recipe", "ledger", "examples"}
    assert found["same"] is False


def test_without_lineage_columns_the_text_tells(five: Path, tmp_path: Path) -> None:
    """A build without lineage holds the same traces, word for word."""
    build("demo:30", plain := tmp_path / "plain", "--no-lineage")
    other = difference(open_built(str(plain)), open_built(str(plain)))
    assert other.same and other.traces.both == sum(pq.read_metadata(shard).num_rows for shard in shards(five))


def test_published_versions_are_compared(five: Path, three: Path, hub: Hub) -> None:
    """`user/name@revision` against a folder, and a version against the one that replaced it."""
    environment = hub.env("alice") | {"HF_HUB_OFFLINE": "0"}
    assert run("push", five, "alice/traces", **environment).exit == 0
    first = hub.repo("alice/traces").head.oid
    assert run("push", three, "alice/traces", "--mode", "replace", "--yes", **environment).exit == 0
    here = run("diff", f"alice/traces@{first}", five, "--json", **environment)
    assert here.exit == 0, here.err
    versions = json.loads(run("diff", f"alice/traces@{first}", "alice/traces", "--json", **environment).out)
    assert versions["traces"] == json.loads(run("diff", five, three, "--json").out)["traces"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere", "neither a build folder nor a dataset"),
        ("empty", "holds no finished build"),
        ("alice/missing", "alice/missing"),
    ],
)
def test_what_is_not_a_build_is_one_sentence(
    name: str, says: str, five: Path, hub: Hub, tmp_path: Path
) -> None:
    """With what was found and what to give; exit code 2."""
    (tmp_path / "empty").mkdir()
    done = run("diff", five, name, cwd=tmp_path, **{**hub.env("alice"), "HF_HUB_OFFLINE": "0"})
    assert done.exit == 2 and says in done.err and done.err.count("\n") == 1
