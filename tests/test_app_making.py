"""Making what is missing, on the page Data: grade, get answers, get reflections, each from its light to a green one."""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.errors import EndpointError, SkillFactoryError
from skill_factory.generate import join_answers
from skill_factory.insight.pilot_chart import forecast_chart, forecast_finding, forecast_table
from skill_factory.sources.demo.rows import write_demo
from skill_factory.work import makings
from skill_factory.work.home import new_place
from skill_factory.work.making_asked import Asked, Stage, What, Where, check, words
from skill_factory.work.process import State
from tests import studio
from tests.make_raw import STAGE, prose
from tests.model_server import ALL_FAULTS, Brain, Faults, ModelServer
from tests.studio import ROOT, with_source, workspace

SECRET = "sk-of-a-visitor-51"
QUESTIONS = 56
GRADED = {"question": "question", "response": STAGE, "answer": "answer"}
LABELS = (f"{STAGE}__eval_is_correct", f"{STAGE}__eval_extracted_answers")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    for name in ("SKILL_FACTORY_HOSTED", "SPACE_ID", "SKILL_FACTORY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's rows in a file."""
    path = tmp_path_factory.mktemp("demo") / "whole.parquet"
    write_demo(path, QUESTIONS, 0)
    return path


def without(demo: Path, path: Path, *columns: str) -> Path:
    """The demo's rows but for some columns."""
    pq.write_table(pq.read_table(demo).drop_columns(list(columns)), path)
    return path


@pytest.fixture
def bare(demo: Path, tmp_path: Path) -> Path:
    """Labelled responses without a reflection."""
    return without(demo, tmp_path / "bare.parquet", f"{STAGE}_reflection")


def critic(demo: Path, accuracy: float = 0.85) -> Brain:
    """A model that judges the demo's responses rightly in so many of a hundred cases."""
    rows = pq.read_table(demo).to_pylist()
    labels = {row[STAGE][0].strip(): row[f"{STAGE}__eval_is_correct"][0] for row in rows}

    def judge(prompt: str, rng: random.Random) -> str:
        response = prompt.split("The solution:\n", 1)[1].rsplit("\n\nExamine the solution.", 1)[0].strip()
        says = labels[response] if rng.random() < accuracy else not labels[response]
        return f"{prose(rng, 5, 20)}\n<verdict>{'Correct' if says else 'Incorrect'}</verdict>"

    return judge


def said(app: AppTest) -> str:
    """The page's words, without the signs that keep Markdown from reading them."""
    return studio.words(app).replace("\\", "")


def keys(app: AppTest) -> set[str]:
    """Names of the buttons on the page."""
    return {str(one.key) for one in app.button}


def metrics(app: AppTest) -> dict[str, str]:
    """The large numbers by their label."""
    return {one.label: one.value for one in app.metric}


def until(app: AppTest, there: Callable[[AppTest], bool], seconds: float = 60) -> AppTest:
    """Run the page again, as it does by itself in a browser, until something holds."""
    end = time.monotonic() + seconds
    while not there(app):
        assert time.monotonic() < end, f"still not there:\n{said(app)}\n{[one.value for one in app.error]}"
        time.sleep(0.2)
        app.run()
    assert not app.exception
    return app


def rested(app: AppTest) -> AppTest:
    """Wait until nothing is being made."""
    return until(app, lambda one: "making.stop" not in keys(one))


def to_reflections(bare: Path, url: str, key: str = SECRET) -> AppTest:
    """The panel for reflections, filled in."""
    app = with_source(str(bare))
    app.button(key="making.reflections.reflections").click().run()
    app.text_input(key="making.url").set_value(url)
    app.text_input(key="making.model").set_value("org/critic")
    return app.text_input(key="making.key").set_value(key).run()


def by_link(id: str) -> AppTest:
    """The page as a new visitor's link opens it."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page("pages/2_Data.py")
    app.query_params["making"] = id
    return app.run()


def its_link(app: AppTest) -> str:
    """What the page's address says is being made."""
    found = app.query_params["making"]
    return found if isinstance(found, str) else str(found[0])


# -- reflections -----------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_reflections_go_from_a_red_light_over_a_pilot_to_a_green_one(
    bare: Path, demo: Path, home: Path
) -> None:
    """A pilot's figures and forecast, the run, the made set as the chosen data with N proposed again; a way back."""
    with ModelServer(critic(demo)) as server:
        app = to_reflections(bare, server.url)
        assert workspace(app).recipe.traces.formats == ("no_reflection",)
        app.number_input(key="making.price_in").set_value(0.5).run()
        app.number_input(key="making.price_out").set_value(1.5).run()
        rested(app.button(key="making.run.pilot").click().run())
        assert f"50 questions of {QUESTIONS}" in said(app)
        told = metrics(app)
        assert 80 <= int(told["Correct verdicts"].split()[0]) <= 90
        assert told["No verdict"] == "0 %"
        assert float(told["Total cost"]) > 0
        assert "questions will be usable at N = 5" in said(app)
        piloted = server.ledger.asked.total()
        rested(app.button(key="making.run.whole").click().run())
        assert set(server.ledger.keys) == {f"Bearer {SECRET}"}
        assert max(server.ledger.served.values()) == 1, "the pilot's answers were paid again"
        assert server.ledger.asked.total() > piloted
    assert "reflections by org/critic" in said(app)
    assert "reflections made by org/critic, cost" in said(app)
    for light in ("Several answers", "Labels", "Final answers", "Reflections"):
        assert f"**{light}** · ready" in said(app)
    assert workspace(app).recipe.traces.formats == ("*C_full",)
    assert workspace(app).recipe.columns.reflections == (f"{STAGE}_reflection",)
    assert [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()] == []
    app.button(key="making.undo").click().run()
    assert workspace(app).source == str(bare)
    assert "**Reflections** · missing" in said(app)


