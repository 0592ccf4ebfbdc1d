"""One test for each known fault of the paper's published script (arXiv 2512.04072), through the real command.

Each test is named after the fault: it puts the command into the very situation and asks for what should happen.
"""

import csv
import gzip
import io
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from huggingface_hub.utils import validate_repo_id

from skill_factory.recipe.model import Recipe
from tests import command, make_raw, oracle, raw_rules
from tests.hub import Hub
from tests.make_raw import Row, row, verdict

QUESTIONS = 60


def questions(count: int = QUESTIONS, labels: tuple[bool, ...] = (True, False) * 3) -> list[Row]:
    """Questions with one response per label, three reflections each, over the four variants."""
    return [
        row(
            f"Question {number}?",
            f"Way {place} of {number}.\n<answer>{place}</answer>",
            right,
            [verdict(right, f"Look {look}.") for look in range(3)],
            variant=make_raw.VARIANTS[place % 4],
        )
        for number in range(count)
        for place, right in enumerate(labels)
    ]


def raw_file(folder: Path, rows: list[Row], name: str = "raw.parquet") -> Path:
    """Rows in the published columns, as Parquet."""
    return make_raw.write_parquet(rows, folder / name)


def published_flags(source: Path, output: str, work: Path, *more: object, **variables: str) -> command.Run:
    """The published script's command line, run in the folder `work`."""
    work.mkdir(exist_ok=True)
    script = command.ROOT / "skill_factory" / "sft_data_creation.py"
    given = ("--input_reflection_dataset_name", source, "--output_dataset_name", output)
    return command.python(script, *given, *more, cwd=work, **variables)


def texts(folder: Path) -> list[str]:
    """The assistant's text of every trace of a build."""
    return [trace["conversations"][1]["content"] for trace in command.traces(folder)]


