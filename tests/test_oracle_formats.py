"""Every format through the real command, each trace read back by an oracle that was written from the method alone."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests import command, make_raw, oracle, raw_rules
from tests.make_raw import verdict
from tests.oracle import Phrases
from tests.raw_rules import Kept, Options

REALCRITIC = command.ROOT.parent / "shared" / "data" / "raw_realcritic_math.parquet"
QUESTIONS = 240
needs_realcritic = pytest.mark.skipif(
    not REALCRITIC.exists(), reason=f"{REALCRITIC.name} is not beside the repository"
)

# ------------------------------------------------------------------------------------ the oracle itself

BOOK = Phrases(
    generic=frozenset({"Once more."}),
    correct=frozenset({"Fine, again."}),
    incorrect=frozenset({"Wrong, again."}),
    ending=frozenset({"So:"}),
    backtrack=frozenset({"Back."}),
    confirm=frozenset({"Twice."}),
)
RIGHT = Kept("r\n<answer>1</answer>\n", True, "1", "original", ("is r <verdict>Correct</verdict>",))
OTHER = Kept(" o <answer>1.0</answer>", True, "1.0", "rephrase", ("is o <verdict>correct</verdict>",))
WRONG = Kept("w <answer>2</answer>", False, " 2", None, ("is w <verdict>Incorrect</verdict>",))
POOL = [RIGHT, OTHER, WRONG]

PLAIN = """<think>
<sample>
w <answer>2</answer>
</sample>
<reflect>
is w <verdict>Incorrect</verdict>
</reflect>
Wrong, again.
<sample>
r
<answer>1</answer>

</sample>
<reflect>
is r <verdict>Correct</verdict>
</reflect>
</think>


So:

<answer>
1
</answer>"""
BARE = """<think>
<sample>
w <answer>2</answer>
</sample>

Once more.
<sample>
r
<answer>1</answer>

</sample>

</think>


So:

<answer>
1
</answer>"""
BACK = """<think>
<sample>
r
<answer>1</answer>

</sample>
<reflect>
is r <verdict>Correct</verdict>
</reflect>
Once more.
<sample>
w <answer>2</answer>
</sample>
<reflect>
is w <verdict>Incorrect</verdict>
</reflect>
</think>


Back.
r
<answer>1</answer>

So:

<answer>
1
</answer>"""
TWICE = """<think>
<sample>
r
<answer>1</answer>

</sample>
<reflect>
is r <verdict>Correct</verdict>
</reflect>
Fine, again.
<sample>
 o <answer>1.0</answer>
</sample>
<reflect>
is o <verdict>correct</verdict>
</reflect>
</think>


Twice.
So:

<answer>
1.0
</answer>"""
BY_HAND = [
    ("*C", "2C", PLAIN),
    ("no_reflection", "no_reflection", BARE),
    ("*C*IC", "*C*IC", BACK),
    ("*CC", "*CC", TWICE),
]


def judge(code: str, label: str, text: str) -> oracle.Found:
    """The oracle's reading of one hand-written trace with two attempts."""
    row = {
        "conversations": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": text}],
        "sft_template_type_idx": label,
    }
    return oracle.check_trace(row, {"Q?": POOL}, Options(attempts=2), BOOK, code)


@pytest.mark.parametrize(("code", "label", "text"), BY_HAND)
def test_the_oracle_accepts_a_trace_written_by_hand(code: str, label: str, text: str) -> None:
    """The layout of each kind of closing, typed out letter by letter, is read as two attempts."""
    found = judge(code, label, text)

    assert [kind for kind, _, _ in found.pieces].count("sample") == 2
    assert "".join(text[start:end] for kind, start, end in found.pieces if kind == "answer") == found.answer


