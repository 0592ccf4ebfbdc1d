"""Asking a server over real sockets: faults, bounds, certificates, proxies, packed answers, and what is never sent."""

import asyncio
import gzip
import json
import ssl
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from skill_factory.errors import EndpointError
from skill_factory.generate.net.endpoint import ROOM, Asker, Endpoint, asker
from skill_factory.generate.net.proxies import proxy_for
from skill_factory.generate.net.trouble import Trouble, Way
from skill_factory.generate.net.wire import Wire
from skill_factory.generate.request import Answer, Request, Sampling, make_request

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
ROUTER = "router.huggingface.co"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine's environment says."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def completion(text: str = "fine", **message: Any) -> bytes:
    """The body of a chat completion."""
    choice = {"message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}).encode()


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def events(*trees: Any, done: bool = True) -> bytes:
    """A whole answer in server-sent events."""
    text = "".join(f"data: {json.dumps(tree)}\n\n" for tree in trees) + "data: [DONE]\n\n" * done
    return http(text.encode(), "Content-Type: text/event-stream")


FINE = http(completion())


@dataclass
class Heard:
    """A server that says the same to everyone, and what it was told."""

    says: bytes
    hang_up: bool
    tls: ssl.SSLContext | None = None
    """For a proxy: how it speaks as the server behind it."""
    port: int = 0
    connections: int = 0
    left: int = 0
    sent: int = 0

    def __post_init__(self) -> None:
        self.heads: list[str] = []
        self.bodies: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            while True:
                first = await reader.readexactly(1)
                if not first.isalpha():  # somebody says hello in TLS
                    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
                self.heads.append((first + await reader.readuntil(b"\r\n\r\n")).decode())
                if self.heads[-1].startswith("CONNECT"):
                    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    await writer.drain()
                    assert self.tls is not None
                    await writer.start_tls(self.tls)
                    continue
                length = self.heads[-1].lower().partition("content-length: ")[2].split()[0]
                self.bodies.append(await reader.readexactly(int(length)))
                await self._say(writer)
                if self.hang_up:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            self.left += 1
        finally:
            writer.close()

    async def _say(self, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(self.says), 65_536):
            writer.write(self.says[start : start + 65_536])
            await writer.drain()
            self.sent = start + 65_536


@asynccontextmanager
async def server(
    says: bytes = FINE,
    hang_up: bool = False,
    tls: ssl.SSLContext | None = None,
    behind: ssl.SSLContext | None = None,
) -> AsyncIterator[Heard]:
    """A server on a free port."""
    heard = Heard(says, hang_up, behind)
    running = await asyncio.start_server(heard.serve, "127.0.0.1", 0, ssl=tls)
    heard.port = running.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        running.close()


def request(max_tokens: int = 100) -> Request:
    """A request whose prompt is no ASCII."""
    return make_request([{"role": "user", "content": "ü"}], "m", Sampling(max_tokens=max_tokens), 0)


def at(heard: Heard, **more: Any) -> Endpoint:
    """The endpoint that a server is."""
    return Endpoint("m", f"http://127.0.0.1:{heard.port}/v1", **more)


async def ask(heard: Heard, key: str | None = None, **more: Any) -> Answer:
    """One request to a server."""
    async with asker(at(heard, **more), key) as asking:
        return await asking.ask(request())


def answer_to(says: bytes, **more: Any) -> Answer:
    """What a server's words become."""

    async def once() -> Answer:
        async with server(says, hang_up=True) as heard:
            return await ask(heard, **more)

    return asyncio.run(once())


def trouble_with(asking: Coroutine[Any, Any, Any]) -> Trouble:
    """What goes wrong."""
    with pytest.raises(Trouble) as caught:
        asyncio.run(asking)
    return caught.value


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"", "the connection was cut"),
        (FINE[:-4], "the connection was cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n", "the connection was cut"),
        (b"SSH-2.0-OpenSSH_9.7\r\n\r\n", "the answer isn't HTTP"),
        (http(b"fine", "Content-Encoding: gzip"), "the answer is packed wrongly"),
        (http(gzip.compress(completion())[:-9], "Content-Encoding: gzip"), "the connection was cut"),
        (
            http(zlib.compress(b"{}"), "Content-Encoding: br"),
            "the answer is packed in a way that wasn't offered",
        ),
    ],
)
def test_a_fault_of_the_connection_spoils_one_answer(says: bytes, why: str, stream: bool) -> None:
    """Hung up before an answer and within one, no HTTP, packed wrongly: said, and asked again, for it may be billed."""

    async def once() -> None:
        async with server(says, hang_up=True) as heard:
            await ask(heard, stream=stream)

    trouble = trouble_with(once())
    assert (trouble.way, trouble.why) == (Way.SPOILED, why)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-name.invalid"])
