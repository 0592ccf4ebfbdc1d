"""The linter: clean on everything we build, and each rule finds the fault that it is named for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.build.pipeline import build
from skill_factory.errors import SourceError
from skill_factory.recipe.model import Recipe, Tags
from skill_factory.traces.conversations import Turn, turns_of
from skill_factory.traces.lint import EXAMPLES, LintReport, lint_path, lint_row, lint_trace, lint_turns
from skill_factory.traces.lint_text import MEANING, LintFinding, Rule, lint_text
from tests.toy_traces import every_format, responses, rows_of, traces

TAGS = Tags()
GOOD = (
    "<think>\n<sample>\nSix tries. <answer>5</answer>\n</sample>\n<reflect>\nNo. <verdict>Incorrect</verdict>\n"
    "</reflect>\nOnce more.\n<sample>\nSeven. <answer>42</answer>\n</sample>\n<reflect>\nYes, <answer>42</answer>. "
    "<verdict>Correct</verdict>\n</reflect>\n</think>\n\n\nDone:\n\n<answer>\n42\n</answer>"
)


def row(text: str = GOOD, question: str = "What is it?") -> dict[str, Any]:
    """A row as a trainer reads it."""
    return {"conversations": [{"role": "user", "content": question}, {"role": "assistant", "content": text}]}


def rules(found: list[LintFinding]) -> set[Rule]:
    """The rules that found something."""
    return {one.rule for one in found}


def test_what_we_make_is_clean(tmp_path: Path) -> None:
    """Traces of every format, as they are and as rows with and without lineage, have no finding."""
    made = every_format(tmp_path, responses())
    for trace in made:
        assert lint_trace(trace, TAGS) == []
    for lineage in (True, False):
        for one in rows_of(made, lineage):
            assert lint_row(one, TAGS) == []


def test_a_build_folder_is_linted_with_its_own_tag_names(tmp_path: Path) -> None:
    """A build under other tag names is clean, and its number of traces is the report's."""
    recipe = Recipe().changed(
        {"tags.sample": "try", "tags.reflect": "check", "traces.formats": ["*CC", "*C*IC"]}
    )
    built = build("demo:30", tmp_path / "out", recipe)
    report = lint_path(tmp_path / "out")
    assert report.rows == built.report["traces"] > 0
    assert not report.findings
    assert set(lint_path(tmp_path / "out", TAGS).findings) == {Rule.LINEAGE_DIFFERS}


