"""Which requests are still to be sent: neither answered, nor on their way, nor declined for good."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from skill_factory.generate.request import Request
from skill_factory.generate.store import AnswerStore

AHEAD = 32
"""How many requests are looked up in the store at a time."""


class OpenRequests:
    """The open ones of a round's requests, one after the other."""

    def __init__(self, store: AnswerStore, retry_declined: bool) -> None:
        self._store, self._retry_declined = store, retry_declined
        self._requests: Iterator[Request] = iter(())
        self._ahead: deque[Request] = deque()
        self._on_way: set[str] = set()
        self.declined = 0
        """Requests that were left out because the server declined them in an earlier run."""

    def begin(self, requests: Iterator[Request]) -> None:
        """Take a round's requests, after those of the round before."""
        self._requests = requests

    def next(self) -> Request | None:
        """A request to be sent now; None when there is none left."""
        # One look-up serves many requests: it runs in the loop that everyone waits for.
        while not self._ahead:
            if not (requests := list(islice(self._requests, AHEAD))):
                return None
            self._ahead.extend(self._open_ones(requests))
        return self._ahead.popleft()

    def done(self, request: Request) -> None:
        """Forget a request that was settled; from now on the store knows of it."""
        self._on_way.discard(request.id)

    def _open_ones(self, requests: list[Request]) -> Iterator[Request]:
        answered = self._store.answered(request.id for request in requests)
        for request in requests:
            # Equal responses make equal requests, which would otherwise be sent twice at once.
            if request.id in self._on_way or request.id in answered:
                continue
            if not self._retry_declined and self._store.declined(request.id):
                self.declined += 1
                continue
            self._on_way.add(request.id)
            yield request
