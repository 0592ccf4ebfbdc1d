"""The reward of reinforcement learning: 1 for a right final answer, else 0, and optional terms of weight 0.

The optional terms are those that the paper's code knows: format, right samples, right verdicts, and penalties for
samples that repeat each other and for changing a right answer into a wrong one. Each lies between 0 and 1.
"""

from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

from skill_factory.grading.answers import USUAL_NAMES, BlockNames, blocks, final_answer
from skill_factory.grading.decisions import Decision
from skill_factory.grading.equivalence import equivalent, judge
from skill_factory.grading.tasks import Task, task_named


class Weights(NamedTuple):
    """What each optional term adds to the reward (penalties are taken off); all 0, so that the answer alone counts."""

    format: float = 0.0
    samples: float = 0.0
    verdicts: float = 0.0
    repeats: float = 0.0
    spoiled: float = 0.0


ANSWER_ALONE = Weights()

MOST_SAMPLES = 32
"""Samples of one text that the optional terms look at; the rest is not read."""


class Attempt(NamedTuple):
    """One sample of a trace: its text, its own answer, and the verdict that the next reflection gave it (or "")."""

    text: str
    answer: str | None
    verdict: str


def attempts_of(text: str, names: BlockNames = USUAL_NAMES) -> list[Attempt]:
    """The closed samples of a text, each with the verdict that follows it; a sample's own answer is in `<answer>`."""
    samples, reflections = blocks(text, names.sample)[:MOST_SAMPLES], blocks(text, names.reflect)
    found, next_reflection = [], 0
    for place, (begin, sample) in enumerate(samples):
        end = samples[place + 1][0] if place + 1 < len(samples) else len(text)
        # Reflections before a sample belong to earlier ones; the walk goes through both lists once.
        while next_reflection < len(reflections) and reflections[next_reflection][0] < begin:
            next_reflection += 1
        follows = next_reflection < len(reflections) and reflections[next_reflection][0] < end
        reflection = reflections[next_reflection][1] if follows else ""
        verdicts = blocks(reflection, "verdict")
        found.append(
            Attempt(sample, final_answer(sample), verdicts[0][1].strip().lower() if verdicts else "")
        )
    return found


def well_formed(text: str, names: BlockNames = USUAL_NAMES) -> float:
    """1 when the text thinks once, at its beginning, in closed blocks, and ends in its final answer; else 0."""
    body, opening, closing = text.strip(), f"<{names.think}>", f"</{names.think}>"
    once = body.startswith(opening) and body.count(opening) == 1 and body.count(closing) == 1
    thought = body.partition(closing)[0]
    closed = all(
        thought.count(f"<{name}>") == thought.count(f"</{name}>") for name in (names.sample, names.reflect)
    )
    ends = body.endswith(f"</{names.answer}>") and final_answer(body, names) is not None
    return float(once and closed and ends)


def repeat_share(samples: list[str]) -> float:
    """The share of samples after the first that repeat an earlier one, with a similarity over 0.9."""
    counted = [_triples(sample) for sample in samples[:MOST_SAMPLES]]
    repeats = sum(
        any(_similarity(one, other) > 0.9 for other in counted[:place]) for place, one in enumerate(counted)
    )
    return repeats / (len(counted) - 1) if len(counted) > 1 else 0.0


def _triples(text: str) -> Counter[tuple[str, ...]]:
    words = text.split()
    return (
        Counter(zip(words, words[1:], words[2:], strict=False)) if len(words) > 3 else Counter([tuple(words)])
    )


def _similarity(one: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> float:
    """Twice the shared runs of three words over all runs: 1 for equal texts, and linear where an edit distance is not."""
    one, other = (one, other) if len(one) <= len(other) else (other, one)
    total = one.total() + other.total()
    # Texts of very different length can't reach the similarity asked for, so nothing is counted.
    if 2 * min(one.total(), other.total()) <= 0.9 * total:
        return 0.0
    return 2 * sum(min(count, other[run]) for run, count in one.items()) / total


def spoiled_share(right: list[bool]) -> float:
    """The share of steps from one answer to the next that turn a right one into a wrong one."""
    steps = list(pairwise(right))
    return sum(before and not after for before, after in steps) / len(steps) if steps else 0.0


def optional_terms(right: list[bool], attempts: list[Attempt], final: bool, weights: Weights) -> float:
    """The weighted sum of the optional terms but the format's; `right` says which attempts are, `final` of the answer."""
    judged = [
        (mine.verdict == "correct") == truth
        for mine, truth in zip(attempts, right, strict=True)
        if mine.verdict
    ]
    total = weights.samples * _share(right) + weights.verdicts * _share(judged)
    total -= weights.spoiled * spoiled_share([*right, final])
    return total - (
        weights.repeats * repeat_share([mine.text for mine in attempts]) if weights.repeats else 0.0
    )


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def score(
    text: str,
    gold: str,
    task: str | Task = "auto",
    question: str = "",
    weights: Weights = ANSWER_ALONE,
    names: BlockNames = USUAL_NAMES,
) -> float:
    """The reward of one model output: 1.0 or 0.0 for its final answer, plus the weighted optional terms."""
    final = equivalent(final_answer(text, names), gold, task, question)
    total = float(final)
    if weights.format:
        total += weights.format * well_formed(text, names)
    if any(weights[1:]):
        attempts = attempts_of(text.rpartition(f"</{names.think}>")[0], names)
        right = [equivalent(attempt.answer, gold, task, question) for attempt in attempts]
        total += optional_terms(right, attempts, final, weights)
    return total


# What `reward.py` is told when it is written; the trainers' keywords of the same names go before them.
DEFAULT_TASK = "auto"
DEFAULT_WEIGHTS = ANSWER_ALONE
DEFAULT_NAMES = USUAL_NAMES


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: dict[str, Any] | None = None,
    **settings: Any,
) -> float:
    """The reward of one output, as verl's reward loop asks for it; `task=` and the weights' names may be set there.

    What verl's newest loop hands over beside them (`reward_router_address` and its like) is not needed.
    """
    given = {name: float(settings[name]) for name in Weights._fields if name in settings}
    question = str((extra_info or {}).get("question") or "")
    task = task_named(settings.get("task") or DEFAULT_TASK)
    weights = DEFAULT_WEIGHTS._replace(**given)
    return score(solution_str, str(ground_truth), task, question, weights, DEFAULT_NAMES)


