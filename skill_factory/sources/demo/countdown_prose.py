"""How the model of the Countdown world speaks: worked attempts at a puzzle, and reflections of them.

The sentences stand in `countdown.toml`; every calculation in them is made here, so a right attempt is right to the last
step, and a wrong one is wrong in a way that a reader can find.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from skill_factory.sources.demo.countdown import Expr, Fault, Puzzle, Slip, make_puzzle, pretty, steps_of
from skill_factory.sources.demo.draw import Draw

WORDS: dict[str, Any] = tomllib.loads(
    files("skill_factory.sources.demo").joinpath("countdown.toml").read_text("utf-8")
)

# Shares of the planted blemishes, per attempt or per reflection; real data has them too.
CUT_OFF, STRAY_TAG = 0.012, 0.004
EMPTY, NO_VERDICT, UNCLEAR = 0.005, 0.035, 0.2

FAULT_DRAWS = (
    (Fault.NEAR,) * 3 + (Fault.SLIP,) * 4 + (Fault.TWICE,) * 3 + (Fault.LEFT_OUT,) * 3 + (Fault.STRANGER,)
)

Facts = Mapping[str, object]
"""What any sentence about a puzzle may mention: id, numbers, target, count, Count, largest."""


@dataclass(frozen=True)
class Attempt:
    """One response to a puzzle; `expr` is None when it was cut off before an answer."""

    text: str
    expr: Expr | None
    correct: bool
    slip: Slip | None

    @property
    def answer(self) -> str:
        """The final answer; empty without one."""
        return str(self.expr) if self.expr else ""


@dataclass(frozen=True)
class CountdownTask:
    """One puzzle, as it is asked."""

    puzzle: Puzzle
    facts: "Facts"
    question: str

    @property
    def gold(self) -> str:
        """The first expression that solves it."""
        return str(self.puzzle.solutions[0])

    def attempt(self, variant: str, right: bool, draw: Draw) -> Attempt:
        """A worked attempt, right or really wrong."""
        return make_attempt(self.puzzle, self.facts, variant, right, draw)

    def reflection(self, attempt: Attempt, misjudges: bool, draw: Draw) -> str:
        """A reflection that redoes the calculation."""
        return make_critique(self.puzzle, self.facts, attempt, misjudges, draw)


def make_task(seed: int, number: int, draw: Draw) -> CountdownTask:
    """The puzzle with this number, from 0; the draw is keyed by seed and number already."""
    puzzle = make_puzzle(draw)
    facts = facts_about(puzzle, number + 1)
    return CountdownTask(puzzle, facts, ask(facts, draw))


def facts_about(puzzle: Puzzle, number: int) -> Facts:
    """The facts of the puzzle with this number."""
    *head, last = map(str, puzzle.numbers)
    count = {3: "three", 4: "four"}[len(puzzle.numbers)]
    return {
        "id": number,
        "numbers": f"{', '.join(head)} and {last}",
        "target": puzzle.target,
        "count": count,
        "Count": count.capitalize(),
        "largest": max(puzzle.numbers),
    }


def ask(facts: Facts, draw: Draw) -> str:
    """The puzzle as a question; it says that it is synthetic."""
    return _say(draw, WORDS["question"], facts)


def make_attempt(puzzle: Puzzle, facts: Facts, variant: str, right: bool, draw: Draw) -> Attempt:
    """A worked attempt in the manner of its prompt variant, ending in a right or a really wrong expression."""
    expr, fault = (draw.pick(puzzle.solutions), None) if right else _mistake(puzzle, draw)
    slip = _slip(expr, puzzle.target, draw) if fault is Fault.SLIP else None
    told = [*_opening(variant, facts, draw), *_probes(puzzle, facts, variant, expr, draw)]
    cut_off = draw.chance(CUT_OFF)
    if cut_off:
        told.append(_say(draw, WORDS["final"]["cut_off"], facts))
    else:
        told += [_final(facts, variant, expr, fault, slip, draw), f"<answer>{expr}</answer>"]
    stray = "<think>\n" if draw.chance(STRAY_TAG) else ""
    return Attempt(stray + "\n\n".join(told), None if cut_off else expr, right and not cut_off, slip)


def _mistake(puzzle: Puzzle, draw: Draw) -> tuple[Expr, Fault]:
    fault = draw.pick([fault for fault in FAULT_DRAWS if fault in puzzle.faulty])
    return draw.pick(puzzle.faulty[fault]), fault


def _slip(expr: Expr, target: int, draw: Draw) -> Slip:
    """A miscalculated step, the last or one before it, that makes the whole seem to reach the target."""
    missed = target - expr.value
    left, right = expr.args
    places = [Slip(expr, target)]
    if expr.op in ("+", "-") and left.args:
        places.append(Slip(left, left.value + missed))
    if expr.op in ("+", "-") and right.args:
        places.append(Slip(right, right.value + (missed if expr.op == "+" else -missed)))
    return draw.pick([slip for slip in places if slip.told > 0])


def _opening(variant: str, facts: Facts, draw: Draw) -> list[str]:
    if variant != "plan_and_execute":
        return [_say(draw, WORDS["open"][variant], facts)]
    points = [_say(draw, WORDS["plan"][part], facts) for part in ("first", "second", "third")]
    plan = "\n".join(
        [_say(draw, WORDS["open"]["plan"], facts), *(f"{k}. {p}" for k, p in enumerate(points, 1))]
    )
    return [plan, _say(draw, WORDS["open"]["execute"], facts)]


def _probes(puzzle: Puzzle, facts: Facts, variant: str, answer: Expr, draw: Draw) -> list[str]:
    """Combinations that are tried and found wanting before the attempt settles on its answer."""
    words = WORDS["probe"]
    tries = draw.below(draw.below(6) + 1) + (variant == "alternatively")
    leads = draw.sample(words["lead"], tries)
    if variant == "alternatively":
        leads = [draw.pick(words["way"]), *draw.sample(words["another_way"], tries - 1)]
    missed = abs(answer.value - puzzle.target)  # an answer that misses is said to be the nearest one found
    probes = draw.sample(
        [expr for expr in puzzle.near[:9] if abs(expr.value - puzzle.target) > missed], tries
    )
    return [_probe(puzzle, facts, expr, lead, draw) for expr, lead in zip(probes, leads, strict=False)]


def _probe(puzzle: Puzzle, facts: Facts, expr: Expr, lead: str, draw: Draw) -> str:
    gap = expr.value - puzzle.target
    miss = "far" if abs(gap) > 30 else "over" if gap > 0 else "under"
    return _worked(facts, expr, None, lead, draw.pick(WORDS["probe"][miss]), draw)


def _final(facts: Facts, variant: str, expr: Expr, fault: Fault | None, slip: Slip | None, draw: Draw) -> str:
    another = variant == "alternatively"
    lead = draw.pick(WORDS["probe"]["another_way"] if another else WORDS["final"]["lead"])
    if fault is Fault.NEAR:
        return _worked(facts, expr, None, lead, draw.pick(WORDS["final"]["near"]), draw)
    claims_use = draw.chance(0.7 if fault in (None, Fault.SLIP) else 0.25)
    return _flow(
        _backwards(facts, expr, draw) if not (slip or another) and draw.chance(0.6) else "",
        _worked(facts, expr, slip, lead, draw.pick(WORDS["final"]["hit"]), draw),
        _say(draw, WORDS["final"]["used"], facts) if claims_use else "",
        _say(draw, WORDS["final"]["answer"], facts, expr=pretty(expr)),
    )


def _backwards(facts: Facts, expr: Expr, draw: Draw) -> str:
    """Thinking back from the target, where the last operation brings in a single number."""
    rest, leaf = expr.args
    if not rest.args and expr.op in ("+", "*"):
        rest, leaf = leaf, rest
    if leaf.args or not rest.args:
        return ""
    return _say(draw, WORDS["back"][expr.op], facts, leaf=leaf.value, rest=rest.value)


def _worked(facts: Facts, expr: Expr, slip: Slip | None, lead: str, end: str, draw: Draw) -> str:
    """Lead, calculation, and what it amounts to."""
    steps = steps_of(expr, slip)
    gap = abs(expr.value - int(str(facts["target"])))
    about = {
        **facts,
        "expr": pretty(expr),
        "first": steps[0].split(" =")[0],
        "value": expr.value,
        "gap": gap,
    }
    return _flow(lead.format(**about), _chain(steps, draw), end.format(**about))


def make_critique(puzzle: Puzzle, facts: Facts, attempt: Attempt, misjudges: bool, draw: Draw) -> str:
    """A reflection that redoes the calculation, looks at the numbers used, and closes with a verdict (mostly)."""
    if draw.chance(EMPTY):
        return ""
    verdict = attempt.correct != misjudges
    reasons = _reasons(puzzle, facts, attempt, verdict, draw)
    if draw.chance(NO_VERDICT):
        tag = "\n<verdict>Unclear</verdict>" if draw.chance(UNCLEAR) else ""
        return _flow(*reasons, _say(draw, WORDS["critique"]["unsure"], facts), tag)
    close = WORDS["critique"]["close_right" if verdict else "close_wrong"]
    tag = f"\n<verdict>{'Correct' if verdict else 'Incorrect'}</verdict>"
    return _flow(_critique_opening(facts, attempt, draw), *reasons, _say(draw, close, facts), tag)


def _critique_opening(facts: Facts, attempt: Attempt, draw: Draw) -> str:
    if attempt.expr is None:
        return ""
    return _say(draw, WORDS["critique"]["open"], facts, answer=pretty(attempt.expr))


def _reasons(puzzle: Puzzle, facts: Facts, attempt: Attempt, verdict: bool, draw: Draw) -> list[str]:
    """What speaks for the verdict; only true statements where it is true, a false or missing one where it isn't."""
    words, expr = WORDS["critique"], attempt.expr
    if expr is None:
        return [_say(draw, words["forgives" if verdict else "no_answer"], facts)]
    use: list[str] = []
    slip: Slip | None = None
    if verdict:
        slip = None if expr.value == puzzle.target else attempt.slip or Slip(expr, puzzle.target)
        use = [_say(draw, words["use_right"], facts)] if draw.chance(0.7) else []
    elif not attempt.correct:
        use = _misuses(puzzle, facts, expr, draw)
    elif draw.chance(0.5):
        use = [_say(draw, words["misread"], facts, n=draw.pick(puzzle.numbers))]
    else:
        slip = Slip(expr, expr.value + draw.pick((-10, -2, -1, 1, 2, 10)))
    total = [_total(facts, expr, slip, draw)]
    if attempt.slip and not verdict:
        total.append(_say(draw, words["slip"], facts, claim=attempt.slip.claim(), truth=attempt.slip.truth()))
    return use + total if draw.chance(0.3) else total + use


