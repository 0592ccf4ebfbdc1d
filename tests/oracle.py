"""A second, slow and plain reading of the method: it filters raw rows and reads traces back without the package.

Nothing here imports the package's logic. Only its data (the phrase book) is read, and only its command is run.

    rows (make_raw.Row) ── filter_raw ──▶ Filtered: questions with their kept responses, and the ledger
    trace row           ── check_trace ─▶ Found: the attempts, phrases and answer that the text holds, or AssertionError
"""

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq
from make_raw import Row

ROOT = Path(__file__).parents[1]
PHRASE_FILE = ROOT / "skill_factory" / "phrases.toml"
BLOCK_TAGS = ("<think>", "</think>", "<sample>", "</sample>", "<reflect>", "</reflect>")
FORMATS = ("random", "no_reflection", "0C", "*C", "*C_full", "*C*IC", "*CC", "algorithm1")
EVERY_N = ("random", "no_reflection", "*C_full")
DRAWN_N = ("*C", "*C*IC", "*CC")
VARIANTS_MAY_DIFFER = ("random", "no_reflection", "0C", "*C", "*C_full")


@dataclass(frozen=True)
class Options:
    """What a recipe can ask for, as far as the oracle knows it."""

    attempts: int = 5
    repeats: int = 1
    variants: tuple[str, ...] = ()
    distinct_variants: bool = False
    sample_attempts: bool = False
    ban: tuple[str, ...] = ()
    ban_substrings: bool = False
    has_reflections: bool = True
    has_variants: bool = True


@dataclass(frozen=True)
class Kept:
    """A response that counts, with the reflections of it that count."""

    text: str
    correct: bool
    answer: str
    variant: str | None
    reflections: tuple[str, ...]


@dataclass
class Filtered:
    """What the rules leave: per usable question its kept responses; `ledger[level]` counts what went why."""

    usable: dict[str, list[Kept]]
    all_kept: dict[str, list[Kept]]
    ledger: dict[str, Counter[str]] = field(default_factory=dict)


# --------------------------------------------------------------------------------------------- raw rows


def verdict_of(reflection: str) -> bool | None:
    """The first verdict tag's word, whatever its case and the white space at its edges; None when there is none."""
    start = reflection.find("<verdict>")
    end = reflection.find("</verdict>", start + 1)
    if start < 0 or end < 0:
        return None
    word = reflection[start + len("<verdict>") : end].strip().lower()
    return {"correct": True, "incorrect": False}.get(word)


def last_answer(text: str) -> str | None:
    """What stands between the last closing answer tag and the nearest opening one before it."""
    end = text.rfind("</answer>")
    start = text.rfind("<answer>", 0, end) if end >= 0 else -1
    return text[start + len("<answer>") : end] if start >= 0 else None


def is_empty(text: str | None) -> bool:
    """Nothing but white space."""
    return text is None or not text.strip()


def is_banned(text: str, options: Options) -> bool:
    """Whether one of the banned words stands in `text`: whole, or anywhere if substrings are asked for."""
    if options.ban_substrings:
        return any(word in text for word in options.ban)
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in options.ban)


def has_block_tag(text: str) -> bool:
    """Whether a trace with `text` in it could not be read back."""
    return any(tag in text for tag in BLOCK_TAGS)


def answer_of(row: Row) -> str | None:
    """The answer rule: the column first, then the last answer tag; a blank one is none."""
    for found in (row["extracted_answer"], last_answer(row["response"])):
        if not is_empty(found):
            return found
    return None


def response_fault(row: Row, options: Options) -> str | None:
    """Why a single response does not count, twins aside."""
    if options.variants and row["prompt_variant"] not in options.variants:
        return "other_variant"
    if is_empty(row["response"]):
        return "empty"
    if has_block_tag(row["response"]):
        return "block_tags"
    if answer_of(row) is None:
        return "no_answer"
    return None


def reflection_fault(text: str, correct: bool, options: Options) -> str | None:
    """Why a single reflection does not count, repeats aside."""
    if is_empty(text):
        return "empty"
    if has_block_tag(text):
        return "block_tags"
    says = verdict_of(text)
    if says is None:
        return "no_verdict"
    if says != correct:
        return "wrong_verdict"
    return "banned_word" if is_banned(text, options) else None


