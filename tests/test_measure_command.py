"""The commands `measure` and `harvest`, as a user runs them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skill_factory.api import build, measure
from skill_factory.measure.harvesting import harvest
from skill_factory.measure.shown.report_folder import is_report
from skill_factory.recipe.model import Recipe
from tests import command
from tests.planted_outputs import Skill, plant

SHARED = command.ROOT.parent / "shared"


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Outputs of two runs on the same questions."""
    folder = tmp_path_factory.mktemp("outputs")
    base = jsonl(folder / "base.jsonl", plant(40, seed=1).rows)
    return base, jsonl(folder / "tuned.jsonl", plant(40, seed=2, skill=Skill(right=0.6)).rows)


def told(*words: object) -> dict[str, Any]:
    done = command.run("measure", *words, "--json")
    assert done.exit == 0, done.err
    return json.loads(done.out)


KEYS = (
    "outputs questions moves.fixed moves.broken moves.kept_right moves.kept_wrong moves.unjudged "
    "verdicts.right.correct verdicts.right.incorrect verdicts.right.none verdicts.wrong.correct "
    "verdicts.wrong.incorrect verdicts.wrong.none unjudged cut_off no_answer malformed repeats same_text same_answer "
    "reflections_unpaired attempts answers reflections f1.correct.value f1.correct.low f1.correct.high "
    "f1.incorrect.value f1.incorrect.low f1.incorrect.high accuracy.first.value accuracy.first.low accuracy.first.high "
    "accuracy.first.of accuracy.final.value accuracy.any.value"
)


def test_json_has_the_keys_of_the_docs(two: tuple[Path, Path]) -> None:
    """Standard output holds one object alone, and every documented key leads to a number."""
    mine = told(*two, "--baseline", "base", "--by", "difficulty")
    for run in ("base", "tuned"):
        for path in KEYS.split():
            value: Any = mine["runs"][run]
            for step in path.split("."):
                value = value[step]
            assert isinstance(value, int | float), path
    assert {tuple(one) for one in mine["comparisons"]} == {
        ("a", "b", "questions", "figure", "value", "low", "high")
    }
    assert set(mine["by"]) == {"difficulty"}
    assert mine["missing"] == [] and mine["series"] == []


def test_the_command_says_what_python_says(two: tuple[Path, Path]) -> None:
    """`api.measure` gives the object of `--json`, and a table of run, figure, value, low, high."""
    found = measure([str(one) for one in two])
    assert found.to_json() == told(*two)
    table = found.to_pandas()
    assert list(table.columns) == ["run", "figure", "value", "low", "high"]
    assert set(table["run"]) == {"base", "tuned"}


def test_several_workers_give_the_same(two: tuple[Path, Path], tmp_path: Path) -> None:
    """A file large enough for workers, in one piece and in many, counted by one process and by two."""
    rows = plant(40, seed=3).rows
    for row in rows:
        row["response"] = "So. " * 40_000 + row["response"]
    whole = jsonl(tmp_path / "run.jsonl", rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "run.parquet", row_group_size=20)
    alone = told(whole, "--workers", 1)["runs"]["run"]
    assert told(whole, "--workers", 2)["runs"]["run"] == alone
    assert told(tmp_path / "run.parquet", "--workers", 2)["runs"]["run"] == alone


def test_a_run_is_named_by_a_column(tmp_path: Path) -> None:
    """`run`, else `model` or `checkpoint`; --run chooses another, and numbers of `step` order a series."""
    rows = [
        {**one, "model": "m", "who": f"w{k % 2}", "step": 100 * (k % 3)}
        for k, one in enumerate(plant(30).rows)
    ]
    path = jsonl(tmp_path / "outputs.jsonl", rows)
    mine = told(path)
    assert list(mine["runs"]) == ["m"]
    steps = [one["step"] for one in mine["series"] if one["figure"] == "accuracy.final"]
    assert steps == [0, 100, 200]
    assert sorted(told(path, "--run", "who")["runs"]) == ["w0", "w1"]


