"""A file with a known number of every fault gives exactly that ledger, and each level adds up."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests import command, make_raw, oracle, raw_rules
from tests.make_raw import Row, row, verdict

GOOD = 30
OPTIONS = raw_rules.Options(attempts=2, variants=make_raw.VARIANTS, ban=("idea", "fast"))
RECIPES = {
    "variants differ": (replace(OPTIONS, distinct_variants=True), ("*C_full", "*C*IC", "*CC")),
    "order is told": (OPTIONS, ("*C_full", "*C*IC", "*CC")),
}


@dataclass
class Planted:
    """Rows, and how often each fault of this recipe stands in them: `faults[level][reason]`, kept things under `kept`."""

    options: raw_rules.Options = OPTIONS
    formats: tuple[str, ...] = ("*C_full",)
    rows: list[Row] = field(default_factory=list)
    faults: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            level: Counter() for level in ("rows", "responses", "reflections", "questions", "traces")
        }
    )
    made: int = 0

    def fresh(self, stem: str) -> str:
        """A text that stands nowhere else."""
        self.made += 1
        return f"{stem} {self.made}"

    def count(self, level: str, reason: str, times: int = 1) -> None:
        """Note `times` more of this fault."""
        self.faults[level][reason] += times

    def add(self, *rows: Row, fault: str = "kept") -> None:
        """Add rows that can be read, or that have this fault."""
        self.rows += rows
        self.count("rows", fault, len(rows))

    def usable(self, labels: Sequence[bool]) -> None:
        """Note a usable question with responses of these labels, and what each format makes of it."""
        self.count("questions", "kept")
        for code in self.formats:
            if code == "*C_full":
                self.count("traces", "kept", self.options.attempts)
            if code == "*C*IC":
                self.count("traces", "needs_wrong_response" if all(labels) else "kept")
            if code == "*CC":
                self.count("traces", "kept" if sum(labels) > 1 else "needs_two_correct")


def text(planted: Planted) -> str:
    """A response with an answer, new at each call."""
    return planted.fresh("Some way.\n<answer>") + "</answer>"


def good_response(planted: Planted, question: str, right: bool, variant: str = "original") -> None:
    """One response that counts, with one reflection that counts."""
    planted.add(row(question, text(planted), right, [verdict(right)], variant=variant))
    planted.count("responses", "kept")
    planted.count("reflections", "kept")


def good_question(planted: Planted, labels: Sequence[bool] = (True, True, False)) -> str:
    """A usable question with responses of these labels, each from a variant of its own."""
    question = planted.fresh("Question")
    for right, variant in zip(labels, make_raw.VARIANTS, strict=False):
        good_response(planted, question, right, variant)
    planted.usable(labels)
    return question


# ------------------------------------------------------------------------------------------------- rows


def _bad_row(planted: Planted, bad: Row, reason: str, responses: int, reflections: int) -> None:
    planted.add(bad, fault=reason)
    planted.count("responses", "row_dropped", responses)
    planted.count("reflections", "row_dropped", reflections)


def no_question(planted: Planted, question: str) -> None:
    """A row without a question, and one with a blank one."""
    _bad_row(planted, row(None, text(planted), True), "no_question", 1, 1)  # type: ignore[arg-type]
    _bad_row(planted, row(" \n", text(planted), True, [verdict(True)] * 2), "no_question", 1, 2)


def no_response(planted: Planted, question: str) -> None:
    """A row whose list of responses is empty."""
    _bad_row(planted, row(question, [], True, []), "no_response", 0, 0)


def no_label(planted: Planted, question: str) -> None:
    """Labels that are missing, or neither yes nor no."""
    for label in (None, "maybe", ""):
        _bad_row(planted, row(question, text(planted), label, [verdict(True)]), "no_label", 1, 1)


def lengths_differ(planted: Planted, question: str) -> None:
    """Lists of responses, labels, answers and reflections that are not in step."""
    two, four = [text(planted), text(planted)], [[verdict(True)], [verdict(True, "Two.")] * 3]
    _bad_row(planted, row(question, two, [True], four), "lengths_differ", 2, 4)
    _bad_row(planted, row(question, two, [True, False, True], four), "lengths_differ", 2, 4)
    _bad_row(planted, row(question, two, [True, True], four, extracted=["1"]), "lengths_differ", 2, 4)
    _bad_row(planted, row(question, two, [True, True], four[:1]), "lengths_differ", 2, 1)


# -------------------------------------------------------------------------------------------- responses


def _bad_response(planted: Planted, bad: Row, reason: str) -> None:
    planted.add(bad)
    planted.count("responses", reason)
    planted.count("reflections", "kept", len(bad["reflections"]))


def other_variant(planted: Planted, question: str) -> None:
    """A variant that was not chosen."""
    _bad_response(planted, row(question, text(planted), True, variant="sideways"), "other_variant")


def empty_response(planted: Planted, question: str) -> None:
    """Nothing, and nothing but white space."""
    _bad_response(planted, row(question, "", True, extracted="4"), "empty")
    _bad_response(planted, row(question, " \n\t", False, extracted="4"), "empty")


def tags_in_response(planted: Planted, question: str) -> None:
    """Each of the six block tags, anywhere in the response."""
    for tag in raw_rules.BLOCK_TAGS:
        _bad_response(planted, row(question, f"Before {tag} after. {text(planted)}", True), "block_tags")


def no_answer(planted: Planted, question: str) -> None:
    """No answer in the column and none in the text: no tag, half a tag, a blank one."""
    for end in ("so 42", "<answer>42", "42</answer>", "<answer> \n</answer>", "</answer>42<answer>"):
        _bad_response(planted, row(question, planted.fresh(end), True), "no_answer")
    _bad_response(planted, row(question, planted.fresh("blank"), True, extracted=" "), "no_answer")


def label_conflict(planted: Planted, question: str) -> None:
    """The same text twice, once right and once wrong; a third copy makes it no better."""
    same = text(planted)
    for right in (True, False, True):
        reflection = verdict(right, planted.fresh("Look"))
        _bad_response(planted, row(question, same, right, [reflection]), "label_conflict")


def answer_conflict(planted: Planted, question: str) -> None:
    """The same text twice, the grader having read two different answers."""
    same = text(planted)
    for answer in ("7", "8"):
        reflection = verdict(True, planted.fresh("Look"))
        _bad_response(planted, row(question, same, True, [reflection], extracted=answer), "answer_conflict")


def twins(planted: Planted, question: str) -> None:
    """The same response three times, equal in every field but for one reflection more."""
    same = row(question, text(planted), True, [verdict(True)])
    planted.add(same, dict(same), dict(same, reflections=[verdict(True), verdict(True, "One more look.")]))
    planted.count("responses", "kept")
    planted.count("responses", "duplicate", 2)
    planted.count("reflections", "kept", 2)
    planted.count("reflections", "duplicate", 2)


def no_kept_reflection(planted: Planted, question: str) -> None:
    """No reflection at all, and none that is right."""
    planted.add(row(question, text(planted), True, []), row(question, text(planted), True, [verdict(False)]))
    planted.count("responses", "no_kept_reflection", 2)
    planted.count("reflections", "wrong_verdict")


# ------------------------------------------------------------------------------------------ reflections


def _bad_reflections(planted: Planted, question: str, reason: str, *bad: str, right: bool = True) -> None:
    planted.add(row(question, text(planted), right, [*bad, verdict(right, "A good look.")]))
    planted.count("responses", "kept")
    planted.count("reflections", "kept")
    planted.count("reflections", reason, len(bad))


def empty_reflection(planted: Planted, question: str) -> None:
    """Nothing, and nothing but white space."""
    _bad_reflections(planted, question, "empty", "", " \n")


def tags_in_reflection(planted: Planted, question: str) -> None:
    """Each of the six block tags, anywhere in the reflection."""
    tagged = [verdict(True, f"See {tag} there.") for tag in raw_rules.BLOCK_TAGS]
    _bad_reflections(planted, question, "block_tags", *tagged)


def no_verdict(planted: Planted, question: str) -> None:
    """No tag, half a tag, another word, an empty tag, a first tag that says neither."""
    half = "<verdict>Correct"
    two = "<verdict>Unsure</verdict> no: <verdict>Correct</verdict>"
    odd = "<verdict>Correct.</verdict>"
    backwards = "</verdict>Correct<verdict>"
    _bad_reflections(
        planted, question, "no_verdict", "It is Correct.", half, "<verdict></verdict>", two, odd, backwards
    )


def wrong_verdict(planted: Planted, question: str) -> None:
    """A right response called wrong, a wrong one called right, and a first verdict that is wrong before a right one."""
    changed = "<verdict>Incorrect</verdict> no, <verdict>Correct</verdict>"
    _bad_reflections(
        planted, question, "wrong_verdict", verdict(False), "<verdict> INCORRECT\n</verdict>", changed
    )
    _bad_reflections(planted, question, "wrong_verdict", verdict(True), right=False)


def banned_word(planted: Planted, question: str) -> None:
    """A banned word is found beside any punctuation; `ideal` and `breakfast` are other words."""
    banned = [verdict(True, said) for said in ("No idea.", "idea", "(fast)", "a fast, good idea")]
    _bad_reflections(planted, question, "banned_word", *banned)
    planted.add(row(question, text(planted), True, [verdict(True, "An ideal breakfast, ideas, faster.")]))
    planted.count("responses", "kept")
    planted.count("reflections", "kept")


def equal_reflections(planted: Planted, question: str) -> None:
    """The same reflection four times."""
    again = verdict(True, "A good look.")
    _bad_reflections(planted, question, "duplicate", again, again, again)


IN_A_QUESTION: list[Callable[[Planted, str], None]] = [
    no_question,
    no_response,
    no_label,
    lengths_differ,
    other_variant,
    empty_response,
    tags_in_response,
    no_answer,
    label_conflict,
    answer_conflict,
    twins,
    no_kept_reflection,
    empty_reflection,
    tags_in_reflection,
    no_verdict,
    wrong_verdict,
    banned_word,
    equal_reflections,
]

# ------------------------------------------------------------------------------------------- questions


def too_few_responses(planted: Planted) -> None:
    """A question with one response that counts."""
    good_response(planted, planted.fresh("Question"), True)
    planted.count("questions", "too_few_responses")


def no_correct_response(planted: Planted) -> None:
    """A question whose responses are all wrong."""
    question = planted.fresh("Question")
    good_response(planted, question, False, "original")
    good_response(planted, question, False, "rephrase")
    planted.count("questions", "no_correct_response")


def too_few_variants(planted: Planted) -> None:
    """A question whose responses all come from one variant: a fault only where variants must differ."""
    question, labels = planted.fresh("Question"), (True, False, True)
    for right in labels:
        good_response(planted, question, right, "rephrase")
    if planted.options.distinct_variants:
        planted.count("questions", "too_few_variants")
    else:
        planted.usable(labels)


def plant(times: int, options: raw_rules.Options, formats: tuple[str, ...]) -> Planted:
    """Every fault, the i-th kind `times` + i mod 3 times, each in a good question of its own; then good questions."""
    planted = Planted(options, formats)
    for number, fault in enumerate(IN_A_QUESTION):
        for _ in range(times + number % 3):
            fault(planted, good_question(planted))
    for number, bad_question in enumerate((too_few_responses, no_correct_response, too_few_variants)):
        for _ in range(times + number):
            bad_question(planted)
    for labels, count in (
        ((True, True, True), times),
        ((True, False, False), times + 1),
        ((True, True, False), GOOD),
    ):
        for _ in range(count):
            good_question(planted, labels)
    random.Random(times).shuffle(planted.rows)
    return planted


def nested(rows: Iterable[Row]) -> list[Row]:
    """The rows with reflections as a list of lists and labels as words, so that all kinds fit into one file."""
    return [
        dict(
            r,
            reflections=r["reflections"] if isinstance(r["response"], list) else [r["reflections"]],
            correct=[_word(c) for c in r["correct"]]
            if isinstance(r["correct"], list)
            else _word(r["correct"]),
        )
        for r in rows
    ]


def _word(label: object) -> object:
    return {True: "True", False: "false"}[label] if isinstance(label, bool) else label


def level(counts: Counter[str]) -> dict[str, object]:
    """Counts with `kept` among them → the report's form of a level."""
    return {
        "read": counts.total(),
        "kept": counts["kept"],
        "dropped": {reason: count for reason, count in counts.items() if reason != "kept" and count},
    }


