"""The parts of generating that need no server: prompts, requests, money, the store, intervals, addresses, words."""

import argparse
import ipaddress
import math
import random
import re
import socket
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.helpers import is_ip_address
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from skill_factory.cli.generate import SAMPLING, add_arguments
from skill_factory.errors import BuildFolderError, EndpointError, RecipeError
from skill_factory.generate import (
    Budget,
    Endpoint,
    GenerateProgress,
    Job,
    Kind,
    Limits,
    Price,
    Sampling,
    read_pilot,
    read_progress,
)
from skill_factory.generate.folder import RawFolder
from skill_factory.generate.money import Spending
from skill_factory.generate.net.network import check_endpoint, is_inner
from skill_factory.generate.pilot import forecast, share_interval
from skill_factory.generate.prompts import prompt_book
from skill_factory.generate.request import Answer, Finish, Request, make_request, parse_extra
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.words import job_of, words_of
from skill_factory.hosting import HOSTED

ANSWER = Answer("fine", Finish.STOP, 10, 5)

# -- prompts -------------------------------------------------------------------------------------------------------


def test_four_variants_ship_in_the_order_of_the_method() -> None:
    """The paper's variants under the names that raw sets use."""
    names = list(prompt_book().variants)
    assert names == ["original", "plan_and_execute", "alternatively", "rephrase"]


@given(st.text(), st.text())
def test_question_and_response_stand_in_the_prompt_as_they_are(question: str, response: str) -> None:
    """Braces, holes and tags inside a text mean nothing."""
    book = prompt_book()
    (message,) = book.reflection.messages(question, response)
    before, between, after = re.split(r"\{question\}|\{response\}", book.reflection.text)
    assert message["content"] == before + question + between + response + after
    for variant in book.variants.values():
        assert question in variant.messages(question)[-1]["content"]


def test_a_hole_named_in_a_question_is_left_alone() -> None:
    """A question may speak of {response} without getting one."""
    (message,) = prompt_book().reflection.messages("What is {response}?", "SOLUTION")
    assert "What is {response}?" in message["content"]
    assert message["content"].count("SOLUTION") == 1


def test_own_prompts_are_added_or_replace(tmp_path: Path) -> None:
    """A file of one's own adds a variant with a system prompt and replaces another."""
    own = tmp_path / "own.toml"
    own.write_text(
        '[variants.mine]\nsystem = "Be brief."\nprompt = "Q: {question}"\n[variants.original]\nprompt = "{question}!"'
    )
    book = prompt_book(own)
    assert [m["role"] for m in book.variants["mine"].messages("2+2?")] == ["system", "user"]
    assert book.variants["original"].messages("2+2?")[0]["content"] == "2+2?!"
    assert [p.name for p in book.chosen(("mine", "mine", "rephrase"))] == ["mine", "rephrase"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[variants.a]\nprompt = 'no hole'", "no place for the question"),
        ("[variants.a]\nprompt = '{question} {answer}'", "never told the truth"),
        ("[reflection]\nprompt = '{question}'", "no place for the response"),
        ("[variants.a]\ntext = '{question}'", "has no text"),
        ("[variants.'a b']\nprompt = '{question}'", "letters, digits"),
        ("[variant.a]\nprompt = '{question}'", "has a section 'variant'"),
        ("variants = 1", "a table of its own"),
        ("[variants.a", "isn't valid TOML"),
    ],
)
def test_prompts_that_cant_be_used_are_told_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    """Each fault of a prompt file has its own sentence."""
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(RecipeError, match=said):
        prompt_book(tmp_path / "own.toml")


def test_unknown_variant_and_missing_file_are_told(tmp_path: Path) -> None:
    """With the known names, or the path."""
    with pytest.raises(RecipeError, match="plan_and_execute"):
        prompt_book().chosen(["plan"])
    with pytest.raises(RecipeError, match="Check the path"):
        prompt_book(tmp_path / "none.toml")


# -- requests ------------------------------------------------------------------------------------------------------


def request(text: str = "2+2?", model: str = "m", sample: int = 0, **sampling: object) -> Request:
    """A request with the usual parameters, or others."""
    return make_request([{"role": "user", "content": text}], model, Sampling(**sampling), sample)  # type: ignore[arg-type]


def test_the_id_is_the_hash_of_prompt_model_parameters_and_sample() -> None:
    """Each of them makes another id; the same again makes the same."""
    others = [
        request("2+3?"),
        request(model="n"),
        request(sample=1),
        request(temperature=0.1),
        request(top_k=None),
        request(max_tokens=5),
        request(seed=1),
        request(extra={"min_p": 0.1}),
    ]
    assert len({one.id for one in [request(), *others]}) == len(others) + 1
    assert request().id == request().id