def test_missing_commas_fuse_phrases(tmp_path: Path) -> None:
    """No phrase is two phrases run together: every one stands alone in a trace, and pools have their full number."""
    codes = [word for code in ("random", "*C*IC", "*CC") for word in ("--format", code)]
    command.build(
        raw_file(tmp_path, questions(200)),
        tmp_path / "out",
        *codes,
        "--attempts",
        5,
        "--repeats",
        2,
        *command.EVERY_TRACE,
    )
    book = oracle.phrase_book()
    phrases = set().union(*vars(book).values())
    lines = Counter(line for text in texts(tmp_path / "out") for line in text.split("\n"))
    sizes = {"generic": 11, "correct": 14, "incorrect": 14, "ending": 7, "backtrack": 9, "confirm": 7}

    assert {name: len(getattr(book, name)) >= size for name, size in sizes.items()} == dict.fromkeys(
        sizes, True
    )
    assert all(lines[phrase] for phrase in phrases)
    assert not [(a, b) for a in phrases for b in phrases if a != b and a in b]
    assert not [
        phrase
        for phrase in phrases
        if any(f"{mark}{letter}" in phrase for mark in ".!?" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    ]


def test_no_seed(tmp_path: Path) -> None:
    """The same seed gives the same bytes, another seed gives other traces of the same questions."""
    raw = raw_file(tmp_path, questions())
    for name, seed in (("one", 7), ("same", 7), ("other", 8)):
        command.build(raw, tmp_path / name, "--seed", seed)

    assert command.digest(tmp_path / "one") == command.digest(tmp_path / "same")
    assert set(texts(tmp_path / "one")) != set(texts(tmp_path / "other"))
    assert len(texts(tmp_path / "one")) == len(texts(tmp_path / "other"))


def test_set_order_leaks_into_the_choices(tmp_path: Path) -> None:
    """Neither Python's hash seed nor the order of the rows changes a byte of the traces."""
    rows = questions()
    raw, turned = raw_file(tmp_path, rows), raw_file(tmp_path, rows[::-1], "turned.parquet")
    command.build(raw, tmp_path / "one", PYTHONHASHSEED="1")
    command.build(raw, tmp_path / "two", PYTHONHASHSEED="2")
    command.build(turned, tmp_path / "turned", PYTHONHASHSEED="3")

    assert command.digest(tmp_path / "one") == command.digest(tmp_path / "two")
    assert command.traces(tmp_path / "one") == command.traces(tmp_path / "turned")


def test_the_shuffles_result_is_thrown_away(tmp_path: Path) -> None:
    """In `*C*IC` and `algorithm1` the right attempt stands at each of the places that a shuffle can give it."""
    rows = questions(labels=(True, False, False, False, False))
    raw = raw_file(tmp_path, rows + [dict(r, question=f"More: {r['question']}") for r in questions()])
    codes = ["--format", "*C*IC", "--format", "algorithm1"]
    command.build(raw, tmp_path / "out", *codes, "--attempts", 5)
    orders: dict[str, set[tuple[bool, ...]]] = {"*C*IC": set(), "algorithm1": set()}
    for trace in command.traces(tmp_path / "out"):
        orders[trace["format"]].add(tuple(attempt["correct"] for attempt in trace["attempts"]))

    one_right = {order.index(True) for order in orders["*C*IC"] if sum(order) == 1}
    assert one_right == {0, 1, 2, 3}
    assert {(True, False, True), (False, True, True)} <= orders["algorithm1"]


def test_n_defaults_to_none(tmp_path: Path) -> None:
    """Without `--attempts` N is five."""
    command.build(raw_file(tmp_path, questions()), tmp_path / "out")

    labels = command.report(tmp_path / "out")["traces_by_label"]
    assert labels == {f"{n}C": QUESTIONS for n in range(1, 6)}


def test_n_defaults_to_none_in_the_scripts_own_flags(tmp_path: Path) -> None:
    """By the published script's flags N has to be given; the sentence names the flag and nothing is written."""
    run = published_flags(raw_file(tmp_path, questions()), "traces", tmp_path / "work")

    assert run.exit == 2 and "--num_responses_ignore_correctness" in run.err and "Traceback" not in run.err
    assert list((tmp_path / "work").iterdir()) == []


def test_cic_crashes_on_a_question_with_no_wrong_response(tmp_path: Path) -> None:
    """`*C*IC` skips the question, says why, and builds the others."""
    rows = questions(20) + [
        dict(r, question=f"All right: {r['question']}") for r in questions(7, (True,) * 5)
    ]
    command.build(raw_file(tmp_path, rows), tmp_path / "out", "--format", "*C*IC")

    counts = command.report(tmp_path / "out")["ledger"]["traces"]
    assert counts == {"read": 27, "kept": 20, "dropped": {"needs_wrong_response": 7}}


def test_too_few_distinct_responses_crash_sample(tmp_path: Path) -> None:
    """A question with five copies of two responses has two responses: too few for N = 5, and counted as such."""
    few = [dict(r, question="Few?") for r in questions(1, (True, False)) for _ in range(5)]
    command.build(raw_file(tmp_path, questions(20) + few), tmp_path / "out")

    ledger = command.report(tmp_path / "out")["ledger"]
    assert ledger["questions"]["dropped"] == {"too_few_responses": 1}
    assert ledger["responses"]["dropped"] == {"duplicate": 8}


def test_variants_that_must_differ_with_too_few_variants_give_nothing_silently(tmp_path: Path) -> None:
    """N = 5 with four variants is refused in a sentence that names both numbers, before anything is written."""
    raw = raw_file(tmp_path, questions())
    run = command.run("build", raw, "--out", tmp_path / "out", "--distinct-variants")

    assert run.exit == 2 and "Traceback" not in run.err
    assert "4" in run.err and "5" in run.err and "variant" in run.err
    assert not (tmp_path / "out").exists()


def test_subsampling_shortens_one_of_two_columns(tmp_path: Path) -> None:
    """`--max-traces` keeps whole rows, counts the rest, and asking for more than there is is no error."""
    raw = raw_file(tmp_path, questions())
    command.build(raw, tmp_path / "few", "--max-traces", 17)
    command.build(raw, tmp_path / "many", "--max-traces", 100_000)
    few = command.traces(tmp_path / "few")

    assert len(few) == 17 and all(r["conversations"] and r["sft_template_type_idx"] for r in few)
    assert command.report(tmp_path / "few")["ledger"]["traces"]["dropped"] == {
        "over_limit": QUESTIONS * 5 - 17
    }
    assert len(command.traces(tmp_path / "many")) == QUESTIONS * 5


def test_responses_equal_in_every_field_vanish_together(tmp_path: Path) -> None:
    """Two equal responses are one that can be drawn, not none."""
    rows = [*questions(20), *questions(20)]
    command.build(raw_file(tmp_path, rows), tmp_path / "out", "--attempts", 6, "--format", "random")
    longest = [t for t in command.traces(tmp_path / "out") if len(t["attempts"]) == 6]

    assert command.report(tmp_path / "out")["ledger"]["responses"] == {
        "read": 240,
        "kept": 120,
        "dropped": {"duplicate": 120},
    }
    assert len(longest) == 20


def test_dropped_reflections_are_printed_not_counted(tmp_path: Path) -> None:
    """What is dropped stands in the report with its reason, and standard output holds one JSON object alone."""
    rows = [dict(r, reflections=[*r["reflections"], verdict(not r["correct"]), "?"]) for r in questions()]
    run = command.run("build", raw_file(tmp_path, rows), "--out", tmp_path / "out", "--json")

    assert run.exit == 0 and isinstance(json.loads(run.out), dict)
    assert command.report(tmp_path / "out")["ledger"]["reflections"]["dropped"] == {
        "wrong_verdict": len(rows),
        "no_verdict": len(rows),
    }


def test_banned_words_take_other_words_with_them_and_tell_nobody(tmp_path: Path) -> None:
    """A banned word is the whole word; the paper's substrings are to be had by its preset; either way it is counted."""
    rows = questions()
    for r in rows:
        right = r["correct"]
        said = ["An ideal breakfast.", "No idea.", "Fine."]
        r["reflections"] = [verdict(right, remark) for remark in said]
    raw = raw_file(tmp_path, rows)
    command.build(raw, tmp_path / "whole", "--ban", "idea", "--ban", "fast")
    command.build(raw, tmp_path / "paper", "--recipe", "paper")

    def banned(name: str) -> int:
        return command.report(tmp_path / name)["ledger"]["reflections"]["dropped"]["banned_word"]

    assert (banned("whole"), banned("paper")) == (len(rows), 2 * len(rows))


PEAK = """
import resource, subprocess, sys
code = subprocess.run([sys.executable, "-m", "skill_factory", *sys.argv[1:]], stdout=sys.stderr).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def peak_bytes(source: Path, out: Path) -> int:
    """The largest resident set of any process of a build, in bytes."""
    run = command.python("-c", PEAK, "build", source, "--out", out, "--workers", 1, "--json")
    code, peak = map(int, run.out.split())
    assert code == 0, run.err[-2000:]
    return peak


def long_texts(count: int) -> list[Row]:
    """Questions with six responses of 7.5 kB."""
    filler = "all the steps in between " * 300
    return [dict(r, response=f"{r['response'][:9]}{filler}{r['response']}") for r in questions(count)]


def test_everything_in_memory_twice(tmp_path: Path) -> None:
    """Three times as many questions take less memory more than they have text more; the script takes eight times that."""
    peak, size = {}, {}
    for count in (1000, 3000):
        rows = long_texts(count)
        size[count] = sum(len(r["response"]) for r in rows)
        peak[count] = peak_bytes(raw_file(tmp_path, rows, f"{count}.parquet"), tmp_path / str(count))

    more_text, more_memory = size[3000] - size[1000], peak[3000] - peak[1000]
    assert more_text > 90_000_000
    assert more_memory < more_text, (
        f"{more_memory / 1e6:.0f} MB more for {more_text / 1e6:.0f} MB of text more"
    )


def as_csv(rows: list[Row]) -> str:
    """Rows as CSV with plain cells: the text itself, `True` or `False`, the one reflection."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(make_raw.COLUMNS.values())
    writer.writerows(
        [*(r[field] for field in make_raw.FIELDS[:5]), *r["reflections"], r["prompt_variant"]] for r in rows
    )
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".jsonl.gz"])
def test_only_the_hub_as_input_and_output(tmp_path: Path, suffix: str) -> None:
    """A file of any usual kind gives the traces that Parquet gives, in a folder on disk."""
    rows = [dict(r, reflections=r["reflections"][:1]) for r in questions(20)]
    lines = make_raw.write_jsonl(rows, tmp_path / "lines").read_bytes()
    content = {
        ".jsonl": lines,
        ".jsonl.gz": gzip.compress(lines),
        ".json": json.dumps(make_raw.published(rows)).encode(),
        ".csv": as_csv(rows).encode(),
    }
    path = tmp_path / f"raw{suffix}"
    path.write_bytes(content[suffix])
    command.build(raw_file(tmp_path, rows), tmp_path / "parquet")
    command.build(path, tmp_path / "other")

    assert command.traces(tmp_path / "other") == command.traces(tmp_path / "parquet")


