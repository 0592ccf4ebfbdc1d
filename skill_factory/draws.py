"""Choices drawn from a key: the same key draws the same choices, whatever was drawn before.

BLAKE2b in counter mode over the key makes a stream of 64-bit words, the same on every machine and in every version of
Python. An integer below n is the high word of word × n; its bias is below n / 2**64.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from struct import Struct
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

T = TypeVar("T")

_EIGHT_WORDS = Struct("<8Q")


def text_id(text: str) -> int:
    """The id of a text: its 64-bit XXH3 hash. A lone surrogate is hashed as it is."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def draw_key(seed: int, *parts: int | str) -> bytes:
    """A key from a seed and what the choice belongs to; a separator keeps the parts from running into each other."""
    return "\x1f".join([f"{seed}", *[f"{part}" for part in parts]]).encode("utf-8", "surrogatepass")


class Draws:
    """A stream of choices that depends on its key alone."""

    __slots__ = ("_block", "_key", "_next", "_words")

    def __init__(self, key: bytes) -> None:
        self._key = key
        # The first block takes no salt: block number 0 as a salt is all zeros, which BLAKE2b reads as none.
        self._words: Sequence[int] = _EIGHT_WORDS.unpack(blake2b(key).digest())
        self._block = 1
        self._next = 0

    def words(self, k: int) -> Sequence[int]:
        """The next k words of the stream."""
        start = self._next
        end = self._next = start + k
        if len(self._words) < end:
            words = list(self._words)
            while len(words) < end:
                salt = self._block.to_bytes(8, "little")
                words += _EIGHT_WORDS.unpack(blake2b(self._key, salt=salt).digest())
                self._block += 1
            self._words = words
        return self._words[start:end]

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1, all equally likely."""
        return (self.words(1)[0] * n) >> 64

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def choose(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[(self.words(1)[0] * len(items)) >> 64]

    def choose_each(self, pools: Sequence[Sequence[T]]) -> list[T]:
        """One item of each pool, in turn."""
        words = self.words(len(pools))
        return [pool[(word * len(pool)) >> 64] for word, pool in zip(words, pools, strict=True)]

    def some(self, items: Iterable[T], k: int) -> list[T]:
        """k of the items, all different, in the order drawn (Fisher–Yates)."""
        left = list(items)
        n = len(left)
        drawn = []
        for i, word in enumerate(self.words(k)):
            j = i + ((word * (n - i)) >> 64)
            drawn.append(left[j])
            left[j] = left[i]
        return drawn

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order."""
        return self.some(items, len(items))


def words_of(keys: Sequence[bytes], k: int) -> npt.NDArray[np.uint64]:
    """The first k words of each key's stream, one row per key: the words that `Draws` would give one by one."""
    streams = [b"".join([blake2b(key).digest() for key in keys])]
    for block in range(1, -(-k // 8)):
        salt = block.to_bytes(8, "little")
        streams.append(b"".join([blake2b(key, salt=salt).digest() for key in keys]))
    return np.hstack([np.frombuffer(stream, "<u8").reshape(-1, 8) for stream in streams])[:, :k].astype(
        np.uint64
    )


def all_below(words: npt.NDArray[np.uint64], n: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """`Draws.below` for whole arrays: for each word a whole number below its n; each n is below 2**32."""
    # The high half of a 128-bit product, which numpy lacks, put together from two 64-bit ones.
    half = np.uint64(32)
    low = (words & np.uint64(0xFFFFFFFF)) * n >> half
    return ((words >> half) * n + low >> half).astype(np.int64)


def order_keys(seed: int, question_ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """
    Where each question stands in the written order: smaller comes first.

    Seed and id are mixed by the finaliser of SplitMix64, applied twice, for whole arrays at once.
    """
    start = np.uint64(int.from_bytes(blake2b(str(seed).encode(), digest_size=8).digest(), "little"))
    with np.errstate(over="ignore"):
        return _mix(_mix(question_ids.astype(np.uint64) ^ start) + start)


def _mix(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