def test_the_paper_s_sampling_values_are_sent() -> None:
    """Temperature 0.7, top-p 0.8, top-k 20, repetition penalty 1.1, and a seed of the request's own."""
    body = dict(request().body)
    seed = body.pop("seed")
    assert body == {
        "temperature": 0.7,
        "top_p": 0.8,
        "top_k": 20,
        "repetition_penalty": 1.1,
        "max_tokens": 4096,
    }
    assert 0 <= seed < 2**31
    assert "seed" not in request(seed=None).body
    assert "top_k" not in request(top_k=None).body


def test_parameters_of_the_server_s_own_are_json_or_text() -> None:
    """`--set` reads JSON where it can; ours can't be overwritten."""
    assert parse_extra(["min_p=0.05", "mode=fast", 'a={"b": [1]}']) == {
        "min_p": 0.05,
        "mode": "fast",
        "a": {"b": [1]},
    }
    with pytest.raises(RecipeError, match="NAME=VALUE"):
        parse_extra(["min_p"])
    for name in ("messages", "max_tokens"):
        with pytest.raises(ValueError, match=name):
            Sampling(extra={name: 1})
    for value in (float("nan"), "\ud800", {1}, [[float("inf")]]):
        with pytest.raises(ValueError, match="JSON can't carry"):
            Sampling(extra={"x": value})
    with pytest.raises(RecipeError, match="nested too deeply"):
        parse_extra(["a=" + "[" * 100_000])


@given(st.text(max_size=200))
def test_no_text_has_more_tokens_than_the_bound(text: str) -> None:
    """The bound is that of bytes, which every tokenizer keeps."""
    assert request(text).most_prompt_tokens >= len(text.encode())


# -- money ---------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 50)), max_size=60),
    st.integers(1, 5_000),
    st.randoms(),
)
def test_a_budget_is_never_exceeded(takes: list[tuple[int, int]], budget: int, rng: random.Random) -> None:
    """Whatever the answers take within their bounds, and in whatever order they come."""
    spending = Spending(Price(1.0, 2.0), Budget(tokens=budget))
    flying: list[tuple[Request, tuple[int, int]]] = []
    for prompt, completion in takes:
        one = request("x" * prompt, max_tokens=50)
        if spending.hold(one):
            flying.append((one, (prompt, completion)))
        if flying and rng.random() < 0.5:
            done, (p, c) = flying.pop(rng.randrange(len(flying)))
            spending.release(done)
            spending.take(Answer("", Finish.STOP, p, c))
        assert spending.tokens <= budget
    for done, (p, c) in flying:
        spending.release(done)
        spending.take(Answer("", Finish.STOP, p, c))
    assert spending.tokens <= budget
    assert not spending.holding


def test_money_needs_a_price() -> None:
    """A budget in money without a price would never end a run."""
    with pytest.raises(RecipeError, match="price"):
        Budget(money=1.0).checked(Price())
    with pytest.raises(RecipeError, match="more than nothing"):
        Budget(tokens=0).checked(Price())
    with pytest.raises(RecipeError, match="negative"):
        Budget(tokens=5).checked(Price(-1.0))
    assert Price(0.5, 1.5).of(1_000_000, 2_000_000) == 3.5


# -- store ---------------------------------------------------------------------------------------------------------


def test_the_first_answer_stays(tmp_path: Path) -> None:
    """A second answer to the same request changes nothing."""
    with AnswerStore.open(tmp_path / "s" / "answers.sqlite") as store:
        one = request()
        assert store.note_answer(one.id, ANSWER, store.note_asked(one.id))
        assert not store.note_answer(one.id, Answer("other", Finish.STOP, 1, 1), store.note_asked(one.id))
        assert store.get(one.id) == ANSWER
        assert store.spent() == (1, 10, 5)
        assert store.get(request("else").id) is None


def test_attempts_of_a_killed_run_are_lost_ones(tmp_path: Path) -> None:
    """What was sent and neither answered nor failed counts as lost, from the next run on."""
    path = tmp_path / "s" / "answers.sqlite"
    with AnswerStore.open(path) as store:
        store.begin_run("2026-01-01", "{}")
        answered, cut, refused = request("a").id, request("b").id, request("c").id
        store.note_answer(answered, ANSWER, store.note_asked(answered))
        store.note_asked(cut)
        store.note_failure(refused, store.note_asked(refused), "HTTP 400", final=True, billed=False)
        assert store.lost() == 0, "what this run has in flight is not lost"
    with AnswerStore.open(path) as store:
        store.begin_run("2026-01-02", "{}")
        assert store.lost() == 1
        assert store.declined(refused) and not store.declined(cut)
        assert store.failures() == {"HTTP 400": 1}
        assert store.first_run() == "2026-01-01"


