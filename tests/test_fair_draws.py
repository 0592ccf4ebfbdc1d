"""Drawing is fair: every kept response, reflection and phrase has its even share, and the mix of right and wrong is the method's.

Expectations are computed from the raw data and the method's rules; nothing of the package's code is used but its command.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests import command, make_raw, oracle, raw_rules

QUESTIONS, RESPONSES, REFLECTIONS, REPEATS = 2000, 6, 3, 4
FORMATS = raw_rules.FORMATS
MANY, SAMPLES, N = 4000, 64, 5


def z_of_chi2(chi2: float, cells: int, draws: int, tables: int = 1) -> float:
    """How many standard deviations `chi2`, summed over `tables` tables of `draws` even draws each, lies off its mean.

    Mean (cells − 1) and variance 2 (cells − 1)(draws − 1)/draws are exact for an even multinomial.
    """
    mean = tables * (cells - 1)
    return (chi2 - mean) / math.sqrt(tables * 2 * (cells - 1) * (draws - 1) / draws)


def chi2_even(counts: Iterable[int], cells: int) -> float:
    """χ² of `counts` against even shares; cells that were never drawn may be left out of `counts`."""
    seen = list(counts)
    share = sum(seen) / cells
    return sum((count - share) ** 2 for count in seen) / share + (cells - len(seen)) * share


def assert_even(drawn: Sequence[Any], cells: int) -> None:
    """`drawn` is spread evenly over `cells` things; four standard deviations are let pass."""
    z = z_of_chi2(chi2_even(Counter(drawn).values(), cells), cells, len(drawn))
    assert len(set(drawn)) == cells and abs(z) < 4, f"z = {z:.1f} over {len(drawn)} draws of {cells}"


def assert_even_within(groups: Iterable[Sequence[Any]], cells: int, draws: int) -> None:
    """Each group holds `draws` independent even draws: neither one favourite per group, nor taking turns."""
    values = [chi2_even(Counter(group).values(), cells) for group in groups]
    z = z_of_chi2(sum(values), cells, draws, len(values))
    assert abs(z) < 4, f"z = {z:.1f} over {len(values)} groups"


# ----------------------------------------------------------------------------- even draws, repeats differ


def even_rows() -> Iterator[make_raw.Row]:
    """Questions with half of their responses right and the same number of kept reflections for each."""
    for number in range(QUESTIONS):
        for place in range(RESPONSES):
            right = place % 2 == 0
            reflections = [make_raw.verdict(right, f"Look {look} at {place}.") for look in range(REFLECTIONS)]
            text = f"Way {place}.\n<answer>{place}</answer>"
            yield make_raw.row(f"Question {number}?", text, right, reflections)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[oracle.Found]:
    """All traces of a `random` build with up to two attempts, a `*C*IC` and a `*CC` one, as the oracle reads them."""
    folder = tmp_path_factory.mktemp("even")
    rows = list(even_rows())
    raw = make_raw.write_parquet(rows, folder / "raw.parquet")
    codes = [word for code in ("random", "*C*IC", "*CC") for word in ("--format", code)]
    command.build(raw, folder / "out", *codes, "--attempts", 2, "--repeats", REPEATS, *command.EVERY_TRACE)
    options = raw_rules.Options(attempts=2, repeats=REPEATS)
    usable = raw_rules.filter_raw(rows, options).usable
    phrases = oracle.phrase_book()
    return [oracle.check_trace(row, usable, options, phrases) for row in command.traces(folder / "out")]


def by_question(found: Iterable[oracle.Found]) -> list[list[oracle.Found]]:
    """Traces in groups of one question."""
    groups: dict[str, list[oracle.Found]] = defaultdict(list)
    for trace in found:
        groups[trace.question].append(trace)
    return list(groups.values())


def of_random(drawn: Sequence[oracle.Found], attempts: int) -> list[oracle.Found]:
    """The `random` traces with this number of attempts."""
    return [trace for trace in drawn if trace.code == "random" and len(trace.attempts) == attempts]


@pytest.mark.parametrize(("attempts", "place"), [(1, 0), (2, 0), (2, 1)])
def test_every_response_is_drawn_evenly(drawn: list[oracle.Found], attempts: int, place: int) -> None:
    """At each place of a `random` trace each kept response has its share, over all questions and within each."""
    groups = [[t.attempts[place].text for t in group] for group in by_question(of_random(drawn, attempts))]

    assert_even([text for group in groups for text in group], RESPONSES)
    assert_even_within(groups, RESPONSES, REPEATS)


@pytest.mark.parametrize("place", [0, 1])
def test_every_reflection_is_drawn_evenly(drawn: list[oracle.Found], place: int) -> None:
    """Each kept reflection of a response has its share, wherever the response stands, anew at each use."""
    uses: dict[tuple[str, str], list[str]] = defaultdict(list)
    for trace in of_random(drawn, 2):
        uses[trace.question, trace.attempts[place].text].append(str(trace.reflections[place]))
    looks = [text.split()[1] for texts in uses.values() for text in texts]
    pairs = [tuple(sorted(texts)) for texts in uses.values() if len(texts) == 2]
    same = sum(first == second for first, second in pairs)

    assert_even(looks, REFLECTIONS)
    assert abs(same - len(pairs) / REFLECTIONS) < 4 * math.sqrt(len(pairs) * 2 / 9)


def test_every_order_of_a_pair_is_drawn_evenly(drawn: list[oracle.Found]) -> None:
    """Each ordered pair of two different responses has its share."""
    pairs = [tuple(a.text for a in trace.attempts) for trace in of_random(drawn, 2)]

    assert_even(pairs, RESPONSES * (RESPONSES - 1))


@pytest.mark.parametrize("right", [True, False])
def test_every_glue_phrase_is_drawn_evenly(drawn: list[oracle.Found], right: bool) -> None:
    """After a right attempt each phrase of its own and the generic pool has its share; after a wrong one as well."""
    glue = [t.glue[0] for t in of_random(drawn, 2) if t.attempts[0].correct == right]

    assert_even(glue, len(oracle.phrase_book().glue_after(right, "random")))


@pytest.mark.parametrize(("code", "pool"), [("random", "ending"), ("*C*IC", "backtrack"), ("*CC", "confirm")])
def test_every_closing_phrase_is_drawn_evenly(drawn: list[oracle.Found], code: str, pool: str) -> None:
    """Endings, ways to go back and ways to confirm: each phrase of the pool has its share, within a question too."""
    own = [trace for trace in drawn if trace.code == code and len(trace.attempts) == 2]
    phrase = [[str(t.ending if pool == "ending" else t.closing) for t in group] for group in by_question(own)]
    cells = len(getattr(oracle.phrase_book(), pool))

    assert_even([text for group in phrase for text in group], cells)
    assert_even_within(phrase, cells, REPEATS)


def test_repeats_differ(drawn: list[oracle.Found]) -> None:
    """Two repeats of a question agree in their attempts no more often than chance has it."""
    groups = [[t.attempts for t in group] for group in by_question(of_random(drawn, 2))]
    agree = sum(group[0] == group[1] for group in groups)
    share = 1 / (RESPONSES * (RESPONSES - 1))

    assert abs(agree - len(groups) * share) < 4 * math.sqrt(len(groups) * share * (1 - share))


# -------------------------------------------------------------------- the mix of right and wrong, by place


def many_rows() -> Iterator[make_raw.Row]:
    """4,000 rows of 64 responses each, every question with a share of right ones of its own (2 to 62 of 64)."""
    rng = np.random.default_rng(2)
    for number in range(MANY):
        right = int(rng.integers(2, SAMPLES - 1))
        labels = rng.permutation([True] * right + [False] * (SAMPLES - right)).tolist()
        texts = [f"{place}\n<answer>{place}</answer>" for place in range(SAMPLES)]
        reflections = [[make_raw.verdict(label, "So.")] for label in labels]
        yield make_raw.row(
            f"Q{number}", texts, labels, reflections, extracted=[str(place) for place in range(SAMPLES)]
        )


@pytest.fixture(scope="module")
def mix(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, int], dict[Any, list[tuple[str, tuple[bool, ...]]]]]:
    """The number of right responses per question, and per format and length the traces as (question, right at each place)."""
    folder = tmp_path_factory.mktemp("mix")
    rows = list(many_rows())
    raw = make_raw.write_parquet(rows, folder / "raw.parquet")
    codes = [word for code in FORMATS for word in ("--format", code)]
    command.build(raw, folder / "out", *codes, "--attempts", N, *command.EVERY_TRACE)
    made: dict[Any, list[tuple[str, tuple[bool, ...]]]] = defaultdict(list)
    for shard in command.shards(folder / "out"):
        table = pq.ParquetFile(shard).read(columns=["conversations", "format", "attempts"])
        users = table["conversations"].combine_chunks().flatten().field("content").to_pylist()[::2]
        attempts = table["attempts"].combine_chunks()
        right, cuts = attempts.flatten().field("correct").to_pylist(), np.cumsum(attempts.value_lengths())
        for question, code, end, length in zip(
            users, table["format"].to_pylist(), cuts, attempts.value_lengths().to_pylist(), strict=True
        ):
            at_places = tuple(right[end - length : end])
            made[code, length].append((question, at_places))
            made[code].append((question, at_places))
    return {row["question"]: sum(row["correct"]) for row in rows}, made


def chance_of_right(code: str, n: int, place: int, right: int) -> float:
    """The chance that attempt `place` (from 0) of `n` is right when `right` of 64 kept responses are: by the format's rule."""
    left = SAMPLES
    if code == "random":
        return right / left
    if code == "*C*IC":
        return 0.0 if place == n - 1 else (1 + (n - 2) * (right - 1) / (left - 2)) / (n - 1)
    if code == "*CC":
        return 1.0 if place >= n - 2 else (right - 2) / (left - 2)
    return 1.0 if place == n - 1 else (right - 1) / (left - 1)