def _total(facts: Facts, expr: Expr, slip: Slip | None, draw: Draw) -> str:
    steps = steps_of(expr, slip)
    value = int(steps[-1].split("= ")[1])
    gap = abs(value - int(str(facts["target"])))
    end = WORDS["critique"]["sum_wrong" if gap else "sum_right"]
    return _flow(_chain(steps, draw), _say(draw, end, facts, value=value, gap=gap), edges=True)


def _misuses(puzzle: Puzzle, facts: Facts, expr: Expr, draw: Draw) -> list[str]:
    """What is wrong with the numbers of an expression, one sentence each."""
    given, used = Counter(puzzle.numbers), Counter(expr.numbers())
    extra = [("twice" if n in given else "stranger", n) for n in sorted(used - given)]
    gone = [("missing", n) for n in sorted(given - used)]
    return [_say(draw, WORDS["critique"][kind], facts, n=n) for kind, n in extra + gone]


def _chain(steps: list[str], draw: Draw) -> str:
    """The steps as lines of their own, or as a sentence."""
    if draw.chance(0.35):
        return "\n" + "\n".join(steps) + "\n"
    sentences: list[str] = WORDS["join"][str(len(steps))]
    return draw.pick(sentences).format(*steps)


def _flow(*parts: str, edges: bool = False) -> str:
    """Parts joined by spaces, without white space around line breaks or (unless `edges`) at the ends."""
    text = " ".join(filter(None, parts)).replace(" \n", "\n").replace("\n ", "\n")
    return text if edges else text.strip()


def _say(draw: Draw, sentences: Sequence[str], facts: Facts, **more: object) -> str:
    return draw.pick(sentences).format(**facts, **more)
