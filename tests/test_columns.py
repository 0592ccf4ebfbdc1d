"""Columns become canonical rows: by Arrow's kernels where values are of the usual shape, by the rule where not."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.build.prepare import settled_columns
from skill_factory.errors import ColumnError, RecipeError
from skill_factory.reasons import RowReason
from skill_factory.recipe.model import Columns
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import (
    CANONICAL,
    CanonicalRow,
    RowError,
    needed_columns,
    read_row,
    value_at,
)
from skill_factory.sources.files import FileSource
from skill_factory.sources.guessing import guess
from tests import command

DATA = command.ROOT.parent / "shared" / "data"
STAGE = "model_responses__mutated_prompts"
PLAIN = Columns(
    question="q",
    answer="a",
    response=("r",),
    correct=("c",),
    extracted_answer=("e",),
    reflections=("f",),
    prompt_variant="v",
)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows of a table as tuples, in an order of their own."""
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def by_the_rule(rows: list[dict[str, Any]], columns: Columns) -> tuple[list[tuple[Any, ...]], list[RowError]]:
    """What the rule for one row makes of some rows: canonical rows and errors."""
    found = [read_row(row, columns) for row in rows]
    good = [tuple(one) for result in found if not isinstance(result, RowError) for one in result]
    return sorted(good, key=repr), [one for one in found if isinstance(one, RowError)]


# ----------------------------------------------------------------------------- fast path equals the rule

TEXT = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "\n", "\u2003", "\x1c", "\x85", "x", "naïve 🧮"]),
    st.text(max_size=4),
)
SHORT_TEXT = st.sampled_from(["x", "y", " z "])


def listed(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A missing list, or one of up to three."""
    return st.none() | st.lists(leaf, max_size=3)


STRINGS = (pa.string(), pa.large_string())
PACKED = pa.dictionary(pa.int32(), pa.large_string())
ROW = {
    "q": [(kind, TEXT) for kind in (*STRINGS, PACKED)],
    "a": [(kind, TEXT) for kind in STRINGS]
    + [(pa.list_(pa.string()), listed(TEXT)), (pa.int64(), st.none() | st.integers(0, 9))],
    "r": [(kind, TEXT) for kind in STRINGS]
    + [(pa.list_(kind), listed(TEXT)) for kind in STRINGS]
    + [(pa.large_list(pa.string()), listed(TEXT))],
    "c": [
        (pa.bool_(), st.none() | st.booleans()),
        (pa.list_(pa.bool_()), listed(st.none() | st.booleans())),
        (pa.int64(), st.none() | st.sampled_from([0, 1, 2])),
        (pa.float64(), st.none() | st.sampled_from([0.0, 1.0, 0.5, math.nan])),
        (pa.string(), st.none() | st.sampled_from(["True", "false", " TRUE ", "1", "0", "maybe", ""])),
        (pa.list_(pa.string()), listed(st.sampled_from(["True", "FALSE", "?"]))),
    ],
    "e": [
        (pa.string(), TEXT),
        (pa.list_(pa.string()), listed(TEXT)),
        (pa.list_(pa.large_string()), listed(TEXT)),
        (pa.float64(), st.none() | st.sampled_from([1.5, math.nan])),
    ],
    "f": [
        (pa.list_(pa.string()), listed(TEXT)),
        (pa.list_(pa.string()), listed(SHORT_TEXT)),
        (pa.large_list(pa.large_string()), listed(SHORT_TEXT)),
        (pa.string(), TEXT),
        (pa.list_(pa.list_(pa.string())), listed(listed(TEXT))),
    ],
    "v": [(kind, TEXT) for kind in (*STRINGS, PACKED)] + [(pa.list_(pa.string()), listed(TEXT))],
}


@st.composite
def batches(draw: st.DrawFn) -> pa.RecordBatch:
    """A batch whose columns have any type that a source may give them, with missing values and long lists."""
    n = draw(st.integers(0, 6))
    arrays, names = [], []
    for name, kinds in ROW.items():
        kind, values = draw(st.sampled_from(kinds))
        arrays.append(pa.array([draw(values) for _ in range(n)], kind))
        names.append(name)
    batch = pa.RecordBatch.from_arrays(arrays, names=names)
    return batch.slice(draw(st.integers(0, n)))


@given(batches(), st.sampled_from(["answer", "extracted_answer", "reflections", "prompt_variant", ""]))
def test_kernels_read_what_the_rule_reads(batch: pa.RecordBatch, left_out: str) -> None:
    """Arrow's kernels and the rule for one row give the same responses and the same errors for any table."""
    empty = "" if left_out in ("answer", "prompt_variant") else ()
    columns = PLAIN.model_copy(update={left_out: empty}) if left_out else PLAIN
    found = canonical(batch, columns)
    good, errors = by_the_rule(batch.to_pylist(), columns)
    assert found.table.schema == CANONICAL
    assert rows_of(found.table) == good
    assert sorted(found.errors) == sorted(errors)
    assert found.rows == batch.num_rows


def test_the_usual_shape_takes_the_fast_way() -> None:
    """A table as the published script writes it goes through kernels: no row of it becomes a dictionary."""
    from skill_factory.sources.canonical import _usual_rows

    batch = pa.RecordBatch.from_pydict(
        {
            "q": ["Q"] * 3,
            "r": [["a"], ["b"], ["c", "d"]],
            "c": [[True], [False], [True, False]],
            "f": [["x"], [], ["y"]],
        }
    )
    usual = _usual_rows(
        batch, Columns(question="q", response=("r",), correct=("c",), reflections=("f",)), False
    )
    assert usual is not None
    assert usual[0].tolist() == [True, True, False]
    assert usual[1].num_rows == 2


# ------------------------------------------------------------------------------------- the rule for one row


def read(row: dict[str, Any], columns: Columns = PLAIN) -> list[CanonicalRow]:
    """A row that can be read."""
    found = read_row({"q": "Q", "r": "text", "c": True, **row}, columns)
    assert not isinstance(found, RowError), found
    return found


def refused(row: dict[str, Any], columns: Columns = PLAIN) -> RowError:
    """Why a row can't be read."""
    found = read_row({"q": "Q", "r": "text", "c": True, **row}, columns)
    assert isinstance(found, RowError)
    return found


@pytest.mark.parametrize("value", ["text", ["text"]])
def test_a_string_is_a_response_and_not_a_list_of_letters(value: Any) -> None:
    """A text column may be a string or a list of one."""
    assert [one.response for one in read({"r": value})] == ["text"]


def test_no_text_is_stripped_on_its_way() -> None:
    """White space at the edges of question, response, answer and reflection stays."""
    (one,) = read({"q": " Q\n", "r": "\n\ntext ", "e": " 7 ", "f": [" f\r\n"]})
    assert (one.question, one.response, one.extracted, one.reflections) == (
        " Q\n",
        "\n\ntext ",
        " 7 ",
        [" f\r\n"],
    )


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (1.0, True),
        (0.0, False),
        ("True", True),
        ("FALSE", False),
        (" true ", True),
        ("1", True),
        ("0", False),
        ([True], True),
        (["false"], False),
        ([0], False),
    ],
)
def test_labels_come_in_many_forms(value: Any, label: bool) -> None:
    """Booleans as bool, 0/1, "true"/"false" in any case, in a list or not."""
    assert [one.correct for one in read({"c": value})] == [label]


