"""What stands between the network and the app: who is let in, what answers say of themselves, and how uploads arrive.

`serve.py` puts it around the app. `streamlit run app.py` alone has none of it but the settings of .streamlit/config.toml.
"""

import asyncio
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from typing import IO, Any

from starlette.middleware import Middleware
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from skill_factory.hosting import hosted
from skill_factory.ui.frame import uploads, visitor
from skill_factory.ui.frame.steps import ALL_STEPS, NO_PAGE
from skill_factory.work.home import place

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")
PRIVATE = re.compile(r"/_stcore/metrics$")
"""What tells strangers how much a server holds and does."""
OTHER_ROOTS = ("_stcore", "app", "auth", "component", "media", "oauth2callback", "static")
"""Where Streamlit serves what isn't a page."""
CHUNK = 1 << 20
FRAMES = {True: "'self' https://huggingface.co https://*.hf.space", False: "'self'"}
"""Who may show the app inside a page of theirs: on a Space the Hub, at home nobody else."""


def middleware() -> list[Middleware]:
    """All of it, outermost first."""
    return [Middleware(Door), Middleware(Uploads)]


def headers() -> list[tuple[bytes, bytes]]:
    """
    What every answer says: nothing is fetched from elsewhere, no other page frames the app, no address leaks.

    A build's address is its key, so it must not travel as a referrer.
    """
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; worker-src 'self' blob:; "
        "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        f"frame-ancestors {FRAMES[bool(os.environ.get('SPACE_ID'))]}"
    )
    told = {
        "content-security-policy": policy,
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
    return [(name.encode(), text.encode()) for name, text in told.items()]


def cookie() -> tuple[bytes, bytes]:
    """
    A new visitor's letters, which no script can read: they say which workspaces are theirs, and nothing else.

    A Space is shown inside a page of the Hub, where a browser sends only cookies that are bound to that page.
    """
    inside = "SameSite=None; Secure; Partitioned" if os.environ.get("SPACE_ID") else "SameSite=Lax"
    told = f"{visitor.COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age=2592000; HttpOnly; {inside}"
    return b"set-cookie", told.encode()


def elsewhere(path: str, query: str) -> str:
    """
    Where a page is that a browser asks for by the wrong address: `/data` is Data, `/nonsense` Start; empty for a right one.

    Streamlit would show Start under that address, with a dialog about the folder of its pages. What the address opens
    (`?work=`) goes along.
    """
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    inside = f"{path.strip('/')}/".removeprefix(f"{base}/" if base else "").strip("/")
    pages = {step.title.lower(): step.title for step in ALL_STEPS}
    if not inside or inside in pages.values() or "." in inside or inside.partition("/")[0] in OTHER_ROOTS:
        return ""
    page = pages.get(inside.lower(), "")
    asked = "&".join(filter(None, [query, "" if page else f"{NO_PAGE}=1"]))
    return f"/{base}{'/' if base else ''}{page}{'?' if asked else ''}{asked}"


class Door:
    """Refuses foreign host names and what is nobody's business, leads to pages that exist; adds the headers."""

    def __init__(self, app: App) -> None:
        self._app, self._headers = app, headers()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not is_host_allowed(host):
            await _answer(
                send, 403, "This app answers to this computer's own names alone (server.allowedHosts)."
            )
        elif hosted() and PRIVATE.search(scope["path"]):
            await _answer(send, 404, "Not found")
        elif (way := self._way(scope)) is not None:
            await _answer(send, 307, "This page has another address.", (b"location", way))
        else:
            # At home there is one visitor, who needs no letters.
            known = not hosted() or f"{visitor.COOKIE}=".encode() in dict(scope["headers"]).get(
                b"cookie", b""
            )
            await self._app(scope, receive, self._with_headers(send, known))

    @staticmethod
    def _way(scope: Message) -> bytes | None:
        """Where a browser that wants to show a page is sent instead."""
        wanted = dict(scope["headers"]).get(b"accept", b"")
        if scope["method"] != "GET" or b"text/html" not in wanted:
            return None
        way = elsewhere(scope["path"], scope.get("query_string", b"").decode("latin-1"))
        return way.encode("latin-1") if way else None

    def _with_headers(self, send: Send, known: bool) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", [])
                page = dict(given).get(b"content-type", b"").startswith(b"text/html")
                more = [cookie()] if page and not known else []
                message = {**message, "headers": [*given, *self._headers, *more]}
            await send(message)

        return sent


class Uploads:
    """
    Lets uploads arrive on disk, however slow they are, and into the server's memory one at a time.

    Streamlit reads each into memory as it comes; from there it goes to disk again at once (`uploads.py`).
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._one = asyncio.Semaphore(1)
        self._arriving: dict[str, int] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        found = UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if found is None or not hosted():
            await self._app(scope, receive, send)
            return
        session = found[1]
        if refusal := self._refusal(session, scope):
            await _answer(send, *refusal)
            return
        self._arriving[session] = self._arriving.get(session, 0) + 1
        try:
            await self._pass_on(scope, receive, send, session)
        finally:
            self._arriving[session] -= 1
            if not self._arriving[session]:
                del self._arriving[session]

    def _refusal(self, session: str, scope: Message) -> tuple[int, str] | None:
        if not uploads.is_here(session):
            return 400, "There is no such session."
        if self._arriving.get(session, 0) >= uploads.AT_ONCE:
            return 429, f"No more than {uploads.AT_ONCE} files can arrive at once."
        size = dict(scope["headers"]).get(b"content-length", b"0").decode("latin-1")
        room = shutil.disk_usage(place("arriving")).free - uploads.RESERVE
        if size.isdecimal() and int(size) > room:
            return (
                507,
                "This server's disk is full. Try again in some hours, or run the app on your own computer.",
            )
        return None

    async def _pass_on(self, scope: Message, receive: Receive, send: Send, session: str) -> None:
        # A megabyte more than the file, for what a form writes around it.
        most = int(config.get_option("server.maxUploadSize")) * (1 << 20) + (1 << 20)
        with tempfile.TemporaryFile(dir=place("arriving")) as body:
            size = 0
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return  # the visitor has hung up
                size += len(message.get("body", b""))
                if size > most:
                    await _answer(send, 413, "File too large")
                    return
                body.write(message.get("body", b""))
                if not message.get("more_body", False):
                    break
            body.seek(0)
            async with self._one:
                uploads.watch()
                uploads.make_room(session)
                await self._app(scope, _replayed(body), send)


def _replayed(body: IO[bytes]) -> Receive:
    async def receive() -> Message:
        data = body.read(CHUNK)
        # A body that ends with a full piece is followed by an empty last one, which the protocol allows.
        return {"type": "http.request", "body": data, "more_body": len(data) == CHUNK}

    return receive


async def _answer(send: Send, status: int, said: str, *more: tuple[bytes, bytes]) -> None:
    text = said.encode()
    start = [
        *more,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*start, *headers()]})
    await send({"type": "http.response.body", "body": text})