@pytest.mark.parametrize(("code", "label", "text"), BY_HAND)
def test_the_oracle_refuses_a_trace_with_any_line_missing(code: str, label: str, text: str) -> None:
    """Whichever line is taken out, empty ones too, the rest is no trace."""
    lines = text.split("\n")
    for number in range(len(lines)):
        shorter = "\n".join(lines[:number] + lines[number + 1 :])
        with pytest.raises(AssertionError):
            judge(code, label, shorter)


@pytest.mark.parametrize(
    ("code", "label", "old", "new"),
    [
        ("*C", "2C", "\n</answer>", "\n</answer>\n"),
        ("*C", "3C", "So:", "So:"),
        ("*CC", "*CC", "So:", "So:"),
        ("*C", "2C", "Wrong, again.", "Fine, again."),
        ("*C", "2C", "\n1\n", "\n 1\n"),
        ("*C", "2C", "is w", "was w"),
        ("*C", "2C", "is w <verdict>Incorrect</verdict>", "is r <verdict>Correct</verdict>"),
        ("*C", "2C", "w <answer>2</answer>", "r\n<answer>1</answer>\n"),
    ],
)
def test_the_oracle_refuses_a_trace_with_a_fault(code: str, label: str, old: str, new: str) -> None:
    """A stray newline, a wrong label or format, glue of the other pool, a foreign reflection, an attempt used twice."""
    with pytest.raises(AssertionError):
        judge(code, label, PLAIN.replace(old, new))


def test_the_oracle_filters_by_the_rules() -> None:
    """Twins are one, twins that disagree are none, and only reflections with the right verdict count."""
    rows = [
        make_raw.row(
            "Q", "a <answer>1</answer>", True, [verdict(True, "x"), verdict(False)], variant="rephrase"
        ),
        make_raw.row("Q", "a <answer>1</answer>", True, [verdict(True, "x"), verdict(True, "y"), "none"]),
        make_raw.row("Q", "b <answer>1</answer>", True),
        make_raw.row("Q", "b <answer>1</answer>", False),
        make_raw.row("Q", "c <answer>1</answer>", True, [verdict(False)]),
        make_raw.row("Q", "d", True),
    ]
    filtered = raw_rules.filter_raw(rows, Options(attempts=1))

    assert filtered.usable == {
        "Q": [Kept("a <answer>1</answer>", True, "1", "original", (verdict(True, "x"), verdict(True, "y")))]
    }
    assert filtered.ledger["responses"] == Counter(
        kept=1, duplicate=1, label_conflict=2, no_kept_reflection=1, no_answer=1
    )
    assert filtered.ledger["reflections"] == Counter(kept=5, duplicate=1, wrong_verdict=2, no_verdict=1)


# ------------------------------------------------------------------------------ formats through the command


def words_of(options: Options) -> list[object]:
    """The command line's words for these options."""
    words: list[object] = ["--attempts", options.attempts, "--repeats", options.repeats, *command.EVERY_TRACE]
    for name, values in (("--variant", options.variants), ("--ban", options.ban)):
        words += [word for value in values for word in (name, value)]
    words += ["--distinct-variants"] * options.distinct_variants
    return words + ["--sample-attempts"] * options.sample_attempts


def assert_ledger(folder: Path, code: str, filtered: raw_rules.Filtered, options: Options) -> None:
    """The report's counts are the oracle's: at each level, and what the recipe asks of the usable questions."""
    report = command.report(folder)
    for level in ("responses", "reflections"):
        counts = Counter(filtered.ledger[level])
        assert report["ledger"][level] == entry(counts), level
    questions = raw_rules.usable_for(code, filtered, options)
    assert report["ledger"]["questions"]["kept"] == len(questions)
    assert report["ledger"]["questions"]["read"] == len(filtered.all_kept)
    expected: Counter[str] = Counter()
    for responses in questions.values():
        labels = raw_rules.expected_labels(code, responses, options)
        skipped = isinstance(labels, str)
        expected[labels if isinstance(labels, str) else "kept"] += options.repeats * (
            1 if skipped else labels.total()
        )
    if code != "algorithm1":
        assert report["ledger"]["traces"] == entry(expected)


