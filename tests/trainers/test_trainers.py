"""What leaves here loads there: the trainers' own code on real builds, CPU only, with a tiny random model.

`tests/trainers/environments.sh` makes the environments. SKILL_FACTORY_SMOKE=1 takes 50 questions and the loaders alone.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from skill_factory.build.card import dataset_info
from skill_factory.build.pipeline import build
from skill_factory.grading import final_answer
from skill_factory.recipe.model import Recipe
from skill_factory.trainers import AXOLOTL, LLAMAFACTORY, OPENRLHF, SWIFT, TRL, VERL, Options, export_build
from tests import chats
from tests.hub import Hub

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SHARED = ROOT.parent / "shared" / "data"
ENVIRONMENTS = Path(os.environ.get("SKILL_FACTORY_TRAINERS", ROOT / ".trainers"))
SMOKE = bool(os.environ.get("SKILL_FACTORY_SMOKE"))
QUESTIONS = 50 if SMOKE else 500
END = "<|im_end|>\n"

pytestmark = pytest.mark.trainers
whole = pytest.mark.skipif(SMOKE, reason="only in the whole run (SKILL_FACTORY_SMOKE is set)")


def needs(name: str) -> pytest.MarkDecorator:
    """Skips where an environment is not made."""
    missing = not (ENVIRONMENTS / name / "complete").exists()
    return pytest.mark.skipif(missing, reason=f"no environment {name}: run tests/trainers/environments.sh")


in_llamafactory, in_trl = needs("llamafactory-verl"), needs("trl")


def run_in(name: str, *words: object, cwd: Path = ROOT, stdin: str | None = None, **variables: str) -> str:
    """Runs a command with an environment's programs first on the path; gives its output."""
    path = f"{ENVIRONMENTS.resolve() / name / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HF_"))}
    environment = {**kept, "PATH": path, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", **variables}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{words} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def last_json(output: str) -> dict:
    """The last line of a script's output."""
    return json.loads(output.splitlines()[-1])


def traces_of(folder: Path, column: str = "conversations") -> list[str]:
    """The assistant's texts of all Parquet files in a folder, in order."""
    tables = [pq.read_table(file, columns=[column]) for file in sorted(folder.glob("train-*.parquet"))]
    return [row[-1]["content"] for table in tables for row in table[column].to_pylist()]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure into the test run's own output."""

    def aloud(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}")

    return aloud


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for builds, exports and caches."""
    return tmp_path_factory.mktemp("trainers")


@pytest.fixture(scope="session")
def cache(work: Path) -> dict[str, str]:
    """A private cache of data sets: versions of `datasets` can't read each other's."""
    return {"HF_HOME": str(work / "cache"), "HF_DATASETS_CACHE": str(work / "cache" / "datasets")}


@pytest.fixture(scope="session")
def models(work: Path) -> dict[str, Path]:
    """Tiny random models of two families."""
    for family in ("qwen2", "qwen3"):
        run_in("llamafactory-verl", "python", HERE / "tiny_model.py", work / family, family)
    return {family: work / family for family in ("qwen2", "qwen3")}


@pytest.fixture(scope="session")
def builds(work: Path) -> dict[str, Path]:
    """The demo in both layouts, in all formats, and RealCritic where it is there."""
    formats = ["*C_full", "*C*IC", "*CC", "no_reflection"]
    tight = Recipe().changed({"traces.layout": "tight", "traces.attempts": 3})
    build(
        f"demo:{QUESTIONS}",
        work / "demo",
        Recipe().changed({"traces.formats": formats, "traces.attempts": 4}),
    )
    build(f"demo:{QUESTIONS}", work / "tight", tight)
    found = {"demo": work / "demo", "tight": work / "tight"}
    raw = SHARED / "raw_realcritic_math.parquet"
    if raw.is_file():
        found["realcritic"] = work / "realcritic"
        build(str(raw), found["realcritic"], Recipe().changed({"traces.attempts": 2}))
    return found


def built(builds: dict[str, Path], name: str) -> Path:
    """A build by name; skips where its data are not there."""
    if name not in builds:
        pytest.skip("the real data sets are not beside the repository")
    return builds[name]


# -- LLaMA-Factory ----------------------------------------------------------------------------------------------------


def llamafactory_labels(
    folder: object, dataset: str, model: Path, template: str, *more: str, **variables: str
) -> list[str]:
    """What LLaMA-Factory trains on, row by row."""
    words = ("python", HERE / "llamafactory_labels.py", folder, dataset, model, template, 200_000, *more)
    return last_json(run_in("llamafactory-verl", *words, **variables))["labels"]


@in_llamafactory
@pytest.mark.parametrize("template", ["qwen", "qwen3"])
@pytest.mark.parametrize("name", ["demo", "tight", "realcritic"])
def test_llamafactory_trains_on_exactly_the_trace(
    name: str, template: str, builds, models, cache, say
) -> None:
    """The build folder is the data folder: every row's labels decode to the assistant's text and the end mark."""
    folder = built(builds, name)
    model = models["qwen3" if template == "qwen3" else "qwen2"]
    expected = [trace + END for trace in traces_of(folder / "sft_train")]
    found = llamafactory_labels(folder, "skill_factory", model, template, **cache)
    assert len(found) == len(expected) > 0
    assert [row for row, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b] == []
    say(f"LLaMA-Factory, {template}, {name}: {len(found):,} rows, every label exactly the trace")


@in_llamafactory
@whole
def test_llamafactory_reads_the_files_and_the_hub_alike(builds, models, cache, work: Path) -> None:
    """The entry for local files and `REMOTE:user/repo` on a Hub give the rows that the folder gives."""
    folder = builds["tight"]
    expected = [trace + END for trace in traces_of(folder / "sft_train")]
    assert llamafactory_labels(folder, "skill_factory_files", models["qwen2"], "qwen", **cache) == expected
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files["dataset_info.json"] = json.dumps(dataset_info("alice/traces")).encode()
    with Hub(work / "hub") as hub:
        hub.seed("alice/traces", files)
        client = {key: value for key, value in hub.env(xet=False).items() if key.startswith("HF_")}
        remote = {**client, "HF_HUB_OFFLINE": "0"}
        found = llamafactory_labels("REMOTE:alice/traces", "skill_factory", models["qwen2"], "qwen", **remote)
    assert found == expected


@in_llamafactory
@whole
def test_llamafactory_takes_three_steps_with_the_exported_file(builds, models, cache, work: Path) -> None:
    """`llamafactory-cli train` on the exported YAML, with a CPU's overrides: three real steps and a checkpoint."""
    out = export_build(
        builds["demo"], LLAMAFACTORY, work / "out-llamafactory", Options(str(models["qwen2"]))
    ).path
    cpu = ("bf16=false", "use_cpu=true", "max_steps=3", "logging_steps=1", "cutoff_len=2048")
    run_in(
        "llamafactory-verl",
        "llamafactory-cli",
        "train",
        "train_sft.yaml",
        "template=qwen",
        *cpu,
        cwd=out,
        **cache,
    )
    log = [
        json.loads(line) for line in (out / "saves" / "sft" / "trainer_log.jsonl").read_text().splitlines()
    ]
    assert [step["current_steps"] for step in log if "loss" in step] == [1, 2, 3]
    assert (out / "saves" / "sft" / "model.safetensors").is_file()


@in_llamafactory
@whole
def test_llamafactory_reads_the_newest_export(builds, models, cache, work: Path) -> None:
    """A folder exported twice gives the second rows: the entry that the YAML names goes by content, not by name."""
    for name in ("tight", "demo"):
        out = export_build(builds[name], LLAMAFACTORY, work / "out-twice", Options(str(models["qwen2"]))).path
        dataset = yaml.safe_load((out / "train_sft.yaml").read_text())["dataset"]
        found = llamafactory_labels(out / "data", dataset, models["qwen2"], "qwen", **cache)
        assert found == [trace + END for trace in traces_of(builds[name] / "sft_train")]


@in_llamafactory
@whole
def test_enable_thinking_false_is_the_trap_that_the_notes_name(builds, models, cache, work: Path) -> None:
    """Under `qwen3` with `enable_thinking: false` LLaMA-Factory deletes the thinking; the notes warn of it."""
    out = export_build(builds["tight"], LLAMAFACTORY, work / "out-trap", Options("Qwen/Qwen3-1.7B")).path
    assert "template: qwen3" in (out / "train_sft.yaml").read_text()
    assert "enable_thinking: false" in (out / "TRAINING.md").read_text()
    words = (out / "data", "skill_factory_files", models["qwen3"], "qwen3")
    found = llamafactory_labels(*words, "enable_thinking=false", **cache)
    after = [trace.partition("</think>\n\n")[2] + END for trace in traces_of(builds["tight"] / "sft_train")]
    assert found == after


# -- verl -------------------------------------------------------------------------------------------------------------


def outputs_for(gold: str) -> list[tuple[str, float]]:
    """Outputs of a model for a question with this gold answer, and the reward that each must get."""
    right = (
        f"<think>\n<sample>\na\n<answer>1</answer>\n</sample>\n</think>\n\nSo:\n\n<answer>\n{gold}\n</answer>"
    )
    return [
        (right, 1.0),
        (right.replace(gold, "1 + 1"), 0.0),
        (
            right.replace("<answer>1</answer>", f"<answer>{gold}</answer>").replace(
                f"\n{gold}\n", "\n1 + 1\n"
            ),
            0.0,
        ),
        (f"It is {gold}.", 0.0),
        (right.partition("</think>")[0].replace("<answer>1", f"<answer>{gold}"), 0.0),
        (right[: -len("</answer>")], 0.0),
        ("<answer>" * 200, 0.0),
        ("", 0.0),
    ]


@in_llamafactory
def test_verl_loads_the_questions_and_pays_by_the_reward(builds, models, cache, work: Path, say) -> None:
    """
    `main_ppo --cfg job` takes the script; `RLHFDataset` loads both files; reward loop and legacy managers agree.

    1.0 for a right output, 0.0 for wrong, missing, right in the first sample only, and cut off.
    """
    options = Options(str(models["qwen2"]), questions="all", prompt_limit=2_000)
    out = export_build(builds["demo"], VERL, work / "out-verl", options).path
    config = run_in("llamafactory-verl", "bash", out / "run_grpo.sh", "--cfg", "job", **cache)
    (work / "verl.yaml").write_text(config)
    golds = [row["ground_truth"] for row in pq.read_table(out / "train.parquet")["reward_model"].to_pylist()]
    cases = [(row, *case) for row, gold in enumerate(golds[:5]) for case in outputs_for(gold)]
    (work / "cases.json").write_text(json.dumps([(row, text) for row, text, _ in cases]))
    words = ("python", HERE / "verl_checks.py", work / "verl.yaml", models["qwen2"], work / "cases.json")
    found = last_json(run_in("llamafactory-verl", *words, **cache))
    assert (found["train"], found["test"]) == (len(golds), pq.read_metadata(out / "test.parquet").num_rows)
    assert found["indices"] == list(range(found["train"] + found["test"]))
    expected = [score for _, _, score in cases]
    assert found["loop"] == found["naive"] == found["batch"] == expected
    say(
        f"verl: {found['train']} + {found['test']} questions loaded; {len(cases)} outputs scored alike by 3 managers"
    )


@in_llamafactory
@whole
def test_verl_takes_every_value_of_the_paper(builds, models, cache, work: Path) -> None:
    """The composed configuration holds the paper's values where the newest verl looks for them."""
    out = export_build(builds["demo"], VERL, work / "out-values", Options("some/model", questions="all")).path
    config = yaml.safe_load(run_in("llamafactory-verl", "bash", out / "run_grpo.sh", "--cfg", "job", **cache))
    actor, rollout = config["actor_rollout_ref"]["actor"], config["actor_rollout_ref"]["rollout"]
    assert config["algorithm"]["adv_estimator"] == "grpo"
    assert (actor["optim"]["lr"], rollout["n"]) == (1e-6, 16)
    assert (config["data"]["train_batch_size"], actor["ppo_mini_batch_size"]) == (256, 32)
    assert (config["data"]["max_prompt_length"], config["data"]["max_response_length"]) == (512, 4096)
    assert (actor["use_kl_loss"], config["algorithm"]["use_kl_in_reward"]) == (False, False)
    assert config["trainer"]["total_epochs"] == 50
    assert config["actor_rollout_ref"]["model"]["path"] == "some/model"
    assert config["reward"]["custom_reward_function"] == {
        "path": str(out / "reward.py"),
        "name": "compute_score",
    }
    assert config["reward"]["reward_manager"]["name"] == "naive"


# -- TRL --------------------------------------------------------------------------------------------------------------


@in_trl
@in_llamafactory
@pytest.mark.parametrize(
    ("name", "template"), [("demo", "qwen2_5"), ("tight", "qwen2_5"), ("tight", "qwen3")]
)
def test_trl_trains_on_exactly_the_trace(
    name: str, template: str, builds, models, cache, work: Path, say
) -> None:
    """Under Qwen2.5's template in both layouts, under Qwen3's in the layout `tight`: labels are the trace."""
    out = export_build(builds[name], TRL, work / f"out-trl-{name}", Options("some/model")).path
    file = next(out.glob("train-*.parquet"))
    found = last_json(
        run_in("trl", "python", HERE / "trl_labels.py", file, models["qwen2"], template, **cache)
    )
    expected = [trace + END for trace in traces_of(out, "messages")]
    assert [label.removeprefix("\n") for label in found["labels"]] == expected
    say(f"TRL, {template}, {name}: {len(expected):,} rows, every label exactly the trace")


PLAIN_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@in_trl
@in_llamafactory
@pytest.mark.parametrize("model", ["some/model", "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"])
def test_trl_trains_on_exactly_the_trace_under_templates_that_it_does_not_know(
    model: str, builds, models, cache, work: Path
) -> None:
    """Plain ChatML, which has no marks for TRL; and R1's marks in the file that the export brings along."""
    out = export_build(builds["demo"], TRL, work / f"out-unknown-{model[:4]}", Options(model)).path
    template = out / "chat_template.jinja"
    if not template.exists():
        template = work / "plain.jinja"
        template.write_text(PLAIN_CHATML)
    words = ("python", HERE / "trl_labels.py", next(out.glob("train-*.parquet")), models["qwen2"], template)
    found = last_json(run_in("trl", *words, **cache))["labels"]
    end = "<|im_end|>" if "R1" in model else END
    assert found == [trace + end for trace in traces_of(out, "messages")]


@in_llamafactory
@whole
def test_every_template_that_is_named_is_known_there() -> None:
    """LLaMA-Factory's own list and Axolotl's own schema hold every name that a model's family leads to."""
    asked = {"llamafactory": [*LLAMAFACTORY.families.values()], "axolotl": [*AXOLOTL.families.values()]}
    script = (
        "import json, sys\n"
        "from llamafactory.data.template import TEMPLATES\n"
        "from axolotl.utils.schemas.enums import ChatTemplate\n"
        "asked = json.loads(sys.argv[1])\n"
        "known = {'llamafactory': set(TEMPLATES), 'axolotl': {one.value for one in ChatTemplate}}\n"
        "print(json.dumps({name: sorted(set(asked[name]) - known[name]) for name in asked}))\n"
    )
    found = last_json(run_in("llamafactory-verl", "python", "-c", script, json.dumps(asked)))
    assert found == {"llamafactory": [], "axolotl": []}


@in_trl
@in_llamafactory
@whole
def test_qwen3s_template_rewrites_the_layout_paper_as_the_checks_say(
    builds, models, cache, work: Path
) -> None:
    """What Qwen3's own template makes of a trace is what the check before export foretells."""
    from skill_factory.trainers.preflight import after_qwen3

    out = export_build(builds["demo"], TRL, work / "out-trl-demo", Options("some/model")).path
    words = ("python", HERE / "trl_labels.py", next(out.glob("train-*.parquet")), models["qwen2"], "qwen3")
    found = [
        label.removeprefix("\n").removesuffix(END)
        for label in last_json(run_in("trl", *words, **cache))["labels"]
    ]
    assert found == [after_qwen3(trace) for trace in traces_of(out, "messages")]
    assert found != traces_of(out, "messages")


@in_trl
@in_llamafactory
@whole
def test_trl_is_tried_as_the_notes_say(builds, models, cache, work: Path) -> None:
    """The exported script with `--trial`, as it is: two steps on a CPU, and a model at the end."""
    out = export_build(
        builds["tight"], TRL, work / "out-trl-train", Options(str(models["qwen2"]), cutoff=2048)
    ).path
    assert "python train_sft.py --trial" in (out / "TRAINING.md").read_text()
    assert "train_loss" in run_in("trl", "python", "train_sft.py", "--trial", cwd=out, **cache)
    assert (out / "saves" / "sft" / "model.safetensors").is_file()


@in_trl
@in_llamafactory
@whole
def test_trl_takes_a_grpo_step_with_the_reward(builds, models, cache, work: Path) -> None:
    """`GRPOTrainer` reads verl's questions as they are and calls the adapter for a step."""
    out = export_build(builds["demo"], VERL, work / "out-grpo", Options(str(models["qwen2"]))).path
    assert "python train_grpo_trl.py --trial" in (out / "TRAINING.md").read_text()
    said = run_in("trl", "python", "train_grpo_trl.py", "--trial", cwd=out, **cache)
    assert "'rewards/trl_reward/mean'" in said
    assert (out / "saves" / "grpo" / "model.safetensors").is_file()


# -- Axolotl ----------------------------------------------------------------------------------------------------------


@in_llamafactory
@whole
@pytest.mark.parametrize(
    ("model", "template"),
    [("Qwen/Qwen2.5-1.5B", "qwen_25"), ("Qwen/Qwen3-1.7B", "chatml"), ("x/R1-Distill-1B", "jinja")],
)
def test_axolotl_trains_on_exactly_the_trace(
    model: str, template: str, builds, models, cache, work: Path
) -> None:
    """The exported configuration fits Axolotl's schema; its own chat template strategy labels the trace, byte for byte."""
    out = export_build(builds["demo"], AXOLOTL, work / f"out-axolotl-{template}", Options(model)).path
    assert f"chat_template: {template}" in (out / "config.yaml").read_text()
    words = ("python", HERE / "axolotl_labels.py", "config.yaml", models["qwen2"])
    found = last_json(run_in("llamafactory-verl", *words, cwd=out, **cache))["labels"]
    assert [label.rstrip("\n") for label in found] == [
        trace + END.rstrip() for trace in traces_of(out / "data")
    ]


def test_the_builds_hold_what_they_are_made_for(builds) -> None:
    """Every trace ends in a final answer, so a right one can be learned and paid."""
    assert all(final_answer(trace) for folder in builds.values() for trace in traces_of(folder / "sft_train"))


# -- conversations with calls of tools --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chat(work: Path) -> Path:
    """A build of conversations in which the assistant calls a tool, with tools in some rows' own words."""
    raw = work / "chats.jsonl"
    chats.write(raw, chats.rows(questions=6, tools=[chats.TOOL]))
    build(str(raw), work / "chat", Recipe().changed({"traces.layout": "tight", "traces.attempts": 3}))
    return work / "chat"


@in_llamafactory
@in_trl
def test_a_conversation_with_tools_is_the_same_text_in_trl_and_llamafactory(
    chat: Path, models, cache, work: Path, say
) -> None:
    """
    Both load `tools`, write the call and its result as Qwen2.5's template does, and train on the trace alone.

    TRL's whole text is held against what LLaMA-Factory makes of the build's own rows, and against our tokens.
    """
    options = Options(str(models["qwen2"]), template="qwen", epochs=1)
    data = export_build(chat, LLAMAFACTORY, work / "chat-llamafactory", options).path / "data"
    expected = [trace + END for trace in traces_of(data / "sft_train")]
    words = (data, "skill_factory_files", models["qwen2"], "qwen", "mask_history=true")
    assert llamafactory_labels(*words, **cache) == expected

    out = export_build(chat, TRL, work / "chat-trl", Options(str(models["qwen2"]))).path
    words = ("python", HERE / "trl_labels.py", out / "train-*.parquet", models["qwen2"], "qwen2_5")
    found = last_json(run_in("trl", *words, **cache))
    assert found["labels"] == expected
    for text, trace in zip(found["whole"], expected, strict=True):
        assert text.endswith(f"\n</tool_response>{END}<|im_start|>assistant\n{trace}")
        assert text.count('\n<tool_call>\n{"name": "calculate", "arguments": {"expression": ') == 1
        assert '<tools>\n{"type": "function", "function": {"name": "calculate"' in text
    say(f"conversations with tools: {len(expected)} rows, TRL and LLaMA-Factory alike")


@in_llamafactory
@whole
def test_axolotl_trains_the_last_turn_of_a_conversation(chat: Path, models, cache, work: Path) -> None:
    """Calls and tools load from lines of JSON; earlier turns of the assistant have no label."""
    out = export_build(chat, AXOLOTL, work / "chat-axolotl", Options("Qwen/Qwen2.5-1.5B")).path
    words = ("python", HERE / "axolotl_labels.py", "config.yaml", models["qwen2"])
    found = last_json(run_in("llamafactory-verl", *words, cwd=out, **cache))["labels"]
    assert [label.rstrip("\n") for label in found] == [
        trace + END.rstrip() for trace in traces_of(chat / "sft_train")
    ]


@pytest.fixture(scope="session")
def talk(work: Path) -> Path:
    """A build of conversations of several turns, without tools."""
    raw = work / "talk.jsonl"
    chats.write(raw, chats.rows(chats.talk, questions=6))
    build(str(raw), work / "talk", Recipe().changed({"traces.layout": "tight", "traces.attempts": 3}))
    return work / "talk"


@needs("swift")
@whole
@pytest.mark.parametrize("name", ["chat", "talk"])
def test_swift_trains_the_last_turn_of_a_conversation(request, models, cache, work: Path, name: str) -> None:
    """ms-swift's own template: the tools are told, the call and its result are text, earlier turns have no label."""
    folder = request.getfixturevalue(name)
    out = export_build(folder, SWIFT, work / f"{name}-swift", Options("Qwen/Qwen2.5-1.5B")).path
    words = ("python", HERE / "swift_labels.py", out / "train.jsonl", models["qwen2"], "qwen2", "qwen2_5")
    found = last_json(run_in("swift", *words, **cache))
    assert found["labels"] == [trace + END for trace in traces_of(folder / "sft_train")]
    if name == "chat":
        assert all('<tools>\n{"type": "function"' in text for text in found["whole"])
        assert all(text.count('\n<tool_call>\n{"name": "calculate", ') == 1 for text in found["whole"])


@needs("openrlhf")
@whole
@pytest.mark.parametrize("name", ["chat", "talk"])
def test_openrlhf_trains_the_last_turn_of_a_conversation(
    request, models, cache, work: Path, name: str
) -> None:
    """OpenRLHF's own dataset: the system message tells the tools, which it would leave out, and the last turn is trained."""
    folder = request.getfixturevalue(name)
    out = export_build(folder, OPENRLHF, work / f"{name}-openrlhf", Options("Qwen/Qwen2.5-1.5B")).path
    words = ("python", HERE / "openrlhf_labels.py", out / "train.jsonl", models["qwen2"])
    found = last_json(run_in("openrlhf", *words, **cache))
    assert found["labels"] == [trace + END.rstrip() for trace in traces_of(folder / "sft_train")]
    if name == "chat":
        assert all('<tools>\n{"type": "function"' in text for text in found["whole"])
        assert all("<tool_response>\n" in text for text in found["whole"])


@in_llamafactory
@whole
def test_verl_asks_the_question_in_its_conversation(chat: Path, models, cache, work: Path) -> None:
    """`RLHFDataset` gives the earlier turns as messages, calls and results as text, and the reward pays as for any other."""
    options = Options(
        str(models["qwen2"]), questions="all", prompt_limit=4_000, source=str(work / "chats.jsonl")
    )
    out = export_build(chat, VERL, work / "chat-verl", options).path
    config = run_in("llamafactory-verl", "bash", out / "run_grpo.sh", "--cfg", "job", **cache)
    (work / "chat-verl.yaml").write_text(config)
    gold = pq.read_table(out / "train.parquet")["reward_model"].to_pylist()[0]["ground_truth"]
    cases = [(0, text) for text, _ in outputs_for(gold)]
    (work / "chat-cases.json").write_text(json.dumps(cases))
    words = ("python", HERE / "verl_checks.py", work / "chat-verl.yaml", models["qwen2"])
    found = last_json(run_in("llamafactory-verl", *words, work / "chat-cases.json", **cache))
    assert [message["role"] for message in found["prompt"]] == ["system", "user", "assistant", "user"]
    assert found["prompt"][2]["content"].startswith("<tool_call>\n")
    assert found["prompt"][3]["content"].startswith("<tool_response>\n")
    assert found["loop"] == [score for _, score in outputs_for(gold)]
