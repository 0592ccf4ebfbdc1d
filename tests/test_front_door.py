"""What people have is read as it is meant: published formats, files of every shape, and doubts where there is room for one."""

import json
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.pipeline import build, preview
from skill_factory.errors import ColumnError, SourceError
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.recipe.model import Recipe
from tests import command

SHARED = command.ROOT.parent / "shared"
SCHEMAS, CASES = SHARED / "schemas", SHARED / "cases"
beside = pytest.mark.skipif(
    not CASES.is_dir(), reason="the published schemas and cases are not beside the repository"
)

# ------------------------------------------------------------------------------------------- published formats

GRADE, LABELS, CRITIQUES, ANSWERS = "grade", "labels", "critiques", "answers"
FOUND: dict[str, tuple[str, tuple[int, int, int, int, int, int], list[str]]] = {
    "01-skillfactory-raw-countdown.parquet": ("SkillFactory raw data", (6, 24, 12, 12, 0, 96), []),
    "02-skillfactory-dev-otref.parquet": ("SkillFactory raw data", (6, 24, 12, 12, 0, 24), []),
    "03-skillfactory-eval.parquet": ("SkillFactory evaluation", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "04-openr1-math-220k.parquet": ("OpenR1-Math", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "06-openmathinstruct-1.jsonl": ("OpenMathInstruct-1", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "07-openmathreasoning.parquet": ("OpenMathReasoning", (6, 24, 0, 0, 24, 0), [GRADE, CRITIQUES]),
    "10-synthetic-2-sft-verified.parquet": ("SYNTHETIC-2 (verified)", (6, 12, 12, 0, 0, 0), [CRITIQUES]),
    "11-deepmath-103k.parquet": ("DeepMath-103K", (6, 18, 0, 0, 18, 0), [GRADE, CRITIQUES]),
    "12-am-deepseek-distilled-40m.jsonl": ("AM-DeepSeek-R1-Distilled", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "14-openthoughts3.parquet": ("OpenThoughts", (6, 24, 0, 0, 24, 0), [LABELS, CRITIQUES]),
    "15-s1k-1.1.parquet": ("s1K-1.1", (6, 12, 6, 6, 0, 12), []),
    "16-monkey-business.json": ("Large Language Monkeys", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "18-webinstruct-cft.jsonl": ("WebInstruct-CFT", (6, 24, 0, 0, 24, 24), [LABELS, ANSWERS]),
    "19-processbench.jsonl": ("ProcessBench", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "20-prm800k.jsonl": ("PRM800K", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "21-trl-math-shepherd-stepwise.parquet": ("Stepwise supervision (TRL)", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "26-swe-gym-openhands.parquet": ("SWE trajectories (OpenHands)", (6, 24, 12, 12, 0, 0), [ANSWERS, CRITIQUES]),
    "27-verl-rollouts-step100.jsonl": ("verl rollout log", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "28-trl-completions_00100.parquet": ("TRL completions log", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "29-lm-eval-samples_gsm8k.jsonl": ("lm-evaluation-harness samples", (6, 24, 0, 0, 24, 0), [GRADE, CRITIQUES]),
    "30-lighteval-details.parquet": ("lighteval details", (6, 24, 0, 0, 24, 0), [GRADE, CRITIQUES]),
    "32-inspect-log.json": ("Inspect log", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "32b-inspect-log.eval": ("Inspect log", (6, 24, 12, 12, 0, 0), [CRITIQUES]),
    "34-helpsteer3.jsonl": ("HelpSteer3", (6, 12, 0, 0, 12, 12), [LABELS, ANSWERS]),
    "37-natural-reasoning.parquet": ("NaturalReasoning", (6, 24, 0, 0, 24, 0), [GRADE, CRITIQUES]),
    "39-german.csv": ("", (6, 24, 12, 12, 0, 24), []),
}  # fmt: skip
"""Format → the preset that it is known by, (questions, responses, right, wrong, unlabelled, critiques), what it lacks."""
REFUSED = {
    "08-opencodereasoning-2.parquet": "leaves its questions out",
    "22-math-shepherd.jsonl": "trl-lib/math_shepherd",
}


def test_every_schema_is_held_to_something() -> None:
    """The table names each published schema that is there."""
    there = {path.name for path in SCHEMAS.iterdir()} if SCHEMAS.is_dir() else set(FOUND) | set(REFUSED)
    assert there == set(FOUND) | set(REFUSED)


@beside
@pytest.mark.parametrize("name", FOUND)
def test_a_published_format_is_read_by_itself(name: str) -> None:
    """`inspect` alone finds questions, responses, labels and critiques of a published schema, and says what is lacking."""
    preset, found, needs = FOUND[name]
    seen = inspect(str(SCHEMAS / name))
    assert (seen.preset, tuple(vars(seen.found).values()), seen.needs) == (preset, found, needs)


@beside
@pytest.mark.parametrize("name", [name for name, (_, _, needs) in FOUND.items() if GRADE in needs])
def test_a_format_that_asks_for_grading_is_graded(name: str, tmp_path: Path) -> None:
    """What `inspect` says to grade, `grade` can: every response that was found is judged, right ones and wrong ones."""
    out = tmp_path / "graded.parquet"
    done = command.run("grade", SCHEMAS / name, "--out", out, "--yes", "--json")
    told = json.loads(done.out)
    assert (told["responses"], told["unreadable"]) == (FOUND[name][1][1], {})
    assert told["right"] and told["wrong"]


@beside
@pytest.mark.parametrize("name", REFUSED)
def test_a_format_that_cannot_be_used_says_why(name: str) -> None:
    """A set that leaves out what is needed is refused with the true reason, whoever asks."""
    done = command.run("inspect", SCHEMAS / name, "--json")
    assert (done.exit, done.out) == (2, "")
    assert REFUSED[name] in done.err and done.err.count("\n") == 1


@beside
@pytest.mark.parametrize(
    "name", [name for name, (_, found, _) in FOUND.items() if found[2] and ANSWERS not in FOUND[name][2]]
)
def test_a_published_format_with_labels_is_built(name: str, tmp_path: Path) -> None:
    """What `inspect` reads, `build` builds without another word: no attempt holds thinking, template words or gold."""
    formats = ("*C_full",) if FOUND[name][1][5] else ("no_reflection",)
    recipe = Recipe().changed({"traces.formats": formats, "traces.attempts": 1})
    result = build(str(SCHEMAS / name), tmp_path / "out", recipe, workers=1)
    assert result.report["traces"] > 0
    for trace in preview(str(SCHEMAS / name), recipe, questions=6).traces:
        for attempt in trace.plan.attempts:
            assert not any(sign in attempt.response.text for sign in ("<think>", "</think>", "<|im_start|>"))
        assert not trace.plan.question.text.startswith(("system\n", "<|"))


# ------------------------------------------------------------------------------------------------- faults seen


def seen(*parts: str, **changes: Any) -> Inspection:
    """What `inspect` says of a case."""
    return inspect(str(CASES.joinpath(*parts)), Recipe().changed(changes) if changes else None)


def codes(found: Inspection) -> list[str]:
    """The codes of its doubts."""
    return [doubt.code for doubt in found.doubts]


@beside
@pytest.mark.parametrize("name", ["think.jsonl", "closing_only.jsonl", "think_in_reflections.jsonl"])
def test_thinking_is_taken_off_responses_and_critiques(name: str) -> None:
    """Case 01: all four questions can be used; left as it is, the sentence says that responses hold <think> and what to press."""
    found = seen("01-think-in-responses", name)
    assert found.recipe.columns.think == "after"
    assert found.usable[0] == 4


@beside
def test_thinking_that_is_left_is_named_with_its_remedy() -> None:
    """Case 01: with the rule off the doubt names the true cause, the number and the option."""
    found = seen("01-think-in-responses", "think.jsonl", **{"columns.think": "drop"})
    (doubt,) = [doubt for doubt in found.doubts if doubt.code == "drop_block_tags"]
    assert "<think>" in doubt.sentence and "16 responses" in doubt.sentence and "--think after" in doubt.fix


@beside
@pytest.mark.parametrize(
    ("name", "response"), [("eval_output.jsonl", "model_output"), ("qwen_math_eval_n1.jsonl", "code")]
)
def test_a_reference_solution_is_not_the_response(name: str, response: str) -> None:
    """Case 03: `solution` beside an answer is the reference."""
    found = seen("03-gold-solution-taken-as-response", name)
    assert found.recipe.columns.response == (response,)


@beside
@pytest.mark.parametrize(
    "path", sorted((CASES / "05-label-words").glob("*.jsonl")), ids=lambda path: path.stem
)
def test_words_that_mean_right_and_wrong_are_known(path: Path) -> None:
    """Case 05: pairs of words are labels at once, guessed or mapped by hand."""
    for words in ((), ("--map", "correct=correct")):
        done = command.run("inspect", path, *words, "--json")
        told = json.loads(done.out)
        assert (told["found"]["right"], told["found"]["wrong"], told["usable_questions"]["2"]) == (4, 4, 2)


@beside
@pytest.mark.parametrize(
    ("name", "answer"),
    [("sharegpt.jsonl", ""), ("trl_conversational.parquet", ""), ("verl_rollout_dump.jsonl", "gts"), ("verl_rows_with_responses.parquet", "reward_model.ground_truth")],
)  # fmt: skip
def test_messages_are_questions_and_responses(name: str, answer: str) -> None:
    """Case 06: the last user turn asks, the last assistant turn answers, and no template words are left."""
    found = seen("06-messages-as-question-or-response", name)
    assert (found.found.questions, found.found.right, found.found.wrong) == (4, 8, 8)
    assert found.recipe.columns.answer == answer
    assert "template_words" not in codes(found)


@beside
@pytest.mark.parametrize(
    "path", sorted((CASES / "08-csv-dialects").glob("*.?sv")), ids=lambda path: path.name
)
def test_csv_is_read_whatever_separates_it(path: Path) -> None:
    """Case 08: semicolons, tabs, bars and Excel's own first line give four columns."""
    assert [name for name, _ in inspect(str(path)).columns] == ["question", "answer", "response", "correct"]


@beside
def test_lists_that_numpy_wrote_are_lists() -> None:
    """Case 09: two critiques a response by Parquet and by CSV alike; [1, 0] is a list of labels."""
    folder = "09-csv-lists-from-pandas"
    assert seen(folder, "source.parquet").found == seen(folder, "via_pandas.csv").found
    assert seen(folder, "via_pandas.csv").found.critiques == 16
    assert (seen(folder, "lists_of_int.csv").found.right, seen(folder, "lists_of_int.csv").found.wrong) == (
        1,
        1,
    )


@beside
@pytest.mark.parametrize(
    ("name", "responses"),
    [("saved", 16), ("clone", 16), ("df.parquet.gzip", 16), ("pretty.jsonl", 8), ("array.jsonl", 8), ("wrapped.json", 8),
     ("by_id.json", 8), ("pandas_to_json.json", 8)],
)  # fmt: skip
def test_files_and_folders_are_read_as_people_have_them(name: str, responses: int) -> None:
    """Case 11: saved data sets, clones, and JSON of every shape."""
    assert seen("11-folders-and-files-people-have", name).found.responses == responses


@beside
@pytest.mark.parametrize("name", ["pointer.parquet", "pointer.jsonl"])
def test_a_pointer_is_named_for_what_it_is(name: str) -> None:
    """Case 11: what Git LFS left in the place of data says which command fetches them."""
    with pytest.raises(SourceError, match="git lfs pull"):
        seen("11-folders-and-files-people-have", name)


@beside
@pytest.mark.parametrize(
    "path", sorted((CASES / "12-verdict-styles").glob("*.jsonl")), ids=lambda path: path.stem
)
def test_verdicts_are_read_in_the_style_that_is_there(path: Path, tmp_path: Path) -> None:
    """Case 12: eight styles; the verdict rule that fits is found, and a build keeps the critiques that judge rightly."""
    result = build(str(path), tmp_path / "out", Recipe().changed({"traces.attempts": 2}), workers=1)
    reflections = result.report["ledger"]["reflections"]
    assert "no_verdict" not in reflections["dropped"]
    assert reflections["kept"] == 8


@beside
def test_a_pattern_with_two_groups_takes_the_one_that_matched() -> None:
    """Case 12: `Verdict: (Correct)|Verdict: (Incorrect)` reads both."""
    changes = {"verdicts.rule": "regex", "verdicts.pattern": "Verdict: (Correct)|Verdict: (Incorrect)"}
    found = seen("12-verdict-styles", "line.jsonl", **changes)
    assert found.tally.ledger["reflections"].kept == 8


@beside
def test_verdicts_that_cannot_be_read_are_shown() -> None:
    """Case 12: where the rule finds none, the sentence says which words stood in the tag, and names the remedy."""
    found = seen("12-verdict-styles", "dot.jsonl", **{"verdicts.correct": ("yes",)})
    (doubt,) = [doubt for doubt in found.doubts if doubt.code == "drop_no_kept_reflection"]
    assert "“Correct.” 4 times" in doubt.sentence and "--verdict-regex" in doubt.fix


@beside
def test_shards_with_other_columns_are_read_and_named() -> None:
    """Case 17: a column that the first file lacks is there, and the difference is said."""
    for name in ("first_lacks_answer", "second_lacks_answer"):
        found = seen("17-shards-and-nested-critiques", name)
        assert found.recipe.columns.answer == "answer"
        assert "columns_differ" in codes(found)


@beside
def test_critiques_within_records_are_read() -> None:
    """Case 17: a path leads through a list of records."""
    folder = CASES / "17-shards-and-nested-critiques"
    found = inspect(str(folder / "list_of_structs.parquet"), columns={"reflections": ["reflections.text"]})
    assert (found.found.critiques, found.usable[0]) == (8, 2)
    assert seen("17-shards-and-nested-critiques", "list_of_structs.parquet").found.critiques == 8


@beside
def test_answers_that_are_texts_and_numbers_are_one_column() -> None:
    """Case 17: half of the answers written as numbers hide no column."""
    assert seen("17-shards-and-nested-critiques", "answers_mixed.jsonl").recipe.columns.answer == "answer"


@beside
def test_two_gold_answers_of_a_question_are_said() -> None:
    """Case 17: the doubt counts the questions."""
    found = seen("17-shards-and-nested-critiques", "two_golds.jsonl")
    (doubt,) = [doubt for doubt in found.doubts if doubt.code == "two_golds"]
    assert doubt.sentence.startswith("4 of 4 questions have two or more different gold answers")


@beside
@pytest.mark.parametrize(
    ("name", "right", "wrong"), [("stated", 11, 0), ("one_tag_in_200", 200, 0), ("cut_while_thinking", 0, 0)]
)
def test_answers_are_graded_where_they_stand(name: str, right: int, wrong: int, tmp_path: Path) -> None:
    """Case 04: each response by its tags, else by what it states; what was cut off while thinking is never right."""
    path = CASES / "04-grade-calls-unread-answers-wrong" / f"{name}.jsonl"
    told = json.loads(command.run("grade", path, "--out", tmp_path / "graded.parquet", "--yes", "--json").out)
    assert (told["right"], told["wrong"]) == (right, wrong)


@beside
def test_chinese_is_banned_and_measured_in_its_own_script(tmp_path: Path) -> None:
    """Case 14: a word of a script without spaces drops the reflections that hold it; both traces of N = 2 are too long."""
    path = CASES / "14-languages-without-spaces" / "zh.jsonl"
    told = json.loads(command.run("inspect", path, "--ban", "想法", "--json").out)
    assert told["ledger"]["reflections"]["dropped"]["banned_word"] == 8
    command.build(path, tmp_path / "out", "--attempts", "2")
    done = command.run(
        "export", tmp_path / "out", "--to", "llamafactory", "--model", "m", "--cutoff-len", "2048"
    )
    assert "2 of 4 traces would be truncated" in done.out


@beside
def test_rows_by_id_keep_their_id() -> None:
    """Case 31: `{id: row}` is rows, and the id a column."""
    found = seen("31-structure", "dict_of_rows.json")
    assert (found.found.responses, found.columns[0]) == (2, ("id", "id-1"))


@beside
@pytest.mark.parametrize(
    ("name", "response", "right", "wrong"),
    [("gold_solution_as_response.jsonl", "code", 1, 1), ("label_words.jsonl", "response", 1, 1),
     ("list_of_turns.jsonl", "turns.text", 1, 1), ("nested_reflections_one_empty.jsonl", "response", 1, 1),
     ("partial_guess_hidden.jsonl", "raw_generation", 1, 0)],
)  # fmt: skip
def test_structures_are_seen_through(name: str, response: str, right: int, wrong: int) -> None:
    """Case 31: the model's text, its labels and its critiques are found however they lie."""
    found = seen("31-structure", name)
    assert (found.recipe.columns.response, found.found.right, found.found.wrong) == (
        (response,),
        right,
        wrong,
    )


@beside
def test_a_path_that_is_not_there_names_the_nearest_that_is() -> None:
    """Case 31: `turns.txt` is no path, `turns.text` is."""
    with pytest.raises(ColumnError, match=r"turns\.text"):
        inspect(str(CASES / "31-structure" / "list_of_turns.jsonl"), columns={"response": ["turns.txt"]})


# -------------------------------------------------------------------------------------------- the JSON contract


def test_json_says_what_was_found_needed_and_doubted(tmp_path: Path) -> None:
    """`inspect --json`: exit 0 where rows can be read, with counts before filters, needs and doubts as codes."""
    rows = [
        {"question": f"Q{k // 4}?", "answer": "1", "response": f"It is {k}. <answer>{k}</answer>"}
        for k in range(8)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = command.run("inspect", path, "--json")
    told = json.loads(done.out)
    assert done.exit == 0
    assert told["found"] == {
        "questions": 2,
        "responses": 8,
        "right": 0,
        "wrong": 0,
        "unlabelled": 8,
        "critiques": 0,
    }
    assert (told["preset"], told["needs"]) == ("", ["grade", "critiques"])
    assert all(set(doubt) == {"code", "sentence", "fix"} for doubt in told["doubts"])


@pytest.mark.parametrize(
    "row", [{"x": 1}, {"question": "Q?"}, {"question": "Q?", "response": None, "correct": True}]
)
def test_what_holds_no_responses_is_one_sentence(row: dict[str, Any], tmp_path: Path) -> None:
    """Exit 2 with one sentence on standard error where no responses can be found, and nothing on standard output."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    done = command.run("inspect", path, "--json")
    assert (done.exit, done.out, done.err.count("\n")) == (2, "", 1)


# ----------------------------------------------------------------------------------------- formats by their kind


def rows_file(path: Path, rows: list[dict[str, Any]]) -> str:
    """Rows as JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_an_input_and_choices_follow_the_question(tmp_path: Path) -> None:
    """An instruction with its input, and a stem with its choices under letters, make one question."""
    rows = [
        {"instruction": ["Which number is the sum?", "Add up."][q % 2], "input": f"{q} + 2", "options": [str(q), str(q + 2)], "response": f"{k}. The answer is B.", "correct": k == 0}
        for q in range(4) for k in range(2)
    ]  # fmt: skip
    path = rows_file(tmp_path / "raw.jsonl", rows)
    seen = inspect(path)
    assert (seen.found.questions, seen.recipe.columns.question_rest) == (4, ("input", "options"))
    texts = {
        trace.plan.question.text
        for trace in preview(
            path, Recipe().changed({"traces.formats": ("no_reflection",), "traces.attempts": 1})
        ).traces
    }
    assert "Add up.\n\n1 + 2\n\nA. 1\nB. 3" in texts


def test_a_reward_of_one_s_own_is_the_label_of_a_log(tmp_path: Path) -> None:
    """A TRL log names its reward functions as their author did; the one about the answer is taken, the format's is not."""
    rows = [
        {"step": 1, "prompt": f"{q}+1?", "completion": f"{k}: <answer>{q + 1 + k}</answer>", "my_answer_check": float(k == 0), "format_reward": float(k), "advantage": 0.1}
        for q in range(3) for k in range(2)
    ]  # fmt: skip
    seen = inspect(rows_file(tmp_path / "raw.jsonl", rows))
    assert (seen.preset, seen.recipe.columns.correct) == ("TRL completions log", ("my_answer_check",))


@pytest.mark.parametrize("label", ["passed", "label", "Is-Correct", "richtig", "score"])
def test_a_column_added_to_a_known_format_is_read_by_its_name(tmp_path: Path, label: str) -> None:
    """A log that was graded and criticised by hand keeps its format, and the new columns are label and critique."""
    rows = [
        {"question": f"{q}+1?", "generation": f"{k}: <answer>{q + 1 + k}</answer>", "expected_answer": f"{q + 1}", label: ("correct", "incorrect")[k], "critique": f"It is {k}. <verdict>{('Correct', 'Incorrect')[k]}</verdict>"}
        for q in range(4) for k in range(2)
    ]  # fmt: skip
    seen = inspect(rows_file(tmp_path / "raw.jsonl", rows))
    columns = seen.recipe.columns
    assert (seen.preset, columns.correct, columns.reflections) == (
        "NeMo-Skills generations",
        (label,),
        ("critique",),
    )
    assert (seen.found.right, seen.found.wrong, f"Right and wrong: the column `{label}`" in seen.about) == (
        4,
        4,
        True,
    )


def test_records_under_a_known_format_s_names_are_read_by_shape(tmp_path: Path) -> None:
    """A column called `generation` that holds records is another tool's: the texts within it are the responses."""
    rows = [
        {"question": f"{q}+1?", "expected_answer": f"{q + 1}", "generation": [{"text": f"{k}: <answer>{q + 1 + k}</answer>", "model": "m"} for k in range(2)], "correct": [True, False]}
        for q in range(4)
    ]  # fmt: skip
    seen = inspect(rows_file(tmp_path / "raw.jsonl", rows))
    assert (seen.preset, seen.recipe.columns.response) == ("", ("generation.text",))
    assert (seen.found.right, seen.found.wrong) == (4, 4)


def test_a_known_format_can_be_left(tmp_path: Path) -> None:
    """Data that only look like a format are read by names and shape with one option, which the recipe keeps."""
    rows = [
        {"step": q, "prompt": f"{q}+1?", "completion": f"{k}: <answer>{q + 1 + k}</answer>", "advantage": 0.1, "reward": 0.0, "is_correct": k == 0}
        for q in range(3) for k in range(2)
    ]  # fmt: skip
    path = rows_file(tmp_path / "raw.jsonl", rows)
    seen = json.loads(command.run("inspect", path, "--json").out)
    left = json.loads(command.run("inspect", path, "--no-known-format", "--json").out)
    assert (seen["preset"], left["preset"]) == ("TRL completions log", "")
    assert (left["mapping"]["correct"], left["found"]["right"]) == ("is_correct", 3)
    kept = tmp_path / "kept"
    assert (
        command.run(
            "build", path, "--no-known-format", "--format", "no_reflection", "--attempts", 2, "--out", kept
        ).exit
        == 0
    )
    assert 'guess = "names"' in (kept / "recipe.toml").read_text(encoding="utf-8")


def test_a_score_that_is_no_label_stays_out_of_a_known_format(tmp_path: Path) -> None:
    """An lm-eval score belongs to the document, so its name makes no label of it."""
    rows = [
        {"doc_id": q, "doc": {"question": f"{q}+1?"}, "target": f"{q + 1}", "resps": [[f"The answer is {k}." for k in range(3)]], "exact_match": float(q % 2)}
        for q in range(6)
    ]  # fmt: skip
    seen = inspect(rows_file(tmp_path / "samples.jsonl", rows))
    assert (seen.preset, seen.recipe.columns.correct, seen.needs[0]) == (
        "lm-evaluation-harness samples",
        (),
        GRADE,
    )


@pytest.mark.parametrize(
    "said, doubted",
    [
        ("As the reference answer says, it is {a}. <answer>{a}</answer>", True),
        ("参考答案是 {a}。<answer>{a}</answer>", True),
        ("Of the given answer choices, {a} fits. <answer>{a}</answer>", False),
        ("I add and get {a}. <answer>{a}</answer>", False),
    ],
)
def test_responses_that_quote_the_reference_are_doubted(tmp_path: Path, said: str, doubted: bool) -> None:
    """A model that was given the answer shows no attempt; the choices that a question gives don't count as the reference."""
    rows = [
        {"question": f"{q}+1?", "answer": f"{q + 1}", "response": f"{k}: " + said.format(a=q + 1 + k), "correct": k == 0}
        for q in range(4) for k in range(2)
    ]  # fmt: skip
    seen = inspect(rows_file(tmp_path / "raw.jsonl", rows))
    assert ("quotes_reference" in {doubt.code for doubt in seen.doubts}) is doubted


def test_a_copied_reference_solution_is_doubted(tmp_path: Path) -> None:
    """A response that holds the reference solution word for word was given it."""
    solution = (
        "First add one to the number, then write the sum down, and that is all there is to it: #### {a}"
    )
    rows = [
        {"question": f"{q}+1?", "answer": solution.format(a=q + 1), "response": f"Try {k}. {solution.format(a=q + 1)} Done.", "correct": k == 0}
        for q in range(4) for k in range(2)
    ]  # fmt: skip
    assert "quotes_reference" in {
        doubt.code for doubt in inspect(rows_file(tmp_path / "raw.jsonl", rows)).doubts
    }


def test_a_score_of_many_values_asks_for_its_threshold(tmp_path: Path) -> None:
    """The proposal is the highest score; the doubt shows how often each value stands there."""
    rows = [
        {"question": f"{q}+1?", "response": f"{k}: <answer>{k}</answer>", "score": k / 4}
        for q in range(3)
        for k in range(5)
    ]
    seen = inspect(rows_file(tmp_path / "raw.jsonl", rows))
    assert (seen.recipe.columns.label_rule, seen.recipe.columns.threshold) == ("threshold", 1.0)
    (doubt,) = [doubt for doubt in seen.doubts if doubt.code == "score_threshold"]
    assert "0.25: 3" in doubt.sentence and "threshold" in doubt.fix


def test_labels_that_cannot_be_read_are_shown(tmp_path: Path) -> None:
    """Words that nobody knows are named, with the option that says what they mean; then they are labels."""
    rows = [
        {"question": f"{q}+1?", "response": f"{k}: <answer>{k}</answer>", "correct": ["zonk", "hurra"][k]}
        for q in range(3)
        for k in range(2)
    ]
    path = rows_file(tmp_path / "raw.jsonl", rows)
    (doubt,) = [doubt for doubt in inspect(path).doubts if doubt.code == "unread_labels"]
    assert "“hurra”" in doubt.sentence and "“zonk”" in doubt.sentence and "--right WORD" in doubt.fix
    told = json.loads(command.run("inspect", path, "--right", "hurra", "--wrong", "zonk", "--json").out)
    assert (told["found"]["right"], told["found"]["wrong"]) == (3, 3)


def test_labels_that_grading_contradicts_are_doubted(tmp_path: Path) -> None:
    """Right and wrong exchanged: grading by the gold answers says so."""
    rows = [
        {
            "question": f"{q}+1?",
            "answer": str(q + 1),
            "response": f"{k}: <answer>{q + 1 + k}</answer>",
            "correct": k == 1,
        }
        for q in range(4)
        for k in range(2)
    ]
    assert "labels_contradicted" in codes(inspect(rows_file(tmp_path / "raw.jsonl", rows)))


def test_preferred_is_not_taken_for_right(tmp_path: Path) -> None:
    """Pairs are read without labels, and the doubt says why; on request the chosen one is right."""
    rows = [{"prompt": f"{q}+1?", "chosen": f"It is {q + 1}.", "rejected": f"It is {q}."} for q in range(4)]
    path = rows_file(tmp_path / "raw.jsonl", rows)
    seen = inspect(path)
    assert (seen.found.unlabelled, seen.needs[0]) == (8, "labels")
    assert any("Preferred isn't the same as right" in doubt.sentence for doubt in seen.doubts)
    told = json.loads(command.run("inspect", path, "--label-rule", "first", "--json").out)
    assert (told["found"]["right"], told["found"]["wrong"]) == (4, 4)


# ------------------------------------------------------------------------------------------------------- lint


@beside
@pytest.mark.parametrize(
    ("name", "findings", "note"),
    [("lint_cut_off.jsonl", {"not_closed"}, "No row has a trace"), ("lint_no_trace.jsonl", set(), "No row has a trace with attempts"),
     ("lint_openthoughts_layout.jsonl", set(), "1 row marks its thinking with <|begin_of_thought|>"),
     ("lint_s1k_layout.jsonl", set(), "No row has"), ("lint_reasoning_content.jsonl", set(), "No row has")],
)  # fmt: skip
def test_lint_knows_thinking_in_every_place(name: str, findings: set[str], note: str) -> None:
    """Case 30: a set's own marks are named once, thinking in a field or column is thinking, and rows without attempts are said."""
    told = json.loads(command.run("lint", CASES / "30-lint" / name, "--json").out)
    assert set(told["findings"]) == findings
    assert any(one.startswith(note) for one in told["notes"])


def test_lint_says_what_holds_for_the_rows_together(tmp_path: Path) -> None:
    """Equal rows, a mixture of thinking and not, and the turns of tools, which are no fault."""
    talk = [
        {"from": "human", "value": "Q?"},
        {"from": "function_call", "value": "{}"},
        {"from": "observation", "value": "4"},
        {"from": "gpt", "value": "4"},
    ]
    rows = [{"conversations": talk}] * 3 + [
        {
            "messages": [
                {"role": "user", "content": "Q?"},
                {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4"},
            ]
        }
    ]
    told = json.loads(command.run("lint", rows_file(tmp_path / "raw.jsonl", rows), "--json").out)
    assert told["findings"] == {}
    assert any("2 rows of 4 have exactly the text" in note for note in told["notes"])
    assert any(note.startswith("25 % of the rows think") for note in told["notes"])
