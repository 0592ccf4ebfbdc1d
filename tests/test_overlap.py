"""Which questions say the same as those of a benchmark, or as another: found from the questions alone."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skill_factory.build import scatter
from skill_factory.build.pipeline import build
from skill_factory.errors import ColumnError, SourceError
from skill_factory.insight.inspection import inspect
from skill_factory.judge.facts import text_ids
from skill_factory.model import hex_id
from skill_factory.overlap import groups
from skill_factory.overlap.agreement import By
from skill_factory.overlap.benchmarks import opened
from skill_factory.overlap.ruling import Overlap, overlap_of
from skill_factory.overlap.words import Wording, words_of
from skill_factory.publish.plan import plan_push
from skill_factory.publish.push import push
from skill_factory.recipe.clean_parts import Clean
from skill_factory.recipe.model import new_recipe, recipe_from_toml
from skill_factory.sources import open_source
from tests import command
from tests.hub import Hub, parquet_bytes
from tests.planted import EDITS, real_questions

pytest_plugins = ["tests.hub_fixtures"]


def written(path: Path, questions: list[str]) -> str:
    """A benchmark file with these questions."""
    lines = (json.dumps({"question": text, "answer": "1"}) + "\n" for text in questions)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def compared(own: list[str], benchmark: str, near: bool = False) -> Overlap:
    """What is found among some questions."""
    blocks = [(text_ids([text]), [text]) for text in dict.fromkeys(own)]
    return overlap_of(blocks, opened(Clean(), [benchmark]) if benchmark else [], near)


def puzzles(n: int, seed: int = 1) -> list[str]:
    """Questions that share everything but their numbers."""
    draw = random.Random(seed)
    return [
        f"Using the numbers {draw.sample(range(1, 100), 4)}, create an equation that equals {draw.randrange(10, 100)}. "
        "Use each number exactly once. Finally return <answer> equation </answer>."
        for _ in range(n)
    ]


# -- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It costs 1,000 dollars", "it  costs 1000.0 DOLLARS"),
        (r"$\dfrac{1}{2} \times x^{2}$", r"\frac{1}{2}·x^2"),
        (r"about 12{,}500 of them", "about 12,500 of them"),
        ("three cats", "3 cats"),
        ("the numbers [12, 345]", "the numbers [12,345]"),
        ("the price – 5", "the price - 5"),
    ],
)
def test_ways_of_writing_do_not_tell_questions_apart(one: str, other: str) -> None:
    """Case, spaces, LaTeX's commands and the way in which a number is written are left out of account."""
    worded = Wording()([one, other])
    assert worded.of(0).tolist() == worded.of(1).tolist()


@pytest.mark.parametrize(
    ("one", "other"), [("5 - 3", "5 + 3"), ("12 cats", "13 cats"), ("x = 0.5", "x = 0.05")]
)
def test_numbers_and_signs_tell_questions_apart(one: str, other: str) -> None:
    """A number is a number, and a sign belongs to the formula."""
    worded = Wording()([one, other])
    assert worded.of(0).tolist() != worded.of(1).tolist()


def test_the_hyphen_of_a_compound_is_no_sign() -> None:
    """Words that belong together have no minus between them."""
    assert "-" not in words_of("a well-known twenty-five")


# -- what is contaminated ------------------------------------------------------------------------------------------


def test_a_template_with_other_numbers_is_another_question(tmp_path: Path) -> None:
    """Puzzles that share every word are told apart by their numbers, in small sets as in large ones."""
    for n in (4, 40, 400):
        own, others = puzzles(n, 1), puzzles(n, 2)
        assert compared(own, written(tmp_path / "b.jsonl", others)).pairs == []


def test_the_same_numbers_are_the_same_puzzle(tmp_path: Path) -> None:
    """A puzzle with other words around its numbers is found, and is said to agree in its numbers."""
    own = puzzles(60)
    leaked = own[7].replace("Using the numbers", "With the numbers").replace("create", "write")
    found = compared(own, written(tmp_path / "b.jsonl", [*puzzles(60, 2), leaked]))
    assert [pair.question for pair in found.pairs] == [own[7]]
    assert found.pairs[0].agreement.by is By.NUMBERS