def test_a_first_match_extractor_reads_the_wrong_answer(tmp_path: Path) -> None:
    """With several answers in a response the last one is its answer, and the last answer of a trace is the final one."""
    rows = questions()
    for r in rows:
        r["response"] = "At first <answer>0</answer>, half a tag <answer> and then " + r["response"]
    command.build(raw_file(tmp_path, rows), tmp_path / "out")
    filtered = raw_rules.filter_raw(rows)

    found = oracle.check_build(command.traces(tmp_path / "out"), "*C_full", filtered, raw_rules.Options())

    finals = {(raw_rules.last_answer(text) or "").strip() for text in texts(tmp_path / "out")}
    assert finals == {trace.answer for trace in found} == {"0", "2", "4"}
    assert all(text.index("<answer>0</answer>") for text in texts(tmp_path / "out"))


def test_block_tags_in_samples_make_a_trace_that_cannot_be_read_back(tmp_path: Path) -> None:
    """A response or reflection with a block tag is dropped with its reason; no trace has a tag too many."""
    tagged = questions(10, tuple([True] * 6))
    for r, tag in zip(tagged, [*raw_rules.BLOCK_TAGS] * 10, strict=True):
        r["response"] += tag
    marked = [dict(r, question=f"Also: {r['question']}") for r in questions(10)]
    for r in marked:
        r["reflections"] = [f"{r['reflections'][0]} </sample>", *r["reflections"][1:]]
    rows = [*questions(20), *[dict(r, question=f"Tagged: {r['question']}") for r in tagged], *marked]
    # As the texts stand: no rule reads a tag of thinking out of them.
    as_it_stands = Recipe().changed(
        {f"columns.{field}": column for field, column in make_raw.COLUMNS.items()}
    )
    (tmp_path / "recipe.toml").write_text(as_it_stands.to_toml(), encoding="utf-8")
    command.build(raw_file(tmp_path, rows), tmp_path / "out", "--recipe", tmp_path / "recipe.toml")
    ledger = command.report(tmp_path / "out")["ledger"]

    assert ledger["responses"]["dropped"] == {"block_tags": 60}
    assert ledger["reflections"]["dropped"] == {"block_tags": 60}
    assert ledger["questions"] == {"read": 40, "kept": 30, "dropped": {"too_few_responses": 10}}
    for trace in command.traces(tmp_path / "out"):
        text = trace["conversations"][1]["content"]
        assert text.count("</sample>") == text.count("<sample>") == len(trace["attempts"])


