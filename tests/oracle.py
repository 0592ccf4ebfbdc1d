"""A second reading of the method: it reads traces back, byte for byte, without the package's own parser.

    trace row ── check_trace ─▶ Found: the attempts, phrases and answer that the text holds, or AssertionError

Nothing here imports the package's logic; only its data, the phrase book, is read.
"""

import itertools
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.make_raw import Row
from tests.raw_rules import (
    DRAWN_N,
    EVERY_N,
    VARIANTS_MAY_DIFFER,
    Filtered,
    Kept,
    Options,
    expected_labels,
    usable_for,
)

PHRASE_FILE = Path(__file__).parents[1] / "skill_factory" / "recipe" / "phrases.toml"


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
        reader.one_of("sample_again", [right[-1].text], "\n")
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
