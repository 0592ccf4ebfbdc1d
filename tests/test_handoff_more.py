"""More hands to give a build to: other programs, an environment, and services with limits of their own."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from skill_factory.build.pipeline import build
from skill_factory.errors import HandoffError
from skill_factory.recipe.model import Recipe
from skill_factory.trainers import TRAINERS, Options, export_build
from skill_factory.trainers.message_files import Lines
from skill_factory.trainers.services import LIMITS, Limits, refusal
from tests.test_handoff import rows_of

LINES = ("swift", "openrlhf", "openai", "together", "fireworks")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished build of the demo."""
    folder = tmp_path_factory.mktemp("more") / "demo"
    build("demo:30", folder, Recipe().changed({"traces.attempts": 2}), workers=1)
    return folder


@pytest.mark.parametrize("name", LINES)
def test_messages_are_the_conversations_and_nothing_else(name: str, demo: Path, tmp_path: Path) -> None:
    """A line of JSON for each trace; services refuse what they don't know."""
    out = export_build(demo, TRAINERS[name], tmp_path / "out", Options("some/model's")).path
    lines = [json.loads(line) for line in (out / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"messages": row["conversations"]} for row in rows_of(demo / "sft_train")]
    script = next(out.glob("*.sh"))
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.name in (out / "TRAINING.md").read_text()
    assert re.search(r"not run|Checked with", (out / "TRAINING.md").read_text())


@pytest.mark.parametrize("name", LINES)
def test_what_a_script_runs_is_the_program_with_the_model_as_one_word(
    name: str, demo: Path, tmp_path: Path
) -> None:
    """Run with a program that only writes down its words: a name with a quote stays one word."""
    out = export_build(demo, TRAINERS[name], tmp_path / "out", Options("some/mo del's")).path
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("swift", "deepspeed", "curl", "together", "firectl"):
        (tools / tool).write_text(
            f"#!{sys.executable}\nimport json, sys\nopen({str(tmp_path / 'said')!r}, 'a').write("
            "json.dumps(sys.argv) + chr(10))\nprint(json.dumps({'id': 'file-1'}))\n"
        )
        (tools / tool).chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "OPENAI_API_KEY": "key"}
    script = next(out.glob("*.sh"))
    done = subprocess.run(["bash", script], check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    words = [word for call in said for word in call]
    if name == "openai":
        job = json.loads(words[words.index("-d") + 1])
        assert (job["training_file"], job["model"]) == ("file-1", "some/mo del's")
        assert "file=@train.jsonl" in words
    else:
        assert "some/mo del's" in words


def test_unsloth_gets_the_builds_own_rows(demo: Path, tmp_path: Path) -> None:
    """Messages with two keys each, and a script that compiles."""
    out = export_build(demo, TRAINERS["unsloth"], tmp_path / "out", Options("some/model")).path
    rows = rows_of(out / "data")
    assert rows == rows_of(demo / "sft_train")
    assert {key for row in rows for turn in row["conversations"] for key in turn} == {"role", "content"}
    compile((out / "train_unsloth.py").read_text(), "train_unsloth.py", "exec")


def test_verifiers_get_a_package_whose_reward_pays(demo: Path, tmp_path: Path) -> None:
    """Its reward is loaded from the package, and pays a right answer to a question of its own file."""
    out = export_build(demo, TRAINERS["verifiers"], tmp_path / "out", Options("some/model")).path
    told = tomllib.loads((out / "pyproject.toml").read_text())
    package = out / told["project"]["name"].replace("-", "_")
    assert (package / "__init__.py").is_file()
    questions = [json.loads(line) for line in (package / "train.jsonl").read_text().splitlines()]
    held_out = [json.loads(line) for line in (package / "test.jsonl").read_text().splitlines()]
    assert questions and held_out
    assert not {one["question"] for one in questions} & {one["question"] for one in held_out}
    script = (
        "import importlib.util, json, sys\n"
        "spec = importlib.util.spec_from_file_location('reward', sys.argv[1])\n"
        "reward = importlib.util.module_from_spec(spec); spec.loader.exec_module(reward)\n"
        "says = lambda text: [{'role': 'assistant', 'content': text}]\n"
        "text = '<think>\\n<sample>\\nx\\n</sample>\\n</think>\\n\\n<answer>\\n%s\\n</answer>'\n"
        "one = json.loads(sys.argv[2])\n"
        "ask = lambda said: reward.rubric_reward(says(text % said), one['answer'], info={}, question=one['question'])\n"
        "print(ask(one['answer']), ask('no idea'))\n"
    )
    words = [sys.executable, "-c", script, str(package / "reward.py"), json.dumps(questions[0])]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.split() == ["1.0", "0.0"] or "countdown" in questions[0]["question"].lower(), (
        done.stderr
    )


@pytest.mark.parametrize(
    ("written", "longest", "exact", "said"),
    [
        (Lines(9, 10**6, 100), 10, True, "at least 10 examples"),
        (Lines(10, 2**30, 100), 10, True, "files of at most"),
        (Lines(10, 10**6, 100), 70_000, True, "--cutoff-len 65536 --drop-over"),
        (Lines(10, 10**6, 100), 70_000, False, ""),
        (Lines(10, 10**6, 100), 65_536, True, ""),
    ],
)
def test_a_services_limits_are_checked(written: Lines, longest: int, exact: bool, said: str) -> None:
    """In one sentence with what was found and what to do; an estimate refuses nothing."""
    found = refusal(LIMITS["openai"], "OpenAI", written, longest, exact)
    assert said in found and bool(found) == bool(said)


def test_most_examples_are_a_limit_too() -> None:
    """Three million lines fit Fireworks, one more doesn't."""
    limits = LIMITS["fireworks"]
    assert not refusal(limits, "Fireworks AI", Lines(3_000_000, 1, 1), 1, True)
    assert "at most 3,000,000" in refusal(limits, "Fireworks AI", Lines(3_000_001, 1, 1), 1, True)


def test_what_a_service_would_refuse_is_not_written(tmp_path: Path) -> None:
    """A build of a few traces is too small for OpenAI, and nothing is left behind."""
    build("demo:4", tmp_path / "few", Recipe().changed({"traces.attempts": 1}), workers=1)
    rows = len(rows_of(tmp_path / "few" / "sft_train"))
    assert rows < LIMITS["openai"].least
    with pytest.raises(HandoffError, match=f"at least 10 examples; this build gives {rows}"):
        export_build(tmp_path / "few", TRAINERS["openai"], tmp_path / "out", Options("gpt"))
    assert not (tmp_path / "out").exists()


def test_every_limit_says_where_it_comes_from() -> None:
    """What a service takes changes: the place and the year are in the notes."""
    assert all(isinstance(limits, Limits) and "2026" in limits.source for limits in LIMITS.values())
