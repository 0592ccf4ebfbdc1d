"""Requests that a server declined before it answered any: perhaps they are at fault, perhaps the settings are."""

from typing import NamedTuple

from skill_factory.generate.store import AnswerStore

MOST_DECLINED = 20
"""Once this many requests are declined and none is answered, the settings are wrong, not the requests."""


class _Refusal(NamedTuple):
    request: str
    attempt: int
    why: str


class EarlyRefusals:
    """Refusals that are held back from the store until an answer, or too many of them, tells what they meant."""

    def __init__(self, store: AnswerStore) -> None:
        self._store = store
        self._held: list[_Refusal] = []

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def too_many(self) -> bool:
        """Whether no single request can be to blame any more."""
        return len(self._held) >= MOST_DECLINED

    def hold(self, request: str, attempt: int, why: str) -> None:
        """Hold back a refusal of a request."""
        self._held.append(_Refusal(request, attempt, why))

    def note(self, final: bool) -> None:
        """Note what is held, as meant for each request for good, or not held against them."""
        for refusal in self._held:
            self._store.note_failure(refusal.request, refusal.attempt, refusal.why, final, billed=False)
        self._held.clear()

    def blame(self) -> str:
        """The sentence for a server that declines everything."""
        number, why = len(self._held), self._held[-1].why
        which = f"the first {number} requests" if number > 1 else "the request"
        return (
            f"The server declined {which} ({why}). "
            "Leave out parameters that it doesn't know (e.g. --top-k none), or check the model."
        )