def words(planted: Planted) -> list[object]:
    """The command line's words for the planted file."""
    return [
        *(word for code in planted.formats for word in ("--format", code)),
        *(word for name in planted.options.variants for word in ("--variant", name)),
        *(word for banned in planted.options.ban for word in ("--ban", banned)),
        *(
            "--attempts",
            planted.options.attempts,
            *["--distinct-variants"] * planted.options.distinct_variants,
        ),
    ]


@pytest.fixture(scope="module", params=RECIPES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Planted, Path]:
    """The planted file and the folder that was built from it, by each recipe."""
    folder = tmp_path_factory.mktemp("planted")
    planted = plant(2, *RECIPES[request.param])
    raw = make_raw.write_parquet(nested(planted.rows), folder / "raw.parquet")
    command.build(raw, folder / "out", *words(planted))
    return planted, folder / "out"


def readable(planted: Planted) -> list[Row]:
    """The rows that can be read, which are all that the oracle takes."""
    return [
        r
        for r in planted.rows
        if isinstance(r["correct"], bool) and isinstance(r["response"], str) and (r["question"] or "").strip()
    ]


@pytest.mark.parametrize("name", ["rows", "responses", "reflections", "questions", "traces"])
def test_the_ledger_is_what_was_planted(built: tuple[Planted, Path], name: str) -> None:
    """Every planted fault is counted under its reason, and nothing else is."""
    planted, folder = built

    assert command.report(folder)["ledger"][name] == level(planted.faults[name])


