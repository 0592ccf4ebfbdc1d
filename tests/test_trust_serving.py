"""What stands around the app: headers, closed doors, and uploads that wait on disk."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_factory.cli import app
from tests.command import ROOT
from tests.make_raw import make_rows
from tests.torture.cases import as_jsonl
from tests.torture.server import Server
from tests.torture.visitors import Visitor


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shared server."""
    with Server(
        tmp_path_factory.mktemp("shared"), SKILL_FACTORY_HOSTED="1", HF_ENDPOINT="http://127.0.0.1:9"
    ) as running:
        yield running


def asked(
    server: Server, path: str, host: str = "localhost", method: str = "GET", body: bytes = b"", **more: str
) -> http.client.HTTPResponse:
    """What the server answers; `more` are headers."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    line.request(method, path, body, {"Host": host, **more})
    return line.getresponse()


class Packaged(Server):
    """The app as `skill-factory app` starts it, away from a checkout's settings and pages."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = [sys.executable, *app.words(self.port, browser=False)]
        environment = {**self._environment(), "PYTHONPATH": str(ROOT)}
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(words, cwd=self.home, env=environment, stdout=log, stderr=log)
        self.wait()


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The packaged entrance, as a shared server."""
    with Packaged(tmp_path_factory.mktemp("packaged"), SKILL_FACTORY_HOSTED="1") as running:
        yield running


@pytest.mark.parametrize("started", ["server", "packaged"])
def test_every_answer_carries_its_policies(started: str, request: pytest.FixtureRequest) -> None:
    """Nothing from elsewhere, no frame of strangers, no address as a referrer, no guessing of kinds."""
    server: Server = request.getfixturevalue(started)
    for path in ("/", "/_stcore/health", "/nothing/here"):
        told = asked(server, path).headers
        policy = told["content-security-policy"]
        assert (
            "default-src 'self'" in policy
            and "object-src 'none'" in policy
            and "frame-ancestors 'self'" in policy
        )
        assert (told["referrer-policy"], told["x-content-type-options"]) == ("same-origin", "nosniff")


def test_how_much_the_server_does_is_nobody_s_business(server: Server) -> None:
    """Its metrics are closed to strangers."""
    assert asked(server, "/_stcore/metrics").status == 404


def test_a_browser_that_asks_for_no_page_gets_start(server: Server) -> None:
    """An unknown address leads to Start, with the policies on the way; a program that asks for it is answered as before."""
    led = asked(server, "/nonsense?work=abc", Accept="text/html")
    assert (led.status, led.headers["location"]) == (307, "/?work=abc&nopage=1")
    assert "default-src 'self'" in led.headers["content-security-policy"]
    assert asked(server, "/Data", Accept="text/html").status == 200
    assert asked(server, "/nonsense").status == 200


def test_a_foreign_host_gets_no_page_either(server: Server) -> None:
    """Not only no session: the check stands before every request."""
    assert asked(server, "/", host="evil.example").status == 403
    assert asked(server, "/", host=f"127.0.0.1:{server.port}").status == 200


def test_the_packaged_app_is_the_same_server(packaged: Server) -> None:
    """Its door is shut to foreign names, its uploads wait on disk, and its pages open."""
    assert asked(packaged, "/", host="evil.example").status == 403
    assert asked(packaged, "/_stcore/metrics").status == 404
    rows = as_jsonl([dict(row) for row in make_rows(10, 4, 2, seed=5)])
    with Visitor(packaged.port) as visitor:
        visitor.send_file("My file", "raw.jsonl", rows)
        assert "Is this data ready?" in visitor.words()
    assert list((packaged.home / "arriving").iterdir()) == []


def test_an_upload_waits_on_disk_and_goes_when_it_is_taken(server: Server) -> None:
    """It opens as before; afterwards neither the waiting room nor the server's memory holds it."""
    rows = [{**row, "response": row["response"] + " word" * 8_000} for row in make_rows(10, 4, 2, seed=5)]
    with Visitor(server.port) as visitor:
        visitor.send_file("My file", "raw.jsonl", as_jsonl(rows))
        assert "Is this data ready?" in visitor.words()
        assert list((server.home / "arriving").iterdir()) == []
        (kept,) = (server.home / "uploads").glob("*/raw.jsonl")
        assert kept.stat().st_size > 1_200_000
        visitor.run()
        assert "Is this data ready?" in visitor.words()


def test_what_no_page_takes_does_not_pile_up(server: Server) -> None:
    """Files sent past any widget: a few of a session wait, the others go; a session that isn't there gets nothing."""
    mark = "xx"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\n\r\n'.encode()
    body = head + b"a" * 3_000_000 + f"\r\n--{mark}--\r\n".encode()
    with Visitor(server.port) as visitor:
        cookie = asked(server, "/_stcore/health").headers.get("Set-Cookie", "").partition(";")[0]
        given = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Cookie": cookie,
            "X-Xsrftoken": cookie.partition("=")[2].strip('"'),
            "Host": "localhost",
        }
        for number in range(8):
            line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            line.request("PUT", f"/_stcore/upload_file/{visitor.session}/file-{number}", body, given)
            assert line.getresponse().status == 204
            time.sleep(0.02)
        waiting = sorted(path.name.rpartition(".")[2] for path in (server.home / "arriving").iterdir())
        assert waiting == ["file-5", "file-6", "file-7"]
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        line.request("PUT", "/_stcore/upload_file/nobody/file", body, given)
        assert line.getresponse().status == 400


def test_an_upload_that_does_not_fit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is said as such, and the torn file goes."""
    from skill_factory.errors import SourceError
    from skill_factory.ui.frame import uploads
    from skill_factory.work.home import new_place

    class Sent:
        """An upload whose bytes can't be written."""

        file_id, name, size = "f", "big.jsonl", 3

        def getbuffer(self) -> bytes:
            """They are asked for, and the disk is full."""
            if asked_before:
                raise OSError(28, "No space left on device")
            asked_before.append(True)
            return b"abc"

    asked_before: list[bool] = []
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path))
    path = new_place("uploads") / "big.jsonl"
    with pytest.raises(SourceError, match=r"No space left on device\. .* MB are free .*SKILL_FACTORY_HOME"):
        uploads.keep(Sent(), path)
    assert not path.parent.exists()


def letters(response: http.client.HTTPResponse) -> list[str]:
    """The cookies of an answer that say whose workspaces are whose."""
    return [told for told in response.headers.get_all("set-cookie", []) if told.startswith("sf_visitor=")]


def test_a_visitor_is_known_by_a_cookie_that_no_script_reads(server: Server) -> None:
    """Each new browser gets letters of its own with its first page, and with nothing else."""
    (told,) = letters(asked(server, "/"))
    assert "HttpOnly" in told and "SameSite=Lax" in told
    assert [told] != letters(asked(server, "/"))
    assert letters(asked(server, "/_stcore/health")) == []
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    line.request("GET", "/", headers={"Host": "localhost", "Cookie": told.partition(";")[0]})
    assert letters(line.getresponse()) == []