@pytest.mark.parametrize("length", [73, 74, 75])
def test_a_name_ending_in_a_dash_after_the_cut_is_refused_by_the_hub(tmp_path: Path, length: int) -> None:
    """The script's name rule cuts at 95 characters; a dash that the cut leaves at the end goes too."""
    output, codes = "x" * length, ("*C_full", "*C*IC")
    name = f"{output}_reflections3_formats{'.'.join(codes)}".replace("*", "-")[:95]
    n = ("--num_responses_ignore_correctness", 3)

    run = published_flags(
        raw_file(tmp_path, questions(10)), output, tmp_path / "work", *n, "--formats", *codes
    )

    assert run.exit == 0, run.err
    (made,) = (tmp_path / "work").iterdir()
    validate_repo_id(made.name)
    assert made.name == name.rstrip("-.")
    assert name.endswith("-") == (length == 73)


def test_it_overwrites_an_existing_hub_data_set_without_asking(tmp_path: Path) -> None:
    """The script's flags publish nothing unless told to, and nothing is put in the place of another data set unasked."""
    raw, n = raw_file(tmp_path, questions(10)), ("--num_responses_ignore_correctness", 3)
    name = "alice/traces"
    with Hub(tmp_path / "hub") as hub:
        hub.seed_dataset(name, {"data/train-00000-of-00001.parquet": pq.read_table(raw)})
        before = hub.files(name)
        online = {**hub.env("alice"), "HF_HUB_OFFLINE": "0"}
        run = published_flags(raw, name, tmp_path / "work", *n, **online)
        assert (run.exit, hub.requests) == (0, []), run.err

        (made,) = (path for path in (tmp_path / "work").rglob("report.json"))
        pushed = command.run("push", made.parent, name, **online)
        replaced = command.run("push", made.parent, name, "--mode", "replace", **online)

        assert (pushed.exit, replaced.exit) == (2, 2)
        assert "Traceback" not in pushed.err + replaced.err
        assert (hub.files(name), hub.count("commit")) == (before, 0)


def test_it_overwrites_a_folder_without_asking(tmp_path: Path) -> None:
    """A build of another recipe, and a folder that no build made, are left as they are; the same build is told done."""
    raw, out, own = raw_file(tmp_path, questions(10)), tmp_path / "out", tmp_path / "own"
    command.build(raw, out, "--attempts", 3)
    before = command.digest(out)
    own.mkdir()
    (own / "thesis.txt").write_text("mine")

    other = command.run("build", raw, "--out", out, "--attempts", 2, "--json")
    foreign = [command.run("build", raw, "--out", own, *fresh, "--json") for fresh in ((), ("--fresh",))]
    again = command.build(raw, out, "--attempts", 3)

    assert other.exit == 2 and "attempts" in other.err and not other.out
    assert [run.exit for run in foreign] == [2, 2]
    assert command.digest(out) == before and again["fingerprint"] == command.report(out)["fingerprint"]
    assert [path.name for path in own.iterdir()] == ["thesis.txt"]