def test_nobody_there_is_no_connection(host: str) -> None:
    """A closed port, and a name that nobody has: either may be there in a moment."""

    async def once() -> None:
        async with server() as heard:
            port = heard.port
        async with asker(Endpoint("m", f"http://{host}:{port}/"), None) as asking:
            await asking.ask(request())

    trouble = trouble_with(once())
    assert (trouble.way, trouble.why) == (Way.FAILING, "no connection")


def test_who_gives_up_waiting_hangs_up() -> None:
    """A server sees that nobody waits for its answer any more; the next request gets a connection of its own."""

    async def once() -> None:
        async with server(b"") as heard, asker(at(heard, timeout=0.2), None) as asking:
            with pytest.raises(Trouble, match="no answer in time"):
                await asking.ask(request())
            while not heard.left:
                await asyncio.sleep(0.01)
            heard.says = FINE
            assert (await asking.ask(request())).text == "fine"
            assert heard.connections == 2

    asyncio.run(once())


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_where_an_answer_should_be_is_told_in_the_server_s_words(stream: bool) -> None:
    """Some gateways say 200 and put the provider's failure into the body; it is asked again, and the key isn't shown."""
    tree = {"error": {"message": "upstream of key k-1 is down", "code": 502}}

    async def once() -> None:
        async with server(events(tree) if stream else http(json.dumps(tree).encode())) as heard:
            await ask(heard, key="k-1", stream=stream)

    trouble = trouble_with(once())
    assert trouble.way is Way.FAILING
    assert trouble.why == "the server failed on the way: upstream of key … is down"


# -- bounds ------------------------------------------------------------------------------------------------------------


def deep(levels: int) -> bytes:
    """A completion that is nested."""
    return completion().replace(b'"usage"', b'"deep": ' + b"[" * levels + b"]" * levels + b', "usage"')


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("says", "why"),
    [
        (http(completion("x" * 2_000_000)), "the answer is too long"),
        (
            http(gzip.compress(completion("x" * 2_000_000)), "Content-Encoding: gzip"),
            "the answer is too long",
        ),
        (http(deep(100_000)), "the answer is nested too deeply"),
        (http(b"[" * 400_000), "the answer is nested too deeply"),
        (http(b'{"choices": ' + b"9" * 5_000 + b"}"), "the answer isn't JSON"),
    ],
)
def test_an_answer_that_no_text_needs_is_not_held(says: bytes, why: str, stream: bool) -> None:
    """Too long, unpacked or not, nested without end, a number without end: one spoiled answer each, and the run goes on."""
    if stream:
        head, _, body = says.partition(b"\r\n\r\n")
        packed = b"gzip" in head
        line = b"data: " + (gzip.decompress(body) if packed else body) + b"\n\n"
        extra = ["Content-Encoding: gzip"] if packed else []
        says = http(gzip.compress(line) if packed else line, "Content-Type: text/event-stream", *extra)

    async def once() -> None:
        async with server(says, hang_up=True) as heard:
            await ask(heard, stream=stream)

    trouble = trouble_with(once())
    assert (trouble.way, trouble.why) == (Way.SPOILED, why)


def test_of_an_endless_answer_little_is_read() -> None:
    """200 MB in packed zeros unpack 1000-fold: the connection is closed after the room of an answer."""
    packed = zlib.compressobj(wbits=31)
    megabytes = b"".join(packed.compress(bytes(1_000_000)) for _ in range(200)) + packed.flush()
    plain = http(bytes(50 * ROOM))

    async def once(says: bytes) -> Heard:
        async with server(says) as heard:
            with pytest.raises(Trouble, match="too long"):
                await ask(heard)
            while not heard.left:
                await asyncio.sleep(0.01)
            return heard

    asyncio.run(once(http(megabytes, "Content-Encoding: gzip")))
    assert asyncio.run(once(plain)).sent < 20 * ROOM  # most of that lies in the buffers of both sides