@pytest.mark.long
def test_a_pilot_is_offered_again_when_the_settings_have_changed(bare: Path, demo: Path) -> None:
    """Another model is another pilot; with another price the same tokens only cost something else."""
    with ModelServer(critic(demo)) as server:
        app = rested(to_reflections(bare, server.url).button(key="making.run.pilot").click().run())
        app.number_input(key="making.price_out").set_value(2.0).run()
        assert "making.run.whole" in keys(app)
        app.text_input(key="making.model").set_value("org/other").run()
        assert "The settings have changed since the pilot" in said(app)
        assert "making.run.pilot" in keys(app)


@pytest.mark.long
def test_a_server_that_misbehaves_is_asked_until_it_answers(bare: Path, demo: Path) -> None:
    """Bursts of 429, errors, cut lines, spoiled answers: the pilot ends all the same, with its figures."""
    with ModelServer(critic(demo), ALL_FAULTS) as server:
        app = to_reflections(bare, server.url)
        rested(app.button(key="making.run.pilot").click().run())
        assert "questions will be usable" in said(app)
        assert int(metrics(app)["No verdict"].split()[0]) >= 2


def test_a_wrong_key_is_said_where_it_is_typed(bare: Path) -> None:
    """The server's refusal as a sentence, without the key; with the right one it goes on from there."""
    with ModelServer(faults=Faults(status=401, message=f"bad key {SECRET}")) as server:
        app = rested(to_reflections(bare, server.url).button(key="making.run.pilot").click().run())
        (error,) = [one.value for one in app.error]
        assert "Check the key" in error
        assert SECRET not in error
        assert "making.resume" in keys(app)
        server.faults = Faults()
        rested(app.button(key="making.resume").click().run())
    assert "50 questions of" in said(app)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("url", "", "Give the address"),
        ("model", "", "Name the model"),
        ("url", "localhost:8000", "isn't a web address"),
        ("url", "http://u:p@host/v1", "holds a name, password"),
    ],
)
def test_what_is_missing_is_said_before_anything_runs(
    bare: Path, home: Path, name: str, value: str, sentence: str
) -> None:
    """A sentence, and no folder made for it."""
    app = to_reflections(bare, "http://127.0.0.1:9/v1")
    app.text_input(key=f"making.{name}").set_value(value).run()
    app.button(key="making.run.pilot").click().run()
    assert any(sentence in one.value.replace("\\", "") for one in app.error)
    assert not list((home / "made").glob("*"))