def test_a_row_may_hold_several_outputs(tmp_path: Path) -> None:
    """A list of texts, with a list of thinking beside it; a missing one is counted and shifts nothing."""
    row = {
        "question": "2 + 2?",
        "answer": "4",
        "responses": ["<answer>4</answer>", None, "<answer>5</answer>"],
        "reasoning_content": [
            "<sample>x <answer>4</answer></sample>",
            "lost",
            "<sample>y <answer>4</answer></sample>",
        ],
        "correct": [True, False, False],
    }
    mine = told(jsonl(tmp_path / "run.jsonl", [row]))
    run = mine["runs"]["run"]
    assert (run["outputs"], run["totals"]["attempts"], run["labels"]) == (2, 2, {"compared": 2, "agreed": 2})
    assert run["accuracy"]["first"]["value"] == 1.0 and run["accuracy"]["final"]["value"] == 0.5
    assert mine["reading"]["dropped"] == {"no_output": 1}


def test_messages_with_thinking_of_their_own_are_read(tmp_path: Path) -> None:
    """The last assistant turn with its `reasoning_content`; the question is the last user turn."""
    talk = [
        {"role": "system", "content": "Think."},
        {"role": "user", "content": "2 + 2?"},
        {
            "role": "assistant",
            "content": "<answer>4</answer>",
            "reasoning_content": "<sample>a <answer>5</answer></sample>",
        },
    ]
    run = told(jsonl(tmp_path / "run.jsonl", [{"messages": talk, "answer": "4"}]))["runs"]["run"]
    assert (run["totals"]["attempts"], run["accuracy"]["final"]["value"], run["malformed"]) == (1, 1.0, 0)


def test_stored_labels_of_inner_answers_are_taken_and_compared(tmp_path: Path) -> None:
    """The paper's EVAL sets: theirs count, and how often ours agree is said; a list of another length is a doubt."""
    text = "<think><sample><answer>1</answer></sample><sample><answer>2</answer></sample></think><answer>2</answer>"
    rows = [
        {
            "question": f"q{k}",
            "answer": "2",
            "model_responses": [text, text],
            "model_responses__eval_is_correct": [True, True],
            "model_responses__internal_answers__eval_is_correct": [
                [True, True],
                [False, True] if k else [True],
            ],
            "model_responses__metadata": "{}",
        }
        for k in range(2)
    ]
    mine = told(jsonl(tmp_path / "run.jsonl", rows))
    run = mine["runs"]["run"]
    assert run["moves"]["kept_right"] == 2 and run["moves"]["fixed"] == 2
    assert run["labels"] == {"compared": 10, "agreed": 8}
    assert any("stored labels" in note for note in mine["notes"])


def test_the_report_folder_is_whole(two: tuple[Path, Path], tmp_path: Path) -> None:
    """report.json is the object of --json, the card has tables and pictures, outputs.parquet a row per output."""
    out = tmp_path / "report"
    mine = told(*two, "--out", out, "--html", tmp_path / "page.html")
    assert json.loads((out / "report.json").read_text(encoding="utf-8")) == mine
    rows = pq.read_table(out / "outputs.parquet")
    assert rows.num_rows == sum(run["outputs"] for run in mine["runs"].values())
    assert "text" not in rows.column_names
    card = (out / "README.md").read_text(encoding="utf-8")
    pictures = sorted(one.name for one in (out / "charts").glob("*.svg"))
    assert pictures and all(f"(charts/{name})" in card for name in pictures)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page and "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert is_report(out)
    assert told(*two, "--out", out, "--texts") == mine
    assert "text" in pq.read_table(out / "outputs.parquet").column_names


@pytest.mark.parametrize(
    ("writing", "sign"), [("markdown", "| run |"), ("csv", "run,outputs"), ("latex", r"\begin{tabular}")]
)
def test_tables_come_in_three_writings(two: tuple[Path, Path], writing: str, sign: str) -> None:
    """Markdown, CSV and LaTeX."""
    done = command.run("measure", *two, "--tables", writing)
    assert done.exit == 0 and sign in done.out


