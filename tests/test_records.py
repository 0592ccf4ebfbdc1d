"""What can be added is one record: a toy of each kind, added as a user would add it, is known everywhere at once."""

import json
from pathlib import Path
from typing import get_args

import pytest

from skill_factory.build.pipeline import build, build_partition
from skill_factory.build.prepare import ready_recipe
from skill_factory.cli.main import main
from skill_factory.formats import FORMATS
from skill_factory.formats.record import Format, Needs, Plans
from skill_factory.insight import simulated
from skill_factory.insight.simulated import forecast
from skill_factory.insight.tables import format_reach
from skill_factory.judge.first_questions import first_rows
from skill_factory.judge.judge import judge
from skill_factory.judge.source_facts import all_facts
from skill_factory.model import Closing, Question, TracePlan, Verdict
from skill_factory.recipe.fields import FIELDS, RowField
from skill_factory.recipe.model import Columns, Recipe, Traces
from skill_factory.sources import open_source
from skill_factory.traces.lint import lint_path
from skill_factory.trainers import TRAINERS, TracesTrainer
from skill_factory.trainers import record as trainer_record
from skill_factory.trainers.trace_files import write_traces
from skill_factory.ui.finish import training
from tests import write_docs
from tests.make_raw import make_rows, write_parquet
from tests.studio import with_source


def worst_then_best(question: Question, ask: Traces) -> Plans:
    """Two traces of a question that has a wrong response: a wrong attempt, then a right one."""
    for repeat in range(2 * ask.repeats if question.wrong else 0):
        order = [question.wrong[0], question.right[0]]
        key = f"{question.id} {repeat}".encode()
        yield TracePlan(question, "toy", "toy-2", repeat, order, Closing.PLAIN, key)


