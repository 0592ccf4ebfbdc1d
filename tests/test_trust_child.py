"""A shared server looks at nobody's bytes, patterns or recipes itself: a child with bounds does, and ends in a sentence."""

import io
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import numpy as np
import pyarrow as pa
import pytest

from skill_factory.errors import RecipeError, SkillFactoryError, SourceError
from skill_factory.judge.source_facts import sample_facts
from skill_factory.measure.values import number_of
from skill_factory.recipe.model import Columns, Recipe, recipe_from_toml
from skill_factory.recipe.share import unpacked
from skill_factory.sources import open_source
from skill_factory.sources.labels import as_number
from skill_factory.work import asking, limited, looking
from skill_factory.work.check import read_through
from skill_factory.work.home import place
from skill_factory.work.limited import TookTooMuch
from skill_factory.work.looking import Address
from skill_factory.work.nursery import KIND
from skill_factory.work.wire import Missing, Shared, pack, unpack
from tests.hub import Hub
from tests.torture.hostile import FILES, cards


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A Hub that the children know."""
    with Hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def one_server(hub: Hub) -> Iterator[None]:
    """One shared server for all tests; its children begin with what stands in the environment now."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SKILL_FACTORY_HOSTED", "1")
        for name, text in hub.env().items():
            if name.startswith(("HF_", "HUGGING")):
                environment.setenv(name, text)
        closed()
        yield
        closed()


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a home of its own."""
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")


def closed() -> None:
    """End the server's children; it begins again with the next request."""
    if "all" in limited._all:
        limited._all.pop("all").end()


# -- the wire ------------------------------------------------------------------------------------------------------


def test_what_travels_arrives_as_it_was() -> None:
    """Values, records, tables and traces of this package, by their names; a long text beside the JSON."""
    traces = looking.previewed(open_source("demo:4"), Recipe(columns=_demo_columns()), 3).traces
    sent = [
        "é" * 9000,
        None,
        -1.5,
        {"a": (1, 2)},
        Counter("aab"),
        {3, 4},
        b"\x00",
        np.arange(5, dtype=np.uint64),
    ]
    got = unpack(pack([*sent, Recipe(), traces]))
    assert got[:7] == sent[:7] and got[7].tolist() == sent[7].tolist() and got[8] == Recipe()
    assert [(one.text, one.plan.question.text) for one in got[9]] == [
        (one.text, one.plan.question.text) for one in traces
    ]
    assert [one.plan.attempts[0].response.text for one in got[9]] == [
        one.plan.attempts[0].response.text for one in traces
    ]
    assert traces


def _demo_columns() -> Columns:
    return looking.guessed(Address("demo:4"))


def test_tables_travel() -> None:
    """An Arrow table, looked through on its way in."""
    table = pa.table({"question": ["a", "b"], "n": [1, 2]})
    assert unpack(pack(table)).equals(table)


@pytest.mark.parametrize(
    "said",
    [
        '{"o": ["os:system", ["true"]]}',
        '{"o": ["skill_factory.hosting:os.system", ["true"]]}',
        '{"o": ["skill_factory.work.process:subprocess.Popen", []]}',
        '{"o": ["skill_factory.errors:SourceError", ["x"]]}',
        '{"e": ["builtins:print", 1]}',
        '{"m": ["skill_factory.recipe.model:Path", "x"]}',
        '{"a": ["O", [1], 0]}',
        '{"a": ["<i8", [9], 0]}',
        '{"z": 1}',
        '{"r": 7}',
        "[" * 100_000 + "]" * 100_000,
        "nonsense",
    ],
)
def test_an_answer_can_make_nothing_but_records(said: str) -> None:
    """A child that hostile bytes have taken over may answer what it likes: nothing of it is run."""
    import struct

    text, buffer = said.encode(), b"12345678"
    with pytest.raises(SourceError):
        unpack(struct.pack("<I2Q", 2, len(text), len(buffer)) + text + buffer)


def test_a_large_value_is_sent_once() -> None:
    """By its name alone, once the other side has it."""
    kept: dict[str, Any] = {}
    value = Shared("table", [1, 2, 3])
    assert unpack(pack(value), kept) == [1, 2, 3] == unpack(pack(value, whole=False), kept)
    with pytest.raises(Missing):
        unpack(pack(Shared("other", [1]), whole=False), kept)


# -- the child -----------------------------------------------------------------------------------------------------