def test_names_from_the_data_harm_no_table(tmp_path: Path) -> None:
    """A run that is named like a formula, a column or a command stays a name."""
    rows = [{**one, "run": "=1+1|x_y%<b>"} for one in plant(5).rows]
    path = jsonl(tmp_path / "o.jsonl", rows)
    assert "'=1+1" in command.run("measure", path, "--tables", "csv").out
    assert r"x\_y\%" in command.run("measure", path, "--tables", "latex").out
    told(path, "--html", tmp_path / "p.html", "--out", tmp_path / "r")
    assert "<b>" not in (tmp_path / "p.html").read_text(encoding="utf-8")
    assert all(
        "<b>" not in one.read_text(encoding="utf-8") for one in (tmp_path / "r" / "charts").glob("*.svg")
    )


BAD = {
    "gone": (["gone.jsonl"], "gone.jsonl"),
    "no column": (["{base}", "--by", "nothing"], "'nothing'"),
    "no run column": (["{base}", "--run", "nothing"], "'nothing'"),
    "no baseline": (["{base}", "--baseline", "other"], "'other'"),
    "full folder": (["{base}", "--out", "{folder}"], "is not empty"),
    "no workers": (["{base}", "--workers", "-1"], "--workers"),
    "no outputs": (["{odd}"], "No column holds outputs"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_use_is_one_sentence(case: str, two: tuple[Path, Path], tmp_path: Path) -> None:
    """Exit 2, what was wrong on standard error, nothing on standard output."""
    words, sentence = BAD[case]
    odd = jsonl(tmp_path / "odd.jsonl", [{"a": 1}])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x.txt").write_text("x", encoding="utf-8")
    given = {"base": two[0], "folder": tmp_path / "full", "odd": odd}
    done = command.run("measure", *(word.format(**given) for word in words))
    assert (done.exit, done.out) == (2, "")
    assert sentence in done.err and "Traceback" not in done.err


def test_a_growing_folder_is_measured_again(tmp_path: Path) -> None:
    """New files are read, those that are there already are not, and half a file waits until it is whole."""
    from skill_factory.measure.following import follow
    from skill_factory.measure.measuring import Settings
    from skill_factory.measure.reading import Asked

    folder = tmp_path / "rollouts"
    folder.mkdir()
    rows = plant(20).rows
    jsonl(folder / "1.jsonl", rows[:40])
    looks = follow([str(folder)], Asked(), Settings(), every=0.0)
    assert next(looks).runs["rollouts"].counts["outputs"] == 40
    (folder / "2.jsonl").write_text('{"question": "half a', encoding="utf-8")
    (folder / "3.jsonl").write_text("", encoding="utf-8")
    jsonl(folder / "4.jsonl", rows[40:60])
    assert next(looks).runs["rollouts"].counts["outputs"] == 60
    jsonl(folder / "2.jsonl", rows[60:])
    assert next(looks).runs["rollouts"].counts["outputs"] == 80


# ------------------------------------------------------------------------------------------------- round two


def test_a_harvest_is_raw_data_without_a_mapping(tmp_path: Path) -> None:
    """Each judged attempt is a response, each reflection one of it; `inspect` reads it, and `build` builds from it."""
    planted = plant(40, seed=5)
    outputs, raw = jsonl(tmp_path / "run.jsonl", planted.rows), tmp_path / "raw.parquet"
    done = command.run("harvest", outputs, "--out", raw, "--json")
    assert done.exit == 0, done.err
    made = json.loads(done.out)
    assert (made["responses"], made["reflections"]) == (
        planted.counts["attempts"],
        planted.counts["reflections"],
    )
    rows = pq.read_table(raw).to_pylist()
    assert len(rows) == made["responses"] and {one["run"] for one in rows} == {"run"}
    looked = json.loads(command.run("inspect", raw, "--json").out)
    assert looked["ledger"]["rows"]["dropped"] == {} and looked["usable_questions"]["3"] > 5
    assert command.build(raw, tmp_path / "traces", "--attempts", 3)["traces"] > 0


def test_a_harvest_of_a_build_gives_its_responses_back(tmp_path: Path) -> None:
    """Letter for letter: every harvested response and reflection stood in the raw data, with its label."""
    from skill_factory.api import demo

    demo(tmp_path / "raw.parquet", 20)
    build(str(tmp_path / "raw.parquet"), tmp_path / "traces", Recipe(), workers=1)
    harvest(str(tmp_path / "traces"), tmp_path / "again.parquet")

    def known(path: Path) -> tuple[set[tuple[str, str, bool]], set[tuple[str, str]]]:
        rows = pq.read_table(path).to_pylist()
        base = "model_responses__mutated_prompts"
        responses = {(r["question"], r[base][0], r[f"{base}__eval_is_correct"][0]) for r in rows}
        return responses, {(r[base][0], one) for r in rows for one in r[f"{base}_reflection"]}

    (raw, said), (again, said_again) = known(tmp_path / "raw.parquet"), known(tmp_path / "again.parquet")
    assert again and again <= raw
    assert said_again and said_again <= said


def test_what_cannot_be_harvested_is_counted(tmp_path: Path) -> None:
    """Outputs without attempts, attempts without a gold answer, reflections that judge nothing."""
    texts = ["<answer>4</answer>", "<think><reflect>x</reflect><sample>a <answer>4</answer></sample></think>"]
    rows = [
        {"question": f"q{k}", "answer": gold, "response": text}
        for k, (text, gold) in enumerate([(texts[0], "4"), (texts[1], "4"), (texts[1], None)])
    ]
    made = harvest(str(jsonl(tmp_path / "run.jsonl", rows)), tmp_path / "raw.parquet")
    assert (made.responses, made.left_out) == (1, {"no_attempt": 1, "reflections_unpaired": 2, "unjudged": 1})


def test_a_harvest_of_nothing_is_one_sentence_and_no_file(tmp_path: Path) -> None:
    """And a file that is there is not replaced unasked."""
    path, raw = jsonl(tmp_path / "run.jsonl", [{"question": "q", "response": "a"}]), tmp_path / "raw.parquet"
    done = command.run("harvest", path, "--out", raw)
    assert done.exit == 2 and "Nothing could be harvested" in done.err and not raw.exists()
    raw.write_text("mine", encoding="utf-8")
    assert command.run("harvest", path, "--out", raw).exit == 2
    assert raw.read_text(encoding="utf-8") == "mine"


# --------------------------------------------------------------------------------------------- real outputs

REAL = (
    "reflexion_mbpp_py.jsonl",
    "raw_countdown.parquet",
    "raw_realcritic_math.parquet",
    "gsm8k_example_model_solutions.jsonl",
)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside this checkout")
@pytest.mark.parametrize("name", REAL)
def test_real_outputs_are_measured(name: str) -> None:
    """With a sentence for what they can't show."""
    mine = told(SHARED / "data" / name)
    [run] = mine["runs"].values()
    assert run["outputs"] > 300 and run["accuracy"]["final"]["value"] is not None
    assert mine["missing"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside this checkout")
def test_a_run_of_checkpoints_is_told_apart(tmp_path: Path) -> None:
    """Seven checkpoints of one file, by the column that names them."""
    mine = told(SHARED / "data" / "raw_countdown.parquet", "--run", "response_model")
    assert len(mine["runs"]) == 7


EVAL = SHARED / "schemas" / "03-skillfactory-eval.parquet"


@pytest.mark.skipif(not EVAL.is_file(), reason="the shared schemas are not beside this checkout")
def test_a_file_in_the_schema_of_the_papers_eval_sets_is_read(tmp_path: Path) -> None:
    """Its inner labels agree with ours; planted ones that don't are counted, and taken."""
    run = next(iter(told(EVAL)["runs"].values()))
    assert run["labels"]["compared"] == run["labels"]["agreed"] == 48
    assert run["verdicts"]["right"]["correct"] + run["verdicts"]["wrong"]["correct"] > 0
    table = pq.read_table(EVAL)
    name = "model_responses__internal_answers__eval_is_correct"
    flipped = [[[not mark for mark in inner] for inner in row] for row in table.column(name).to_pylist()]
    place = table.schema.get_field_index(name)
    pq.write_table(
        table.set_column(place, name, pa.array(flipped, table.schema.field(name).type)),
        tmp_path / "e.parquet",
    )
    other = next(iter(told(tmp_path / "e.parquet")["runs"].values()))
    assert other["labels"] == {"compared": 48, "agreed": 24}
    assert other["accuracy"]["first"]["value"] == 1 - run["accuracy"]["first"]["value"]