FAULTS: dict[Rule, Callable[[str], str]] = {
    Rule.BROKEN_NESTING: lambda text: text.replace("<think>\n", "", 1),
    Rule.TAG_IN_TEXT: lambda text: text.replace("Six tries.", "Six <sample> tries."),
    Rule.SEVERAL_THINKS: lambda text: text.replace("</think>", "</think>\n</think>"),
    Rule.NOT_CLOSED: lambda text: text[: text.index("</think>")],
    Rule.NO_ANSWER: lambda text: text[: text.rindex("<answer>")],
    Rule.SEVERAL_ANSWERS: lambda text: text.replace("Once more.", "Once <answer>1</answer> more."),
    Rule.ANSWER_DIFFERS: lambda text: text.replace("<answer>\n42", "<answer>\n41"),
    Rule.EMPTY_SAMPLE: lambda text: text.replace("Six tries. <answer>5</answer>", " \n"),
    Rule.EMPTY_REFLECT: lambda text: text.replace("No. <verdict>Incorrect</verdict>", ""),
    Rule.TEMPLATE_TOKEN: lambda text: text.replace("Once more.", "Once more.<|im_end|>"),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_each_rule_finds_its_fault_and_no_other_rule_does(rule: Rule) -> None:
    """One fault planted into a good trace is one finding."""
    assert lint_row(row(), TAGS) == []
    broken = FAULTS[rule](GOOD)
    assert broken != GOOD
    assert rules(lint_row(row(broken), TAGS)) == {rule}


@pytest.mark.parametrize(
    "token",
    [
        "<|im_start|>",
        "<|eot_id|>",
        "<|endoftext|>",
        "[INST]",
        "[/INST]",
        "</s>",
        "<<SYS>>",
        "<start_of_turn>",
        "<｜end▁of▁sentence｜>",
    ],
)
def test_tokens_of_the_usual_templates_are_known(token: str) -> None:
    """Also in the question, and the finding says where."""
    assert lint_row(row(question=f"Hi {token}"), TAGS) == [
        LintFinding(Rule.TEMPLATE_TOKEN, f"{token!r} in the user's turn")
    ]


@pytest.mark.parametrize("text", ["a < b and b > c", "x <| y", "f[INSTANCE]", "<strong>", "|im_end|"])
def test_what_only_looks_like_a_token_is_none(text: str) -> None:
    """Comparisons, indices and HTML are no template tokens."""
    assert lint_row(row(question=text), TAGS) == []


def test_answers_inside_attempts_and_reflections_are_fine() -> None:
    """The good trace has four answers, one of them outside; that is as it should be."""
    assert GOOD.count("<answer>") == 4
    assert lint_text(GOOD, TAGS) == []


def test_going_back_to_an_earlier_attempt_is_fine() -> None:
    """After a wrong last attempt the text of an earlier one may stand again, answer and all."""
    back = GOOD.replace("Done:", "Back.\nSix tries. <answer>5</answer>\nDone:").replace(
        "<answer>\n42", "<answer>\n5"
    )
    assert lint_text(back, TAGS) == []
    assert rules(lint_text(back.replace("<answer>\n5\n", "<answer>\n42\n"), TAGS)) == {Rule.ANSWER_DIFFERS}


def test_an_equal_answer_may_be_written_otherwise() -> None:
    """White space and an equivalent form are no difference."""
    assert lint_text(GOOD.replace("<answer>\n42", "<answer>\n 42.0 "), TAGS) == []


def test_plain_reasoning_without_attempts_is_no_fault() -> None:
    """A trace of another kind has thinking and an answer without tags; nothing is wrong with it."""
    assert lint_row(row("<think>\nhm\n</think>\nThe answer is 42."), TAGS) == []
    assert lint_row(row("Just 42."), TAGS) == []


@pytest.mark.parametrize(
    ("turns", "clean"),
    [
        ([("user", "a"), ("assistant", "b")], True),
        ([("system", ""), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")], True),
        ([("assistant", "b")], False),
        ([("user", "a")], False),
        ([("user", "a"), ("user", "a"), ("assistant", "b")], False),
        ([("user", "a"), ("tool", "x"), ("assistant", "b")], False),
        ([("user", " "), ("assistant", "b")], False),
        ([("user", "a"), ("assistant", "")], False),
    ],
)
def test_turns_alternate_and_say_something(turns: list[tuple[str, str]], clean: bool) -> None:
    """User and assistant in turn, a system message first at most, the assistant last, none empty."""
    found = lint_turns([Turn(*one) for one in turns], TAGS)
    assert rules(found) == (set() if clean else {Rule.WRONG_TURNS})


def test_lineage_that_does_not_fit_is_found(tmp_path: Path) -> None:
    """A truth that contradicts the verdict, a missing attempt and shifted spans are told apart."""
    one = rows_of(traces(tmp_path, responses(), traces__formats=["*CC"]))[0]
    flipped = [one["attempts"][0] | {"correct": not one["attempts"][0]["correct"]}, *one["attempts"][1:]]
    assert rules(lint_row(one | {"attempts": flipped}, TAGS)) == {Rule.VERDICT_DISAGREES}
    assert rules(lint_row(one | {"attempts": one["attempts"][1:]}, TAGS)) == {Rule.LINEAGE_DIFFERS}
    shifted = [span | {"start": span["start"] + 1} for span in one["spans"]]
    assert rules(lint_row(one | {"spans": shifted}, TAGS)) == {Rule.LINEAGE_DIFFERS}


@pytest.mark.parametrize(
    "shape",
    [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": GOOD}]},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": GOOD}]},
        {"prompt": "q", "completion": GOOD},
        {
            "prompt": [{"role": "user", "content": "q"}],
            "completion": [{"role": "assistant", "content": GOOD}],
        },
        {"instruction": "q", "output": GOOD},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "q"}]},
                {"role": "assistant", "content": GOOD},
            ]
        },
    ],
)
def test_the_usual_shapes_of_data_sets_are_read(shape: dict[str, Any]) -> None:
    """Role and content, from and value, prompt and completion, instruction and output: all are a conversation."""
    assert turns_of(shape) == [Turn("user", "q"), Turn("assistant", GOOD)]
    assert lint_row(shape, TAGS) == []