def filter_raw(rows: Iterable[Row], options: Options = Options()) -> Filtered:
    """Readable rows of one response each → kept responses, usable questions and the ledger, by the method's rules."""
    by_question: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_question[row["question"]].append(row)
    counts = {level: Counter() for level in ("responses", "reflections", "questions")}
    kept = {question: _kept_responses(group, options, counts) for question, group in by_question.items()}
    usable = {}
    for question, responses in kept.items():
        fault = question_fault(responses, options)
        counts["questions"][fault or "kept"] += 1
        if fault is None:
            usable[question] = responses
    return Filtered(usable, kept, counts)


def _kept_responses(rows: list[Row], options: Options, counts: dict[str, Counter[str]]) -> list[Kept]:
    twins: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        fault = response_fault(row, options)
        if fault:
            counts["responses"][fault] += 1
            _kept_reflections(row["reflections"] or [], row["correct"], options, counts)
        else:
            twins[row["response"]].append(row)
    merged = [_merge(text, same, options, counts) for text, same in twins.items()]
    return [response for response in merged if response is not None]


def _merge(text: str, same: list[Row], options: Options, counts: dict[str, Counter[str]]) -> Kept | None:
    """Equal responses of one question → one response, or None with the reason counted."""
    answers = {answer_of(row) for row in same}
    labels = {row["correct"] for row in same}
    union = [reflection for row in same for reflection in row["reflections"] or []]
    fault = "label_conflict" if len(labels) > 1 else "answer_conflict" if len(answers) > 1 else None
    if fault:
        counts["responses"][fault] += len(same)
        for row in same:
            _kept_reflections(row["reflections"] or [], row["correct"], options, counts)
        return None
    (correct,), (answer,) = labels, answers
    counts["responses"]["duplicate"] += len(same) - 1
    good = _kept_reflections(union, correct, options, counts)
    counts["responses"]["kept" if good or not options.has_reflections else "no_kept_reflection"] += 1
    if options.has_reflections and not good:
        return None
    variants = [row["prompt_variant"] for row in same if row["prompt_variant"] is not None]
    return Kept(text, correct, answer or "", min(variants, default=None), tuple(good))


def _kept_reflections(
    union: list[str], correct: bool, options: Options, counts: dict[str, Counter[str]]
) -> list[str]:
    """Reflections are judged by their own rules alone, so those of a dropped response can be counted as kept."""
    good: list[str] = []
    for text in union:
        fault = reflection_fault(text, correct, options) or ("duplicate" if text in good else None)
        counts["reflections"][fault or "kept"] += 1
        if fault is None:
            good.append(text)
    return good


def question_fault(responses: Sequence[Kept], options: Options, algorithm1: bool = False) -> str | None:
    """Why a question is not usable; Algorithm 1 asks for no more than one correct response."""
    if len(responses) < options.attempts and not algorithm1:
        return "too_few_responses"
    if not any(response.correct for response in responses):
        return "no_correct_response"
    variants = {response.variant for response in responses}
    if options.distinct_variants and len(variants) < options.attempts and not algorithm1:
        return "too_few_variants"
    return None


def usable_for(code: str, filtered: Filtered, options: Options) -> dict[str, list[Kept]]:
    """The questions behind the gate of this format."""
    algorithm1 = code == "algorithm1"
    return {
        question: responses
        for question, responses in filtered.all_kept.items()
        if question_fault(responses, options, algorithm1) is None
    }


# ------------------------------------------------------------------------------------- traces to expect


def expected_labels(code: str, responses: Sequence[Kept], options: Options) -> Counter[str] | str:
    """Labels that a usable question yields in one repeat, or the reason for which it yields none.

    Algorithm 1 decides by lot how many traces there are: its counter is empty.
    """
    n_max = options.attempts
    right = sum(response.correct for response in responses)
    if code in ("*C*IC", "*CC") and n_max < 2:
        return "needs_two_attempts"
    if code == "*C*IC" and right == len(responses):
        return "needs_wrong_response"
    if code == "*CC" and right < 2:
        return "needs_two_correct"
    if code in ("random", "no_reflection"):
        return Counter({code: n_max})
    if code == "*C_full":
        return Counter({f"{n}C": 1 for n in range(1, n_max + 1)})
    if code == "*C":
        return Counter({"drawn" if options.sample_attempts else f"{n_max}C": 1})
    return Counter() if code == "algorithm1" else Counter({code: 1})


