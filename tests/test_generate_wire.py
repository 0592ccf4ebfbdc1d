"""The line to a server, before real sockets: errors, certificates, proxies, packed answers, what is never sent."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from skill_factory.generate.net.line import CAME, Line, open_line
from skill_factory.generate.net.wire import Wire

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine's environment says."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Heard:
    """A server that says the same to everyone, and what it was told."""

    def __init__(self, says: bytes, hang_up: bool) -> None:
        self.says, self.hang_up = says, hang_up
        self.port = self.connections = self.left = 0
        self.heads: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                await reader.readexactly(
                    int(self.heads[-1].lower().partition("content-length: ")[2].split()[0])
                )
                writer.write(self.says)
                await writer.drain()
                if self.hang_up:
                    return
        except asyncio.IncompleteReadError:
            self.left += 1
        finally:
            writer.close()


@asynccontextmanager
async def server(
    says: bytes = FINE, hang_up: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Heard]:
    """A server on a free port."""
    heard = Heard(says, hang_up)
    running = await asyncio.start_server(heard.serve, "127.0.0.1", 0, ssl=tls)
    heard.port = running.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        running.close()


async def ask(line: Line, url: str) -> httpx2.Response:
    """One request, as huggingface_hub makes it."""
    return await line.post(
        url, json={"a": "ü"}, headers={"authorization": "Bearer none", "user-agent": "hub"}
    )


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("says", "error"),
    [
        (b"", httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine", httpx2.ReadError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n", httpx2.ReadError),
        (b"SSH-2.0-OpenSSH_9.7\r\n\r\n", httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfine", httpx2.DecodingError),
    ],
)
def test_a_fault_of_the_line_is_told_by_httpx2_s_own_error(
    says: bytes, error: type[Exception], stream: bool
) -> None:
    """Whole or streamed: hung up before an answer and within one, no HTTP, packed wrongly."""

    async def once() -> None:
        line = open_line(None)
        async with server(says, hang_up=True) as heard:
            url = f"http://127.0.0.1:{heard.port}/"
            with pytest.raises(error):
                if stream:
                    async with line.stream("POST", url, content=b"{}") as response:
                        await response.aread()
                else:
                    await ask(line, url)
        await line.aclose()

    asyncio.run(once())


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-name.invalid"])
def test_nobody_there_is_no_connection(host: str) -> None:
    """A closed port, and a name that nobody has."""

    async def once() -> None:
        async with server() as heard:
            port = heard.port
        line = open_line(None)
        with pytest.raises(httpx2.ConnectError):
            await ask(line, f"http://{host}:{port}/")
        await line.aclose()

    asyncio.run(once())


def test_who_gives_up_waiting_hangs_up() -> None:
    """A server sees that nobody waits for its answer any more; the next request gets a connection of its own."""

    async def once() -> None:
        line = open_line(None)
        async with server(b"") as heard:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await ask(line, f"http://127.0.0.1:{heard.port}/")
            while not heard.left:
                await asyncio.sleep(0.01)
            heard.says = FINE
            assert (await ask(line, f"http://127.0.0.1:{heard.port}/")).is_success
            assert heard.connections == 2
        await line.aclose()

    asyncio.run(once())


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_that_nobody_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token of the Hub's client, no cookie that came before, no password of ~/.netrc; one connection for all of it."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async def once() -> list[str]:
        line = open_line(None)
        says = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 4\r\n\r\nfine"
        async with server(says) as heard:
            for _ in range(2):
                await ask(line, f"http://127.0.0.1:{heard.port}/v1/x")
            assert heard.connections == 1
        await line.aclose()
        return heard.heads

    for head in asyncio.run(once()):
        names = [one.split(":")[0].lower() for one in head.splitlines()[1:]]
        assert "authorization" not in names and "cookie" not in names
        assert head.startswith("POST /v1/x HTTP/1.1\r\n")
        assert names.count("host") == names.count("content-length") == names.count("x-request-id") == 1


def test_a_packed_answer_is_unpacked() -> None:
    """As the server was told that it may pack it."""
    packed = gzip.compress(b'{"a": 1}')
    says = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed

    async def once() -> bytes:
        line = open_line(None)
        async with server(says) as heard:
            await ask(line, f"http://127.0.0.1:{heard.port}/")
            assert "gzip" in heard.heads[0]
        await line.aclose()
        return CAME.get()

    assert asyncio.run(once()) == b'{"a": 1}'


def test_the_environment_s_proxy_is_used_but_where_it_says_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gets the whole address; what `no_proxy` names is asked directly."""

    async def once() -> None:
        async with server() as proxy, server() as direct:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            line = open_line("k")
            await ask(line, "http://model.test/v1")
            await ask(line, f"http://127.0.0.1:{direct.port}/v1")
            await line.aclose()
            assert [head.splitlines()[0] for head in proxy.heads] == ["POST http://model.test/v1 HTTP/1.1"]
            assert [head.splitlines()[0] for head in direct.heads] == ["POST /v1 HTTP/1.1"]
            assert all("authorization: bearer k\r\n" in head.lower() for head in proxy.heads + direct.heads)

    asyncio.run(once())


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's certificate for `model.test`, which the environment says to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "model.test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("model.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "certificate.pem").write_bytes(built.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(private)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    yield context


@pytest.mark.parametrize(("name", "trusted"), [("model.test", True), ("other.test", False), (None, False)])
def test_the_certificate_is_judged_by_the_name_that_was_asked_for(
    certified: ssl.SSLContext, name: str | None, trusted: bool
) -> None:
    """Also where a judged address stands in its place, as on a hosted instance."""

    async def once() -> httpx2.Response:
        async with server(tls=certified) as heard, httpx2.AsyncClient(transport=Wire()) as client:
            more = {"sni_hostname": name} if name else {}
            return await client.post(f"https://127.0.0.1:{heard.port}/", content=b"{}", extensions=more)

    if trusted:
        assert asyncio.run(once()).text == "fine"
    else:
        with pytest.raises(httpx2.ConnectError, match="certificate"):
            asyncio.run(once())