def test_a_hosted_instance_asks_no_inner_address(
    monkeypatch: pytest.MonkeyPatch, bare: Path, home: Path
) -> None:
    """The sentence stands on the page, and nothing was started."""
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    mine = new_place("uploads") / bare.name
    bare.rename(mine)
    app = studio.entered(str(mine), "2_Data")
    app.button(key="making.reflections.reflections").click().run()
    app.text_input(key="making.model").set_value("m")
    for url in ("http://127.0.0.1:8000/v1", "http://[::1]/v1", "http://169.254.169.254/v1"):
        app.text_input(key="making.url").set_value(url).run()
        app.button(key="making.run.pilot").click().run()
        assert any("an address inside this server's network" in one.value for one in app.error), url
        assert not list((home / "made").glob("*"))


def test_a_space_asks_no_inner_address_either(monkeypatch: pytest.MonkeyPatch, demo: Path) -> None:
    """Where only the Space's own variable is set, the process still knows that strangers use this server."""
    monkeypatch.setenv("SPACE_ID", "alice/studio")
    with ModelServer(critic(demo)) as server:
        asked = Asked(What.REFLECTIONS, str(demo), "demo", url=server.url, model="m", k=6, max_k=6)
        try:
            now = ended(makings.start(asked, Stage.PILOT))
        except EndpointError as error:  # the core may refuse before any process is started
            said = str(error)
        else:
            assert now.state is State.FAILED
            said = now.said
        assert "an address inside this server's network" in said
        assert not server.ledger.asked


def _pid(made: makings.Making) -> str:
    return (made.path / "process").read_text().split()[0]


def ended(made: makings.Making) -> makings.Status:
    """How it stands once its process is gone."""
    for _ in range(600):
        now = makings.status(made)
        if not now.running:
            return now
        time.sleep(0.1)
    raise AssertionError("it does not end")


# -- while it runs -------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_run_is_stopped_gone_on_with_and_found_by_its_link(bare: Path, demo: Path) -> None:
    """Stop keeps what is answered; a new session with the link goes on; nothing is asked twice."""
    with ModelServer(critic(demo), latency=0.3, slots=40) as server:
        app = to_reflections(bare, server.url)
        app.button(key="making.whole").click().run()
        until(app, lambda one: metrics(one).get("Tokens per second", "–") not in ("–", "0"))
        assert set(metrics(app)) == {"Tokens per second", "Tokens so far", "Time left", "Requests at once"}
        rested(app.button(key="making.stop").click().run())
        assert "Every answer so far is kept" in said(app)
        id = its_link(app)
        kept = len(server.ledger.served)
        assert kept > 0
        later = by_link(id)
        assert later.text_input(key="making.model").value == "org/critic"
        assert later.text_input(key="making.key").value == ""
        later.text_input(key="making.key").set_value(SECRET).run()
        rested(later.button(key="making.resume").click().run())
        assert max(server.ledger.served.values()) == 1
    assert "**Reflections** · ready" in said(later)