def test_a_stream_without_end_is_cut() -> None:
    """Comments and events of no use count too, and so does a line that never ends."""
    comments = b": keep-alive\n\n" * 200_000
    line = b"data: " + b" " * (2 * ROOM)
    for text in (comments, line):

        async def once(text: bytes = text) -> None:
            async with server(http(text, "Content-Type: text/event-stream")) as heard:
                await ask(heard, stream=True)

        assert trouble_with(once()).why == "the answer is too long"


def test_an_answer_of_the_longest_text_fits() -> None:
    """Room grows with what was asked for: every token may be a long word, escaped, and said twice."""
    text = "ü" * 40 * 1_000
    body = completion(text, reasoning_content=text)

    async def once() -> Answer:
        async with server(http(body)) as heard, asker(at(heard), None) as asking:
            return await asking.ask(request(max_tokens=2_000))

    assert len(body) > 400_000
    assert asyncio.run(once()).text == text


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -9, "completion_tokens": 3},
        {"prompt_tokens": 9, "completion_tokens": -3},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 10**30, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1.5},
        {"prompt_tokens": "9"},
        [1],
        "no",
        None,
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_counts_that_cant_be_are_estimated(usage: Any, stream: bool) -> None:
    """A count below zero would lower what was spent; the answer is kept, for it was paid for."""
    choice = {"message": {"content": "four words of text"}, "finish_reason": "stop"}
    says = http(json.dumps({"choices": [choice], "usage": usage}).encode())
    if stream:
        says = events({"choices": [{"delta": choice["message"], "finish_reason": "stop"}]}, {"usage": usage})
    answer = answer_to(says, stream=stream)
    assert answer.text == "four words of text" and not answer.counted
    assert 0 <= answer.prompt_tokens < 10 and 0 < answer.completion_tokens < 20


# -- what an answer is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "text", "thinking"),
    [
        ({"content": "4", "reasoning_content": "2+2"}, "4", "2+2"),
        ({"content": "4", "reasoning": "2+2"}, "4", "2+2"),
        ({"content": "4", "reasoning": "2+2", "reasoning_content": "2+2"}, "4", "2+2"),
        ({"content": "<think>2+2</think>4", "reasoning": "2+2"}, "<think>2+2</think>4", ""),
        ({"content": None, "reasoning_content": "2+2"}, "", "2+2"),
        ({"content": "4", "reasoning": {"effort": "low"}}, "4", ""),
        ({"content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]}, "42", ""),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]},
                    {"type": "text", "text": "4"},
                ]
            },
            "4",
            "2+2",
        ),
        ({"content": None, "refusal": "no"}, "no", ""),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_thinking_that_a_server_moved_is_found(
    message: dict[str, Any], text: str, thinking: str, stream: bool
) -> None:
    """In either of the two fields, or as a part of the content; never twice."""
    says = http(json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode())
    if stream:
        says = events({"choices": [{"delta": message, "finish_reason": "stop"}]})
    answer = answer_to(says, stream=stream)
    assert (answer.text, answer.thinking) == (text, thinking)


def test_a_stream_adds_up() -> None:
    """Pieces of thinking, pieces of text, a comment, an event without a space, line ends of two kinds, the counts last."""
    deltas = [{"reasoning": "2"}, {"reasoning": "+2"}, {"content": "It is "}, {"content": "4"}, {}]
    lines = [f"data:{json.dumps({'choices': [{'delta': delta}]})}\r\n\r\n" for delta in deltas]
    lines.insert(1, ": keep-alive\n\nevent: message\n")
    lines.append('data: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n')
    lines.append(
        'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}\n\ndata: [DONE]\n\n'
    )
    answer = answer_to(http("".join(lines).encode(), "Content-Type: text/event-stream"), stream=True)
    assert (answer.text, answer.thinking, answer.finish) == ("It is 4", "2+2", "length")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.counted) == (7, 5, True)


