"""The command line: bad input is one sentence and exit code 2; with `--json` one object; every option arrives."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skill_factory.cli.main import main, parser
from skill_factory.recipe.model import recipe_from_toml
from skill_factory.recipe.options import OPTIONS
from tests import command, make_raw
from tests.command import Run

DATA = command.ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the repository")
COMMANDS = ("inspect", "build", "preview", "demo", "lint")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Run the command in this process: a traceback would be this test's."""

    def call(*words: object) -> Run:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Run(code, said.out, said.err)

    return call


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Raw data from which N = 2 leaves some questions."""
    return make_raw.write_parquet(make_raw.make_rows(12, responses=5, seed=2), tmp_path / "raw.parquet")


def refused(done: Run, *said: str) -> None:
    """Exit 2; nothing on standard output; one sentence-like message, without control characters, on standard error."""
    assert done.exit == 2, done
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1, done.err
    line = done.err.strip()
    assert line[-1] in ".?`", line
    assert line.isprintable()
    assert "Traceback" not in line
    for words in said:
        assert words in line


# ------------------------------------------------------------------------------------------- bad input


def write(content: bytes) -> Callable[[Path], None]:
    """A writer of these bytes."""
    return lambda path: void(path.write_bytes(content))


def void(_: object) -> None:
    """Nothing."""


def cut_parquet(path: Path) -> None:
    make_raw.write_parquet(make_raw.make_rows(3), path)
    path.write_bytes(path.read_bytes()[:-100])


LINE = b'{"question": "Q", "response": "a", "correct": true, "reflections": ["r"]}\n'
BAD_SOURCES: dict[str, tuple[str, Callable[[Path], None] | None, tuple[str, ...]]] = {
    "a missing file": ("none.parquet", None, ("There is no file", "none.parquet")),
    "an unknown suffix": ("a.docx", write(b"x"), ("a.docx", ".parquet", ".csv")),
    "a truncated Parquet file": ("a.parquet", cut_parquet, ("a.parquet", "complete?")),
    "a truncated gzip": ("a.jsonl.gz", write(gzip.compress(LINE * 99)[:-9]), ("a.jsonl.gz", "complete?")),
    "invalid JSON": ("a.jsonl", write(LINE * 3 + b"{oops\n"), ("a.jsonl", "line 4", "Fix")),
    "no rows": ("a.jsonl", write(b""), ("a.jsonl", "no rows")),
    "a header alone": ("a.csv", write(b"question,response,correct\n"), ("a.csv", "no rows")),
    "no column for correct": (
        "a.jsonl",
        write(b'{"question": "Q", "response": "a"}\n'),
        ("correct", "Found: question, response", "--map"),
    ),
    "no column for anything": (
        "a.jsonl",
        write(b'{"x": 1}\n'),
        ("question, response and correct", "Found: x"),
    ),
    "no reflections": (
        "a.jsonl",
        write(b'{"question": "Q", "response": "a", "correct": true}\n'),
        ("reflections", "no_reflection"),
    ),
    "no usable question": (
        "a.jsonl",
        write(LINE),
        ("Nothing in the data can become a trace", "responses: 0 of 1 kept", "it gives no verdict"),
    ),
    "no readable row": (
        "a.jsonl",
        write(LINE.replace(b"true", b"null") + LINE.replace(b'"Q"', b'" "')),
        ("rows: 0 of 2 kept",),
    ),
    "control characters": ("a.jsonl", write(b'{"\x1b[31mred"\n'), ("line 1",)),
}


@pytest.mark.parametrize("action", ["build", "preview"])
@pytest.mark.parametrize("case", BAD_SOURCES)
def test_a_bad_source_is_one_sentence(
    case: str, action: str, run: Callable[..., Run], tmp_path: Path
) -> None:
    """Named: what was wrong, what was found, what to do. Nothing half-written."""
    name, writer, said = BAD_SOURCES[case]
    if writer:
        writer(tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    options = ["--out", tmp_path / "out"] if action == "build" else []
    refused(run(action, tmp_path / name, *options), *said)
    assert sorted(tmp_path.rglob("*")) == before


BAD_OPTIONS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "N = 0": (["--attempts", "0"], ("traces.attempts", "0")),
    "N is no number": (["--attempts", "x"], ("attempts", "'x'")),
    "R = 0": (["--repeats", "0"], ("traces.repeats",)),
    "a limit below zero": (["--max-traces", "-1"], ("balance.max_traces",)),
    "an unknown format": (["--format", "*D"], ("'*D'", "*C_full", "algorithm1")),
    "a mapping without a field": (["--map", "x"], ("FIELD=COLUMN", "'x'")),
    "an unknown field": (["--map", "wrong=x"], ("FIELD=COLUMN", "reflections")),
    "a column that is not there": (["--map", "correct=nowhere"], ("'nowhere'", "Found: question")),
    "two columns for one": (["--map", "correct=a", "--map", "correct=question"], ("nowhere", "correct")),
    "an unknown recipe field": (["--set", "traces.atempts=3"], ("Did you mean 'traces.attempts'",)),
    "a value of the wrong kind": (["--set", "traces.attempts='many'"], ("traces.attempts", "many")),
    "a field without a value": (["--set", "traces.attempts"], ("FIELD=VALUE",)),
    "a recipe that is not there": (["--recipe", "papper"], ("'papper'", "paper")),
    "a broken pattern": (["--answer-regex", "("], ("not a valid regular expression",)),
    "an empty ban": (["--ban", ""], ("ban",)),
    "an unknown layout": (["--layout", "wide"], ("traces.layout", "'paper'")),
    "an unknown option": (["--frmat", "0C"], ("--frmat", "--help")),
    "too few variants": (["--distinct-variants", "--attempts", "9"], ("4 variants", "--attempts 4")),
    "a variant that nobody has": (["--variant", "none"], ("prompt variant",)),
    "a verdict column that is not mapped": (["--set", "verdicts.rule='column'"], ("--map verdicts=COLUMN",)),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_a_bad_option_is_one_sentence(case: str, raw: Path, run: Callable[..., Run], tmp_path: Path) -> None:
    """Each wrong option names itself, what was found and what would be right."""
    options, said = BAD_OPTIONS[case]
    said = ("correct",) if case == "two columns for one" else said
    defaults = [] if {"--attempts", "--distinct-variants"} & set(options) else ["--attempts", "2"]
    refused(run("build", raw, "--out", tmp_path / "out", *defaults, *options), *said)
    assert not (tmp_path / "out").exists()


BAD_COMMANDS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "no command": ([], ("COMMAND", "--help")),
    "an unknown command": (["bild"], ("bild", "build")),
    "no folder": (["build", "demo"], ("--out",)),
    "no source": (["build", "--out", "OUT"], ("the source", "path")),
    "a source that is none": (["build", "nothing", "--out", "OUT"], ("'nothing'",)),
    "a name too long": (["build", "x" * 9999, "--out", "OUT"], ("No source",)),
    "a folder's name too long": (["build", "demo:5", "--out", "OUT" + "x" * 999], ("too long",)),
    "workers below zero": (["build", "demo:5", "--out", "OUT", "--workers", "-1"], ("workers", "-1")),
    "memory that is no size": (
        ["build", "demo:5", "--out", "OUT", "--memory", "much"],
        ("--memory", "'much'"),
    ),
    "a preview of nothing": (["preview", "demo:5", "--questions", "0"], ("at least one", "0")),
    "a page that can't be written": (["preview", "demo:30", "--html", "OUT/no/where.html"], ("where.html",)),
    "a demo of nothing": (["demo", "--out", "OUT.parquet", "--questions", "0"], ("0",)),
    "a demo that is no Parquet": (["demo", "--out", "OUT.csv"], (".parquet",)),
    "a demo that can't be written": (["demo", "--out", "OUT/no/where.parquet"], ("where.parquet",)),
    "nothing to lint": (["lint", "OUT/none"], ("There is no file",)),
    "nothing to inspect": (["inspect", "OUT/none.csv"], ("There is no file",)),
}


@pytest.mark.parametrize("case", BAD_COMMANDS)
def test_a_bad_command_is_one_sentence(case: str, run: Callable[..., Run], tmp_path: Path) -> None:
    """Whatever is missing or wrong on the line; nothing is written."""
    words, said = BAD_COMMANDS[case]
    refused(run(*(word.replace("OUT", str(tmp_path / "out")) for word in words)), *said)
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_file_with_a_fault_is_one_sentence(
    raw: Path, run: Callable[..., Run], tmp_path: Path
) -> None:
    """TOML that can't be read, an unknown key with the nearest known one, bytes that are no text."""
    path = tmp_path / "r.toml"
    for content, said in (
        (b"[traces\n", "valid TOML"),
        (b"[traces]\natempts = 3\n", "'attempts'"),
        (b"\xff\xfe", "r.toml"),
    ):
        path.write_bytes(content)
        refused(run("build", raw, "--out", tmp_path / "out", "--recipe", path), said)