def test_it_gives_what_the_function_gives() -> None:
    """The same facts as in this process, and its errors with their class and sentence."""
    columns = _demo_columns()
    recipe = Recipe(columns=columns)
    there = limited.run(looking.sample, Address("demo:20"), recipe)
    here = sample_facts(open_source("demo:20"), recipe)
    assert there.facts.response_id.tolist() == here.facts.response_id.tolist() and there.rows == here.rows
    with pytest.raises(RecipeError, match="no field 'nonsense'"):
        limited.run(recipe_from_toml, "nonsense = 1")


def test_children_are_warm_and_few() -> None:
    """A second request takes no start; there are never more than there may be."""
    limited.run(recipe_from_toml, "")
    numbers = {child.number for child in limited.children().idle}
    for _ in range(5):
        limited.run(recipe_from_toml, "")
    assert {child.number for child in limited.children().idle} & numbers
    pool = limited.children()
    assert pool.busy == 0 and len(pool.idle) <= pool.most


def test_it_has_no_login_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the server's environment holds in its owner's name stays there."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_the_owner")
    closed()
    limited.run(recipe_from_toml, "")
    living = [child for child in limited.children().idle if child.number]
    assert living
    for child in living:
        environment = Path(f"/proc/{child.number}/environ")
        if not environment.exists():
            pytest.skip("this system doesn't show a process's environment")
        assert b"hf_secret_of_the_owner" not in environment.read_bytes()


LONG = (looking.previewed, Address("demo:200000"), Recipe(), 50_000)
"""The traces of fifty thousand questions: many seconds on any machine."""


def test_what_takes_too_long_is_ended_with_a_sentence() -> None:
    """After its seconds, whatever it does; the next request is served."""
    began = time.monotonic()
    with pytest.raises(TookTooMuch, match="big takes longer than the 1 seconds"):
        limited.run(*LONG, what="big", seconds=1)
    assert time.monotonic() - began < 60
    assert limited.run(recipe_from_toml, "") == Recipe()


def test_what_nobody_waits_for_is_given_up() -> None:
    """What the pulse raises ends the request and its child."""

    def gone(elapsed: float) -> None:
        if elapsed > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        limited.run(*LONG, pulse=gone)
    assert limited.children().busy == 0


def test_who_comes_while_all_are_busy_waits_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full house is said, after some patience."""
    pool = limited.children()
    monkeypatch.setattr(limited, "PATIENCE", 0.3)
    taken = [pool.take(lambda elapsed: None) for _ in range(pool.most)]
    with pytest.raises(SourceError, match="busy with other visitors"):
        limited.run(recipe_from_toml, "")
    for child in taken:
        pool.give_back(child, False)
    assert pool.busy == 0


def test_a_child_that_was_ended_costs_no_imports() -> None:
    """The next one is a fork: it has had a fraction of the processor time of whoever imported all it knows."""
    pool = limited.children()
    taken = [pool.take(lambda elapsed: None) for _ in range(2)]
    for child in taken:
        pool.give_back(child, True)
    for child in pool.idle:
        pool.nursery.end(child.number)
    limited.run(recipe_from_toml, "")
    (newest,) = [child for child in pool.idle if child.number][-1:]
    assert newest.computed() < 0.5


def test_the_nursery_is_started_again() -> None:
    """Where the system has ended it, the next request has a child all the same."""
    pool = limited.children()
    pool.give_back(pool.take(lambda elapsed: None), True)
    pool.idle = [child for child in pool.idle if child.number]
    assert pool.nursery._process is not None
    pool.nursery._process.kill()
    pool.nursery._process.wait()
    for child in pool.idle:
        os.kill(child.number, signal.SIGKILL)
        while child.lives(lambda elapsed: None):
            time.sleep(0.01)
    assert limited.run(recipe_from_toml, "") == Recipe()


def test_a_request_comes_to_a_child_that_keeps_its_values() -> None:
    """What was sent once isn't sent again while that child is idle, whichever was idle last."""
    pool = limited.children()
    held = [pool.take(lambda elapsed: None) for _ in range(2)]
    held[0].knows = ["mine"]
    for child in held:
        pool.give_back(child, True)
    assert pool.take(lambda elapsed: None, ["mine"]) is held[0]
    pool.give_back(held[0], True)


def test_a_slow_machine_makes_no_request_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that waits, and computes nothing, doesn't give way and is kept."""
    monkeypatch.setattr(asking, "LONG", 0.2)
    limited.run(recipe_from_toml, "")
    (child,) = [one for one in limited.children().idle if one.number][-1:]
    child.knows = ["waited for"]
    os.kill(child.number, signal.SIGSTOP)
    threading.Timer(0.8, os.kill, (child.number, signal.SIGCONT)).start()
    limited.run(limited.too_large, Shared("waited for", "x"))
    assert child in limited.children().idle and not child.tired


