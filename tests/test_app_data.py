"""Data: columns are guessed and checked live, the report says what will do, and N is proposed."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe
from skill_factory.sources.demo.rows import write_demo
from skill_factory.ui.frame import exact_tables
from skill_factory.work import builds, quota
from skill_factory.work.process import State
from tests.hub import Hub
from tests.make_raw import make_rows, row, write_jsonl
from tests.studio import ROOT, links, open_app, with_source, words, workspace

pytest_plugins = ["tests.hub_fixtures"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)
    return tmp_path / "home"


def csv_with_foreign_names(path: Path) -> Path:
    """A CSV whose columns nobody can guess."""
    lines = ["frage,versuch,stimmt,kritik,lang"]
    for q in range(8):
        for k in range(4):
            right = "ja" if k % 2 else "nein"
            verdict = "Correct" if k % 2 else "Incorrect"
            lines.append(
                f"f{q},v{q}{k} <answer>{k}</answer>,{'true' if right == 'ja' else 'false'},k{q}{k} <verdict>{verdict}</verdict>,{'true' if k > 1 else 'false'}"
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_demo_is_fit() -> None:
    """Four lights, a proposed N with its reason, first rows, and the way on."""
    app = with_source()
    said = words(app)
    assert [
        name
        for name in ("Several answers", "Labels", "Final answers", "Reflections")
        if f"**{name}**" in said
    ] != []
    assert "**N = 5**, the maximum number of attempts in a trace, suits this data" in said
    assert len(app.dataframe) >= 1
    assert not app.button(key="onward.choose").disabled


def test_foreign_columns_are_picked_by_hand(tmp_path: Path) -> None:
    """A CSV that nobody can guess: the page asks for three columns, then the report appears."""
    app = with_source(str(csv_with_foreign_names(tmp_path / "daten.csv")))
    assert "Pick the column that says right or wrong" in words(app)
    assert (
        "The report appears here as soon as question, response, and right or wrong each have a column"
        in words(app)
    )
    for field, column in {
        "question": "frage",
        "response": "versuch",
        "correct": "stimmt",
        "reflections": "kritik",
    }.items():
        app.selectbox(key=f"columns.{field}").set_value(column).run()
    assert workspace(app).recipe.columns.response == ("versuch",)
    assert "8 of 8 questions have several answers" in words(app)
    assert not app.exception
    assert "**8 questions**" in links(app)[0]


def test_unmapping_the_reflections_leaves_the_bare_format() -> None:
    """Without critiques the report says so, and the proposal is the format that shows none."""
    app = with_source()
    app.selectbox(key="columns.reflections").set_value("").run()
    assert "No column holds reflections" in words(app)
    assert "making.reflections.reflections" in {one.key for one in app.button}
    app.button(key="use.proposal").click().run()
    assert workspace(app).recipe.traces.formats == ("no_reflection",)
    assert "show a mistake corrected" in links(app)[2]


def test_n_is_suited_to_the_data_when_they_are_chosen(tmp_path: Path) -> None:
    """Three answers a question: N = 3 from the start, unless the visitor has chosen before."""
    rows = [
        row(f"q{q}", f"{q} {k} <answer>{k}</answer>", k == 0, extracted=str(k))
        for q in range(6)
        for k in range(3)
    ]
    path = write_jsonl(rows, tmp_path / "three.jsonl")
    assert workspace(with_source(str(path))).recipe.traces.attempts == 3
    chosen = Recipe().changed({"traces.attempts": 2})
    app = with_source(str(path), recipe=chosen)
    assert workspace(app).recipe.traces.attempts == 2
    app.button(key="use.proposal").click().run()
    assert workspace(app).recipe.traces.attempts == 3


def test_the_recommended_recipe_jumps_to_finish() -> None:
    """With another recipe of one's own, one click goes back to the recommended one, and to Finish."""
    app = with_source()
    app.button(key="build_now")
    workspace(app).recipe = workspace(app).recipe.changed({"traces.attempts": 2})
    app.run().button(key="recommended").click().run(timeout=60)
    assert app.title[0].value == "Finish" and workspace(app).recipe.traces.attempts != 2


def test_the_recommended_recipe_is_built_from_data() -> None:
    """Where nothing is doubtful, the number that is promised is built by one click, and Finish shows it."""
    app = with_source()
    label = app.button(key="build_now").label
    app.button(key="build_now").click().run(timeout=60)
    assert app.title[0].value == "Finish"
    job = builds.find(workspace(app).job)
    assert job is not None
    for _ in range(600):
        if builds.status(job).state is State.DONE:
            break
        time.sleep(0.1)
    assert label == f"Build {builds.ledger(job)[Level.TRACES].kept:,} traces"