@pytest.mark.parametrize("words", [["--ban", "WORD"], ["--out", "WORD"], ["--map", "question=WORD"]])
def test_words_that_are_no_text_are_refused(words: list[str], raw: Path, tmp_path: Path) -> None:
    """A terminal can send bytes that are no UTF-8; recipes and reports, which are text, can't hold them."""
    odd = [word.replace("WORD", os.fsdecode(b"caf\xe9")) for word in words]
    refused(command.run("build", raw, "--out", tmp_path / "out", "--attempts", "2", *odd), "isn't UTF-8")
    assert not (tmp_path / "out").exists()


def test_a_terminal_of_another_encoding_gets_its_output(raw: Path, tmp_path: Path) -> None:
    """Output that the terminal can't show is spelt, not a crash; JSON stays JSON."""
    for words in (
        ["inspect", raw],
        ["inspect", raw, "--json"],
        ["preview", raw, "--attempts", "2", "--json"],
        ["preview", raw, "--attempts", "2"],
    ):
        done = command.run(*words, PYTHONIOENCODING="ascii")
        assert done.exit == 0, done.err
        if "--json" in words:
            json.loads(done.out)


def test_a_reader_that_has_read_enough_is_no_fault(raw: Path) -> None:
    """`… | head -1` ends quietly."""
    import subprocess
    import sys

    line = [sys.executable, "-m", "skill_factory", "preview", str(raw), "--attempts", "2", "--questions", "5"]
    process = subprocess.Popen(line, cwd=command.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stderr
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.wait(60)
    assert b"Traceback" not in said


# ------------------------------------------------------------------------------------------------ output


def only_object(text: str) -> dict[str, Any]:
    """The one JSON object that standard output holds, and nothing else."""
    assert text.count("\n") == 1
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_json_is_one_object_and_nothing_else(raw: Path, run: Callable[..., Run], tmp_path: Path) -> None:
    """`--json` of every command; progress and errors go elsewhere."""
    out = tmp_path / "out"
    found = only_object(run("inspect", raw, "--json").out)
    assert found["usable_questions"].keys() == {str(n) for n in range(1, 11)}
    built = only_object(run("build", raw, "--out", out, "--attempts", 2, "--json").out)
    assert built["traces"] == len(command.traces(out))
    assert {"fingerprint", "ledger", "traces_by_label", "traces_by_format"} <= built.keys()
    again = only_object(run("build", raw, "--out", out, "--attempts", 2, "--json").out)
    assert again == {**built, "already": True}
    shown = only_object(run("preview", raw, "--attempts", 2, "--json").out)["traces"]
    assert shown[0]["text"] == command.traces(out)[0]["conversations"][1]["content"]
    assert (
        only_object(run("demo", "--out", tmp_path / "d.parquet", "--questions", 3, "--json").out)["questions"]
        == 3
    )
    linted = run("lint", out, "--json")
    assert linted.exit == 0
    only_object(linted.out)


def test_the_report_on_disk_is_the_one_that_is_told(
    raw: Path, run: Callable[..., Run], tmp_path: Path
) -> None:
    """`report.json` is what `--json` tells, beside path and resumption."""
    told = only_object(run("build", raw, "--out", tmp_path / "out", "--attempts", 2, "--json").out)
    assert {key: told[key] for key in command.report(tmp_path / "out")} == command.report(tmp_path / "out")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_there_for_each_command(name: str, run: Callable[..., Run]) -> None:
    """`--help` exits 0 and names what the command takes."""
    done = run(*([name] if name else []), "--help")
    assert (done.exit, done.err) == (0, "")
    for word in COMMANDS if not name else ["--json"]:
        assert word in done.out
    if name in ("build", "preview", "inspect"):
        for option in OPTIONS:
            assert option.flag in done.out


def test_the_options_of_the_program_are_all_there() -> None:
    """`build` knows every option that the documents promise."""
    promised = (
        "--recipe --format --attempts --repeats --seed --variant --distinct-variants --sample-attempts --map --ban "
        "--max-traces --workers --split --config --revision --no-lineage --fresh --json --out"
    )
    (subparsers,) = [a for a in parser()._actions if a.dest == "==SUPPRESS=="] or [
        parser()._subparsers._group_actions[0]
    ]  # type: ignore[union-attr]
    known = subparsers.choices["build"]._option_string_actions  # type: ignore[union-attr,index]
    assert [word for word in promised.split() if word not in known] == []


ASKED = {
    "--format": "0C",
    "--attempts": "2",
    "--repeats": "2",
    "--seed": "7",
    "--layout": "tight",
    "--variant": "original",
    "--ban": "zzz",
    "--max-traces": "3",
    "--holdout": "0.2",
    "--answer-regex": "(4.*)",
    "--verdict-regex": "(?i)((?:in)?correct)",
    "--config": "c",
    "--split": "s",
    "--revision": "r",
    "--think": "after",
    "--question-rule": "chat",
    "--response-rule": "steps",
    "--label-rule": "threshold",
    "--right": "pass",
    "--wrong": "fail",
    "--language": "zh",
    "--given-away": "cut",
}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.flag)
def test_every_option_reaches_the_recipe_that_is_saved(
    option: Any, raw: Path, run: Callable[..., Run], tmp_path: Path
) -> None:
    """An option of the command is the field of the saved recipe that the table of options names."""
    from skill_factory.cli.options.recipe import recipe_of

    words = [option.flag, *([ASKED[option.flag]] if option.metavar else [])]
    args = parser().parse_args(["build", str(raw), "--out", str(tmp_path / "out"), *words])
    value = recipe_of(args).flat()[option.field]
    assert str(ASKED.get(option.flag, option.value)) in str(value)
    if option.field.startswith("source."):
        return  # a file has no config, split or revision
    more = [] if option.flag == "--attempts" else ["--attempts", "2"]
    if option.flag == "--against-responses":  # of no use without a benchmark
        (tmp_path / "bench.jsonl").write_text(
            '{"question": "How deep is the sea?", "answer": "3"}\n', encoding="utf-8"
        )
        more += ["--against", str(tmp_path / "bench.jsonl")]
    done = run("build", raw, "--out", tmp_path / "out", *words, *more)
    assert done.exit == 0, done.err
    saved = recipe_from_toml((tmp_path / "out" / "recipe.toml").read_text(encoding="utf-8"))
    assert saved.flat()[option.field] == value