def test_every_level_adds_up(built: tuple[Planted, Path]) -> None:
    """At each level what was read is what was kept and what was dropped."""
    _, folder = built
    ledger = command.report(folder)["ledger"]

    assert list(ledger) == ["rows", "responses", "reflections", "questions", "traces"]
    for name, counts in ledger.items():
        assert counts["read"] == counts["kept"] + sum(counts["dropped"].values()), name


def test_the_oracle_counts_what_was_planted(built: tuple[Planted, Path]) -> None:
    """The plan of this file and the oracle's reading of the rules agree on all rows that can be read."""
    planted, _ = built
    counted = raw_rules.filter_raw(readable(planted), planted.options).ledger

    for name in ("responses", "reflections", "questions"):
        expected = Counter({k: v for k, v in planted.faults[name].items() if k != "row_dropped"})
        assert +counted[name] == expected, name


def test_what_is_left_is_sound(built: tuple[Planted, Path]) -> None:
    """Every trace among all these faults is right to the byte, and there are as many as the ledger says."""
    planted, folder = built
    filtered, rows = raw_rules.filter_raw(readable(planted), planted.options), command.traces(folder)

    for code in planted.formats:
        oracle.check_build([r for r in rows if r["format"] == code], code, filtered, planted.options)
    assert len(rows) == planted.faults["traces"]["kept"]