# -- hostile files and datasets ------------------------------------------------------------------------------------


def tried(address: Address, what: str) -> str:
    """What a visitor is told: the columns, or one sentence."""
    try:
        told, recipe = limited.run(looking.entered, address, Recipe(), what=what)
        limited.run(looking.sample, Address(address.text, told.spec, ""), recipe, what=what)
    except SkillFactoryError as error:
        return str(error)
    return f"columns {', '.join(told.columns[:5])}."


@pytest.mark.parametrize("name", sorted(set(FILES) - {"line.jsonl.gz", "pages.parquet"}))
def test_a_hostile_file_ends_in_a_sentence(name: str, tmp_path: Path) -> None:
    """Nested, endless, torn, empty or a million columns wide: the server lives, and its memory stays its own."""
    path = tmp_path / name
    FILES[name](path)
    before = memory()
    said = tried(Address(str(path)), name)
    assert said.rstrip().endswith((".", "?")) and "Traceback" not in said
    assert memory() - before < 200_000_000


GOOD = (
    b'{"question": "q", "answer": "a", "response": "r", "correct": true, "reflections": ["<verdict>correct</verdict>"]}\n'
    * 8
)


def test_hostile_cards_end_in_a_sentence(hub: Hub) -> None:
    """Aliases, twenty thousand brackets, fields of any kind: the data is read, or a sentence says why not."""
    for number, (name, card) in enumerate(cards()):
        if name in ("large", "open"):
            continue
        hub.seed(f"alice/c{number}", {"README.md": card, "data/train.jsonl": GOOD})
        said = tried(Address(f"alice/c{number}"), name)
        assert said.startswith("columns question") or "can be read as a table" in said, f"{name}: {said}"


@pytest.mark.parametrize(
    "path", ["data/[train].jsonl", "data/tr[a]in-{x}?.jsonl", "data/a*b.jsonl", "data/train 1.jsonl"]
)
def test_file_names_mean_themselves(path: str, hub: Hub) -> None:
    """Brackets and stars in a name are no pattern."""
    repo = f"alice/named-{hash(path) % 10**9}"
    hub.seed(repo, {path: GOOD, "data/other.txt": b"x"})
    assert tried(Address(repo), "named").startswith("columns question")


@pytest.mark.parametrize(
    ("path", "data"),
    [("data/train.jsonl", b""), ("data/train.csv", b""), ("data/train.parquet", b""), ("data/x.json", b" ")],
)
def test_an_empty_file_of_a_dataset_is_said(path: str, data: bytes, hub: Hub) -> None:
    """Not a fault of ours, and not "not your fault"."""
    repo = f"alice/empty-{hash(path) % 10**9}"
    hub.seed(repo, {path: data})
    said = tried(Address(repo), "empty")
    assert not said.startswith("columns") and said


# -- links and recipes ---------------------------------------------------------------------------------------------


def linked(toml: str) -> str:
    """A link's recipe as anybody can pack it."""
    import base64
    import zlib

    return base64.urlsafe_b64encode(zlib.compress(toml.encode(), 9)).decode().rstrip("=")


HOSTILE_RECIPES = {
    "dotted keys": "a" + ".a" * 60_000 + " = 1",
    "dotted tables": "[" + "a." * 60_000 + "a]",
    "brackets": "a = " + "[" * 50_000 + "]" * 50_000,
    "inline tables": "a = " + "{a=" * 30_000 + "1" + "}" * 30_000,
    "digits": "[traces]\nseed = " + "9" * 5_000,
    "digits apart": "[traces]\nseed = " + "9_" * 4_000 + "9",
    "repeats": "[traces]\nrepeats = 1000000000000",
    "attempts": "[traces]\nattempts = 1000000000",
    "words": "[filters]\nban = [" + '"a",' * 40_000 + "]",
    "lines": "\n" * 90_000 + "x",
    "a long word": '[output]\nlineage = "' + "a" * 100_000 + '"',
    "an infinite number": "[cutoff]\nchars_per_token = inf",
    "a pattern": '[answers]\nrules = ["regex"]\npattern = "(a{1,1000}){1,1000}"',
}