def test_options_win_over_a_recipe(raw: Path, run: Callable[..., Run], tmp_path: Path) -> None:
    """`--recipe` first, options on top; a recipe with a source of its own needs no SOURCE."""
    path = tmp_path / "r.toml"
    path.write_text(
        '[source]\nkind = "demo"\nname = "20"\n[traces]\nattempts = 3\nseed = 5\n', encoding="utf-8"
    )
    done = run("build", "--recipe", path, "--out", tmp_path / "out", "--attempts", 2)
    assert done.exit == 0, done.err
    saved = recipe_from_toml((tmp_path / "out" / "recipe.toml").read_text(encoding="utf-8"))
    assert (saved.traces.attempts, saved.traces.seed, saved.source.name) == (2, 5, "20")


def test_a_saved_recipe_builds_the_same_again(raw: Path, run: Callable[..., Run], tmp_path: Path) -> None:
    """The recipe.toml of a build, given as `--recipe`, makes the same bytes."""
    assert (
        run("build", raw, "--out", tmp_path / "one", "--attempts", 2, "--seed", 9, "--format", "*CC").exit
        == 0
    )
    again = run("build", raw, "--recipe", tmp_path / "one" / "recipe.toml", "--out", tmp_path / "two")
    assert again.exit == 0, again.err
    assert command.digest(tmp_path / "one") == command.digest(tmp_path / "two")