def test_a_limit_is_counted(built: tuple[Planted, Path], tmp_path: Path) -> None:
    """`--max-traces` writes the first of the same traces and counts the rest as `over_limit`."""
    planted, folder = built
    command.build(folder.parent / "raw.parquet", tmp_path / "out", *words(planted), "--max-traces", 50)
    counts = command.report(tmp_path / "out")["ledger"]["traces"]
    whole = planted.faults["traces"]

    assert counts == level(whole - Counter(kept=whole["kept"] - 50) + Counter(over_limit=whole["kept"] - 50))
    assert command.traces(tmp_path / "out") == command.traces(folder)[:50]


def test_one_attempt_is_too_few_to_go_back(tmp_path: Path) -> None:
    """With N = 1 each question counts one skip for `*C*IC` and for `*CC`, and still gives its other trace."""
    planted = Planted()
    for _ in range(5):
        good_question(planted)
    raw = make_raw.write_parquet(planted.rows, tmp_path / "raw.parquet")
    codes = [word for code in ("0C", "*C*IC", "*CC") for word in ("--format", code)]
    command.build(raw, tmp_path / "out", *codes, "--attempts", 1, "--repeats", 2, *command.EVERY_TRACE)

    counts = command.report(tmp_path / "out")["ledger"]["traces"]

    assert counts == {"read": 30, "kept": 10, "dropped": {"needs_two_attempts": 20}}


# --------------------------------------------------------------------------------- balance, and other corners


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """A file with twelve questions of shares 1/4, 2/4 and 3/4 in turn and one of 4/4, and its traces at N = 2."""
    folder = tmp_path_factory.mktemp("plain")
    planted = Planted()
    for number in range(13):
        right = 4 if number == 12 else number % 3 + 1
        good_question(planted, [place < right for place in range(4)])
    raw = make_raw.write_parquet(planted.rows, folder / "raw.parquet")
    command.build(raw, folder / "out", "--attempts", 2)
    return raw, command.traces(folder / "out")


def ledger_of(raw: Path, out: Path, *options: object) -> tuple[Row, list[Row]]:
    """Ledger and traces of a build at N = 2."""
    command.build(raw, out, "--attempts", 2, *options)
    ledger = command.report(out)["ledger"]
    assert all(c["read"] == c["kept"] + sum(c["dropped"].values()) for c in ledger.values())
    return ledger, command.traces(out)


def test_questions_outside_the_pass_rate_are_counted(plain: tuple[Path, list[Row]], tmp_path: Path) -> None:
    """A window of shares keeps the questions inside it, bounds included."""
    ledger, _ = ledger_of(plain[0], tmp_path / "out", "--set", "balance.pass_rate=[0.25, 0.5]")

    assert ledger["questions"] == {"read": 13, "kept": 8, "dropped": {"outside_pass_rate": 5}}


