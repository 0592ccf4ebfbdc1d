"""Start an inference server for a trained model: vLLM or `transformers serve`, whichever is installed.

The server is a program of its own, in an environment of its own if need be: it is found by its name on the path, or named.
It listens on this computer alone.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import computed

HOST = "127.0.0.1"
OWN = "SKILL_FACTORY_SERVER"
"""Environment variable: the program that serves, where none is named."""
STARTS_WITHIN = 600
"""Seconds of standing still, or of computing, after which a server that doesn't answer is given up: loading takes minutes."""
LAST = 600
"""Characters of a server's log that are shown when it fails."""


class ServeError(SkillFactoryError):
    """The model can't be served here."""


def name_of(model: str) -> str:
    """
    What a model is called in requests and outputs: a folder's own name, without the path of this machine.

    What `train` wrote is named after the model that it began with: its folder is always called `model`.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return model
    folder = folder.resolve()
    base = _base_of(folder)
    return f"{base}-trained" if base else folder.name


def _base_of(folder: Path) -> str:
    """The last part of the name of the model that a training began with; empty for a folder of another origin."""
    try:
        settings = json.loads((folder.parent / "training.json").read_text(encoding="utf-8"))
        model = settings["model"] if folder.name == "model" and "id" in settings else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(model).rstrip("/").rpartition("/")[2]


def _under(model: str) -> str:
    """The model that an adapter in a folder belongs to; empty for a whole model."""
    try:
        told = json.loads((Path(model).expanduser() / "adapter_config.json").read_text(encoding="utf-8"))
        return str(told["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _vllm(model: str) -> list[str]:
    name, base = name_of(model), _under(model)
    # It serves the model under an adapter, and the adapter beside it under a name of its own.
    return ["serve", base, "--enable-lora", "--lora-modules", f"{name}={name}"] if base else ["serve", name]


def _transformers(model: str) -> list[str]:
    return ["serve", name_of(model)]  # a folder with an adapter is loaded as such, where peft is installed


def written_since(model: str, out: Path) -> bool:
    """Whether the model in a folder was written after the answers in `out`: they are an earlier model's, which had its name."""
    folder, store = Path(model).expanduser(), out / ".store"
    if not (folder.is_dir() and store.is_dir()):
        return False
    answered = max(path.stat().st_mtime for path in (store, *store.iterdir()))
    return folder.stat().st_mtime > answered


@dataclass(frozen=True)
class Program:
    """An inference server: how its program is called, and the words after it, without host and port."""

    name: str
    words: Callable[[str], list[str]]
    refuses: tuple[str, ...] = ()
    """Sampling settings for which it declines a request."""

    def command(self, path: str, model: str, port: int) -> list[str]:
        """All words of the command."""
        return [os.path.abspath(path), *self.words(model), "--host", HOST, "--port", str(port)]


PROGRAMS = (
    Program("vllm", _vllm),
    Program("transformers", _transformers, ("top_k", "repetition_penalty")),
)
"""The first that is installed is taken: vLLM is many times faster where it runs."""


def command(model: str, port: int, program: str = "") -> list[str]:
    """
    What is run to serve a model on a port; `program` is a name or a path, empty for SKILL_FACTORY_SERVER's or else the first
    that is installed. Errors: ServeError.
    """
    names = [one.name for one in PROGRAMS]
    if program := program or os.environ.get(OWN, ""):
        known = next((one for one in PROGRAMS if one.name == Path(program).name), None)
        if known is None:
            raise ServeError(
                f"{program!r} isn't a server that can be started here; it can be {' or '.join(names)}."
            )
        path = shutil.which(program)
        if path is None:
            raise ServeError(
                f"There is no program {program!r}. Give its path, e.g. ENVIRONMENT/bin/{known.name}."
            )
        return known.command(path, model, port)
    for one in PROGRAMS:
        if path := shutil.which(one.name):
            return one.command(path, model, port)
    raise ServeError(
        "Neither vllm nor transformers is installed here, so no model can be served. Install one "
        "(pip install 'transformers[serving]' torch), or name the program of another environment (--program PATH, or "
        f"the variable {OWN})."
    )


def refused_by(words: list[str]) -> tuple[str, ...]:
    """The sampling settings that the program of a command declines."""
    return next((one.refuses for one in PROGRAMS if one.name == Path(words[0]).name), ())


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def served(
    model: str, port: int = 0, program: str = "", seconds: float = STARTS_WITHIN, shown: bool = False
) -> Iterator[str]:
    """
    The address of a server for a model, once it answers; the server ends with the block.

    What it says goes to standard error if `shown`, else it is told only where the server fails. Errors: ServeError
    without a program, or if it doesn't start.
    """
    port = port or free_port()
    words = command(model, port, program)
    with tempfile.TemporaryFile() as kept, _beside(model) as beside:
        # A folder is a model of this computer: no Hub needs to be asked, unless for the model under an adapter.
        alone = beside and (not _under(model) or Path(_under(model)).is_dir())
        environment = {**os.environ, **({"HF_HUB_OFFLINE": "1"} if alone else {})}
        out = sys.stderr if shown else kept
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, cwd=beside
        )
        try:
            _wait(process, port, kept, seconds)
            yield f"http://{HOST}:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _beside(model: str) -> Iterator[Path | None]:
    """Where the server is started: beside a link to the folder, since it goes by the name that it is started with."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        yield None
        return
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / name_of(model)).symlink_to(folder.resolve(), target_is_directory=True)
        yield Path(place)


def _wait(process: subprocess.Popen[bytes], port: int, kept: IO[bytes], seconds: float) -> None:
    end, had = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ServeError(f"The server ended before it answered. {_last(kept)}")
        if _answers(port):
            return
        # On a busy machine it gets little of the processor: as long as it goes on, it isn't late.
        if had + 1 < (now := computed(process.pid)) <= seconds:
            end, had = time.monotonic() + seconds, now
        time.sleep(0.3)
    raise ServeError(f"The server didn't answer within {seconds:.0f} seconds. {_last(kept)}")


def _last(kept: IO[bytes]) -> str:
    kept.seek(0)
    said = kept.read()[-LAST:].decode("utf-8", "replace").strip()
    return f"It said last: {said}" if said else ""


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