def compute_score_counted(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: dict[str, Any] | None = None,
    **settings: Any,
) -> dict[str, float]:
    """The same with its decision: verl takes `score` and logs `right`, `wrong` and `unjudged` beside it."""
    question = str((extra_info or {}).get("question") or "")
    decision = decided(solution_str, str(ground_truth), settings.get("task") or DEFAULT_TASK, question)
    counted = {kind.value: float(decision == kind) for kind in Decision}
    return {
        "score": compute_score(data_source, solution_str, ground_truth, extra_info, **settings),
        **counted,
    }


def decided(text: str, gold: str, task: str | Task = "auto", question: str = "") -> Decision:
    """What the final answer of an output is; unjudged answers are paid 0.0 and don't prove an error."""
    return judge(final_answer(text, DEFAULT_NAMES), gold, task, question)


def compute_score_batch(
    data_sources: list[str],
    solution_strs: list[str],
    ground_truths: list[str],
    extra_infos: list[dict[str, Any] | None],
    **settings: Any,
) -> list[float]:
    """The rewards of a batch, as the batch managers of older verl ask for them."""
    rows = zip(data_sources, solution_strs, ground_truths, extra_infos, strict=True)
    return [compute_score(*row, **settings) for row in rows]


def trl_reward(completions: list[Any], reward_model: list[dict[str, Any]], **columns: Any) -> list[float]:
    """The rewards of a group, as TRL's `GRPOTrainer` asks for them; it reads verl's rows, columns come as lists.

    Where TRL hands over `log_metric`, the share of unjudged answers is logged.
    """
    texts = [said(completion) for completion in completions]
    golds = [row["ground_truth"] for row in reward_model]
    sources = columns.get("data_source") or [""] * len(texts)
    told = columns.get("extra_info") or [None] * len(texts)
    if texts and callable(log_metric := columns.get("log_metric")):
        log_metric("unjudged", sum(map(_unjudged, texts, golds, told)) / len(texts))
    return compute_score_batch(sources, texts, golds, told)


def rubric_reward(completion: Any, answer: Any, prompt: Any = "", info: Any = None, **row: Any) -> float:
    """The reward of one rollout, as a `Rubric` of verifiers and prime-rl asks for it: `Rubric(funcs=[rubric_reward])`."""
    return compute_score("", said(completion), str(answer), {"question": _asked(prompt, info, row)})


def rubric_unjudged(completion: Any, answer: Any, prompt: Any = "", info: Any = None, **row: Any) -> float:
    """1.0 where no rule could read the answer; a metric of the same rubric: `rubric.add_metric(rubric_unjudged)`."""
    return _unjudged(said(completion), str(answer), {"question": _asked(prompt, info, row)})


def _unjudged(text: str, gold: str, told: dict[str, Any] | None) -> float:
    question = str((told or {}).get("question") or "")
    return float(decided(text, gold, DEFAULT_TASK, question) == Decision.UNJUDGED)


def said(completion: Any) -> str:
    """The text of a completion: a text, or the last message of several."""
    if isinstance(completion, str):
        return completion
    last = completion[-1] if completion else {}
    content = last.get("content") if isinstance(last, dict) else getattr(last, "content", "")
    if isinstance(content, list):  # parts of a message; pictures have no text
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")


def _asked(prompt: Any, info: Any, row: dict[str, Any]) -> str:
    """The question: a column of its own, in `info`, or the prompt's last message."""
    told = row.get("question") or (info.get("question") if isinstance(info, dict) else "")
    return str(told or said(prompt))