def test_a_server_that_cant_stream_is_understood() -> None:
    """Asked for a stream, it answers whole and says so."""
    assert answer_to(http(completion(), "Content-Type: application/json"), stream=True).text == "fine"


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_that_nobody_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token of this machine, no cookie that came before, no password of ~/.netrc; one connection for all of it."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HF_TOKEN", "hf_saved")

    async def once() -> Heard:
        async with (
            server(http(completion(), "Set-Cookie: a=b")) as heard,
            asker(Endpoint("m", f"http://127.0.0.1:{heard.port}/v1/x"), None) as asking,
        ):
            for _ in range(2):
                await asking.ask(request())
            return heard

    heard = asyncio.run(once())
    assert heard.connections == 1
    for head in heard.heads:
        names = [line.split(":")[0].lower() for line in head.splitlines()[1:]]
        assert "authorization" not in names and "cookie" not in names
        assert head.startswith("POST /v1/x/v1/chat/completions HTTP/1.1\r\n")
        assert names.count("host") == names.count("content-length") == names.count("x-request-id") == 1


def test_a_packed_answer_is_unpacked() -> None:
    """As the server was told that it may pack it."""

    async def once() -> Heard:
        async with server(http(gzip.compress(completion("packed")), "Content-Encoding: gzip")) as heard:
            assert (await ask(heard)).text == "packed"
            return heard

    assert "accept-encoding: gzip\r\n" in asyncio.run(once()).heads[0].lower()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/openai", "/openai/v1/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/a%20b/v1", "/a%20b/v1/chat/completions"),
    ],
)
def test_an_address_may_be_given_with_or_without_its_end(url: str, path: str) -> None:
    """As people copy it from their server's notes."""

    async def once() -> Heard:
        async with server() as heard:
            async with asker(Endpoint("m", f"http://127.0.0.1:{heard.port}{url}"), None) as asking:
                await asking.ask(request())
            return heard

    assert asyncio.run(once()).heads[0].startswith(f"POST {path} HTTP/1.1\r\n")


# -- proxies -----------------------------------------------------------------------------------------------------------


def test_the_environment_s_proxy_is_used_but_where_it_says_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gets the whole address; what `no_proxy` names is asked directly."""

    async def once() -> None:
        async with server() as proxy, server() as direct:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            for url in ("http://model.test/v1", f"http://127.0.0.1:{direct.port}/v1"):
                async with asker(Endpoint("m", url), "k") as asking:
                    await asking.ask(request())
            proxied = "POST http://model.test/v1/chat/completions HTTP/1.1"
            assert [head.splitlines()[0] for head in proxy.heads] == [proxied]
            assert [head.splitlines()[0] for head in direct.heads] == ["POST /v1/chat/completions HTTP/1.1"]
            assert all("authorization: bearer k\r\n" in head.lower() for head in proxy.heads + direct.heads)

    asyncio.run(once())


@pytest.mark.parametrize(
    ("url", "exceptions", "proxied"),
    [
        ("http://model.test/v1", "", True),
        ("http://model.test/v1", "*", False),
        ("http://model.test/v1", "a,*", False),
        ("http://model.test/v1", "test", False),
        ("http://model.test/v1", ".test", False),
        ("http://model.test/v1", "*.test", False),
        ("http://model.test/v1", "el.test", True),
        ("http://10.1.2.3/v1", "10.0.0.0/8", False),
        ("http://11.1.2.3/v1", "10.0.0.0/8", True),
        ("http://model.test:8000/v1", "model.test:8000", False),
        ("http://model.test:8000/v1", "model.test:9", True),
        ("http://[fd00::1]/v1", "fd00::/8", False),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(
    url: str, exceptions: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names with all that ends in them, ports, ranges of addresses, and everything."""
    monkeypatch.setenv("http_proxy", "127.0.0.1:9")
    monkeypatch.setenv("no_proxy", exceptions)
    assert proxy_for(url) == ("http://127.0.0.1:9" if proxied else None)


