"""Several outputs of a question: pass@k (is one of k right?) and maj@k (is the most common answer right?)."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skill_factory.draws import Draws, draw_key
from skill_factory.measure.cells import numbers
from skill_factory.measure.outputs import RIGHT

LARGEST_K = 64
DRAWN = 16
"""Draws of k outputs for each question where k is fewer than it has."""
_AT_ONCE = 2_000_000

Votes = npt.NDArray[np.uint64]


class AtK(NamedTuple):
    """pass@k and maj@k over the questions with at least k outputs."""

    k: int
    questions: int
    passed: float
    majority: float


def at_each_k(table: pa.Table, seed: int = 0) -> list[AtK]:
    """For k = 1, 2, 4, … as far as a question has so many outputs; empty where none has two."""
    groups = _votes_by_size(table)
    most = max((votes.shape[1] for votes, _ in groups), default=0)
    # One output a question is accuracy, which stands elsewhere already.
    if most < 2:
        return []
    # Powers of two, as papers print them.
    return [_at(k, groups, seed) for k in (1, 2, 4, 8, 16, 32, 64) if k <= min(most, LARGEST_K)]


def _at(k: int, groups: list[tuple[Votes, npt.NDArray[np.int64]]], seed: int) -> AtK:
    fitting = [(votes, right) for votes, right in groups if votes.shape[1] >= k]
    passed = np.concatenate([_pass_at(votes.shape[1], right, k) for votes, right in fitting])
    majority = np.concatenate([_majority_at(votes, k, seed) for votes, _ in fitting])
    return AtK(k, len(passed), float(passed.mean()), float(majority.mean()))


def _votes_by_size(table: pa.Table) -> list[tuple[Votes, npt.NDArray[np.int64]]]:
    """Questions with equally many outputs together: their votes (a row each), and how many are right."""
    question, vote = (np.asarray(table.column(name).to_numpy()) for name in ("question_id", "final_id"))
    right = numbers(table, "final") == RIGHT
    order = np.lexsort((vote, question))  # the same whatever the order of the rows
    question, vote, right = question[order], vote[order], right[order]
    firsts = (
        np.flatnonzero(np.concatenate([[True], question[1:] != question[:-1]])) if len(question) else order
    )
    sizes = np.diff(np.concatenate([firsts, [len(question)]]))
    groups = []
    for size in np.unique(sizes):
        places = firsts[sizes == size][:, None] + np.arange(size)
        groups.append((vote[places], right[places].sum(axis=1)))
    return groups


def _pass_at(n: int, right: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """1 - C(n - c, k) / C(n, k): the unbiased estimator (Chen et al., arXiv 2107.03374)."""
    missed = np.ones(len(right))
    # As a product, since binomials of a few hundred outputs overflow.
    for i in range(k):
        missed *= np.clip(n - right - i, 0, None) / (n - i)
    return 1 - missed


def _majority_at(votes: Votes, k: int, seed: int) -> npt.NDArray[np.float64]:
    n = votes.shape[1]
    # All outputs of a question are its only choice of n, so there is nothing to draw.
    if k == n:
        return _majority(votes)
    rounds = []
    for number in range(DRAWN):
        # By place among sorted votes, the same for every question of that size: no question needs draws of its own.
        chosen = Draws(draw_key(seed, "majority", n, k, number)).some(range(n), k)
        rounds.append(_majority(votes[:, sorted(chosen)]))
    share: npt.NDArray[np.float64] = np.mean(rounds, axis=0)
    return share


def _majority(votes: Votes) -> npt.NDArray[np.float64]:
    """Whether the most common answer is right; of answers that tie, the share. An output without answer has no vote."""
    # Every vote is compared with every other, so memory grows with the square of the outputs.
    at_once = max(1, _AT_ONCE // votes.shape[1] ** 2)
    return np.concatenate([_winners(votes[i : i + at_once]) for i in range(0, len(votes), at_once)])


def _winners(votes: Votes) -> npt.NDArray[np.float64]:
    same = (votes[:, :, None] == votes[:, None, :]).sum(axis=2) * (votes != 0)
    most = same.max(axis=1)
    wins = (same == most[:, None]) & (most > 0)[:, None]
    # Votes for the winner count once each: divided by their number they are the answers that tie.
    tied = wins.sum(axis=1) / np.maximum(most, 1)
    won = (wins & (votes == 1)).any(axis=1)
    return np.where(won, 1 / np.maximum(tied, 1), 0.0)