@pytest.mark.parametrize("name", sorted(HOSTILE_RECIPES))
@pytest.mark.parametrize("at_home", [False, True])
def test_a_hostile_link_is_refused_in_a_sentence(
    name: str, at_home: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quickly and in little memory, at home too: a link is a stranger's text everywhere."""
    text = linked(HOSTILE_RECIPES[name])
    if at_home:
        monkeypatch.delenv("SKILL_FACTORY_HOSTED")
    before, began = memory(), time.process_time()
    with pytest.raises(SkillFactoryError) as refused:
        unpacked(text) if at_home else limited.run(unpacked, text, seconds=10)
    assert 20 < len(str(refused.value)) < 1_500 and not isinstance(refused.value, TookTooMuch)
    assert time.process_time() - began < 10 and memory() - before < 150_000_000


def test_numbers_are_bounded_by_what_they_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tight on a shared server, generous at home, and the sentence says where more is possible."""
    with pytest.raises(
        RecipeError, match=r"at most 100 on a shared server; found 500. Run the app on your own computer"
    ):
        Recipe().changed({"traces.repeats": 500})
    monkeypatch.delenv("SKILL_FACTORY_HOSTED")
    assert Recipe().changed({"traces.repeats": 500}).traces.repeats == 500
    with pytest.raises(RecipeError, match="at most 10,000; found 1e"):
        Recipe().changed({"traces.repeats": 10**18})


def memory() -> int:
    """Bytes that this process holds now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# -- damage ---------------------------------------------------------------------------------------------------------


def archives() -> dict[str, bytes]:
    """Archives and files of bytes that are damaged in one place each, beyond what their headers tell."""
    rows = GOOD * 20
    made: dict[str, bytes] = {}
    for name, way in (("a", ZIP_DEFLATED), ("l", ZIP_LZMA), ("b", ZIP_BZIP2)):
        made[f"{name}.zip"] = zipped({"data/rows.jsonl": rows}, way)
    log = {
        "header.json": b"{}",
        **{f"samples/{number}.json": b'{"input": "' + b"x" * 500 + b'"}' for number in range(3)},
    }
    made["a.eval"] = zipped(log)
    made["digits.eval"] = zipped({**log, f"samples/{'9' * 5_000}.json": b"{}"})
    made["name.zip"] = zipped({"n" * 300 + ".jsonl": rows})
    made["both.zip"] = zipped({"data.jsonl": rows, "data.jsonl/more.jsonl": rows})
    table = pa.table({"question": ["q"], "response": ["r"]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    made["a.arrow"] = bytes(sink.getvalue()).replace(b"question", b"quest\xff\xfen")
    made["a.xlsx"] = b"PK\x03\x04" + b"\0" * 30 + b"PK\x05\x06" + b"\xff" * 18
    for name in ("a.zip", "l.zip", "b.zip", "a.eval"):
        middle = made[name].index(b".json") + 60
        made[f"torn-{name}"] = made[name][:middle] + b"\xff" * 20 + made[name][middle + 20 :]
    return made


def zipped(files: dict[str, bytes], way: int = ZIP_DEFLATED) -> bytes:
    """An archive of these files."""
    written = io.BytesIO()
    with ZipFile(written, "w", way) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def test_damage_is_said_and_never_a_fault_of_ours(tmp_path: Path) -> None:
    """In archives, logs, Arrow and spreadsheets, wherever it lies; no sentence tells where the server keeps things."""
    for name, data in archives().items():
        path = tmp_path / name
        path.write_bytes(data)
        for read in (lambda path=path: tried(Address(str(path)), path.name), lambda path=path: checked(path)):
            said = read()
            assert (
                said.rstrip().endswith((".", "?"))
                and str(tmp_path) not in said
                and "/skill-factory-" not in said
            )
            assert not name.startswith("torn") or "can't be" in said, (name, said)


def test_numbers_larger_than_any_float_are_none() -> None:
    """JSON may write them: as a label, a score or a step they say nothing, and stop nobody."""
    for number in (10**400, -(10**400)):
        assert as_number(number) is None and number_of(number) is None
    assert (as_number("0,5"), as_number(True), as_number(7)) == (0.5, 1.0, 7.0)


def checked(path: Path) -> str:
    """What the check of an upload says."""
    try:
        limited.run(read_through, path, what=path.name)
    except SkillFactoryError as error:
        return str(error)
    return "fine."


def test_what_a_child_unpacked_goes_with_it(tmp_path: Path) -> None:
    """However it ends: nothing is left on the disk of a server that many send archives to."""
    path = tmp_path / "rows.zip"
    path.write_bytes(zipped({"data/rows.jsonl": GOOD}))
    closed()
    limited.run(looking.entered, Address(str(path)), Recipe())
    kept = place(KIND)
    assert list(kept.glob("child-*/*/data/rows.jsonl"))
    with pytest.raises(TookTooMuch):
        limited.run(looking.sample, Address("demo:200000"), Recipe(columns=_demo_columns()), seconds=0.2)
    closed()
    assert list(kept.iterdir()) == []