@pytest.mark.long
def test_a_killed_run_goes_on_where_it_was(bare: Path, demo: Path) -> None:
    """A run that was killed says so in a sentence; when it is resumed, no answer is paid for twice."""
    with ModelServer(critic(demo), latency=0.2, slots=40, idempotent=True) as server:
        asked = Asked(What.REFLECTIONS, str(bare), "bare.parquet", url=server.url, model="m", k=2, max_k=2)
        made = makings.start(asked, Stage.WHOLE, key=SECRET)
        while len(server.ledger.served) < 100:
            time.sleep(0.05)
        os.kill(int(_pid(made)), signal.SIGKILL)
        now = ended(made)
        assert now.state is State.FAILED
        assert "was killed" in now.said
        again = makings.start(asked, Stage.WHOLE, key=SECRET, before=made)
        assert again.path == made.path
        now = ended(again)
        assert now.state is State.DONE, makings.fault(again)
        assert now.told["missing"] == 0
        assert max(server.ledger.served.values()) == 1


@pytest.mark.long
def test_deleting_what_was_paid_for_says_so_and_asks_first(bare: Path, demo: Path) -> None:
    """A stopped run says how many answers it holds and what they cost; the first press deletes nothing."""
    with ModelServer(critic(demo), latency=0.3, slots=40) as server:
        app = to_reflections(bare, server.url)
        app.number_input(key="making.price_out").set_value(1000.0).run()
        app.button(key="making.whole").click().run()
        until(app, lambda one: metrics(one).get("Cost so far", "–") not in ("–", "0.00"))
        rested(app.button(key="making.stop").click().run())
    made = makings.find(its_link(app))
    assert made is not None
    now = makings.progress(made)
    assert now is not None
    lost = makings.lost(made)
    assert f"{now.done:,} reflections would be lost. They cost {now.cost:,.2f}" in lost
    (asking,) = [one for one in app.get("popover") if one.proto.popover.label == "Delete these reflections"]
    assert asking.children[0].value.replace("\\", "") == lost
    assert made.path.exists()
    app.button(key=f"making.delete.{made.id}").click().run()
    assert not made.path.exists()
    assert "making" not in app.query_params
    assert app.text_input(key="making.model").value == "org/critic", "the form keeps what was typed"
    assert not app.exception


@pytest.mark.long
def test_an_earlier_making_is_deleted_from_the_list(home: Path, demo: Path) -> None:
    """On the page without data: what was made before can be opened, or deleted after a question."""
    made = makings.start(Asked(What.GRADE, str(demo), "whole.parquet", GRADED), Stage.GRADE)
    assert ended(made).state is State.DONE
    app = studio.open_app("2_Data")
    (asking,) = [one for one in app.get("popover") if one.proto.popover.label == "Delete these labels"]
    assert "stays as it is" in asking.children[0].value
    app.button(key=f"making.delete.{made.id}").click().run()
    assert not list((home / "made").glob("*"))
    assert demo.exists()
    assert not app.exception


@pytest.mark.long
def test_the_report_can_be_looked_at_meanwhile(bare: Path, demo: Path) -> None:
    """Back to the report while it runs; a line says so and leads back."""
    with ModelServer(critic(demo), latency=0.5, slots=20) as server:
        app = to_reflections(bare, server.url)
        app.button(key="making.run.pilot").click().run()
        app.button(key="making.close").click().run()
        assert "**Reflections** · missing" in said(app)
        assert "Let a model reflect on the responses: is running" in said(app)
        app.button(key="making.show").click().run()
        assert "making.stop" in keys(app)
        rested(app.button(key="making.stop").click().run())


@pytest.mark.long
def test_a_budget_ends_it_with_what_is_there(bare: Path, demo: Path) -> None:
    """The spent budget is said; one may use what there is."""
    with ModelServer(critic(demo)) as server:
        app = to_reflections(bare, server.url)
        for name, value in {"price_out": 1000.0, "budget": 20.0, "max_tokens": 100}.items():
            app.number_input(key=f"making.{name}").set_value(value).run()
        app.number_input(key="making.price_in").set_value(1000.0).run()
        rested(app.button(key="making.whole").click().run())
    assert "The budget is spent" in said(app)
    app.button(key="making.take").click().run()
    assert "reflections by org/critic" in said(app)


def test_the_link_of_nothing_is_said() -> None:
    """An id that nothing was made under."""
    app = by_link("nothing-was-made-under-this")
    assert any("isn't here any more" in one.value for one in app.warning)