def entry(counts: Counter[str]) -> dict[str, object]:
    """Counts with `kept` among them → the report's form of a level."""
    dropped = {reason: count for reason, count in sorted(counts.items()) if reason != "kept" and count}
    return {"read": counts.total(), "kept": counts["kept"], "dropped": dropped}


def build_and_check(
    tmp_path: Path,
    code: str,
    options: Options,
    rows: list[make_raw.Row],
    *more: object,
    **leave_out: list[str],
) -> list[oracle.Found]:
    """Build `rows` with one format; check every trace, the counts per label and the ledger."""
    raw = make_raw.write_parquet(rows, tmp_path / "raw.parquet", **leave_out)
    said = command.build(raw, tmp_path / "out", "--format", code, *words_of(options), *more)
    filtered = raw_rules.filter_raw(rows, options)
    found = oracle.check_build(command.traces(tmp_path / "out"), code, filtered, options)
    report = command.report(tmp_path / "out")
    assert report["traces_by_label"] == dict(Counter(trace.label for trace in found))
    assert report["traces_by_format"] == {code: len(found)}
    assert_ledger(tmp_path / "out", code, filtered, options)
    assert said["fingerprint"] == report["fingerprint"]
    assert len(found) > QUESTIONS / 8
    return found


@pytest.mark.parametrize("code", raw_rules.FORMATS)
def test_every_trace_of_a_format_is_as_the_method_says(tmp_path: Path, code: str) -> None:
    """A few hundred questions with all that raw data has in them: each trace right to the byte, each count equal."""
    rows = list(make_raw.make_rows(QUESTIONS, seed=1))

    build_and_check(tmp_path, code, Options(attempts=3, repeats=2), rows)


@pytest.mark.parametrize("code", ["random", "no_reflection", "*C_full"])
def test_attempts_differ_in_their_variant_where_they_must(tmp_path: Path, code: str) -> None:
    """With `--distinct-variants` no prompt variant stands twice in a trace, and questions with too few are counted."""
    rows = list(make_raw.make_rows(QUESTIONS, responses=12, seed=2))

    build_and_check(tmp_path, code, Options(attempts=3, distinct_variants=True), rows)


@pytest.mark.parametrize("code", raw_rules.DRAWN_N)
def test_the_number_of_attempts_can_be_drawn(tmp_path: Path, code: str) -> None:
    """With `--sample-attempts` a trace has between two and N attempts, and all of these numbers come up."""
    rows = list(make_raw.make_rows(QUESTIONS, responses=10, seed=3))

    found = build_and_check(tmp_path, code, Options(attempts=4, sample_attempts=True, repeats=2), rows)

    assert {len(trace.attempts) for trace in found} == {2, 3, 4}


def test_chosen_variants_and_banned_words(tmp_path: Path) -> None:
    """Only the chosen variants count; a banned word is banned as a whole word, so `break` leaves `breakfast` alone."""
    rows = list(make_raw.make_rows(QUESTIONS, responses=14, seed=4))
    options = Options(attempts=2, variants=("original", "rephrase"), ban=("ideal", "break"))

    found = build_and_check(tmp_path, "*C_full", options, rows)

    told = [str(reflection) for trace in found for reflection in trace.reflections]
    assert any("breakfast" in text for text in told) and not any("ideal" in text for text in told)


def test_without_reflections_only_the_ablation_can_be_built(tmp_path: Path) -> None:
    """With no reflection column the rule about reflections falls away for `no_reflection` and the others are refused."""
    rows = [dict(row, reflections=[]) for row in make_raw.make_rows(QUESTIONS, seed=5)]
    options = Options(attempts=3, has_reflections=False)

    build_and_check(tmp_path, "no_reflection", options, rows, leave_out=["reflections"])
    refused = command.run("build", tmp_path / "raw.parquet", "--out", tmp_path / "no", "--format", "*C_full")

    assert refused.exit == 2 and "reflection" in refused.err and "Traceback" not in refused.err
    assert not (tmp_path / "no").exists()