def test_a_short_question_has_to_be_there_whole(tmp_path: Path) -> None:
    """A short question is the same if all of it stands in the other, and isn't a piece of a longer formula."""
    same = [
        "Compute 17 * 23.",
        "Please do this: Compute 17 * 23. Thank you!",
        "3. **Compute 17 * 23**",
        "<|user|>COMPUTE 17\n* 23<|end|>",
        "- Compute 17*23",
    ]
    own = [*same, "Compute 17 * 23 + 5.", "Compute 18 * 23.", "Compute 17 * 2."]
    found = compared(own, written(tmp_path / "b.jsonl", ["Compute 17 * 23."]))
    assert {pair.question for pair in found.pairs} == set(same)


def test_a_wrapper_around_all_questions_is_no_evidence(tmp_path: Path) -> None:
    """Own questions with one long instruction and worked example in common are told apart by what is behind it."""
    wrapper = (
        "Read the example first. Ann has 3 pens and buys 4 more, so she has 7. Now answer in the same way: {}"
    )
    names = ["Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal", "Ina", "Jo", "Kim", "Lu", "Mo"]
    things = ["apples", "boats", "coins", "drums", "eggs", "flags"]
    stories = [
        f"{name} keeps {7 + k} {thing} in a box and gives {2 + k} of them away. How many {thing} are left for {name}?"
        for k, thing in enumerate(things)
        for name in names
    ]
    own = [wrapper.format(text) for text in stories[: len(stories) // 2]]
    assert compared(own, written(tmp_path / "a.jsonl", stories[len(stories) // 2 :])).pairs == []
    assert len(compared(own, written(tmp_path / "b.jsonl", stories[:5])).contaminated) == 5


def test_neither_blocks_nor_order_change_what_is_found(tmp_path: Path) -> None:
    """The same questions in any order and in blocks of any size give the same pairs and groups."""
    own = puzzles(80) + [text.upper() for text in puzzles(10)]
    benchmark = opened(Clean(), [written(tmp_path / "b.jsonl", puzzles(20)[5:])])
    said = []
    for seed, size in ((0, 1), (1, 7), (2, 500)):
        shuffled = random.Random(seed).sample(own, len(own))
        blocks = [shuffled[k : k + size] for k in range(0, len(shuffled), size)]
        found = overlap_of([(text_ids(block), block) for block in blocks], benchmark, True)
        said.append((found.to_json(), found.groups.ids.tolist(), found.groups.firsts.tolist()))
    assert said[0] == said[1] == said[2]
    assert said[0][0]["contaminated"]["questions"] == 20
    assert said[0][0]["near_duplicates"] == {"questions": 10, "groups": 10}


REAL = real_questions()


@pytest.mark.parametrize(
    "name", sorted(REAL) or [pytest.param("", marks=pytest.mark.skip("no ../shared/data"))]
)
def test_planted_leaks_in_real_questions_are_found(name: str, tmp_path: Path) -> None:
    """In halves of public sets 99 % of the leaks are found up to an added sentence, and 1 % at most is flagged wrongly."""
    draw = random.Random(7)
    questions = draw.sample(REAL[name], len(REAL[name]))
    half = len(questions) // 2
    own, others = questions[:half], questions[half:]
    benchmark = written(tmp_path / "b.jsonl", others)
    assert len(compared(own, benchmark).contaminated) <= 0.01 * half
    for level in list(EDITS)[:4]:
        leaks = [EDITS[level](text, draw) for text in draw.sample(others, 100)]
        found = compared([*own, *leaks], benchmark)
        assert len({pair.question for pair in found.pairs} & set(leaks)) >= 99, level


# -- the recipe, the command, the build ------------------------------------------------------------------------------


def demo_questions(n: int) -> list[str]:
    """The first questions of the demo."""
    return list(dict.fromkeys(row["question"] for row in open_source("demo:40").head(320)))[:n]


def test_a_recipe_without_these_fields_is_the_recipe_it_was() -> None:
    """What asks for nothing changes no fingerprint, and leaves no line in a saved recipe."""
    assert "clean" not in new_recipe().to_toml()
    asked = new_recipe().changed({"clean.near_duplicates": True})
    assert asked.fingerprint() != new_recipe().fingerprint()
    assert asked.changed({"clean.near_duplicates": False}).fingerprint() == new_recipe().fingerprint()


def test_a_build_leaves_out_what_a_benchmark_asks(tmp_path: Path) -> None:
    """Contaminated questions are dropped with their reason, and the recipe names the benchmark by its digest, not its path."""
    leaked = demo_questions(3)
    path = written(tmp_path / "bench.jsonl", [f"Solve this. {text.upper()} Be quick." for text in leaked])
    result = build("demo:40", tmp_path / "out", new_recipe(), workers=1, against=[path])
    assert result.report["ledger"]["questions"]["dropped"]["contaminated"] == 3
    saved = (tmp_path / "out" / "recipe.toml").read_text(encoding="utf-8")
    assert str(tmp_path) not in saved
    assert [(one.name, len(one.digest)) for one in recipe_from_toml(saved).clean.against] == [
        ("bench.jsonl", 64)
    ]


def test_a_person_keeps_a_question_by_its_id(tmp_path: Path) -> None:
    """A decision to keep stands in the recipe, and counts for that question alone."""
    leaked = demo_questions(3)
    path = written(tmp_path / "bench.jsonl", leaked)
    kept = new_recipe().changed({"clean.keep": (hex_id(int(text_ids([leaked[0]])[0])),)})
    result = build("demo:40", tmp_path / "out", kept, workers=1, against=[path])
    assert result.report["ledger"]["questions"]["dropped"]["contaminated"] == 2


def test_inspect_lists_the_pairs(tmp_path: Path) -> None:
    """`inspect --against FILE --json` says how many questions are contaminated, and shows each pair with what agrees."""
    leaked = demo_questions(2)
    path = written(tmp_path / "bench.jsonl", leaked)
    found = inspect("demo:40", against=[path])
    told = json.loads(command.run("inspect", "demo:40", "--against", path, "--json").out)
    assert told["contaminated"] == found.to_json()["contaminated"]
    assert told["contaminated"]["questions"] == 2
    assert {pair["benchmark_question"] for pair in told["contaminated"]["pairs"]} == set(leaked)
    assert told["ledger"]["questions"]["dropped"]["contaminated"] == 2


def test_a_recipe_with_a_file_asks_where_it_is(tmp_path: Path) -> None:
    """A recipe knows a benchmark's name and digest, so a build from it alone says what to give."""
    path = written(tmp_path / "bench.jsonl", demo_questions(2))
    first = build("demo:40", tmp_path / "a", new_recipe(), workers=1, against=[path])
    with pytest.raises(SourceError, match=r"Give it: --against FILE"):
        build("demo:40", tmp_path / "b", first.recipe, workers=1)
    again = build("demo:40", tmp_path / "c", first.recipe, workers=1, against=[path])
    assert again.report["rows_digest"] == first.report["rows_digest"]


def test_a_bad_benchmark_ends_in_one_sentence(tmp_path: Path) -> None:
    """A file without questions, an empty folder and a name that is nothing are refused before anything is written."""
    (tmp_path / "odd.jsonl").write_text('{"a": 1, "b": 2}\n', encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for name in (tmp_path / "odd.jsonl", tmp_path / "empty", tmp_path / "missing.jsonl"):
        done = command.run("build", "demo:20", "--against", name, "--out", tmp_path / "out")
        assert done.exit == 2, done
        assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_near_duplicates_leave_one(tmp_path: Path) -> None:
    """Of questions that differ in case and spaces one is kept, the one with the smallest id, and the others are counted."""
    texts = puzzles(30)
    found = compared([*texts, *(text.upper() for text in texts[:5])], "", near=True)
    others = found.groups.others()
    ids = np.concatenate([text_ids(texts[:5]), text_ids([text.upper() for text in texts[:5]])]).reshape(2, 5)
    assert others == sorted(ids.max(axis=0).tolist())


def test_partitions_and_order_of_rows_change_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One partition or many, rows in one order or another: the same traces and the same held-out questions."""
    texts = [*puzzles(80), *(text.lower() for text in puzzles(30))]
    path = written(tmp_path / "bench.jsonl", texts[60:70])
    recipe = new_recipe().changed({**SHORT, "clean.holdout": 0.2, "clean.near_duplicates": True})
    said = []
    for name, size, order in (("a", 64_000_000, texts), ("b", 3_000, texts), ("c", 3_000, texts[::-1])):
        monkeypatch.setattr(scatter, "PARTITION_BYTES", size)
        source = raw_set(tmp_path / f"{name}.jsonl", order)
        found = build(source, tmp_path / name, recipe, workers=1, against=[path])
        held = (tmp_path / name / "heldout" / "test-00000-of-00001.parquet").read_bytes()
        said.append((found.report["rows_digest"], held, found.report["overlap"], found.report["ledger"]))
    assert said[0] == said[1] == said[2]
    assert set(said[0][3]["questions"]["dropped"]) >= {"contaminated", "near_duplicate", "held_out"}


def test_decisions_alone_are_enough(tmp_path: Path) -> None:
    """A recipe whose pairs a person decided is built without the benchmark: what was dropped stands in it."""
    first, second = (hex_id(int(one)) for one in text_ids(demo_questions(2)))
    about = {"kind": "file", "name": "bench.jsonl", "digest": "0" * 64, "decided": True}
    decided = {"clean.against": [about], "clean.drop": (first, second), "clean.keep": (second,)}
    result = build("demo:40", tmp_path / "out", new_recipe().changed(decided), workers=1)
    assert result.report["ledger"]["questions"]["dropped"]["contaminated"] == 1
    assert result.report["overlap"]["ids"]["contaminated"] == [first]


def test_a_folder_is_a_benchmark_per_file(tmp_path: Path) -> None:
    """A folder of one's own may hold files of several kinds; each is named by itself."""
    texts = demo_questions(3)
    (tmp_path / "mine").mkdir()
    written(tmp_path / "mine" / "a.jsonl", texts[:1])
    pq.write_table(pa.table({"problem": texts[1:]}), tmp_path / "mine" / "b.parquet")
    found = inspect("demo:40", against=[str(tmp_path / "mine")]).to_json()["contaminated"]
    assert found["by_benchmark"] == {"a.jsonl": 1, "b.parquet": 2}


# -- on the Hub ------------------------------------------------------------------------------------------------------


def test_held_out_questions_are_published_and_load(
    hub: Hub, tmp_path: Path, in_client: Callable[..., Any]
) -> None:
    """One repository, two configs: `load_dataset(REPO, "heldout")` gives the questions with their gold answers."""
    recipe = new_recipe().changed({**SHORT, "clean.holdout": 0.3})
    build(raw_set(tmp_path / "raw.jsonl", puzzles(60)), tmp_path / "out", recipe, workers=1)
    push(
        plan_push(tmp_path / "out", "alice/traces", token=hub.token("alice"), endpoint=hub.url),
        hub.token("alice"),
    )
    loaded = in_client(
        """
import datasets, json
held = datasets.load_dataset("alice/traces", "heldout", split="test").to_list()
rows = datasets.load_dataset("alice/traces", "sft_train", split="train").to_dict()["question_id"]
print(json.dumps([held, rows]))
""",
        user="alice",
    )
    traced, held = ids_in(tmp_path / "out")
    assert {row["question_id"] for row in loaded[0]} == held
    assert {row["answer"] for row in loaded[0]} == {"7"}
    assert set(loaded[1]) == traced and not traced & held


def test_a_benchmark_on_the_hub_is_pinned_by_its_commit(hub: Hub, tmp_path: Path) -> None:
    """Of a Hub dataset its test split is taken, and the recipe alone builds the same again."""
    texts = demo_questions(4)
    files = {
        "data/train-00000-of-00001.parquet": parquet_bytes(pa.table({"question": ["Who?"]})),
        "data/test-00000-of-00001.parquet": parquet_bytes(pa.table({"question": texts})),
    }
    hub.seed("bob/bench", files)
    first = command.run(
        "build",
        "demo:40",
        "--against",
        "bob/bench",
        "--out",
        tmp_path / "a",
        "--json",
        **{**hub.env("alice"), "HF_HUB_OFFLINE": "0"},
    )
    assert first.exit == 0, first.err
    assert json.loads(first.out)["ledger"]["questions"]["dropped"]["contaminated"] == 4
    recipe = recipe_from_toml((tmp_path / "a" / "recipe.toml").read_text(encoding="utf-8"))
    assert [(one.kind, one.name, one.split) for one in recipe.clean.against] == [("hub", "bob/bench", "test")]
    assert len(recipe.clean.against[0].revision) == 40
    words = ("--recipe", tmp_path / "a" / "recipe.toml", "--out", tmp_path / "b")
    again = command.run("build", "demo:40", *words, "--json", **{**hub.env("alice"), "HF_HUB_OFFLINE": "0"})
    assert json.loads(again.out)["rows_digest"] == json.loads(first.out)["rows_digest"]


# -- what is held out ------------------------------------------------------------------------------------------------


def ids_in(folder: Path) -> tuple[set[str], set[str]]:
    """The ids of the questions in the traces of a build, and of those that it holds out."""
    held = pq.read_table(folder / "heldout")["question_id"].to_pylist()
    traced = [
        one for path in command.shards(folder) for one in pq.read_table(path)["question_id"].to_pylist()
    ]
    return set(traced), set(held)


def raw_set(path: Path, questions: list[str]) -> str:
    """Raw data that asks these questions, with a right and a wrong response each."""
    rows = [
        {
            "question": text,
            "answer": "7",
            "response": f"I say <answer>{said}</answer>",
            "correct": said == "7",
        }
        for text in questions
        for said in ("7", "8")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


SHORT = {"traces.attempts": 2, "traces.formats": ("no_reflection",)}


def test_a_held_out_question_is_in_no_trace(tmp_path: Path) -> None:
    """Traces and held-out questions share nothing, whatever the seed of the traces; the share is about what was asked for."""
    source = raw_set(tmp_path / "raw.jsonl", puzzles(300))
    held_out = []
    for seed in (0, 1):
        recipe = new_recipe().changed({**SHORT, "clean.holdout": 0.2, "traces.seed": seed})
        build(source, tmp_path / f"out-{seed}", recipe, workers=1)
        traced, held = ids_in(tmp_path / f"out-{seed}")
        assert not traced & held
        assert len(traced | held) == 300
        held_out.append(held)
    assert held_out[0] == held_out[1]
    assert 40 <= len(held_out[0]) <= 80


def test_what_nearly_repeats_a_held_out_question_is_held_out_too(tmp_path: Path) -> None:
    """A question with other case, spaces or a wrapper is on the same side as the one that it repeats."""
    texts = puzzles(200)
    twins = [f"Please solve this one:   {text.upper()}" for text in texts]
    source = raw_set(tmp_path / "raw.jsonl", [*texts, *twins])
    build(source, tmp_path / "out", new_recipe().changed({**SHORT, "clean.holdout": 0.3}), workers=1)
    traced, held = ids_in(tmp_path / "out")
    for text, twin in zip(texts, twins, strict=True):
        pair = {hex_id(int(one)) for one in text_ids([text, twin])}
        assert pair <= traced or pair <= held
    assert traced and held


def test_held_out_questions_need_gold_answers(tmp_path: Path) -> None:
    """Without a column of gold answers nobody could grade them, and the build says what to do."""
    path = tmp_path / "raw.jsonl"
    path.write_text(
        Path(raw_set(path, puzzles(5))).read_text(encoding="utf-8").replace('"answer": "7", ', ""),
        encoding="utf-8",
    )
    with pytest.raises(ColumnError, match=r"need gold answers"):
        build(str(path), tmp_path / "out", new_recipe().changed({**SHORT, "clean.holdout": 0.2}), workers=1)


def test_reinforcement_learning_tests_with_what_was_held_out(tmp_path: Path) -> None:
    """The export for verl tests with exactly the held-out questions, and trains on none that a benchmark asks."""
    texts = puzzles(120)
    source = raw_set(tmp_path / "raw.jsonl", texts)
    recipe = new_recipe().changed({**SHORT, "clean.holdout": 0.2})
    build(source, tmp_path / "out", recipe, workers=1, against=[written(tmp_path / "b.jsonl", texts[:9])])
    options = (
        "--to",
        "verl",
        "--model",
        "a/model",
        "--questions",
        "all",
        "--source",
        source,
        "--task",
        "exact",
    )
    done = command.run("export", tmp_path / "out", "--out", tmp_path / "verl", *options)
    assert done.exit == 0, done.err
    train, test = (
        {
            row["question_id"]
            for row in pq.read_table(tmp_path / "verl" / f"{name}.parquet")["extra_info"].to_pylist()
        }
        for name in ("train", "test")
    )
    traced, held = ids_in(tmp_path / "out")
    assert test == held
    assert train == traced
    assert not {hex_id(int(one)) for one in text_ids(texts[:9])} & (train | test)


def test_the_card_and_report_say_what_stays_out(tmp_path: Path) -> None:
    """The card names the benchmark and the config of held-out questions; neither file holds a benchmark's words."""
    leaked = [f"Kindly {text}" for text in demo_questions(3)]
    path = written(tmp_path / "bench.jsonl", leaked)
    build(
        "demo:40", tmp_path / "out", new_recipe().changed({"clean.holdout": 0.2}), workers=1, against=[path]
    )
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    report = (tmp_path / "out" / "report.json").read_text(encoding="utf-8")
    assert "config_name: heldout" in card
    assert "Compared with `bench.jsonl`" in card
    assert "Kindly" not in card + report
    assert len(json.loads(report)["overlap"]["ids"]["contaminated"]) == 3


STORY = "boats leave the northern harbour at noon; when do they meet the ferry from the island?"
"""What a benchmark asks."""


@pytest.mark.parametrize(
    "row",
    [
        lambda k: {"messages": [{"role": "user", "content": f"{k} {STORY}"}]},
        lambda k: {
            "messages": [
                {"role": "system", "content": "Answer briefly."},
                {"role": "user", "content": f"{k} {STORY}"},
                {"role": "assistant", "content": "The ferry takes two hours."},
            ]
        },
        lambda k: {
            "conversations": [{"from": "human", "value": f"{k} {STORY}"}, {"from": "gpt", "value": "Two."}]
        },
        lambda k: {"prompt": json.dumps([{"role": "user", "content": f"{k} {STORY}"}]), "answer": "2"},
        lambda k: {
            "prompt": f"<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{k} {STORY}<|im_end|>\n<|im_start|>assistant\n"
        },
    ],
    ids=["user turn", "system and assistant", "from and value", "JSON text", "chat template"],
)
def test_a_benchmark_may_be_a_chat(tmp_path: Path, row: Callable[[int], dict[str, Any]]) -> None:
    """Of messages, and of prompts that a chat template made, the user's turn is the question, as in any data."""
    lines = (json.dumps(row(k)) + "\n" for k in range(10, 22))
    (tmp_path / "chat.jsonl").write_text("".join(lines), encoding="utf-8")
    [found] = opened(Clean(), [str(tmp_path / "chat.jsonl")])
    assert sorted(found.questions()) == [f"{k} {STORY}" for k in range(10, 22)]
    own = [f"{k} {STORY}" for k in (11, 40)]
    assert [pair.question for pair in compared(own, str(tmp_path / "chat.jsonl")).pairs] == own[:1]


def test_near_duplicates_are_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: where only some hundred words are indexed at a time, the same groups are found, in any order."""
    draw = random.Random(4)
    words = [
        "boat",
        "river",
        "stone",
        "bridge",
        "letter",
        "garden",
        "winter",
        "clock",
        "silver",
        "market",
        "ladder",
        "carpet",
    ]
    own = [" ".join(draw.choices(words, k=12)) + f" {k}" for k in range(120)]
    own += [f"{text} Explain." for text in own[::7]]
    whole = overlap_of([(text_ids(own), own)], [], True).groups
    monkeypatch.setattr(groups, "TOKENS", 300)
    monkeypatch.setattr(groups, "BLOCK", 17)
    draw.shuffle(own)
    parts = overlap_of(
        [(text_ids(own[k : k + 20]), own[k : k + 20]) for k in range(0, len(own), 20)], [], True
    ).groups
    assert len(whole.others()) >= 17
    assert whole.shown(1000) == parts.shown(1000)


def test_a_benchmark_of_several_turns_is_all_that_the_user_says(tmp_path: Path) -> None:
    """Of a conversation every turn of the user is compared, and nothing that the assistant said."""
    turns = [
        {"role": "user", "content": STORY},
        {"role": "assistant", "content": "At two."},
        {"role": "user", "content": "And if the ferry stops for an hour at the lighthouse?"},
        {"role": "assistant", "content": "At three."},
    ]
    lines = (
        json.dumps({"messages": [{"role": "user", "content": f"{k} {STORY}"}, *turns[1:]]}) + "\n"
        for k in range(12)
    )
    (tmp_path / "chat.jsonl").write_text("".join(lines), encoding="utf-8")
    [found] = opened(Clean(), [str(tmp_path / "chat.jsonl")])
    [first, *_] = sorted(found.questions())
    assert first.startswith(f"0 {STORY}")
    assert first.endswith("lighthouse?")
    assert "At two" not in first
