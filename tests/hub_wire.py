"""HTTP for the Hub on loopback: requests, replies, the log of both, and faults as data.

Written on the standard library's server, because a fault such as "cut the connection after k bytes" needs the socket.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps, loads
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came in; `token` is None without (or with an empty) Authorization header."""

    method: str
    target: str
    headers: Message
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The path as sent, still quoted: a revision such as refs%2Fpr%2F1 is one piece of it."""
        return urlsplit(self.target).path

    @cached_property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    @cached_property
    def token(self) -> str | None:
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return token.strip() or None if kind.lower() == "bearer" else None

    @cached_property
    def json(self) -> Any:
        return loads(self.body or b"{}")

    @cached_property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


@dataclass(frozen=True)
class Reply:
    """An answer: bytes, or a slice of a file; `stream` pieces are sent as they come and end the connection."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    start: int = 0
    length: int = 0
    stream: Callable[[], Any] | None = None

    @property
    def size(self) -> int:
        return self.length if self.file else len(self.body)


def answer(value: object, status: int = 200, **headers: str) -> Reply:
    """A JSON reply; header names are given with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, dumps(value).encode(), {"Content-Type": "application/json", **named})


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """An error in the Hub's manner: JSON `error`, `X-Error-Message` and, where there is one, `X-Error-Code`."""
    named = {"X_Error_Message": message, **({"X_Error_Code": code} if code else {}), **headers}
    return answer({"error": message}, status, **named)


@dataclass
class Fault:
    """What goes wrong, and how often.

    `match` is a route's name ("commit", "lfs_put", …) or, beginning with "/", a piece of the path. `skip` requests pass
    first, then `times` fail. `after_effect` lets the request do its work before it is answered with `status`; status 0
    closes the connection without an answer. `cut_after` reads (an upload) or sends (a download) so many bytes, then
    closes. `delay` seconds pass before the answer. `first` runs before everything: another publisher's commit, say.
    """

    match: str
    status: int | None = None
    times: int = 1
    after_effect: bool = False
    cut_after: int | None = None
    skip: int = 0
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": "fault"}'
    code: str | None = None
    first: Callable[[], object] | None = None

    def fits(self, route: str, path: str) -> bool:
        return self.match in path if self.match.startswith("/") else self.match == route


class Faults:
    """The faults to come; each request takes the first that fits."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.lock = threading.Lock()

    def add(self, match: str, **what: Any) -> Fault:
        fault = Fault(match, **what)
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, route: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.waiting:
                if not fault.fits(route, path) or fault.times <= 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None


@dataclass(frozen=True)
class Record:
    """One request that was answered: status 0 stands for a connection that was cut."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    route: str
    status: int
    token: str | None
    received: int
    sent: int
    body: bytes
    range: str | None


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, hub: Any) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the hub for the reply, sends it; a fault may come in between."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *_: object) -> None:
        """Silent: the requests are in `hub.requests`."""

    def handle_any(self) -> None:
        hub = self.server.hub
        bare = Request(self.command, self.path, self.headers)
        route = hub.route_name(bare)
        fault = hub.faults.take(route, unquote(bare.path))
        if fault and fault.first:
            fault.first()
        body = self._read_body(fault)
        if body is None:
            self._finish(bare, route, 0, 0)
            return self._cut()
        request = Request(self.command, self.path, self.headers, body)
        reply = self._under(fault, request)
        if fault and fault.delay:
            time.sleep(fault.delay)
        if reply.status == 0:
            self._finish(request, route, 0, 0)
            return self._cut()
        cut_after = fault.cut_after if fault and self.command == "GET" else None
        sent = (
            0 if self.command == "HEAD" else min(reply.size, reply.size if cut_after is None else cut_after)
        )
        self._finish(
            request, route, reply.status, sent
        )  # first: the client may look as soon as it has the answer
        self._send(reply, cut_after)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def _under(self, fault: Fault | None, request: Request) -> Reply:
        if fault is None or fault.status is None:
            return self.server.hub.reply(request)
        if fault.after_effect:
            self.server.hub.reply(request)
        code = {"X-Error-Code": fault.code} if fault.code else {}
        return Reply(fault.status, fault.body, {"Content-Type": "application/json", **code, **fault.headers})

    def _read_body(self, fault: Fault | None) -> bytes | None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self._read_chunks()
        if fault and fault.cut_after is not None and self.command in ("PUT", "POST"):
            self.rfile.read(min(fault.cut_after, length))
            return None
        return self.rfile.read(length)

    def _read_chunks(self) -> bytes:
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, reply: Reply, cut_after: int | None) -> None:
        self.send_response(reply.status)
        for name, text in reply.headers.items():
            self.send_header(name, text)
        if reply.stream is not None:
            return self._send_stream(reply.stream)
        self.send_header("Content-Length", str(reply.size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self._content(reply)[:cut_after])
        if cut_after is not None:
            self._cut()

    def _send_stream(self, stream: Callable[[], Any]) -> None:
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for piece in stream():
            self.wfile.write(piece)

    def _content(self, reply: Reply) -> bytes:
        if reply.file is None:
            return reply.body
        with reply.file.open("rb") as file:
            file.seek(reply.start)
            return file.read(reply.length)

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _finish(self, request: Request, route: str, status: int, sent: int) -> None:
        kept = request.body if len(request.body) <= 1_000_000 and route != "lfs_put" else b""
        self.server.hub.requests.append(
            Record(
                request.method,
                unquote(request.path),
                request.query,
                route,
                status,
                request.token,
                len(request.body),
                sent,
                kept,
                request.headers.get("Range"),
            )
        )