def test_what_is_kept_is_there_for_whoever_looks(tmp_path: Path) -> None:
    """From outside, as after a kill: what was noted is there once it is kept, and with the end of the run at the latest."""
    path = tmp_path / "s" / "answers.sqlite"

    def seen() -> tuple[int, int]:
        with sqlite3.connect(path) as db:
            (row,) = db.execute("SELECT (SELECT count(*) FROM asked), (SELECT count(*) FROM answers)")
            return row[0], row[1]

    with AnswerStore.open(path) as store:
        one, other = request("a").id, request("b").id
        attempt = store.note_asked(one)
        store.keep()
        assert seen() == (1, 0)
        store.note_answer(one, ANSWER, attempt)
        store.note_asked(other)
        assert store.has(one) and seen() == (1, 0)
        store.keep()
        assert seen() == (2, 1)
        store.note_answer(other, ANSWER)
    assert seen() == (2, 2)


def test_a_store_of_the_first_version_is_read_and_goes_on(tmp_path: Path) -> None:
    """Its answers were paid for: they stay, and new ones are noted beside them."""
    path = tmp_path / "answers.sqlite"
    with AnswerStore.open(path) as store:
        store.note_answer(request("old").id, ANSWER)
    with sqlite3.connect(path) as db:
        db.executescript("ALTER TABLE answers DROP COLUMN thinking; PRAGMA user_version=1;")
    thought = replace(ANSWER, thinking="hm", counted=False)
    with AnswerStore.open(path) as store:
        store.note_answer(request("new").id, thought)
    with AnswerStore.open(path) as store:
        assert store.get(request("old").id) == ANSWER
        assert store.get(request("new").id) == thought
        assert store.estimated() == 1


def test_a_full_disk_is_told_to_everyone_who_noted_something(tmp_path: Path) -> None:
    """The fault takes along what others noted before: none of them may go on as if it were kept."""
    path = tmp_path / "s" / "answers.sqlite"
    with pytest.raises(BuildFolderError, match="is full"), AnswerStore.open(path) as store:
        kept = request("a").id
        store.note_answer(kept, ANSWER)
        store.keep()
        store._db.execute("PRAGMA max_page_count = 12")
        store.note_asked(request("b").id)
        with pytest.raises(BuildFolderError, match="is full"):
            store.note_answer(request("c").id, Answer("long" * 20_000, Finish.STOP, 1, 1))
        with pytest.raises(BuildFolderError, match="is full"):
            store.keep()
        with pytest.raises(BuildFolderError, match="is full"):
            store.note_asked(request("d").id)
    with AnswerStore.open(path) as store:
        assert store.has(kept)


def test_a_store_has_one_writer(tmp_path: Path) -> None:
    """A second run into the same folder is told so."""
    path = tmp_path / "out" / ".store" / "answers.sqlite"
    with AnswerStore.open(path), pytest.raises(BuildFolderError, match="Another run"):
        AnswerStore.open(path)
    with AnswerStore.open(path):
        pass


def test_what_is_no_store_is_told(tmp_path: Path) -> None:
    """A file that is no database, and one of a later version."""
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(BuildFolderError, match="isn't a store of answers"):
        AnswerStore.open(path)
    later = tmp_path / "later.sqlite"
    with sqlite3.connect(later) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(BuildFolderError, match="another version"):
        AnswerStore.open(later)


# -- folder --------------------------------------------------------------------------------------------------------


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """Neither a folder with other things nor a file's name is taken; an empty folder is."""
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(BuildFolderError, match=r"photo\.jpg"):
        RawFolder(tmp_path).check_free()
    with pytest.raises(BuildFolderError, match="Give a folder"):
        RawFolder(tmp_path / "raw.parquet").check_free()
    (tmp_path / "empty").mkdir()
    RawFolder(tmp_path / "empty").check_free()


# -- intervals -----------------------------------------------------------------------------------------------------


@given(st.integers(1, 300), st.data())
def test_an_interval_holds_what_was_seen(total: int, data: st.DataObject) -> None:
    """And is a part of what is possible; where all were tried nothing is left open."""
    tried = data.draw(st.integers(1, total))
    found = data.draw(st.integers(0, tried))
    low, high = share_interval(found, tried, total)
    assert 0 <= low <= found / tried + 1e-9 and found / tried - 1e-9 <= high <= 1
    one = forecast([found], tried, total)[1]
    assert found <= one.low <= one.expected <= one.high <= total - (tried - found)
    if tried == total:
        assert one.low == one.high == found