# -- by files ------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_without_a_connection_by_files(bare: Path, demo: Path, tmp_path: Path) -> None:
    """The request file of the command line; its answers, joined, make the light green."""
    app = with_source(str(bare))
    app.button(key="making.reflections.reflections").click().run()
    app.segmented_control(key="making.where").set_value(Where.FILES).run()
    app.text_input(key="making.model").set_value("org/critic").run()
    app.number_input(key="making.k").set_value(2).run()
    rested(app.button(key="making.write").click().run())
    made = makings.find(its_link(app))
    assert made is not None
    requests = [json.loads(line) for line in made.requests.read_text(encoding="utf-8").splitlines()]
    different = {(row["question"], row[STAGE][0].strip()) for row in pq.read_table(bare).to_pylist()}
    assert len(requests) == 2 * len(different) == len({one["custom_id"] for one in requests})
    judge = critic(demo)
    with made.answers.open("w", encoding="utf-8") as out:
        for one in requests:
            text = judge(one["body"]["messages"][-1]["content"], random.Random(one["custom_id"]))
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
            line = {"custom_id": one["custom_id"], "response": {"status_code": 200, "body": body}}
            out.write(json.dumps(line) + "\n")
    joined = makings.start(made.asked, Stage.JOIN, before=made)
    assert ended(joined).told["lines"]["joined"] == len(requests)
    rested(app.run())
    assert "**Reflections** · ready" in said(app)


def test_the_words_are_the_command_line_s(tmp_path: Path) -> None:
    """What is run could be typed; a step by files gets no word about a server, and the key is none of them."""
    asked = Asked(
        What.REFLECTIONS, "demo:5", "Demo", {"reflections": ["critique"]}, url="http://h/v1", model="m"
    )
    assert words(asked, Stage.PILOT, tmp_path)[:3] == ["generate", "reflections", "demo:5"]
    written = words(
        Asked(What.RESPONSES, "demo:5", "Demo", where=Where.FILES, model="m"), Stage.WRITE, tmp_path
    )
    assert written[:4] == ["generate", "batch", "write", "responses"]
    from skill_factory.cli.main import parser

    for typed in (words(asked, Stage.WHOLE, tmp_path), written):
        parser().parse_args(typed)
    graded = Asked(What.GRADE, "demo:5", "Demo", {"answer": "gold"}, task="number")
    assert parser().parse_args(words(graded, Stage.GRADE, tmp_path)).task == "number"
    assert join_answers  # the step by files is the core's own


def test_settings_that_can_not_be_are_refused_by_the_core() -> None:
    """A budget without a price, no model."""
    asked = Asked(What.RESPONSES, "demo:5", "Demo", url="http://h/v1", model="m", budget=2.0)
    with pytest.raises(SkillFactoryError, match="needs a price"):
        check(asked, Stage.WHOLE)
    with pytest.raises(EndpointError, match="Name the model"):
        check(Asked(What.RESPONSES, "demo:5", "Demo", url="http://h/v1"), Stage.WHOLE)


# -- answers -------------------------------------------------------------------------------------------------------


