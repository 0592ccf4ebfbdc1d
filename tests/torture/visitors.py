"""A visitor of the app without a browser: speaks to a real server as the page does, and keeps all that it was sent."""

import json
import secrets
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE = 240.0
"""Seconds that a run of a page may take while fifty others are asked for."""


class Visitor:
    """A session with the server on a port of 127.0.0.1; a context manager."""

    def __init__(self, port: int, query: str = "") -> None:
        self._port, self._query = port, query
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(
                f"ws://127.0.0.1:{port}/_stcore/stream",
                max_size=None,
                subprotocols=["streamlit"],
                open_timeout=PATIENCE,
                ping_interval=None,
            )
        )
        self.received = bytearray()
        """Everything that the server ever sent."""
        self.session = self.page = ""
        self.pages: dict[str, str] = {}
        self.shown: dict[tuple[int, ...], Element] = {}
        self._states: dict[str, WidgetState] = {}
        self.runs: list[float] = []
        """Seconds of each run of a page."""
        self.run()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._open.close()

    # -- what a visitor does

    def go(self, title: str) -> None:
        """Open a page by its title."""
        self.page = self.pages[title]
        self.run()

    def press(self, label: str) -> None:
        """Press a button."""
        self._send(WidgetState(id=self.find("button", label).id, trigger_value=True))

    def choose(self, kind: str, label: str, value: Any) -> None:
        """Set a text, a slider or a checkbox."""
        found = self.find(kind, label)
        state = WidgetState(id=found.id)
        if kind == "text_input":
            state.string_value = value
        elif kind == "slider":
            state.double_array_value.data[:] = [float(value)]
        else:
            state.bool_value = value
        self._states[found.id] = state
        self._send()

    def send_file(self, label: str, name: str, data: bytes) -> None:
        """Upload a file."""
        message = BackMsg()
        message.file_urls_request.request_id = secrets.token_hex(8)
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        self._socket.send(message.SerializeToString())
        urls = next(
            m.file_urls_response for m in self._messages() if m.WhichOneof("type") == "file_urls_response"
        )
        self._put(urls.file_urls[0].upload_url, name, data)
        state = WidgetState(id=self.find("file_uploader", label).id)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(data), urls.file_urls[0].file_id
        info.file_urls.CopyFrom(urls.file_urls[0])
        self._states[state.id] = state
        self._send()

    def wait(self, word: str, seconds: float = PATIENCE) -> bool:
        """Look again and again until the page shows a word."""
        until = time.monotonic() + seconds
        while word not in self.words():
            if time.monotonic() > until:
                return False
            time.sleep(0.5)
            self.run()
        return True

    # -- what a visitor sees

    def find(self, kind: str, label: str) -> Any:
        """The widget of that kind whose label begins so."""
        for element in self.shown.values():
            if element.WhichOneof("type") == kind and getattr(element, kind).label.startswith(label):
                return getattr(element, kind)
        raise LookupError(f"no {kind} {label!r} on the page: {self.words()[-400:]}")

    def labels(self, kind: str) -> list[str]:
        """Labels of all widgets of a kind."""
        return [getattr(e, kind).label for e in self.shown.values() if e.WhichOneof("type") == kind]

    def words(self) -> str:
        """All that the page says, in one piece."""
        return "\n".join(str(element) for element in self.shown.values())

    # -- the wire

    def run(self) -> None:
        """Run the page as it stands."""
        self._send()

    def _send(self, trigger: WidgetState | None = None) -> None:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.widget_states.widgets.extend(self._states.values())
        if trigger is not None:
            message.rerun_script.widget_states.widgets.append(trigger)
        began = time.monotonic()
        self._socket.send(message.SerializeToString())
        new: dict[tuple[int, ...], Element] = {}
        for got in self._messages():
            kind = got.WhichOneof("type")
            if kind == "new_session":
                self.session = got.new_session.initialize.session_id or self.session
                self.page = got.new_session.page_script_hash
                new = {}
            elif kind == "navigation":
                self.pages = {page.page_name: page.page_script_hash for page in got.navigation.app_pages}
                self.page = got.navigation.page_script_hash or self.page
            elif kind == "delta" and got.delta.WhichOneof("type") == "new_element":
                new[tuple(got.metadata.delta_path)] = got.delta.new_element
            elif kind == "script_finished" and got.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):
                break
        self.shown = new
        there = {
            getattr(e, e.WhichOneof("type") or "text").id
            for e in new.values()
            if hasattr(getattr(e, e.WhichOneof("type") or "text"), "id")
        }
        self._states = {name: state for name, state in self._states.items() if name in there}
        self.runs.append(time.monotonic() - began)

    def _messages(self) -> Iterator[ForwardMsg]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                data = self._socket.recv(timeout=PATIENCE)
            except ConnectionClosed as error:
                raise ConnectionError(f"the server hung up: {error}") from None
            raw = data if isinstance(data, bytes) else data.encode()
            self.received += raw
            yield ForwardMsg.FromString(raw)
        raise TimeoutError("the page did not end its run")

    def _put(self, url: str, name: str, data: bytes) -> None:
        mark = secrets.token_hex(8)
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = (
            f"{head}Content-Type: application/octet-stream\r\n\r\n".encode()
            + data
            + f"\r\n--{mark}--\r\n".encode()
        )
        address = url if url.startswith("http") else f"http://127.0.0.1:{self._port}{url}"
        request = urllib.request.Request(address, body, method="PUT")
        request.add_header("Content-Type", f"multipart/form-data; boundary={mark}")
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self._port}/_stcore/health", timeout=PATIENCE
        ) as reply:
            cookie = (reply.headers.get("Set-Cookie") or "").partition(";")[0]
        request.add_header("Cookie", cookie)
        request.add_header("X-Xsrftoken", cookie.partition("=")[2].strip('"'))
        urllib.request.urlopen(request, timeout=PATIENCE).read()


def memory(pid: int) -> int:
    """Bytes that a process has held at most."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def told(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