def test_the_interval_covers_the_truth_in_95_of_100_cases() -> None:
    """Drawn 50 of 500 questions, for shares from rare to nearly all."""
    rng = random.Random(0)
    for usable in (15, 60, 250, 440, 490):
        world = [1] * usable + [0] * (500 - usable)
        hits = 0
        for _ in range(2_000):
            one = forecast([sum(rng.sample(world, 50))], 50, 500)[1]
            hits += one.low <= usable <= one.high
        assert hits / 2_000 > 0.93, f"{usable}: {hits / 2_000}"


# -- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.9.9",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "fec0::1",
        "feff::1",
        "64:ff9b:1::a00:1",
    ],
)
def test_inner_addresses_are_known_however_they_are_wrapped(address: str) -> None:
    """Loopback, private, link-local, the cloud's metadata service; IPv4 inside IPv6 too."""
    assert is_inner(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_not_inner(address: str) -> None:
    """The open internet."""
    assert not is_inner(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "http://[::1]:8000",
        "http://localhost/v1",
        "http://vllm.internal/v1",
        "http://10.0.0.7",
    ],
)
def test_a_hosted_instance_refuses_inner_addresses(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting refused, without it taken as it is."""
    assert check_endpoint(url) == url
    monkeypatch.setenv(HOSTED, "1")
    with pytest.raises(EndpointError, match="inside this server's network"):
        check_endpoint(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:8000", "isn't a web address"),
        ("ftp://host/v1", "isn't a web address"),
        ("http://", "isn't a web address"),
        ("http://host:port/v1", "a port that isn't a number"),
        ("http://user:secret@host/v1", "key goes into the environment"),
        ("http://host/v1?key=s3cr3t", "parameter"),
        ("http://user:secret@ho℀st/v1", "isn't an address"),
        ("http://user:sec ret@host", "holds a space"),
        ("user:secret@host", "isn't a web address"),
        ("http://[::1/v1?key=s3cr3t", "isn't an address"),
        ("http://host:0/v1", "from 1 to 65535"),
        ("http://host:99999/v1", "from 1 to 65535"),
        ("http://ho\tst/v1", "control character"),
        ("http://host\x00/v1", "control character"),
        ("http://a\\b/v1", "backslash"),
        ("http://a..b/v1", "host name that can't be"),
        ("http://-a/v1", "host name that can't be"),
        (f"http://{'a' * 64}.b/v1", "host name that can't be"),
        (f"http://{'a.' * 127}com/v1", "host name that can't be"),
        ("http://%31%32%37.0.0.1", "programs read differently"),
        ("http://a%2eb.c", "host name that can't be"),
        (f"http://{'ü' * 64}.b", "host name that can't be"),
        ("http://[::1]x/v1", "isn't an address"),
        ("http://[127.0.0.1]/v1", "isn't an address"),
        ("http://[::1%25e/th]", "isn't an address"),
    ],
)
def test_an_address_that_cant_be_is_told(url: str, said: str) -> None:
    """And a secret in it is not repeated."""
    with pytest.raises(EndpointError, match=said) as caught:
        check_endpoint(url)
    assert "s3cr3t" not in str(caught.value) and "sec" not in str(caught.value)


ODD = (
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "00.0.0.0",
    "127.000.000.001",
    "１２７.0.0.1",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "1.2.3.4.5",
    "256.1.1.1",
    "999999999999",
    "0x",
    "1.2.3.0x",
    "example.0x10",
    "08.8.8.8",
    "134744072",
)


@pytest.mark.parametrize("host", ODD)
def test_odd_spellings_of_addresses_are_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Octal, hexadecimal, shortened, of other digits: one program would judge another address than the next one asks."""
    with pytest.raises(EndpointError, match="programs read differently"):
        check_endpoint(f"http://{host}:8000/v1")
    monkeypatch.setenv(HOSTED, "1")
    with pytest.raises(EndpointError, match=r"programs read differently|inside this server's network"):
        check_endpoint(f"http://{host}/v1")


@given(st.text(min_size=1, max_size=40) | st.from_regex(r"[0-9a-fx.:%\[\]]{1,20}", fullmatch=True))
def test_whatever_the_host_one_sentence_or_one_meaning(host: str) -> None:
    """What passes is a name, or an address that aiohttp, the system and our own judgement read alike."""
    try:
        url = check_endpoint(f"http://{host}/v1")
    except EndpointError as error:
        assert "\n" not in str(error)
        return
    plain = URL(url).host
    assert plain and check_endpoint(url) == url
    if is_ip_address(plain):
        assert ipaddress.ip_address(plain.partition("%")[0])
    else:
        with pytest.raises(OSError, match="illegal IP address"):
            socket.inet_aton(plain)


# -- words ---------------------------------------------------------------------------------------------------------


def parsed(*words: str) -> argparse.Namespace:
    """What the command line makes of some words."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([*words])


def test_the_command_s_defaults_are_those_of_the_package() -> None:
    """The command names them itself, so that `--help` need not load the package."""
    args = parsed("responses", "demo", "--out", "x", "--model", "m", "--endpoint", "http://h/v1")
    job = job_of(args, "responses")
    assert job.sampling == Sampling()
    assert job.limits == Limits()
    assert {name for name, _, _ in SAMPLING} == set(Sampling.model_fields) - {"extra"}
    assert (job.per_variant, job.task, job.pilot, job.budget) == (16, "auto", 0, Budget())
    other = job_of(parsed("reflections", "demo", "--out", "x", "--model", "m", "--pilot"), "reflections")
    assert (other.k, other.max_k, other.pilot) == (4, 0, 50)


def test_none_leaves_a_parameter_out() -> None:
    """For servers that refuse what they don't know."""
    words = [
        "responses",
        "demo",
        "--out",
        "x",
        "--model",
        "m",
        "--top-k",
        "none",
        "--repetition-penalty",
        "none",
        "--seed",
        "none",
    ]
    body = job_of(parsed(*words, "--set", "min_p=0.1"), "responses").sampling.body()
    assert body == {"temperature": 0.7, "top_p": 0.8, "max_tokens": 4096, "min_p": 0.1}


def test_numbers_that_cant_be_are_told() -> None:
    """By the option's own name."""
    words = ["reflections", "demo", "--out", "x", "--model", "m"]
    with pytest.raises(RecipeError, match="--k is 0"):
        job_of(parsed(*words, "--k", "0"), "reflections").checked()
    with pytest.raises(RecipeError, match="below --k"):
        job_of(parsed(*words, "--k", "4", "--max-k", "2"), "reflections").checked()
    with pytest.raises(RecipeError, match="top_p"):
        job_of(parsed(*words, "--top-p", "1.5"), "reflections")
    with pytest.raises(RecipeError, match="temperature"):
        job_of(parsed(*words, "--temperature", "inf"), "reflections")
    for name, value in (
        ("--concurrency", "1000000"),
        ("--timeout", "nan"),
        ("--patience", "0"),
        ("--tries", "0"),
    ):
        with pytest.raises(RecipeError, match=f"{name} is .*; it must be from"):
            job_of(parsed(*words, "--endpoint", "http://h/v1", name, value), "reflections").checked()
    assert math.isclose(job_of(parsed(*words, "--top-p", "0.5"), "reflections").sampling.top_p or 0, 0.5)


@pytest.mark.parametrize(
    "job",
    [
        Job(
            Kind.RESPONSES,
            "user/name",
            Path("a b"),
            Endpoint("org/m", "http://h:1/v1", stream=True, timeout=5.0),
            Sampling(top_k=None, seed=None, extra={"a": {"b": [1]}, "word": "x"}),
            {"question": "q", "answer": "gold"},
            variants=("original", "mine"),
            prompts="own.toml",
            per_variant=3,
            task="math",
            pilot=7,
            price=Price(0.5, 2.0),
            budget=Budget(1_000, 2.5),
            limits=Limits(5, 3, 60.0),
            retry_declined=True,
        ),
        Job(
            Kind.REFLECTIONS,
            "x.parquet",
            Path("out"),
            Endpoint("m", provider="auto"),
            k=2,
            max_k=5,
            columns={"response": ["r1", "r2"], "correct": ["c"]},
        ),
    ],
)
def test_a_job_and_its_words_say_the_same(job: Job) -> None:
    """What the app starts as a process is the job that it shows."""
    command, kind, *rest = words_of(job)
    assert command == "generate"
    assert job_of(parsed(kind, *rest), kind) == job


def test_without_a_run_there_is_no_progress(tmp_path: Path) -> None:
    """The app asks before the first run too."""
    assert read_progress(tmp_path) is None
    assert read_pilot(tmp_path) is None
    RawFolder(tmp_path).work.mkdir()
    RawFolder(tmp_path).note(GenerateProgress("ask", "responses", 3, 4))
    assert read_progress(tmp_path) == GenerateProgress("ask", "responses", 3, 4)