TOY = Format(
    "toy", worst_then_best, title="A toy", shows="A wrong attempt, then a right one.", label="toy-{n}"
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """A format of one's own among ours, as it is there once its record stands in `FORMATS`."""
    monkeypatch.setitem(FORMATS, "toy", TOY)
    return "toy"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw data of 60 questions."""
    path = tmp_path_factory.mktemp("raw") / "raw.parquet"
    write_parquet(list(make_rows(seed=5, questions=60)), path)
    return path


def counts(report: dict) -> tuple[int, int, int]:
    """Traces of the toy, of all formats, and of its label, in a report."""
    by_format = report["traces_by_format"]
    return by_format["toy"], sum(by_format.values()), report["traces_by_label"]["toy-2"]


def test_the_forecast_of_a_toy_format_is_its_ledger(toy: str, raw: Path, tmp_path: Path) -> None:
    """Drawn as the build draws, so the page's number and the card's are one; never counted as another format."""
    asked = Recipe().changed({"traces.formats": ("toy", "0C"), "traces.attempts": 3})
    done = build(str(raw), tmp_path / "out", asked, workers=1)
    seen = forecast_of(raw, done.recipe)
    assert (seen.by_label["toy-2"], seen.traces) == counts(done.report)[:2]
    assert "algorithm1" not in seen.by_label


def test_a_toy_format_of_many_questions_is_drawn_for_some_and_scaled(
    toy: str, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many to draw all: the first questions are drawn and stand for all, within a few in a hundred."""
    monkeypatch.setattr(simulated, "MOST_QUESTIONS", 40)
    asked = Recipe().changed({"traces.formats": ("toy",), "traces.attempts": 2})
    done = build(str(raw), tmp_path / "out", asked, workers=1)
    seen = forecast_of(raw, done.recipe, most=0)
    assert not seen.exact and not seen.drawn
    assert seen.traces == pytest.approx(counts(done.report)[0], rel=0.1)


def forecast_of(raw: Path, recipe: Recipe, most: int = simulated.MOST) -> simulated.Outlook:
    facts = all_facts(open_source(str(raw)), recipe).facts
    return forecast(facts, judge(facts, recipe), recipe, most)


def test_a_toy_format_is_built_by_the_command_linted_and_exported(
    toy: str, raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--format toy` builds it, the card says what it shows, and a trainer gets its rows."""
    out = tmp_path / "out"
    assert main(["build", str(raw), "--out", str(out), "--format", "toy", "--workers", "1", "--json"]) == 0
    written = counts(json.loads(capsys.readouterr().out))
    assert written[0] == written[1] == written[2] > 0
    assert TOY.shows in (out / "README.md").read_text(encoding="utf-8")
    assert lint_path(out).rows == written[0]
    assert main(["export", str(out), "--to", "trl", "--model", "m", "-o", str(tmp_path / "trl")]) == 0


def test_the_page_offers_a_toy_format_with_its_words_and_numbers(toy: str, raw: Path) -> None:
    """Its checkbox bears its title; what it would give is the forecast's number."""
    app = with_source(str(raw), page="3_Choose")
    box = app.checkbox(key="traces.formats.toy")
    assert TOY.title in box.label
    box.check().run()
    assert not app.exception
    assert "toy" in app.session_state["workspace"].recipe.traces.formats


def test_the_gate_of_a_toy_format_is_in_its_needs(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A format that needs two wrong responses says why a question can't give it."""
    monkeypatch.setitem(FORMATS, "toy", Format("toy", worst_then_best, needs=Needs(wrong=99)))
    asked = Recipe().changed({"traces.formats": ("toy",), "traces.attempts": 2})
    source = open_source(str(raw))
    recipe = ready_recipe(source, asked)
    part = build_partition(first_rows(source, recipe, 60)[0], recipe)
    reach = format_reach(part.facts, part.judgement, recipe, "toy")
    assert (reach.questions, reach.traces) == (0, 0)
    assert "needs_wrong_response" in reach.why_not


def test_the_docs_name_every_toy(toy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make docs` writes its tables from the records."""
    monkeypatch.setitem(TRAINERS, "toy", toy_trainer())
    assert "| `toy` | A toy | `toy-n` | A wrong attempt, then a right one. |" in write_docs.formats_table()
    assert "| `toy` | Toy trainer | look at the traces |" in write_docs.trainers_table()
    monkeypatch.setattr(write_docs, "FIELDS", (*FIELDS, RowField("mood", "Mood", "How it felt.")))
    assert "| `mood` | Mood | How it felt. | no | no |" in write_docs.fields_table()


def toy_trainer() -> TracesTrainer:
    """A trainer that wants the traces in a file of its own."""

    def write(given: trainer_record.Traces, folder: Path) -> None:
        write_traces(given.bundle, folder / "toys", given.keep)
        (folder / "TOY.md").write_text(
            TRAINERS["toy"].template(given.options) + given.report, encoding="utf-8"
        )

    return TracesTrainer("toy", "Toy trainer", "look at the traces", write, families={"qwen3": "toy-qwen"})


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> TracesTrainer:
    """A trainer of one's own among ours."""
    monkeypatch.setitem(TRAINERS, "toy", toy_trainer())
    return toy_trainer()


def test_a_toy_trainer_is_exported_to_by_the_command(
    trainer: TracesTrainer, raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--to toy` writes what its record writes, checked like all others, with its own chat template."""
    build(str(raw), tmp_path / "out", workers=1)
    words = [
        "export",
        str(tmp_path / "out"),
        "--to",
        "toy",
        "--model",
        "Qwen/Qwen3-8B",
        "-o",
        str(tmp_path / "to"),
    ]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["trainer"] == "toy" and "TOY.md" in told["files"]
    assert (tmp_path / "to" / "TOY.md").read_text(encoding="utf-8").startswith("toy-qwen")


def test_the_page_offers_a_toy_trainer(trainer: TracesTrainer) -> None:
    """The list on Finish is made of the records."""
    assert training.names()["toy"] == "Toy trainer: look at the traces"


RULES = {"think", "right", "wrong", "threshold", "only", "guess"}
"""What of `columns` says how a field is read, and names no column."""


def test_the_fields_of_a_row_are_those_of_the_recipe() -> None:
    """The list from which pickers, `--map` and the docs are made names each field that a recipe can map, and no other."""
    rules = {name for name in Columns.model_fields if name in RULES or name.endswith(("_rule", "_marks"))}
    fields = {name: info for name, info in Columns.model_fields.items() if name not in rules}
    assert {field.name for field in FIELDS} == {*fields}
    several = {name for name, info in fields.items() if get_args(info.annotation)}
    assert {field.name for field in FIELDS if field.many} == several


def test_a_verdict_compares_with_the_truth() -> None:
    """As numbers, right and wrong are what a label is; no verdict is neither."""
    assert [Verdict(True), Verdict(False)] == [Verdict.CORRECT, Verdict.INCORRECT]
    assert Verdict.MISSING not in (True, False)
    assert [one.word for one in Verdict] == ["correct", "incorrect", "missing"]