CASES = [
    (code, n, place)
    for code in FORMATS
    if code != "algorithm1"
    for n in (range(1, N + 1) if code in raw_rules.EVERY_N else [1] if code == "0C" else [N])
    for place in range(n)
]


@pytest.mark.parametrize(("code", "n", "place"), CASES)
def test_the_mix_at_each_place_is_the_methods(mix: Any, code: str, n: int, place: int) -> None:
    """The share of right attempts at a place lies within three standard errors of what the format's rule implies."""
    right_of, made = mix
    traces = made[code, n]
    off = np.array(
        [at[place] - chance_of_right(code, n, place, right_of[question]) for question, at in traces]
    )
    error = math.sqrt(float((off**2).sum()))

    assert len(traces) == MANY
    assert abs(off.sum()) <= 3 * error, f"{off.sum() / error:.2f} standard errors"


@cache
def expected_algorithm1(right: int, wrong: int) -> tuple[tuple[float, float], ...]:
    """For `right` and `wrong` responses left: per place the expected number of attempts there, and of right ones."""
    total = np.zeros((2 * N - 1, 2))
    for wish in range(1, N + 1) if right else ():
        plus = min(wish, right)
        for low in range(plus):
            minus = min(low, wrong)
            here = np.array(expected_algorithm1(right - plus, wrong - minus))
            length = plus + minus
            here[:length, 0] += 1
            here[length - 1, 1] += 1
            here[: length - 1, 1] += (plus - 1) / (length - 1) if length > 1 else 0
            total += here / (N * plus)
    return tuple(map(tuple, total.tolist()))


@pytest.mark.parametrize("column", [0, 1], ids=["attempts", "right ones"])
@pytest.mark.parametrize("place", range(2 * N - 1))
def test_the_mix_of_algorithm_1_is_the_papers(mix: Any, place: int, column: int) -> None:
    """Attempts at a place, and right ones among them, lie within three standard errors of the exact expectation."""
    right_of, made = mix
    seen: Counter[str] = Counter()
    for question, at in made["algorithm1"]:
        if len(at) > place:
            seen[question] += 1 if column == 0 else at[place]
    off = np.array(
        [seen[q] - expected_algorithm1(r, SAMPLES - r)[place][column] for q, r in right_of.items()]
    )
    error = math.sqrt(float((off**2).sum()))

    assert abs(off.sum()) <= 3 * error, f"{off.sum() / error:.2f} standard errors"
