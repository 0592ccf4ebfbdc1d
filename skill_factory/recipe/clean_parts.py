"""The part of a recipe that says which questions stay out: those of benchmarks, those that repeat another, those held out."""

from typing import Literal

from pydantic import PrivateAttr, field_validator

from skill_factory.recipe.part import Part, Share, Texts, checked_ids

Ruled = tuple[bytes, bytes, bytes]
"""Ids of the questions that are contaminated, near-duplicates and held out, each sorted, as 64-bit numbers of 8 bytes."""
UNRULED: Ruled = (b"", b"", b"")


class Benchmark(Part):
    """A set whose questions must not be trained on, by kind, name and digest; never by path."""

    kind: Literal["", "demo", "file", "hub"] = ""
    """`demo`, `file` or `hub`."""
    name: str = ""
    """`user/name` of a Hub dataset, or the file's own name."""
    config: str = ""
    """Config (subset) of a Hub dataset."""
    split: str = ""
    """Split of a Hub dataset."""
    revision: str = ""
    """Commit of a Hub dataset; the build fills it in."""
    digest: str = ""
    """SHA-256 of a file; the build fills it in."""
    question: str = ""
    """Column of its questions; found when it is opened."""
    decided: bool = False
    """Whether `clean.drop` and `clean.keep` hold what was found, so that a build doesn't open it again."""


class Clean(Part):
    """Which questions stay out of the traces, whatever their responses are worth."""

    against: tuple[Benchmark, ...] = ()
    """Benchmarks whose questions are dropped."""
    responses: bool = False
    """Whether a question stays out also where a response has an answer or a solution of a benchmark in it, word for word."""
    near_duplicates: bool = False
    """Keep one of several questions that say nearly the same."""
    holdout: Share = 0.0
    """Share of the questions that is kept out of the traces, for evaluation."""
    drop: Texts = ()
    """Ids of questions that a person leaves out since a benchmark asks them."""
    keep: Texts = ()
    """Ids of questions that a person keeps, though they look like another."""
    _ruled: Ruled = PrivateAttr(default=UNRULED)

    @field_validator("drop", "keep")
    @classmethod
    def _ids(cls, value: Texts) -> Texts:
        return checked_ids(value)

    @field_validator("holdout")
    @classmethod
    def _leaves_some(cls, value: float) -> float:
        if value == 1:
            raise ValueError("a share of 1 would hold out every question; 0.1 is usual")
        return value

    @property
    def asks(self) -> bool:
        """Whether questions have to be compared before a build."""
        open_ones = any(not one.decided for one in self.against)
        return open_ones or self.near_duplicates or self.holdout > 0

    def decisions(self) -> "Clean":
        """What needs no comparison: the decisions about single questions. For a look that has to be quick."""
        return Clean(drop=self.drop, keep=self.keep)

    @property
    def groups(self) -> bool:
        """Whether the questions are compared with one another: also where some are held out, so that none has a twin there."""
        return self.near_duplicates or self.holdout > 0

    @property
    def ruled(self) -> Ruled:
        """What was found in one source; a saved recipe is without it, since it follows from this and the source."""
        return self._ruled

    def with_ruled(self, ruled: Ruled) -> "Clean":
        """The same wishes with what was found."""
        found = self.model_copy()
        found._ruled = ruled
        return found