@pytest.mark.parametrize("proxy", ["socks5://u:secret@h:1", "http://[::1", "http://h:99999", "ftp://h"])
def test_a_proxy_that_cant_be_used_is_told(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to change, and without the password in it."""
    monkeypatch.setenv("all_proxy", proxy)
    with pytest.raises(EndpointError, match=r"all_proxy.*no_proxy") as caught:
        proxy_for("https://model.test/v1")
    assert "secret" not in str(caught.value)


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's certificate for `model.test` and the router's name, which the environment says to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "model.test")])
    now = datetime.now(UTC)
    names = [x509.DNSName("model.test"), x509.DNSName(ROUTER)]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(1))
        .not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "certificate.pem").write_bytes(built.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(private)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    yield context


class Here(AbstractResolver):
    """A world in which every name means this machine."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """127.0.0.1 under the name that was asked for."""
        results = await ThreadedResolver().resolve("127.0.0.1", port, family)
        return [{**result, "hostname": host} for result in results]

    async def close(self) -> None:
        """Nothing is held open."""


@pytest.mark.parametrize(("name", "trusted"), [("model.test", True), ("other.test", False)])
def test_the_certificate_is_judged_by_the_name_that_was_asked_for(
    certified: ssl.SSLContext, name: str, trusted: bool
) -> None:
    """Whatever address it was resolved to, as on a hosted instance. One that isn't trusted ends the run, and says why."""

    async def once() -> str:
        async with server(tls=certified) as heard:
            wire = Wire(resolver=Here())
            try:
                asking = Asker(Endpoint("m", f"https://{name}:{heard.port}/v1"), None, wire)
                return (await asking.ask(request())).text
            finally:
                await wire.close()

    if trusted:
        assert asyncio.run(once()) == "fine"
    else:
        trouble = trouble_with(once())
        assert trouble.way is Way.HOPELESS
        assert "certificate isn't trusted" in trouble.why and "other.test" in trouble.why


def test_https_where_nobody_speaks_it_is_told() -> None:
    """A server without a certificate, asked for one."""

    async def once() -> None:
        async with server() as heard, asker(Endpoint("m", f"https://127.0.0.1:{heard.port}"), None) as asking:
            await asking.ask(request())

    assert trouble_with(once()).why == "no TLS at this address"


# -- providers ---------------------------------------------------------------------------------------------------------


def ask_router(endpoint: Endpoint, certified: ssl.SSLContext, says: bytes = FINE) -> Heard:
    """One request to the router's own address, through a proxy that stands in for the internet."""

    async def once() -> Heard:
        async with server(says, behind=certified) as internet:
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("https_proxy", f"http://127.0.0.1:{internet.port}")
                async with asker(endpoint.checked(), "hf_token") as asking:
                    await asking.ask(request())
            return internet

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("provider", "model"), [("auto", "org/m"), ("groq", "org/m:groq"), ("Fireworks-AI", "org/m:fireworks-ai")]
)
def test_inference_providers_are_asked_through_the_router(
    certified: ssl.SSLContext, provider: str, model: str
) -> None:
    """By TLS through the environment's proxy: the model with its provider behind a colon, our parameters, the token."""
    heard = ask_router(Endpoint("org/m", provider=provider), certified)
    connect, head = heard.heads
    assert connect.startswith(f"CONNECT {ROUTER}:443 HTTP/1.1\r\n") and "hf_token" not in connect
    assert head.startswith("POST /v1/chat/completions HTTP/1.1\r\n")
    assert "authorization: bearer hf_token\r\n" in head.lower()
    body = json.loads(heard.bodies[0])
    assert (body["model"], body["temperature"], body["top_k"]) == (model, 0.7, 20)


def test_a_model_that_no_provider_serves_ends_the_run_in_the_router_s_words(
    certified: ssl.SSLContext,
) -> None:
    """The same code comes for an unknown provider: no request will be answered, so none is tried twice."""
    error = {"message": "The requested model 'org/m:nobody' is not supported", "code": "model_not_supported"}
    says = http(json.dumps({"error": error}).encode(), status="400 Bad Request")
    with pytest.raises(Trouble, match=r"org/m:nobody.*Check --model and --provider") as caught:
        ask_router(Endpoint("org/m", provider="nobody"), certified, says)
    assert caught.value.way is Way.HOPELESS