def test_a_threshold_that_is_only_proposed_builds_nothing_at_once(tmp_path: Path) -> None:
    """Where right begins on a scale is looked at first, on the way to the build."""
    rows = [
        {"question": f"q{q}", "response": f"{q} {k} <answer>{k}</answer>", "rating": f"{k + 1} stars"}
        for q in range(6)
        for k in range(5)
    ]
    path = tmp_path / "rated.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    app = with_source(str(path))
    assert "build_now" not in {one.key for one in app.button} and app.button(key="recommended")


def test_a_full_disk_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What doesn't fit is refused before it starts, and Finish says why."""
    monkeypatch.setattr(quota, "NEEDED", 1e12)
    app = with_source()
    app.button(key="build_now").click().run(timeout=60)
    assert app.title[0].value == "Finish" and not workspace(app).job
    assert "Make room there" in words(app)


def test_rows_that_cannot_be_read_are_shown_with_their_reason(tmp_path: Path) -> None:
    """Which rows, why, and what was found there."""
    rows = [*make_rows(20), row("q", "r", "perhaps"), row("", "r", True)]
    app = with_source(str(write_jsonl(rows, tmp_path / "raw.jsonl")))
    said = words(app)
    assert "right or wrong is missing, or can't be read as yes or no" in said
    assert "the question is missing or empty" in said
    assert "perhaps" in said


def test_the_answer_rule_is_picked_where_the_light_is_red(tmp_path: Path) -> None:
    """Answers in a box: the trial says that the rule finds them all, and using it turns the light."""
    rows = [
        {**row(f"q{q}", f"{q} {k} \\boxed{{{k}}}", k == 0, answer="0"), "extracted_answer": None}
        for q in range(6)
        for k in range(3)
    ]
    by_tag = Recipe().changed({"answers.rules": ("tag",)})
    app = with_source(str(write_jsonl(rows, tmp_path / "boxed.jsonl")), recipe=by_tag)
    assert "No response has a final answer" in words(app)
    assert "found in 18 of 18" in words(app)
    app.multiselect(key="answers.rules.draft").set_value(["tag", "boxed"]).run()
    app.button(key="answers.use").click().run()
    assert workspace(app).recipe.answers.rules == ("tag", "boxed")
    assert "Every response has a final answer" in words(app)


def test_a_bad_pattern_is_said_where_it_was_typed(tmp_path: Path) -> None:
    """A pattern that is none leaves the rule as it was."""
    rows = [
        {**row(f"q{q}", f"{q} {k} A: {k}", k == 0), "extracted_answer": None}
        for q in range(4)
        for k in range(3)
    ]
    app = with_source(str(write_jsonl(rows, tmp_path / "raw.jsonl")))
    app.multiselect(key="answers.rules.draft").set_value(["regex"]).run()
    app.text_input(key="answers.pattern.draft").set_value("A: (").run()
    app.button(key="answers.use").click().run()
    assert "not a valid regular expression" in words(app)
    assert workspace(app).recipe.answers == Recipe().answers


def test_a_pattern_that_is_written_is_used(tmp_path: Path) -> None:
    """Writing it is enough; and taken out of the list, it is gone."""
    rows = [
        {**row(f"q{q}", f"{q} {k} {'A' if q else 'B'}: {k}", k == 0), "extracted_answer": None}
        for q in range(4)
        for k in range(3)
    ]
    app = with_source(str(write_jsonl(rows, tmp_path / "raw.jsonl")))
    app.text_input(key="answers.pattern.draft").set_value("A: (.*)").run()
    app.button(key="answers.use").click().run()
    assert "regex" in workspace(app).recipe.answers.rules
    assert "3 of 12 responses have no final answer" in words(app)
    app.multiselect(key="answers.rules.draft").set_value(["tag"]).run()
    app.button(key="answers.use").click().run()
    assert workspace(app).recipe.answers.rules == ("tag",)
    assert workspace(app).recipe.answers.pattern == ""


@pytest.mark.parametrize(
    ("evil", "shown"),
    [
        ("<script>alert(1)</script>", "\\<script\\>alert\\(1\\)\\</script\\>"),
        ("[a](javascript:alert(1))", "\\[a\\]\\(javascript\\:alert\\(1\\)\\)"),
        ("![i](http://x.example/y)", "\\!\\[i\\]\\(http\\:\u2060//x.example/y\\)"),
        ("$x$ :red[y] :material/key:", "\\$x\\$ \\:red\\[y\\] \\:material/key\\:"),
    ],
)
def test_text_of_the_data_is_shown_as_text(tmp_path: Path, evil: str, shown: str) -> None:
    """Markdown and HTML in a question stay what they are: characters."""
    rows = [row(f"{evil}{q}", f"{q}{k} <answer>{k}</answer>", k == 0) for q in range(3) for k in range(3)]
    app = with_source(str(write_jsonl(rows, tmp_path / "raw.jsonl")))
    assert any(shown in one.value for one in app.caption)
    assert not any(evil in one.value for one in [*app.caption, *app.markdown])


