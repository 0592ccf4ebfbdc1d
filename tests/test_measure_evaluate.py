"""`evaluate`: outputs of a trained model, on the machinery that pays for nothing twice; budget forcing."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skill_factory.measure.evaluation.chat_template import chat_template
from tests.command import Run, run
from tests.model_server import ALL_FAULTS, Faults, ModelServer, serials
from tests.test_generate_kills import KILLS, answers, killed

QUESTIONS = 12
TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"


def right(prompt: str, rng: random.Random) -> str:
    """A model that tries twice."""
    number = int(prompt.split()[2])
    tries = "".join(
        f"<sample>\nso <answer>{number + extra}</answer>\n</sample>\n<reflect>\n<verdict>{word}</verdict>\n</reflect>\n"
        for extra, word in ((rng.randint(0, 1), "Incorrect"), (0, "Correct"))
    )
    return f"<think>\n{tries}</think>\n\n<answer>\n{number}\n</answer>"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Questions with gold answers."""
    path = tmp_path / "questions.jsonl"
    rows = [{"question": f"What is {n} + 0?", "answer": str(n)} for n in range(QUESTIONS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def evaluated(questions: Path, out: Path, url: str, *more: object) -> Run:
    return run("evaluate", questions, "--out", out, "--model", "m", "--endpoint", url, "--json", *more)


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [
        row for shard in sorted((out / "data").glob("*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]


def test_outputs_of_a_model_are_kept_and_measured(questions: Path, tmp_path: Path) -> None:
    """A row for each sample of each question; the run is the model; the question goes out as it is."""
    with ModelServer(right) as server:
        done = evaluated(questions, tmp_path / "out", server.url, "--samples", 3)
        assert done.exit == 0, done.err
        body = server.ledger.bodies[0]
        assert next(one["content"] for one in body["messages"]).startswith("What is ")
        again = evaluated(questions, tmp_path / "out", server.url, "--samples", 3)
        assert again.exit == 0 and server.ledger.asked.total() == 3 * QUESTIONS
    mine = json.loads(run("measure", tmp_path / "out", "--json").out)
    one = mine["runs"]["m"]
    assert (one["outputs"], one["questions"], one["attempts"]) == (3 * QUESTIONS, QUESTIONS, 2.0)
    assert one["accuracy"]["final"]["value"] == 1.0
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "Outputs of m" in card


def test_a_pilot_asks_some_questions_and_forecasts(questions: Path, tmp_path: Path) -> None:
    """With figures, cost and time for all; the rest is asked when the pilot has been seen."""
    with ModelServer(right) as server:
        done = evaluated(questions, tmp_path / "out", server.url, "--pilot", 4, "--price-out", 1)
        made = json.loads(done.out)
        assert (made["rows"], made["pilot"]["questions_total"], made["pilot"]["figures"]["right"]) == (
            16,
            QUESTIONS,
            1.0,
        )
        assert made["pilot"]["cost_total"] > made["pilot"]["cost"] > 0
        assert json.loads(evaluated(questions, tmp_path / "out", server.url).out)["rows"] == 4 * QUESTIONS
        assert server.ledger.asked.total() == 4 * QUESTIONS


def test_a_budget_is_kept_and_raised(questions: Path, tmp_path: Path) -> None:
    """A run that spends its tokens stops with what it has, and goes on from there."""
    with ModelServer(right) as server:
        words = ("--max-tokens", 50, "--concurrency", 1)
        made = json.loads(
            evaluated(questions, tmp_path / "out", server.url, "--budget-tokens", 1000, *words).out
        )
        assert made["ending"] == "stopped" and 0 < made["missing"] < 4 * QUESTIONS
        assert sum(made["tokens"].values()) <= 1000
        made = json.loads(evaluated(questions, tmp_path / "out", server.url, *words).out)
        assert (made["missing"], server.ledger.asked.total()) == (0, 4 * QUESTIONS)


@pytest.mark.long
def test_twenty_kills_cost_nothing_twice(questions: Path, tmp_path: Path) -> None:
    """Through a server with every fault: each wanted output is there once, and what was kept is never asked again."""
    with ModelServer(right, faults=ALL_FAULTS, latency=0.02) as server:
        words = [
            "evaluate",
            str(questions),
            "--out",
            str(tmp_path / "out"),
            "--model",
            "m",
            "--endpoint",
            server.url,
        ]
        words += ["--samples", "40", "--tries", "12", "--json"]
        rng = random.Random(2)
        assert (
            sum(killed(words, server, rng.choice([1, 5, rng.randint(5, 20)])) for _ in range(KILLS)) == KILLS
        )
        last = run(*words)
        assert last.exit == 0, last.err[-2000:]
        made, stored = json.loads(last.out), answers(tmp_path / "out")
        assert (made["missing"], made["counts"]["rows"]) == (0, 40 * QUESTIONS)
        assert len({identity for identity, *_ in stored}) == len(stored) == 40 * QUESTIONS
        unheard = set(server.ledger.tokens) - set(serials([text for _, text, *_ in stored]))
        assert len(unheard) <= made["lost"]


def test_thinking_that_a_server_takes_out_is_put_back(questions: Path, tmp_path: Path) -> None:
    """`reasoning_content` stands between think tags again, so its attempts count."""
    thought = "<sample>a <answer>1</answer></sample>"
    with ModelServer(lambda prompt, rng: "<answer>1</answer>", thinking=thought) as server:
        done = evaluated(questions, tmp_path / "out", server.url, "--samples", 1)
    assert json.loads(done.out)["counts"]["thinking_joined"] == QUESTIONS
    assert "back inside <think> tags" in done.out + done.err
    one = json.loads(run("measure", tmp_path / "out", "--json").out)["runs"]["m"]
    assert (one["attempts"], one["cut_off"], one["answers"]) == (1.0, 0, 2.0)


def test_outputs_that_were_asked_for_twice_and_are_equal_are_said(questions: Path, tmp_path: Path) -> None:
    """A server that doesn't sample gives one output again and again; measured as four, it would look surer than it is."""
    with ModelServer(lambda prompt, rng: "<answer>1</answer>", faults=Faults(same=True)) as server:
        made = json.loads(evaluated(questions, tmp_path / "out", server.url, "--samples", 4).out)
    assert made["counts"]["equal_answers"] == 3 * QUESTIONS
    assert any("equal another one" in note for note in made["notes"])


# ------------------------------------------------------------------------------------------ budget forcing


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer of words, and a chat template beside it."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path / "model"
    folder.mkdir()
    made = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE}), encoding="utf-8")
    return folder


LONG = "<think> " + "so it goes " * 10
PROMPTS: list[str] = []


def thinker(prompt: str, rng: random.Random) -> str:
    """Never stops thinking by itself; once it is told to try again, it does, and answers."""
    PROMPTS.append(prompt)
    if prompt.endswith("<sample>"):
        return "\nI see <answer>7</answer>\n</sample>\n</think>\n\n<answer>7</answer>"
    return (
        LONG
        if "What is 7" in prompt
        else "<think> short </think> <answer>7</answer> and then " + "more " * 20
    )


@pytest.fixture
def forced(
    questions: Path, tmp_path: Path, tokenizer: Path
) -> Iterator[tuple[ModelServer, list[dict[str, Any]], Path]]:
    """An evaluation with bounds of 8 and 20 tokens, over raw completions."""
    PROMPTS.clear()
    with ModelServer(thinker, bounded=True) as server:
        words = ("--completions", "--tokenizer", tokenizer, "--budget", "8:20", "--samples", 1)
        done = evaluated(questions, tmp_path / "out", server.url, *words)
        assert done.exit == 0, done.err
        again = evaluated(questions, tmp_path / "out", server.url, *words)
        assert json.loads(again.out)["missing"] == 0
        yield server, rows_of(tmp_path / "out"), tmp_path / "out"


def test_what_still_thinks_at_the_first_bound_goes_on_with_another_attempt(
    forced: tuple[ModelServer, list[dict[str, Any]], Path],
) -> None:
    """The server gets the very text it began, the trigger behind it, and the tokens that are left."""
    server, rows, _ = forced
    begun = f"<|user|>What is 7 + 0?<|end|><|assistant|>{'<think> so it goes so it goes so'}"
    assert [one for one in PROMPTS if one.endswith("<sample>")] == [f"{begun}\n<sample>"]
    body = next(one for one in server.ledger.bodies if one["prompt"].endswith("<sample>"))
    assert body["max_tokens"] == 20 - 8
    one = next(row for row in rows if row["forced"])
    assert one["response"].startswith("<think> so it goes so it goes so\n<sample>\nI see <answer>7</answer>")
    assert one["finish_reason"] == "stop"
    assert server.ledger.asked.total() == QUESTIONS + 1


def test_forced_and_plain_are_told_apart(forced: tuple[ModelServer, list[dict[str, Any]], Path]) -> None:
    """A thinking part that is closed already isn't forced; `--by forced` splits the figures."""
    _, rows, out = forced
    assert [row["question"] for row in rows if row["forced"]] == ["What is 7 + 0?"]
    assert {row["finish_reason"] for row in rows if not row["forced"]} == {"length"}
    mine = json.loads(run("measure", out, "--by", "forced", "--json").out)["by"]["forced"]
    assert (mine["True"]["outputs"], mine["False"]["outputs"]) == (1, QUESTIONS - 1)
    assert mine["True"]["totals"]["attempts"] == 1 and mine["True"]["accuracy"]["final"]["value"] == 1.0


def test_without_a_tokenizer_the_servers_usage_counts(questions: Path, tmp_path: Path) -> None:
    """The text goes out as it is, and what is left is the second bound less the tokens that the server counted."""
    with ModelServer(thinker, bounded=True) as server:
        done = evaluated(
            questions, tmp_path / "out", server.url, "--completions", "--budget", "8:20", "--samples", 2
        )
        assert done.exit == 0, done.err
        bodies = [one for one in server.ledger.bodies if one["prompt"].endswith("<sample>")]
    assert all(one["prompt"].startswith("What is 7") and one["max_tokens"] == 12 for one in bodies)
    assert sum(row["forced"] for row in rows_of(tmp_path / "out")) == 2


def test_a_chat_server_that_continues_may_be_forced(questions: Path, tmp_path: Path) -> None:
    """Where its user says so: the begun turn goes out as an assistant's, to be continued."""
    with ModelServer(thinker, bounded=True) as server:
        more = ("--budget", "8:20", "--samples", 1, "--parameter", "continue_final_message=true")
        assert evaluated(questions, tmp_path / "out", server.url, *more).exit == 0
        continued = [one for one in server.ledger.bodies if one.get("continue_final_message")]
        assert [one["messages"][-1]["role"] for one in continued] == ["assistant"]
        assert continued[0]["add_generation_prompt"] is False
        assert not any(
            "continue_final_message" in one for one in server.ledger.bodies if one not in continued
        )
    assert sum(row["forced"] for row in rows_of(tmp_path / "out")) == 1


BAD = {
    "over chat": (["--budget", "8:20"], "--completions"),
    "shrinking bounds": (["--budget", "20:8", "--completions"], "two bounds that grow"),
    "no bounds": (["--budget", "many", "--completions"], "two numbers of tokens"),
    "no samples": (["--samples", "0"], "--samples"),
    "no template": (["--completions", "--tokenizer", "{empty}"], "chat template"),
    "no server": (["--completions", "--endpoint", "", "--provider", "auto"], "server of your own"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_use_is_one_sentence(case: str, questions: Path, tmp_path: Path) -> None:
    """Exit 2, nothing asked, nothing written."""
    words, sentence = BAD[case]
    (tmp_path / "empty").mkdir()
    with ModelServer(right) as server:
        given = [word.format(empty=tmp_path / "empty") for word in words]
        done = run(
            "evaluate",
            questions,
            "--out",
            tmp_path / "out",
            "--model",
            "m",
            "--endpoint",
            server.url,
            *given,
            HF_TOKEN="x",
        )
        assert (done.exit, server.ledger.asked.total()) == (2, 0)
    assert sentence in done.err and "Traceback" not in done.err


def test_a_server_that_refuses_is_told_in_its_words(questions: Path, tmp_path: Path) -> None:
    """Raw completions end as chat does: a wrong model is hopeless, and said once."""
    with ModelServer(right, faults=Faults(status=404, message="no such model")) as server:
        done = evaluated(questions, tmp_path / "out", server.url, "--completions")
    assert done.exit == 2 and "no such model" in done.err


def test_a_template_that_reaches_out_is_stopped(tmp_path: Path) -> None:
    """It runs in a sandbox."""
    from skill_factory.errors import HandoffError

    evil = "{{ messages.__class__.__mro__[1].__subclasses__() }}"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": evil}), encoding="utf-8")
    with pytest.raises(HandoffError, match="chat template"):
        chat_template(str(tmp_path))