def test_fewer_traces_than_asked_for_is_said(raw: Path, run: Callable[..., Run], tmp_path: Path) -> None:
    """`--max-traces` above what there is: not an error, one line."""
    done = run("build", raw, "--out", tmp_path / "out", "--attempts", 2, "--max-traces", 10_000)
    assert done.exit == 0
    assert "fewer than the 10,000 asked for" in done.out


def test_nothing_of_the_data_can_steer_the_terminal(run: Callable[..., Run], tmp_path: Path) -> None:
    """Control characters from cells, column names and file names are spelt."""
    rows = [
        make_raw.row("Q\x1b[2J", f"{k}\x1b]0;t\x07 <answer>1</answer>", True, variant="\x1b[31m")
        for k in range(2)
    ]
    path = tmp_path / "a\x1b[31m.parquet"
    pq.write_table(pa.Table.from_pylist([{**row, "c\x1b[1m": "x"} for row in make_raw.published(rows)]), path)
    for words in (
        ["inspect", path],
        ["build", path, "--out", tmp_path / "o\x1b[0m", "--attempts", 2],
        ["preview", path, "--attempts", 2],
    ):
        done = run(*words)
        assert done.exit == 0, done.err
        assert "\x1b" not in done.out + done.err
        assert "\x07" not in done.out + done.err