@pytest.mark.long
def test_a_large_source_is_sampled_first_and_then_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample's numbers are marked; when the process has read all of it, the exact ones stand there."""
    import time

    monkeypatch.setattr("skill_factory.judge.source_facts.sample_facts.__defaults__", (60_000,))
    path = tmp_path / "raw.parquet"
    write_demo(path, 2_500, 5)
    app = with_source(str(path))
    assert "these numbers are from the first" in words(app).lower()
    assert links(app)[0].startswith("about")
    made = tmp_path / "home" / "facts"
    for _ in range(900):
        if list(made.glob("*.npz")):
            break
        time.sleep(0.1)
    app.run()
    assert "these numbers are from the first" not in words(app).lower()
    assert not links(app)[0].startswith("about")
    assert len(exact_tables.known(next(made.glob("*.npz")).stem).facts.question_id) == 2_500  # type: ignore[union-attr]


def test_a_sample_of_a_source_of_unknown_size_is_a_lower_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON Lines don't say how many they are: what a sample gives is "at least", and no time is promised."""
    monkeypatch.setattr("skill_factory.judge.source_facts.sample_facts.__defaults__", (60_000,))
    monkeypatch.setattr("skill_factory.work.reading.start", lambda request: Waiting())
    app = with_source(str(write_jsonl(make_rows(1500), tmp_path / "raw.jsonl")))
    assert links(app)[0].startswith("at least **")
    app = app.switch_page("pages/5_Finish.py").run()
    shown = {one.label: one.value for one in app.metric}
    assert shown["Rows to read"].startswith("over ") and shown["Traces"].startswith("at least ")
    assert shown["Time"] == "–"
    assert app.button(key="build.start").label.startswith("Build at least ")
    app = app.switch_page("pages/3_Choose.py").run()
    assert "in the sample" in words(app)
    assert app.button(key="choose.next").label == "Look at the traces"


class Waiting:
    """A reading that has only begun."""

    def poll(self) -> None:
        """It is running."""

    def terminate(self) -> None:
        """Nobody waits for it any more."""


# -- the Hub -------------------------------------------------------------------------------------------------------

VISIT = """
import json, os, sys
sys.path.insert(0, {root!r})
from tests.studio import open_app, words, links, workspace
app = open_app()
app.session_state["workspace"].token = {token!r}
app.text_input(key="door.hub.name").set_value({typed!r})
app.button[[one.label for one in app.button].index("Find")].click().run(timeout=60)
mine = workspace(app)
print(json.dumps({{"title": app.title[0].value, "errors": [e.value for e in app.error], "source": mine.source,
                   "revision": mine.recipe.source.revision, "strip": links(app)[:2], "words": words(app),
                   "buttons": [b.key for b in app.button]}}))
"""


@pytest.fixture
def visit(hub: Hub, tmp_path: Path, in_client: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Type something into the Hub's door and press Open, in a process whose client knows this Hub only."""
    path = tmp_path / "raw.parquet"
    write_demo(path, 40, 0)
    hub.seed("alice/raw", {"data/train-00000-of-00001.parquet": path.read_bytes()}, private=True)
    hub.seed("bob/open", {"data/test-00000-of-00001.parquet": path.read_bytes()})

    def go(typed: str, token: str = "") -> Any:
        return in_client(VISIT.format(root=str(ROOT), token=token, typed=typed), user=None)

    yield go


def test_a_hub_data_set_opens_by_name(visit: Callable[..., Any], hub: Hub) -> None:
    """A public data set with no split train opens at the split that it has, pinned to its commit."""
    seen = visit("bob/open")
    assert seen["errors"] == []
    assert (seen["title"], seen["source"]) == ("Data", "bob/open")
    assert seen["revision"] == hub.repo("bob/open").head.oid
    assert "questions**" in seen["strip"][0]


def test_a_private_data_set_needs_its_owner(visit: Callable[..., Any]) -> None:
    """With alice's token it opens; without one, and with bob's, a sentence says what to do."""
    assert visit("alice/raw", "hf_alice")["source"] == "alice/raw"
    for token in ("", "hf_bob"):
        refused = visit("alice/raw", token)
        assert refused["source"] == ""
        assert "alice/raw" in " ".join(refused["errors"]).replace("\\", "")


def test_words_are_searched_for(visit: Callable[..., Any]) -> None:
    """A word without a slash is searched for, and each hit is a button."""
    assert "door.hit.bob/open" in visit("open")["buttons"]


def test_an_unknown_data_set_is_a_sentence(visit: Callable[..., Any]) -> None:
    """A name that the Hub does not know is said in words."""
    assert len(visit("nobody/nothing")["errors"]) == 1


def test_data_without_data_offers_the_doors() -> None:
    """The page says what it will show and has the three doors."""
    app = open_app("2_Data")
    assert "whether your data is ready" in words(app)
    assert "door.demo" in {one.key for one in app.button}
    assert {"door.hub.name", "door.path"} <= {one.key for one in app.text_input}