def test_traces_over_a_cap_are_counted(plain: tuple[Path, list[Row]], tmp_path: Path) -> None:
    """A cap per question and a limit per label drop what is over them, and no other trace changes."""
    raw, whole = plain
    capped, one_each = ledger_of(raw, tmp_path / "cap", "--set", "balance.per_question=1")
    limited, few = ledger_of(raw, tmp_path / "limit", "--set", 'balance.label_limits={"2C" = 5}')

    assert capped["traces"] == {"read": 26, "kept": 13, "dropped": {"over_question_cap": 13}}
    assert limited["traces"] == {"read": 26, "kept": 18, "dropped": {"over_label_limit": 8}}
    assert all(trace in whole for trace in [*one_each, *few])
    assert len({trace["question_id"] for trace in one_each}) == 13


def test_traces_with_too_few_wrong_attempts_are_counted(
    plain: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    """With at least one wrong attempt asked for, none without one is written, and the missing ones are counted."""
    ledger, written = ledger_of(plain[0], tmp_path / "out", "--set", "balance.min_wrong=1")

    assert written and all(not all(a["correct"] for a in trace["attempts"]) for trace in written)
    assert ledger["traces"]["read"] == 26
    assert set(ledger["traces"]["dropped"]) == {"too_few_wrong"}


def test_excluded_ids_are_counted(plain: tuple[Path, list[Row]], tmp_path: Path) -> None:
    """A question's id takes the question out, a trace's id that trace alone."""
    raw, whole = plain
    question, trace = whole[0]["question_id"], whole[-1]["trace_id"]
    ledger, left = ledger_of(raw, tmp_path / "out", "--set", f'balance.exclude=["{question}", "{trace}"]')

    assert ledger["questions"] == {"read": 13, "kept": 12, "dropped": {"excluded": 1}}
    assert ledger["traces"] == {"read": 24, "kept": 23, "dropped": {"excluded": 1}}
    assert left == [t for t in whole if t["question_id"] != question and t["trace_id"] != trace]


def test_algorithm_1_has_a_gate_of_its_own(tmp_path: Path) -> None:
    """A question with one right response gives Algorithm 1 its trace; beside it the others count what they lack."""
    planted = Planted()
    for _ in range(4):
        good_question(planted)
    for _ in range(3):
        good_response(planted, planted.fresh("Lone question"), True)
    for _ in range(2):
        good_response(planted, planted.fresh("Wrong question"), False)
    raw = make_raw.write_parquet(planted.rows, tmp_path / "raw.parquet")

    alone, written = ledger_of(raw, tmp_path / "alone", "--format", "algorithm1")
    both, _ = ledger_of(raw, tmp_path / "both", "--format", "algorithm1", "--format", "*C_full")

    assert alone["questions"] == {"read": 9, "kept": 7, "dropped": {"no_correct_response": 2}}
    assert alone["traces"] == {"read": len(written), "kept": len(written), "dropped": {}}
    made = Counter(trace["question_id"] for trace in written)
    assert len(made) == 7 and sum(a["correct"] for t in written for a in t["attempts"]) == 4 * 2 + 3
    assert both["questions"]["kept"] == 7
    assert both["traces"]["kept"] == len(written) + 4 * 2


def test_what_is_not_text_is_a_row_error(tmp_path: Path) -> None:
    """Numbers and objects where a text should be are dropped with their row."""
    planted = Planted()
    good_question(planted)
    odd = [row("Odd?", {"text": "so"}, True), row("Odd?", "a <answer>1</answer>", True, [{"said": "so"}])]
    raw = make_raw.write_jsonl([*planted.rows, *odd], tmp_path / "raw.jsonl")

    mapped = [word for item in make_raw.COLUMNS.items() for word in ("--map", "=".join(item))]

    ledger, _ = ledger_of(raw, tmp_path / "out", *mapped)

    assert ledger["rows"] == {"read": 5, "kept": 3, "dropped": {"not_text": 2}}


def test_examples_of_unreadable_rows_stand_in_the_report(built: tuple[Planted, Path]) -> None:
    """For each kind of unreadable row the report shows up to three."""
    planted, folder = built
    report = command.report(folder)
    examples = next(value for name, value in report.items() if "example" in name)

    assert {reason: len(shown) for reason, shown in examples.items()} == {
        reason: min(3, len(shown_kinds(reason))) for reason in planted.faults["rows"] if reason != "kept"
    }


def shown_kinds(reason: str) -> list[str]:
    """The kinds of this row error that are planted, each worth an example of its own."""
    kinds = {"no_question": 2, "no_response": 1, "no_label": 3, "lengths_differ": 4}
    return [reason] * kinds[reason]