@pytest.mark.parametrize("value", [None, math.nan, "maybe", "", 2, 0.5, [None], [], {"a": 1}])
def test_what_is_neither_right_nor_wrong_is_no_label(value: Any) -> None:
    """A label that can't be read is a row error with what was found, never a guess."""
    assert refused({"c": value}).reason is RowReason.NO_LABEL


def test_several_responses_of_a_row_go_in_step() -> None:
    """Response, label, extracted answer and nested reflections of a list of three belong together."""
    found = read({"r": ["a", "b", "c"], "c": [1, 0, 1], "e": ["1", None, "3"], "f": [["x", "y"], None, []]})
    assert [(one.response, one.correct, one.extracted, one.reflections) for one in found] == [
        ("a", True, "1", ["x", "y"]),
        ("b", False, None, []),
        ("c", True, "3", []),
    ]


def test_as_many_critiques_as_responses_belong_one_to_each() -> None:
    """A flat list is one for each response where the two are as long."""
    found = read_row({"q": "Q", "r": ["a", "b"], "c": [True, False], "f": ["x", None]}, PLAIN)
    assert not isinstance(found, RowError)
    assert [one.reflections for one in found] == [["x"], []]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"c": [True]}, "correct"),
        ({"c": [True, False, True]}, "correct"),
        ({"c": True}, "correct"),
        ({"c": [True, False], "e": ["1"]}, "extracted_answer"),
        ({"c": [True, False], "f": ["x"]}, "reflections"),
        ({"c": [True, False], "f": ["x", "y", "z"]}, "reflections"),
        ({"c": [True, False], "f": [["x"]]}, "reflections"),
        ({"c": [True, False], "f": [["x"], "y"]}, "reflections"),
    ],
)
def test_lists_of_different_lengths_are_refused(row: dict[str, Any], field: str) -> None:
    """Nobody knows which belongs to which: a row error that takes its two responses along."""
    error = refused({"r": ["a", "b"], **row})
    assert (error.reason, error.field, error.responses) == (RowReason.LENGTHS_DIFFER, field, 2)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"q": None}, RowReason.NO_QUESTION),
        ({"q": " \n"}, RowReason.NO_QUESTION),
        ({"q": math.nan}, RowReason.NO_QUESTION),
        ({"q": 7}, RowReason.NOT_TEXT),
        ({"r": None}, RowReason.NO_RESPONSE),
        ({"r": []}, RowReason.NO_RESPONSE),
        ({"r": math.nan}, RowReason.NO_RESPONSE),
        ({"r": 7}, RowReason.NOT_TEXT),
        ({"r": {"text": "a"}}, RowReason.NOT_TEXT),
        ({"f": [7]}, RowReason.NOT_TEXT),
        ({"e": {"x": 1}}, RowReason.NOT_TEXT),
        ({"v": [["x"]]}, RowReason.NOT_TEXT),
        ({"r": b"bytes"}, RowReason.NOT_TEXT),
    ],
)
def test_a_row_that_cannot_be_read_says_why(row: dict[str, Any], reason: RowReason) -> None:
    """Missing, empty or of another kind: counted under its reason, never a crash."""
    assert refused(row).reason is reason


