"""A chat-completion server on loopback that behaves badly on purpose, and keeps a ledger of all it was asked.

    with ModelServer(brain, faults=Faults(cut=0.1, burst_every=50)) as server:
        … run the program against server.url …
    server.ledger.served["<request id>"]      how often a whole answer was made for it, i.e. billed

As a program of its own, for measuring: `python -m tests.model_server --slots 64 --latency 0.05`; GET /ledger tells.
"""

import argparse
import asyncio
import gzip
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Brain = Callable[[str, random.Random], str]
"""(the user's message, a generator keyed by the request's id) → what the model says."""


def agreeing(prompt: str, rng: random.Random) -> str:
    """A model that finds everything right."""
    return "I went through it.\n<verdict>Correct</verdict>"


@dataclass(frozen=True)
class Faults:
    """Shares of requests (0 to 1) that meet a fault; each attempt draws anew."""

    error: float = 0.0
    """HTTP 500."""
    slow: float = 0.0
    """Ten times the latency."""
    cut: float = 0.0
    """The connection is closed in the middle of the answer."""
    wrong_json: float = 0.0
    """HTTP 200 with something that is no chat completion."""
    huge: float = 0.0
    """20 MB, packed into 100 kB."""
    deep: float = 0.0
    """JSON that is nested 100,000 deep."""
    refusal: float = 0.0
    """The protocol's own field says no."""
    untagged: float = 0.0
    """The verdict is missing."""
    uncounted: float = 0.0
    """No usage."""
    burst_every: int = 0
    """After so many requests comes a burst …"""
    burst: int = 0
    """… of so many 429s with Retry-After."""
    retry_after: str = "0.2"
    thinking_field: str = ""
    """The field that thinking is moved to, from before a text's </think>."""
    counts: tuple[int, int] | None = None
    """The usage of every answer, whatever it took."""
    same: bool = False
    """No serial number stands in the text, so that equal texts are equal answers."""
    status: int = 0
    """Every request gets this status instead of an answer."""
    message: str = "no"
    declined: str = ""
    """Prompts that hold this get HTTP 413."""


ALL_FAULTS = Faults(
    error=0.05,
    slow=0.02,
    cut=0.05,
    wrong_json=0.04,
    huge=0.04,
    deep=0.05,
    refusal=0.02,
    untagged=0.05,
    burst_every=150,
    burst=20,
)
_HUGE = gzip.compress(b'{"choices": "' + b" " * 20_000_000, 1)