def test_a_list_of_several_responses_is_several_rows(tmp_path: Path) -> None:
    """One row per question with lists in step gives the traces that one row per response gives."""
    rows = list(make_raw.make_rows(60, seed=6))
    groups: dict[str, list[make_raw.Row]] = {}
    for row in rows:
        groups.setdefault(row["question"], []).append(row)
    in_step = ("response", "correct", "extracted_answer", "reflections")
    lists = [
        {**group[0], **{field: [row[field] for row in group] for field in in_step}}
        for group in groups.values()
    ]
    apart = [row for group in groups.values() for row in group]
    for row in apart:
        row["prompt_variant"] = groups[row["question"]][0]["prompt_variant"]

    for name, data in (("apart", apart), ("lists", lists)):
        raw = make_raw.write_parquet(data, tmp_path / f"{name}.parquet")
        command.build(raw, tmp_path / name, "--attempts", 3)

    assert command.traces(tmp_path / "lists") == command.traces(tmp_path / "apart")
    assert command.report(tmp_path / "lists")["ledger"]["responses"]["read"] == len(rows)


def test_without_lineage_a_row_has_its_two_columns(tmp_path: Path) -> None:
    """`--no-lineage` writes the same conversations and labels, and nothing else."""
    raw = make_raw.write_parquet(make_raw.make_rows(60, seed=7), tmp_path / "raw.parquet")
    command.build(raw, tmp_path / "with", "--attempts", 2)
    command.build(raw, tmp_path / "without", "--attempts", 2, "--no-lineage")
    first_two = ("conversations", "sft_template_type_idx")

    whole = command.traces(tmp_path / "with")

    assert list(whole[0])[:2] == list(first_two)
    assert command.traces(tmp_path / "without") == [{name: row[name] for name in first_two} for row in whole]


def test_inspect_counts_the_usable_questions(tmp_path: Path) -> None:
    """For each N from 1 to 10 `inspect` says how many questions are usable, as the oracle counts them."""
    rows = list(make_raw.make_rows(QUESTIONS, responses=14, seed=8))
    run = command.run("inspect", make_raw.write_parquet(rows, tmp_path / "raw.parquet"), "--json")
    expected = {str(n): len(raw_rules.filter_raw(rows, Options(attempts=n)).usable) for n in range(1, 11)}

    assert json.loads(run.out)["usable_questions"] == expected
    assert len(set(expected.values())) > 5


# ------------------------------------------------------------------------------------------- real critiques


@needs_realcritic
@pytest.mark.parametrize(("attempts", "usable", "traces"), [(2, 229, 458), (3, 98, 294)])
def test_real_critiques(tmp_path: Path, attempts: int, usable: int, traces: int) -> None:
    """Responses and critiques of real models: the known numbers, and each trace as the method says."""
    options = Options(attempts=attempts)
    command.build(REALCRITIC, tmp_path / "out", "--attempts", attempts)
    filtered = raw_rules.filter_raw(make_raw.read_published(REALCRITIC), options)

    found = oracle.check_build(command.traces(tmp_path / "out"), "*C_full", filtered, options)

    assert (len(filtered.usable), len(found)) == (usable, traces)
    assert command.report(tmp_path / "out")["ledger"]["questions"]["kept"] == usable
    assert_ledger(tmp_path / "out", "*C_full", filtered, options)


@needs_realcritic
def test_real_critiques_are_too_few_for_the_default(tmp_path: Path) -> None:
    """Five attempts leave nothing of them: one sentence says so and proposes three; nothing is written."""
    run = command.run("build", REALCRITIC, "--out", tmp_path / "out", "--json")

    assert run.exit == 2 and "Traceback" not in run.err
    said = run.err + run.out
    assert "98" in said and "229" in said and "--attempts 3" in said
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("**/*.parquet"))
    assert not run.out or json.loads(run.out)