@pytest.mark.parametrize("field", ["q", "r", "e", "v"])
def test_a_lone_surrogate_is_no_text(field: str) -> None:
    """JSON can spell half a character; no UTF-8 file can hold it, so the row is refused and can still be shown."""
    error = refused({field: "half \ud83d a character"})
    assert error.reason is RowReason.NOT_TEXT
    error.found.encode()


def test_a_refused_row_says_what_it_takes_along() -> None:
    """Its responses and reflections are counted, nested ones too."""
    error = refused({"r": ["a", "b"], "c": [None, True], "f": [["x", "y", None], ["z"]]})
    assert (error.responses, error.reflections) == (2, 3)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("a.c.d", 2),
        ("x.y", 3),
        ("a.dotted.key", 4),
        ("a.b.c", None),
        ("nothing", None),
        ("a.no", None),
    ],
)
def test_dots_lead_into_structs(path: str, value: Any) -> None:
    """A path leads through structs; a column or key whose own name has dots wins."""
    row = {"a": {"b": 1, "c": {"d": 2}, "dotted.key": 4}, "x.y": 3, "x": {"y": 0}}
    assert value_at(row, path) == value


def test_dotted_paths_read_alike_from_arrow_and_from_json() -> None:
    """A struct column of Parquet and an object of JSON give the same responses."""
    columns = Columns(question="q", response=("m.text",), correct=("m.ok",), reflections=("m.said",))
    rows = [{"q": "Q", "m": {"text": "a", "ok": True, "said": ["f"]}}, {"q": "Q", "m": None}]
    batch = pa.RecordBatch.from_pylist(rows)
    assert canonical(batch, columns).table == canonical(rows, columns).table
    assert [error.reason for error in canonical(batch, columns).errors] == [RowReason.NO_RESPONSE]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=2),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=6,
    ).flatmap(lambda value: st.sampled_from(list("qrcefv")).map(lambda name: {name: value}))
)
def test_no_value_crashes_the_reader(row: dict[str, Any]) -> None:
    """Whatever JSON puts into a column, the row is read or refused with a reason."""
    found = canonical([{"q": "Q", "r": "text", "c": True, **row}], PLAIN)
    assert found.table.num_rows + len(found.errors) >= 1


# ------------------------------------------------------------------------------------------------ guessing


@pytest.mark.parametrize("stage", ["mutated_prompts", "example_annotation", "own_stage", "a.b"])
@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("variant", ["prompt_variant", "prompt_type"])
def test_both_naming_schemes_and_any_stage_are_guessed(stage: str, as_list: bool, variant: str) -> None:
    """`model_responses__S` with its relations is found for any stage S, beside columns that mean nothing."""
    base = f"model_responses__{stage}"

    def wrap(value: Any) -> Any:
        return [value] if as_list else value

    row = {
        "task_source": "t",
        "prompt": [{"role": "user", "content": "Q"}],
        "question": "Q",
        "answer": "1",
        base: wrap("text"),
        f"{base}__eval_is_correct": [True],
        f"{base}__eval_extracted_answers": ["1"],
        f"{base}_reflection": ["f"],
        f"{base}__metadata": [{"a": 1}],
        variant: "original",
    }
    found = guess(list(row), [row])
    assert found == Columns(
        question="question",
        answer="answer",
        response=(base,),
        correct=(f"{base}__eval_is_correct",),
        extracted_answer=(f"{base}__eval_extracted_answers",),
        reflections=(f"{base}_reflection",),
        prompt_variant=variant,
    )


