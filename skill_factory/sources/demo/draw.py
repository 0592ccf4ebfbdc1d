"""The generator that the demo draws from, keyed by what a choice belongs to.

Puzzle 7 of seed 0 is the same puzzle whatever is drawn before it, on every machine and Python version.
"""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Item = TypeVar("Item")


class Draw:
    """Random choices that follow from the key alone (BLAKE2b in counter mode)."""

    def __init__(self, *key: object) -> None:
        self._key = blake2b("\x1f".join(map(str, key)).encode(), digest_size=32).digest()
        self._blocks = 0
        self._words: list[int] = []

    def _word(self) -> int:
        if not self._words:
            block = blake2b(self._blocks.to_bytes(8, "little"), key=self._key).digest()
            self._words = list(struct.unpack("<8Q", block))
            self._blocks += 1
        return self._words.pop()

    def below(self, n: int) -> int:
        """An even draw from 0 to n - 1."""
        return (self._word() * n) >> 64

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self._word() < p * 2**64

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[Item], k: int) -> list[Item]:
        """Up to k different places of the sequence, in drawn order."""
        pool = list(items)
        return [pool.pop(self.below(len(pool))) for _ in range(min(k, len(pool)))]