@dataclass
class Ledger:
    """What the server saw."""

    asked: Counter[str] = field(default_factory=Counter)
    """Attempts by request id."""
    served: Counter[str] = field(default_factory=Counter)
    """Whole answers by request id: what a provider bills."""
    tokens: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Prompt and completion tokens by the answer's serial number, which stands in its text."""
    statuses: Counter[int] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    """Authorization headers."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """The first twenty."""
    most_in_flight: int = 0
    busy_seconds: float = 0.0
    """Slot-seconds in use."""
    first: float = 0.0
    last: float = 0.0

    def summary(self) -> dict[str, Any]:
        """Numbers for another process."""
        return {
            "asked": self.asked.total(),
            "served": self.served.total(),
            "ids": len(self.served),
            "busy_seconds": self.busy_seconds,
            "seconds": self.last - self.first,
            "most": self.most_in_flight,
        }


class ModelServer:
    """A context that serves on a free port from a thread of its own."""

    def __init__(
        self,
        brain: Brain = agreeing,
        faults: Faults | None = None,
        latency: float = 0.0,
        slots: int = 1_000,
        idempotent: bool = False,
        seed: int = 0,
        bounded: bool = False,
        thinking: str = "",
    ) -> None:
        self._bounded, self._thinking = bounded, thinking
        self.ledger = Ledger()
        self.faults = faults or Faults()
        self._brain, self._latency, self._idempotent = brain, latency, idempotent
        self._rng = random.Random(seed)
        self._limit, self._slots = slots, asyncio.Semaphore(slots)
        self._in_flight = self._seen = self._burst_left = 0
        self._kept: dict[str, dict[str, Any]] = {}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        """What goes to --endpoint."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "ModelServer":
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connection, "127.0.0.1", self.port))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    # -- the wire -----------------------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False closes the connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if first.startswith("GET"):
            return await self._send(writer, 200, self.ledger.summary())
        route = first.split(" ")[1]
        if not route.endswith(("/v1/chat/completions", "/v1/completions")):
            return await self._send(writer, 404, {"error": {"message": f"no route {first.split(' ')[1]}"}})
        self.ledger.first = self.ledger.first or time.monotonic()
        self._in_flight += 1
        self.ledger.most_in_flight = max(self.ledger.most_in_flight, self._in_flight)
        try:
            asked = json.loads(body)
            if not route.endswith("/chat/completions"):
                asked["messages"] = [{"role": "prompt", "content": asked["prompt"]}]
            return await self._chat(writer, headers, asked)
        finally:
            self._in_flight -= 1
            self.ledger.last = time.monotonic()

    async def _send(
        self, writer: asyncio.StreamWriter, status: int, tree: Any, extra: str = "", cut: bool = False
    ) -> bool:
        data = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
        writer.write(head.encode() + (data[: len(data) // 2] if cut else data))
        await writer.drain()
        self.ledger.statuses[status] += 1
        return not cut

    # -- a request ----------------------------------------------------------------------------------------------------

    async def _chat(
        self, writer: asyncio.StreamWriter, headers: dict[str, str], body: dict[str, Any]
    ) -> bool:
        identity = headers.get("x-request-id", "")
        self._note(identity, headers, body)
        if self.faults.declined and self.faults.declined in body["messages"][-1]["content"]:
            return await self._send(writer, 413, {"error": {"message": "too long"}})
        if (refused := self._refusal()) is not None:
            return await self._send(writer, *refused)
        kept = self._kept.get(headers.get("idempotency-key", "")) if self._idempotent else None
        if kept is not None:
            return await self._send(writer, 200, kept)
        async with self._slots:
            seconds = self._latency * (10 if self._draw(self.faults.slow) else 1)
            self.ledger.busy_seconds += seconds
            await asyncio.sleep(seconds)
        if self._draw(self.faults.error):
            return await self._send(writer, 500, {"error": {"message": "out of memory"}})
        if self._draw(self.faults.wrong_json):
            wrong = [b'{"choices": [', b"<html>busy</html>", b"[]", b'{"choices": []}', b'{"object": "x"}']
            return await self._send(writer, 200, self._rng.choice(wrong))
        if self._draw(self.faults.huge):
            return await self._send(writer, 200, _HUGE, "Content-Encoding: gzip\r\n")
        if self._draw(self.faults.deep):
            return await self._send(writer, 200, b'{"choices": ' + b"[" * 100_000)
        completion = self._complete(identity, body)
        if self._idempotent:
            self._kept[headers["idempotency-key"]] = completion
        cut = self._draw(self.faults.cut)
        if body.get("stream"):
            return await self._stream(writer, completion, body, cut)
        return await self._send(writer, 200, completion, cut=cut)

    def _note(self, identity: str, headers: dict[str, str], body: dict[str, Any]) -> None:
        ledger = self.ledger
        ledger.asked[identity] += 1
        ledger.keys[headers.get("authorization", "")] += 1
        if len(ledger.bodies) < 20:
            ledger.bodies.append(body)

    def _refusal(self) -> tuple[int, Any, str] | None:
        """The fixed status, or one of a burst of 429s."""
        self._seen += 1
        if self.faults.status:
            return self.faults.status, {"error": {"message": self.faults.message}}, ""
        if self.faults.burst_every and self._seen % self.faults.burst_every == 0:
            self._burst_left = self.faults.burst
        if self._burst_left:
            self._burst_left -= 1
            return 429, {"error": {"message": "slow down"}}, f"Retry-After: {self.faults.retry_after}\r\n"
        return None

    def _draw(self, share: float) -> bool:
        return share > 0 and self._rng.random() < share

    def _complete(self, identity: str, body: dict[str, Any]) -> dict[str, Any]:
        """A whole answer, billed whether or not it arrives."""
        serial = len(self.ledger.tokens) + 1
        prompt = "\n".join(message["content"] for message in body["messages"])
        text = self._brain(body["messages"][-1]["content"], random.Random(identity))
        if self._draw(self.faults.untagged):
            text = text.replace("<verdict>", "").replace("</verdict>", "")
        text, finish = self._within(text, serial, body)
        used = self.faults.counts or (len(prompt.split()), len(text.split()))
        self.ledger.tokens[serial] = used
        self.ledger.served[identity] += 1
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if self.faults.thinking_field:
            thinking, _, rest = text.rpartition("</think>")
            message = {
                **message,
                "content": rest,
                self.faults.thinking_field: thinking.removeprefix("<think>"),
            }
        if self._draw(self.faults.refusal):
            message = {"role": "assistant", "content": None, "refusal": f"I'd rather not. [{serial}]"}
        tree: dict[str, Any] = {
            "id": f"x{serial}",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        }
        if "prompt" in body:  # a raw completion
            tree |= {
                "object": "text_completion",
                "choices": [{"index": 0, "finish_reason": finish, "text": text}],
            }
        elif self._thinking:
            message["reasoning_content"] = self._thinking
        if not self._draw(self.faults.uncounted):
            tree["usage"] = {
                "prompt_tokens": used[0],
                "completion_tokens": used[1],
                "total_tokens": sum(used),
            }
        return tree

    def _within(self, text: str, serial: int, body: dict[str, Any]) -> tuple[str, str]:
        """The text with its serial number; a bounded server cuts it at `max_tokens`, a word a token."""
        if not self._bounded:
            return text if self.faults.same else f"{text}\n[{serial}]", "stop"
        pieces = re.findall(r"\S+\s*", text)
        cut = len(pieces) > body["max_tokens"]
        return "".join(pieces[: body["max_tokens"]]).rstrip() if cut else text, "length" if cut else "stop"

    async def _stream(
        self, writer: asyncio.StreamWriter, tree: dict[str, Any], body: dict[str, Any], cut: bool
    ) -> bool:
        """Server-sent events, word by word, in chunks of HTTP; the last but one holds the usage."""
        shared = {"id": tree["id"], "object": "chat.completion.chunk", "created": 1, "model": tree["model"]}
        choice = tree["choices"][0]
        pieces = (choice["message"]["content"] or "").split(" ")
        deltas = [{"content": word + " " * (i + 1 < len(pieces))} for i, word in enumerate(pieces)]
        if self.faults.thinking_field:
            deltas.insert(0, {self.faults.thinking_field: choice["message"][self.faults.thinking_field]})
        if "refusal" in choice["message"]:
            deltas = [{"refusal": choice["message"]["refusal"]}]
        events: list[Any] = [
            {
                **shared,
                "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}],
            }
            for delta in deltas
        ]
        events.append(
            {**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
        )
        if body.get("stream_options", {}).get("include_usage") and "usage" in tree:
            events.append({**shared, "choices": [], "usage": tree["usage"]})
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        for event in events[: len(events) // 2] if cut else events:
            writer.write(_chunk(f"data: {json.dumps(event)}\n\n"))
            await writer.drain()
        if not cut:
            writer.write(_chunk("data: [DONE]\n\n") + b"0\r\n\r\n")
            await writer.drain()
        self.ledger.statuses[200] += 1
        return not cut


def _chunk(text: str) -> bytes:
    data = text.encode()
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def serials(texts: list[str]) -> list[int]:
    """The serial numbers at the ends of stored answers."""
    return [int(text.rsplit("[", 1)[1].rstrip("]")) for text in texts]


def main() -> None:
    """Serve until killed; the first line of output is the port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--slots", type=int, default=64)
    args = parser.parse_args()
    with ModelServer(latency=args.latency, slots=args.slots) as server:
        print(server.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