def test_a_row_without_messages_is_a_finding() -> None:
    """Raw data are no traces; the finding names the columns."""
    assert lint_row({"id": 3, "score": 0.5}, TAGS) == [LintFinding(Rule.NO_CONVERSATION, "columns id, score")]


@pytest.mark.parametrize("name", ["traces.jsonl", "traces.parquet", "folder"])
def test_files_and_folders_are_read(tmp_path: Path, name: str) -> None:
    """Rows are counted by rule, each once, with the file and the row of the first examples."""
    rows = [row(), *[row(FAULTS[Rule.NO_ANSWER](GOOD))] * 7, row(FAULTS[Rule.EMPTY_REFLECT](GOOD))]
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "traces.jsonl" if name == "folder" else tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        file.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
        (file.parent / "about.json").write_text('{"rows": 9}', encoding="utf-8")
    report = lint_path(folder if name == "folder" else file)
    assert (report.rows, report.flagged) == (9, 8)
    assert report.findings == {Rule.NO_ANSWER: 7, Rule.EMPTY_REFLECT: 1}
    assert len(report.examples[Rule.NO_ANSWER]) == EXAMPLES
    assert report.examples[Rule.EMPTY_REFLECT] == [f"{file.name}, row 9: <reflect> number 1 of 2"]
    tree = report.to_json()
    assert (tree["rows"], tree["clean"]) == (9, 1)
    assert tree["findings"]["no_answer"]["rows"] == 7
    assert json.loads(json.dumps(tree)) == tree
    assert report.lines()[0] == "9 traces, 8 with findings."


@pytest.mark.parametrize(
    ("name", "content"),
    [("no.parquet", b"PAR1 nonsense"), ("no.jsonl", b"{not json"), ("no.txt", b"text"), ("empty.jsonl", b"")],
)
def test_what_cannot_be_read_is_an_error_of_use(tmp_path: Path, name: str, content: bytes) -> None:
    """A damaged, foreign or empty file is said so in a sentence that names it; it is not a finding."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        lint_path(tmp_path / name)


def test_every_rule_has_a_meaning() -> None:
    """Rules and sentences are the same set, and an empty report says that nothing was found."""
    assert set(MEANING) == set(Rule)
    report = LintReport()
    report.add("x, row 1", [])
    assert report.lines() == ["1 trace, nothing wrong."]


PIECES = [
    "<think>",
    "</think>",
    "<sample>",
    "</sample>",
    "<reflect>",
    "</reflect>",
    "<answer>",
    "</answer>",
    "<verdict>Correct</verdict>",
    "text",
    "\n",
    "",
    "<|im_end|>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_text_makes_the_linter_fail(pieces: list[str]) -> None:
    """Whatever tags stand in whatever order, findings are values and never a crash."""
    for finding in lint_row(row("".join(pieces)) | {"attempts": [{"correct": True}]}, TAGS):
        assert isinstance(finding, LintFinding)