def test_questions_alone_get_answers_with_labels(tmp_path: Path) -> None:
    """A list of questions with gold answers becomes groups, labels and answers that are green; reflections come next."""
    path = tmp_path / "questions.jsonl"
    lines = [json.dumps({"question": f"What is {n} + {42 - n}?", "answer": "42"}) for n in range(12)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def solver(prompt: str, rng: random.Random) -> str:
        return f"{prose(rng, 5, 20)}\n<answer>{42 if rng.random() < 0.5 else rng.randint(1, 41)}</answer>"

    with ModelServer(solver) as server:
        app = with_source(str(path))
        app.button(key="making.responses.").click().run()
        app.text_input(key="making.url").set_value(server.url)
        app.text_input(key="making.model").set_value("org/solver").run()
        app.multiselect(key="making.variants").set_value(["original", "rephrase"]).run()
        app.number_input(key="making.per_variant").set_value(3).run()
        rested(app.button(key="making.whole").click().run())
        assert server.ledger.served.total() == 12 * 2 * 3
    for light in ("Several answers", "Labels", "Final answers"):
        assert f"**{light}** · ready" in said(app)
    assert "making.reflections.reflections" in keys(app)
    assert workspace(app).recipe.columns.prompt_variant == "prompt_variant"


# -- grading -------------------------------------------------------------------------------------------------------


def test_responses_without_labels_are_graded(demo: Path, tmp_path: Path) -> None:
    """A sample of decisions first, then all; the labels are those that the demo had."""
    path = without(demo, tmp_path / "unlabelled.parquet", f"{STAGE}_reflection", *LABELS)
    app = with_source(str(path))
    app.button(key="making.grade.").click().run()
    assert "Are these decisions right?" in said(app)
    sample = app.dataframe[0].value
    assert {"✓ right", "✗ wrong"} <= set(sample["Decision"])
    told = metrics(app)
    assert int(told["✓ right"]) + int(told["✗ wrong"]) + int(told["? no decision"]) == 200
    assert int(told["? no decision"]) < 10  # texts that state no answer
    rested(app.button(key="making.run.grade").click().run())
    assert "responses graded:" in said(app)
    for light in ("Several answers", "Labels", "Final answers"):
        assert f"**{light}** · ready" in said(app)
    graded = pq.read_table(workspace(app).source)["correct"].to_pylist()
    known = [one[0] for one in pq.read_table(demo)[f"{STAGE}__eval_is_correct"].to_pylist()]
    judged = [(a, b) for a, b in zip(graded, known, strict=True) if a is not None]
    assert len(judged) >= 0.95 * len(known)
    assert sum(a == b for a, b in judged) >= 0.98 * len(judged)


def test_the_task_changes_the_decisions(demo: Path, tmp_path: Path) -> None:
    """The same words are not the same formula: fewer are right."""
    path = without(demo, tmp_path / "unlabelled.parquet", f"{STAGE}_reflection", *LABELS)
    app = with_source(str(path))
    app.button(key="making.grade.").click().run()
    before = int(metrics(app)["✓ right"])
    app.radio(key="grading.task").set_value("exact").run()
    assert int(metrics(app)["✓ right"]) < before


def test_grading_asks_for_the_gold_answer(tmp_path: Path) -> None:
    """Without one the sentence says so beside the pickers, and nothing can be run."""
    path = tmp_path / "raw.jsonl"
    lines = [json.dumps({"question": f"q{n}", "response": f"<answer>{n}</answer>"}) for n in range(5)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    app = with_source(str(path))
    app.button(key="making.grade.").click().run()
    assert any("Grading needs a column for answer" in one.value for one in app.error)
    assert "making.run.grade" not in keys(app)


# -- the forecast --------------------------------------------------------------------------------------------------

PILOT = {
    "kind": "reflections",
    "questions_total": 500,
    "usable": {
        "2": {"low": 300, "expected": 350, "high": 390},
        "1": {"low": 400, "expected": 420, "high": 440},
    },
}


def test_a_forecast_is_a_table_a_sentence_and_a_chart() -> None:
    """Sorted by N, with its bounds; for answers the number is a bound itself, for reflections will take some away."""
    table = forecast_table(PILOT)
    assert table.to_dict("list") == {
        "attempts": [1, 2],
        "questions": [420, 350],
        "low": [400, 300],
        "high": [440, 390],
    }
    assert forecast_finding(PILOT, 2) == "About 350 of 500 questions will be usable at N = 2 (300 to 390)"
    assert forecast_finding({**PILOT, "kind": "responses"}, 1).startswith("At most about 420")
    assert "didn't try" in forecast_finding(PILOT, 7)
    assert forecast_chart(table, 2).to_dict()["layer"]