# ------------------------------------------------------------------------------------- reading a trace


@dataclass(frozen=True)
class Phrases:
    """The six pools of the phrase book."""

    generic: frozenset[str]
    correct: frozenset[str]
    incorrect: frozenset[str]
    ending: frozenset[str]
    backtrack: frozenset[str]
    confirm: frozenset[str]

    def glue_after(self, correct: bool, code: str) -> frozenset[str]:
        """The phrases that may follow an attempt."""
        if code == "no_reflection":
            return self.generic
        return self.generic | (self.correct if correct else self.incorrect)


def phrase_book(path: Path = PHRASE_FILE) -> Phrases:
    """The package's own pools, read as plain data."""
    pools = tomllib.loads(path.read_text(encoding="utf-8"))["phrases"]
    return Phrases(**{name: frozenset(pool) for name, pool in pools.items()})


@dataclass(frozen=True)
class Found:
    """What a trace's text holds. `starts` and `ends` of `pieces` are characters of the text."""

    code: str
    label: str
    question: str
    attempts: tuple[Kept, ...]
    reflections: tuple[str | None, ...]
    glue: tuple[str, ...]
    closing: str | None
    ending: str
    answer: str
    pieces: tuple[tuple[str, int, int], ...]


class Reader:
    """Reads a text from left to right and remembers the pieces."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.pieces: list[tuple[str, int, int]] = []

    def sees(self, literal: str) -> bool:
        """Whether `literal` comes next."""
        return self.text.startswith(literal, self.at)

    def expect(self, literal: str) -> None:
        """Step over `literal`."""
        assert self.sees(literal), (
            f"expected {literal!r} at {self.at}, found {self.text[self.at : self.at + 60]!r}"
        )
        self.at += len(literal)

    def piece(self, kind: str, before: str) -> str:
        """The text from here to the next `before`, which is stepped over."""
        end = self.text.find(before, self.at)
        assert end >= 0, f"no {before!r} after {self.at}"
        return self._take(kind, end, before)

    def one_of(self, kind: str, choices: Iterable[str], after: str) -> str:
        """The choice that comes next and is followed by `after`."""
        fits = [choice for choice in choices if self.sees(choice + after)]
        assert fits, f"nothing of the {kind} pool at {self.at}: {self.text[self.at : self.at + 90]!r}"
        return self._take(kind, self.at + len(max(fits, key=len)), after)

    def _take(self, kind: str, end: int, after: str) -> str:
        taken = self.text[self.at : end]
        self.pieces.append((kind, self.at, end))
        self.at = end
        self.expect(after)
        return taken


def read_trace(text: str, code: str, responses: Sequence[Kept], phrases: Phrases) -> Found:
    """The text of a trace → what it holds; every byte is accounted for, and every piece is one that may stand there."""
    known = {response.text: response for response in responses}
    reader = Reader(text)
    attempts: list[Kept] = []
    reflections: list[str | None] = []
    glue: list[str] = []
    reader.expect("<think>\n")
    while True:
        reader.expect("<sample>\n")
        sample = reader.piece("sample", "\n</sample>\n")
        assert sample in known, f"no kept response of the question: {sample[:80]!r}"
        attempts.append(known[sample])
        reflections.append(_read_reflection(reader, code, known[sample]))
        if reader.sees("</think>"):
            break
        glue.append(reader.one_of("glue", phrases.glue_after(known[sample].correct, code), "\n"))
    reader.expect("</think>\n\n\n")
    closing, final = _read_closing(reader, code, attempts, phrases)
    ending = reader.one_of("ending", phrases.ending, "\n\n<answer>\n")
    answer = reader.one_of("answer", [final.answer], "\n</answer>")
    assert reader.at == len(text), f"{len(text) - reader.at} characters after the answer block"
    return Found(
        code,
        "",
        "",
        tuple(attempts),
        tuple(reflections),
        tuple(glue),
        closing,
        ending,
        answer,
        tuple(reader.pieces),
    )


def _read_reflection(reader: Reader, code: str, response: Kept) -> str | None:
    if code == "no_reflection":
        reader.expect("\n")
        return None
    reader.expect("<reflect>\n")
    reflection = reader.piece("reflect", "\n</reflect>\n")
    assert reflection in response.reflections, f"no kept reflection of its response: {reflection[:80]!r}"
    return reflection


def _read_closing(
    reader: Reader, code: str, attempts: Sequence[Kept], phrases: Phrases
) -> tuple[str | None, Kept]:
    """What stands between the thinking and the ending phrase, and the attempt whose answer is the final one."""
    if code == "*C*IC":
        right = [attempt for attempt in attempts if attempt.correct]
        assert right, "no correct attempt to go back to"
        closing = reader.one_of("backtrack", phrases.backtrack, "\n")
        reader.one_of("again", [right[-1].text], "\n")
        return closing, right[-1]
    closing = reader.one_of("confirm", phrases.confirm, "\n") if code == "*CC" else None
    return closing, attempts[-1]


def check_order(code: str, label: str, attempts: Sequence[Kept], options: Options) -> None:
    """The number and order of attempts that the format allows, and the label that goes with them."""
    n, n_max, right = len(attempts), options.attempts, [attempt.correct for attempt in attempts]
    assert len({attempt.text for attempt in attempts}) == n, "an attempt stands twice"
    if options.distinct_variants and code in VARIANTS_MAY_DIFFER:
        assert len({attempt.variant for attempt in attempts}) == n, "a prompt variant stands twice"
    numbers = range(1, n_max + 1) if code in EVERY_N else [1] if code == "0C" else [n_max]
    if options.sample_attempts and code in DRAWN_N:
        numbers = range(2, n_max + 1)
    if code == "algorithm1":
        assert right[-1] and 1 <= sum(right) <= n_max and n - sum(right) < sum(right), "more wrong than right"
    else:
        assert n in numbers, f"{n} attempts in {code}"
    if code in ("0C", "*C", "*C_full", "no_reflection"):
        assert right[-1], "the last attempt is wrong"
    if code == "*C*IC":
        assert not right[-1] and any(right), "not a correct one, then an incorrect one last"
    if code == "*CC":
        assert right[-2:] == [True, True], "not two correct ones at the end"
    assert label == (f"{n}C" if code in ("*C", "*C_full") else code), f"label {label} for {code}"


def check_trace(
    row: Row, questions: dict[str, list[Kept]], options: Options, phrases: Phrases, code: str | None = None
) -> Found:
    """A row of the result → what its text holds, after every check of text, order, label, spans and lineage."""
    user, assistant = row["conversations"]
    assert list(user) == ["role", "content"] and list(assistant) == ["role", "content"]
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    code = code or row["format"]
    assert user["content"] in questions, "not a usable question"
    found = read_trace(assistant["content"], code, questions[user["content"]], phrases)
    check_order(code, row["sft_template_type_idx"], found.attempts, options)
    found = replace(found, label=row["sft_template_type_idx"], question=user["content"])
    if "trace_id" in row:
        _check_lineage(row, found)
        _check_spans(row["spans"], assistant["content"], found)
    return found


def _check_lineage(row: Row, found: Found) -> None:
    attempts = row["attempts"]
    assert row["format"] == found.code and row["trace_id"] and row["question_id"]
    assert [a["correct"] for a in attempts] == [a.correct for a in found.attempts]
    assert [a["prompt_variant"] for a in attempts] == [a.variant for a in found.attempts]
    assert len({a["response_id"] for a in attempts}) == len(found.attempts)
    assert [a["reflection_id"] is None for a in attempts] == [r is None for r in found.reflections]


def _check_spans(spans: Sequence[Row], text: str, found: Found) -> None:
    """Spans lie in order, do not overlap, and each piece that the oracle found is one of them."""
    cuts = [(span["start"], span["end"]) for span in spans]
    assert all(0 <= start <= end <= len(text) for start, end in cuts)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(cuts)), "spans overlap"
    assert [(start, end) for _, start, end in found.pieces] == cuts
    kinds = [span["kind"] for span in spans]
    assert kinds == [kind for kind, _, _ in found.pieces]


# ---------------------------------------------------------------------------------- whole builds at once


def check_ids(rows: Sequence[Row], found: Sequence[Found]) -> None:
    """Ids are names of content: one id for each question, response and reflection, and no trace id twice."""
    assert len({row["trace_id"] for row in rows}) == len(rows), "a trace id stands twice"
    names: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row, trace in zip(rows, found, strict=True):
        names["question", trace.question].add(row["question_id"])
        for entry, attempt, reflection in zip(
            row["attempts"], trace.attempts, trace.reflections, strict=True
        ):
            names["response", trace.question, attempt.text].add(entry["response_id"])
            if reflection is not None:
                names["reflection", trace.question, attempt.text, reflection].add(entry["reflection_id"])
    assert all(len(ids) == 1 for ids in names.values()), "one content has several ids"
    for kind in ("question", "response"):
        ids = [next(iter(v)) for k, v in names.items() if k[0] == kind]
        assert len(set(ids)) == len(ids), f"two {kind}s share an id"


def check_exhausted(found: Sequence[Found], responses: Sequence[Kept], options: Options) -> None:
    """Algorithm 1 uses every correct response once in each repeat and no wrong one more than once."""
    uses = Counter(attempt.text for trace in found for attempt in trace.attempts)
    for response in responses:
        most = options.repeats
        assert uses[response.text] == most if response.correct else uses[response.text] <= most


def check_build(rows: Sequence[Row], code: str, filtered: Filtered, options: Options) -> list[Found]:
    """All traces of a build with one format: each one checked, and as many per question and label as there should be."""
    questions, phrases = usable_for(code, filtered, options), phrase_book()
    found = [check_trace(row, questions, options, phrases, code) for row in rows]
    if rows and "trace_id" in rows[0]:
        check_ids(rows, found)
    made: dict[str, list[Found]] = defaultdict(list)
    for trace in found:
        made[trace.question].append(trace)
    for question, responses in questions.items():
        labels = expected_labels(code, responses, options)
        mine = made[question]
        if isinstance(labels, str):
            assert not mine, f"traces although {labels}"
        elif code == "algorithm1":
            check_exhausted(mine, responses, options)
        elif "drawn" in labels:
            assert len(mine) == options.repeats
        else:
            assert Counter(trace.label for trace in mine) == Counter(
                {label: count * options.repeats for label, count in labels.items()}
            )
    return found


# ------------------------------------------------------------------------------------------ the command


@dataclass(frozen=True)
class Run:
    """What a run of the command left: exit code, standard output, standard error."""

    exit: int
    out: str
    err: str


def command(*words: object, cwd: Path | None = None, **variables: str) -> Run:
    """Run `python -m skill_factory WORDS` as a user would, with `variables` added to the environment."""
    return python("-m", "skill_factory", *words, cwd=cwd, **variables)


def python(*words: object, cwd: Path | None = None, **variables: str) -> Run:
    """Run this interpreter on `words`; the repository is importable from any folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **variables}
    line = [sys.executable, *map(str, words)]
    done = subprocess.run(
        line, cwd=cwd or ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return Run(done.returncode, done.stdout, done.stderr)


def build(source: object, out: Path, *options: object, **variables: str) -> Row:
    """`build SOURCE --out OUT OPTIONS --json`, which must succeed → the one JSON object that it prints."""
    run = command("build", source, "--out", out, *options, "--json", **variables)
    assert run.exit == 0, f"exit {run.exit}: {run.err[-2000:]}"
    return json.loads(run.out)


def report(folder: Path) -> Row:
    """The report of a build folder."""
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def shards(folder: Path) -> list[Path]:
    """The shards of a build folder in written order."""
    return sorted((folder / "sft_train").glob("*.parquet"))


def traces(folder: Path) -> list[Row]:
    """All rows of a build folder in written order."""
    return [row for shard in shards(folder) for row in pq.ParquetFile(shard).read().to_pylist()]


def digest(folder: Path) -> dict[str, str]:
    """Every file of a folder by its path inside it → the hash of its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
