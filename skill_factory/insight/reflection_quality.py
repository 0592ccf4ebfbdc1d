"""How good the reflections are: which responses they keep, and how many more of them would help."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_factory.insight.tables import TRUTH
from skill_factory.intervals import wilson
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import KEPT, Judgement
from skill_factory.reasons import ResponseReason
from skill_factory.recipe.variants import variant_titles

if TYPE_CHECKING:
    import pandas as pd

UNREFLECTED = list(ResponseReason).index(ResponseReason.NO_KEPT_REFLECTION) + 1


def reflections_table(facts: Facts, judgement: Judgement) -> "pd.DataFrame":
    """
    variant, truth, responses, kept, share, low, high: responses that at least one reflection judges correctly.

    Of the responses that fail no other rule; low and high are the 95 % interval (Wilson).
    """
    import pandas as pd

    # Responses that another rule drops say nothing about reflections.
    judged = (judgement.response_code == KEPT) | (judgement.response_code == UNREFLECTED)
    codes = facts.response_variant.astype(np.int64) * 2 + facts.response_correct
    width = 2 * len(facts.variants)
    every = np.bincount(codes[judged], minlength=width)
    kept = np.bincount(codes[judgement.response_code == KEPT], minlength=width)
    titles, rows = variant_titles(facts.variants), []
    for code in range(width):
        if n := int(every[code]):
            k = int(kept[code])
            rows.append((titles[facts.variants[code // 2]], TRUTH[code % 2], n, k, k / n, *wilson(k / n, n)))
    return pd.DataFrame(rows, columns=["variant", "truth", "responses", "kept", "share", "low", "high"])


def more_reflections_table(
    facts: Facts, judgement: Judgement, extra: Sequence[int] = (1, 2, 4, 8)
) -> "pd.DataFrame":
    """
    truth, dropped, extra, regained: how many dropped responses a few more reflections each would bring back, estimated.

    The chance that a reflection is correct is assumed to differ between responses like a beta distribution, fitted by
    moments to the right and to the wrong responses apart. A response with c reflections, none of them kept, then gains a
    kept one with the chance 1 − B(a, b + c + extra) / B(a, b + c).
    """
    import pandas as pd

    rows = []
    for truth in (1, 0):
        tried, hits = _reflections(facts, judgement, truth)
        fit = _beta(tried, hits)
        missed = tried[hits == 0]
        for more in extra:
            regained = 0.0 if fit is None else float(_gain(*fit, missed, more).sum())
            rows.append((TRUTH[truth], len(missed), more, round(regained)))
    return pd.DataFrame(rows, columns=["truth", "dropped", "extra", "regained"])


def _reflections(facts: Facts, judgement: Judgement, truth: int) -> tuple[Any, Any]:
    """For each response of one truth that only its reflections decide on: its reflections, and the kept ones among them."""
    n = len(facts.response_id)
    owner = judgement.response_twin[facts.reflection_response]
    tried = np.bincount(owner, minlength=n)
    hits = np.bincount(owner[judgement.reflection_code == KEPT], minlength=n)
    judged = (judgement.response_code == KEPT) | (judgement.response_code == UNREFLECTED)
    these = judged & (facts.response_correct == bool(truth)) & (tried > 0)
    return tried[these], hits[these]


def _beta(tried: Any, hits: Any) -> tuple[float, float] | None:
    """Parameters of the beta distribution of the chance, by moments; None without a hit."""
    if not len(tried) or not hits.sum():
        return None
    mean = min(float(hits.sum() / tried.sum()), 1 - 1e-6)
    pairs = float((tried * (tried - 1)).sum())
    # Two reflections on one response agree more often than two on different ones: that tells how much responses differ.
    both = float((hits * (hits - 1)).sum()) / pairs if pairs else mean * mean
    # Neither all alike nor all independent, which would make the parameters infinite or nothing.
    likeness = min(max((both - mean * mean) / (mean * (1 - mean)), 1e-3), 0.999)
    size = 1 / likeness - 1
    return mean * size, (1 - mean) * size


def _gain(a: float, b: float, missed: Any, more: int) -> Any:
    # The ratio of two beta functions as a product: nothing overflows.
    stay = np.ones(len(missed))
    for k in range(more):
        stay *= (b + missed + k) / (a + b + missed + k)
    return 1 - stay