# --------------------------------------------------------------------------------------------- real data


@needs_data
def test_the_wide_form_of_gsm8k_makes_traces(run: Callable[..., Run], tmp_path: Path) -> None:
    """Four model columns, one response each, the column's name as variant; answers by pattern; no reflections."""
    out = tmp_path / "out"
    source = DATA / "gsm8k_example_model_solutions.jsonl"
    done = run(
        "build",
        source,
        "--out",
        out,
        "--format",
        "no_reflection",
        "--attempts",
        3,
        "--answer-regex",
        r"A: (.*)",
    )
    assert done.exit == 0, done.err
    raw = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    models = [name for name, value in raw[0].items() if isinstance(value, dict)]
    usable = {}
    for row in raw:
        kept: dict[str, set[bool]] = {}
        for model in models:
            if "A: " in row[model]["solution"] and row[model]["solution"].rpartition("A: ")[2].strip():
                kept.setdefault(row[model]["solution"], set()).add(row[model]["is_correct"])
        labels = [found.copy().pop() for found in kept.values() if len(found) == 1]
        if len(labels) >= 3 and any(labels):
            usable[row["question"]] = set(kept)
    report = command.report(out)
    assert report["ledger"]["responses"]["read"] == len(raw) * len(models)
    assert report["ledger"]["questions"]["kept"] == len(usable)
    assert report["traces_by_label"] == {"no_reflection": 3 * len(usable)}
    rows = command.traces(out)
    assert {one["prompt_variant"] for row in rows for one in row["attempts"]} == set(models)
    for row in rows:
        question, trace = (message["content"] for message in row["conversations"])
        answer = trace.rpartition("<answer>\n")[2].removesuffix("\n</answer>")
        assert any(
            text in trace and text.rstrip().endswith(f"A: {answer}".rstrip()) for text in usable[question]
        )
        assert "<reflect>" not in trace


@needs_data
def test_reflections_without_verdicts_are_refused_honestly(run: Callable[..., Run], tmp_path: Path) -> None:
    """The reflexion file has no verdict tag: the sentence says so, and with an own rule where the data went."""
    source = DATA / "reflexion_mbpp_py.jsonl"
    done = run("build", source, "--out", tmp_path / "out", "--attempts", 1, "--answer-regex", r"(?s)\A(.*)\Z")
    refused(done, "it gives no verdict")
    rule = [
        "--verdict-regex",
        r"(?i)(wrong|incorrect|fail|mistake|error)",
        "--set",
        'verdicts.incorrect=["wrong", "incorrect", "fail", "mistake", "error"]',
    ]
    done = run(
        "build", source, "--out", tmp_path / "out", "--attempts", 1, "--answer-regex", r"(?s)\A(.*)\Z", *rule
    )
    refused(done, "questions: 0 of")
    assert not (tmp_path / "out").exists()


@needs_data
def test_other_real_files_end_in_a_sentence(run: Callable[..., Run], tmp_path: Path) -> None:
    """Nested data of another project is no raw data: the columns found are named."""
    refused(run("build", DATA / "tot_game24_cot100.json", "--out", tmp_path / "out"), "Found:")
    refused(run("build", DATA / "raw_countdown.parquet", "--out", tmp_path / "out"), "reflections")


def test_what_the_command_line_builds_needs_no_pandas_and_who_wants_it_has_it(tmp_path: Path) -> None:
    """Arrow would import it to look at a list; half a second of each process."""
    words = ["build", "demo:20", "--out", str(tmp_path / "out"), "--json"]
    program = f"""
import sys
from skill_factory.cli.main import main
assert main({words!r}) == 0
assert "pandas" not in sys.modules
import pyarrow as pa
frame = pa.table({{"a": [1, 2]}}).to_pandas()
assert "pandas" in sys.modules
assert pa.array(frame["a"]).to_pylist() == [1, 2]
"""
    done = command.python("-c", program)
    assert done.exit == 0, done.err