def test_of_two_stages_the_published_one_is_guessed() -> None:
    """A set with several stages gets the one that the published script reads, whatever the order of columns."""
    base = ["model_responses__zeta", "model_responses__mutated_prompts"]
    row = {"question": "Q"} | {b: ["t"] for b in base} | {f"{b}__eval_is_correct": [True] for b in base}
    assert guess(list(row), [row]).response == ("model_responses__mutated_prompts",)


def test_names_of_answer_sheets_are_guessed() -> None:
    """A table of marked answers, as a spreadsheet would have it, needs no picking; marks that are no yes or no do."""
    row = {"problem": "1 + 1?", "model_answer": "It is 2.", "score": 1, "reference": 2}
    found = guess(list(row), [row])
    assert (found.question, found.response, found.correct, found.answer) == (
        "problem",
        ("model_answer",),
        ("score",),
        "reference",
    )
    assert guess(list(row), [{**row, "score": "1", "reference": "0"}]).correct == ("score",)
    assert not guess(list(row), [{**row, "score": 7}]).correct


def test_plain_names_are_guessed_only_where_their_type_fits() -> None:
    """`problem`, `solution`, `is_correct` are enough; a `label` of many values is no truth value."""
    rows = [{"problem": "Q", "solution": "t", "is_correct": 1, "label": 7, "critique": "f"}]
    found = guess(list(rows[0]), rows)
    assert (found.question, found.response, found.correct, found.reflections) == (
        "problem",
        ("solution",),
        ("is_correct",),
        ("critique",),
    )


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the repository")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "raw_realcritic_math.parquet",
            Columns(
                question="question",
                answer="answer",
                response=(STAGE,),
                correct=(f"{STAGE}__eval_is_correct",),
                extracted_answer=(f"{STAGE}__eval_extracted_answers",),
                reflections=(f"{STAGE}_reflection",),
                prompt_variant="prompt_variant",
            ),
        ),
        (
            "gsm8k_example_model_solutions.jsonl",
            Columns(
                question="question",
                answer="ground_truth",
                response=tuple(
                    f"{m}.solution"
                    for m in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
                ),
                correct=tuple(
                    f"{m}.is_correct"
                    for m in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
                ),
            ),
        ),
        (
            "reflexion_mbpp_py.jsonl",
            Columns(
                question="prompt",
                response=("solution",),
                correct=("is_solved",),
                reflections=("reflections",),
            ),
        ),
    ],
)
def test_real_sets_are_guessed(name: str, found: Columns) -> None:
    """The mapping of real data, written by nobody here, is guessed in full: stages, wide form, plain names."""
    assert settled_columns(FileSource.open(str(DATA / name)), Columns()) == found


# ------------------------------------------------------------------------------------------------ settling


def source(tmp_path: Path, row: dict[str, Any]) -> FileSource:
    """A source of one row."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return FileSource.open(str(path))


def test_a_path_that_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    """The error names the column, its field, the columns found and an example."""
    with pytest.raises(ColumnError, match=r"'wrong'.*reflections.*Found: question, response, correct"):
        settled_columns(
            source(tmp_path, {"question": "Q", "response": "a", "correct": True}),
            Columns(),
            {"reflections": ["wrong"]},
        )


def test_two_columns_for_one_response_are_refused(tmp_path: Path) -> None:
    """One response column takes one label column: nobody knows which of two is meant."""
    row = {"question": "Q", "response": "a", "correct": True, "ok": False}
    with pytest.raises((ColumnError, RecipeError), match="correct"):
        settled_columns(source(tmp_path, row), Columns(), {"correct": ["correct", "ok"]})


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    """A mapping of the program's own names its fields as the recipe does."""
    with pytest.raises((ColumnError, RecipeError), match="gold"):
        settled_columns(
            source(tmp_path, {"question": "Q", "response": "a", "correct": True}), Columns(), {"gold": "a"}
        )


def test_a_recipe_that_maps_leaves_out_what_it_does_not_name(tmp_path: Path) -> None:
    """A recipe with a mapping says by silence that a field is not there; a recipe without one has it guessed."""
    from_source = source(tmp_path, {"question": "Q", "response": "a", "correct": True, "reflections": ["f"]})
    assert settled_columns(from_source, Columns()).reflections == ("reflections",)
    own = Columns(question="question", response=("response",), correct=("correct",))
    assert settled_columns(from_source, own).reflections == ()


def test_only_mapped_columns_are_read() -> None:
    """A struct is read by its top column; other columns stay on disk."""
    columns = Columns(question="q", response=("m.text",), correct=("m.ok",))
    assert needed_columns(columns, ["other", "m", "q", "more"]) == ["m", "q"]
