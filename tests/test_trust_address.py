"""Who reaches the app at home: this computer, under its own names, and nobody else."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.torture.server import Server

HOUSE = "10.231.77.1"
GUEST = "10.231.77.2"


class AtHome(Server):
    """A server as `make app` starts it: where it listens is for the project's own settings to say."""

    LISTENS: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server at home."""
    with AtHome(tmp_path_factory.mktemp("home")) as server:
        yield server


def handshake(port: int, host: str) -> int:
    """The status with which the app's websocket answers a request that names this host."""
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "",
        "",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall("\r\n".join(lines).encode())
        return int(line.recv(200).split()[1])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_computer_s_own_names_are_let_in(home: Server, host: str) -> None:
    """A browser on this computer opens the app by any name of the computer's own."""
    assert handshake(home.port, f"{host}:{home.port}") == 101


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.7", "x@localhost"]
)
def test_a_foreign_name_is_not_let_in(home: Server, host: str) -> None:
    """A web page whose name was made to point at this computer says its own name, and gets no session."""
    assert handshake(home.port, f"{host}:{home.port}") == 403


def test_no_other_computer_reaches_it(home: Server) -> None:
    """From a second network namespace, joined by a cable, the address of this one has nobody listening."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("a second network namespace needs `ip` and root")
    space, cable = f"sf{os.getpid() % 100_000}", f"sf{os.getpid() % 100_000}"
    made = subprocess.run(["ip", "netns", "add", space], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no network namespace can be made here: {made.stderr.decode().strip()}")
    try:
        for words in (
            f"ip link add {cable}a type veth peer name {cable}b",
            f"ip link set {cable}b netns {space}",
            f"ip addr add {HOUSE}/30 dev {cable}a",
            f"ip link set {cable}a up",
            f"ip netns exec {space} ip addr add {GUEST}/30 dev {cable}b",
            f"ip netns exec {space} ip link set {cable}b up",
        ):
            done = subprocess.run(words.split(), capture_output=True, check=False)
            if done.returncode:
                pytest.skip(f"no cable can be laid here: {done.stderr.decode().strip()}")
        knock = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5); print('in')"
        words = ["ip", "netns", "exec", space, sys.executable, "-c", knock, HOUSE]
        # That the cable works is seen at a socket that does listen everywhere.
        with socket.create_server((HOUSE, 0)) as open_door:
            seen = subprocess.run(
                [*words, str(open_door.getsockname()[1])], capture_output=True, text=True, check=False
            )
            assert seen.stdout.strip() == "in", seen.stderr
        shut = subprocess.run([*words, str(home.port)], capture_output=True, text=True, check=False)
        assert "ConnectionRefusedError" in shut.stderr, shut.stdout + shut.stderr
    finally:
        subprocess.run(["ip", "link", "del", f"{cable}a"], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


def test_docker_is_told_to_publish_to_this_computer_alone() -> None:
    """Every `docker run` that the project names binds its port to 127.0.0.1."""
    texts = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("skill_factory/**/*.py"),
        ROOT / "Dockerfile",
    ]
    lines = [
        line
        for path in texts
        for line in path.read_text(encoding="utf-8").splitlines()
        if "docker run" in line
    ]
    assert lines
    assert [line for line in lines if re.search(r"-p +\d", line) and "-p 127.0.0.1:" not in line] == []


@pytest.mark.parametrize(
    ("variables", "hosts"),
    [
        ({}, ["localhost", "127.0.0.1"]),
        ({"SKILL_FACTORY_HOSTED": "0"}, ["localhost", "127.0.0.1"]),
        ({"SKILL_FACTORY_HOSTS": "lab.example"}, ["lab.example", "127.0.0.1"]),
        ({"SKILL_FACTORY_HOSTED": "1"}, ["*", "127.0.0.1"]),
        ({"SPACE_ID": "me/space"}, ["*", "127.0.0.1"]),
    ],
)
def test_a_container_answers_to_any_name_only_where_it_is_shared(
    variables: dict[str, str], hosts: list[str], tmp_path: Path
) -> None:
    """The image's own command, run with a `streamlit` that only notes what it was asked."""
    line = next(
        one
        for one in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if one.startswith("CMD ")
    )
    (tmp_path / "streamlit").write_text(
        '#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n', encoding="utf-8"
    )
    (tmp_path / "streamlit").chmod(0o755)
    done = subprocess.run(
        json.loads(line[4:]),
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    said = [
        word.partition("=")[2]
        for word in done.stdout.splitlines()
        if word.startswith("--server.allowedHosts=")
    ]
    assert said == hosts
