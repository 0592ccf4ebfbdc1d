"""A shared server under siege: one visitor moves a slider while another throws everything that is small to send."""

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hub import Hub
from tests.make_raw import make_rows
from tests.torture.cases import as_jsonl
from tests.torture.hostile import FILES, ODD, aliases, cards, deep_yaml
from tests.torture.score import Score
from tests.torture.server import Server
from tests.torture.visitors import Visitor

MEDIAN = 0.5
"""Seconds in which a moved slider is answered, at the median."""
MEMORY = 600_000_000
"""Bytes that the server itself may hold."""
PATIENCE = 150.0
"""Seconds in which each input has its sentence."""


def siege(folder: Path, short: bool) -> list[Score]:
    """Hostile files, datasets, links and patterns, one after the other → sentences, the slider, memory, the children."""
    said = Score("Siege", "each hostile input ends in the data or one sentence, and the server goes on")
    calm = Score("Siege: the slider", f"answered within {MEDIAN:g} s at the median, all the while")
    with Hub(folder / "hub") as hub:
        variables = {"SKILL_FACTORY_HOSTED": "1", "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
        with Server(folder / "home", **variables) as server:
            ended = threading.Event()
            waits: list[float] = []
            mover = threading.Thread(target=_move, args=(server.port, ended, waits))
            mover.start()
            try:
                time.sleep(2 if short else 20)
                calm.figures["median before it"] = f"{statistics.median(waits or [0]) * 1000:,.0f} ms"
                for name, throw in _throws(folder, hub, short):
                    said.note(name, _thrown(server.port, throw))
            finally:
                ended.set()
                mover.join(300)
            held = _resident(server.pid)
            said.note(
                "the server lives", "" if server.process and server.process.poll() is None else "it has ended"
            )
            said.note(
                "not your fault",
                "" if "error " not in server.log() else f"faults in the log: {server.log()[-600:]}",
            )
    median = statistics.median(waits) if waits else 99.0
    calm.figures |= {
        "moves": f"{len(waits):,}",
        "median": f"{median * 1000:,.0f} ms",
        "slowest twentieth": f"{sorted(waits)[int(len(waits) * 0.95)] * 1000:,.0f} ms" if waits else "none",
        "memory of the server at most": f"{held / 1e6:,.0f} MB (bound {MEMORY / 1e6:,.0f} MB)",
    }
    calm.note("median", "" if median < MEDIAN else f"{median:.2f} s")
    calm.note("memory", "" if held < MEMORY else f"{held} bytes")
    return [said, calm]


Throw = Callable[[Visitor], None]


def _throws(folder: Path, hub: Hub, short: bool) -> Iterator[tuple[str, Throw]]:
    names = ["nested.jsonl", "lists.csv", "values.jsonl", "empty.parquet"] if short else list(FILES)
    for name in names:
        path = folder / name
        FILES[name](path)
        yield f"file {name}", _file(name, path.read_bytes())
    good = as_jsonl([dict(row) for row in make_rows(6, 4, 2, seed=3)])
    told = [one for one in cards() if not short or one[0] in ("aliases", "odd 4")]
    for number, (name, card) in enumerate(told):
        hub.seed(f"alice/card{number}", {"README.md": card, "data/train.jsonl": good})
        yield f"card {name}", _dataset(f"alice/card{number}")
    for name in names:
        inside = "data/train-00000-of-00001.parquet" if name.endswith("parquet") else f"data/{name}"
        hub.seed(f"alice/file-{name.replace('.', '-')}", {inside: (folder / name).read_bytes()})
        yield f"dataset {name}", _dataset(f"alice/file-{name.replace('.', '-')}")
    for name, text in _recipes():
        yield f"recipe {name}", _recipe(text)


def _recipes() -> Iterator[tuple[str, str]]:
    yield "dotted", "a" + ".a" * 60_000 + " = 1"
    yield "brackets", "a = " + "[" * 50_000
    yield "digits", "[traces]\nseed = " + "9" * 5_000
    yield "repeats", "[traces]\nrepeats = 1000000000000"
    yield "attempts", "[traces]\nattempts = 1000000000"
    yield "lookahead", '[answers]\nrules = ["regex"]\npattern = "(?=(a*)*)b"'


def _file(name: str, data: bytes) -> Throw:
    return lambda visitor: visitor.send_file("My file", name, data)


def _dataset(repo: str) -> Throw:
    def throw(visitor: Visitor) -> None:
        visitor.choose("text_input", "Dataset on the Hugging Face Hub", repo)
        visitor.press("Find")

    return throw


def _recipe(text: str) -> Throw:
    return lambda visitor: visitor.send_file("Or open a saved recipe", "recipe.toml", text.encode())


def _thrown(port: int, throw: Throw) -> str:
    """What was lost: no answer in time, no sentence, or one that takes the blame for the input."""
    began = time.monotonic()
    try:
        with Visitor(port) as visitor:
            visitor.go("Start")
            throw(visitor)
            words = visitor.words()
    except (ConnectionError, TimeoutError, OSError, LookupError) as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    if time.monotonic() - began > PATIENCE:
        return f"answered after {time.monotonic() - began:.0f} s"
    if "Something went wrong" in words:  # an apology of the frame's; apostrophes are escaped in what is sent
        return "it was called a fault of ours"
    return "" if "alert" in words or "Is this data ready?" in words else "neither data nor a sentence"


def _move(port: int, ended: threading.Event, waits: list[float]) -> None:
    with Visitor(port) as visitor:
        visitor.press("Try the demo")
        visitor.go("Choose")
        for k in range(100_000):
            if ended.wait(1.0):
                return
            visitor.choose("slider", "Maximum attempts", 1 + k % 6)
            waits.append(visitor.runs[-1])


def _resident(pid: int) -> int:
    """The most that a process itself has held."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


# -- repositories by lot -------------------------------------------------------------------------------------------

LAYOUTS = (
    "data/train.{}",
    "train.{}",
    "data/train-00000-of-00001.{}",
    "a/b/c/d/test.{}",
    "[x]/tr[a]in.{}",
    ".hidden/train.{}",
    "data/train.{}.gz",
    "wild*/te?t.{}",
    "data/ünïcode.{}",
    "default/validation.{}",
)
CARDS = ("", *ODD, aliases(), deep_yaml(), "configs: [{config_name: default, data_files: '**'}]")


def repositories(folder: Path, seed: int, count: int) -> Score:
    """So many datasets drawn hostile (layout, card, file) → each opens, or ends in one sentence; the server lives."""
    score = Score("Hostile datasets", "each is opened or refused in one sentence, and the server goes on")
    rng = random.Random(f"{seed}/repositories")
    good = as_jsonl([dict(row) for row in make_rows(6, 4, 2, seed=3)])
    with Hub(folder / "hub") as hub:
        variables = {"SKILL_FACTORY_HOSTED": "1", "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1"}
        with Server(folder / "home", **variables) as server:
            for number in range(count):
                files = _drawn(rng, good)
                hub.seed(f"alice/r{number}", files)
                score.note(
                    f"{number}: {', '.join(sorted(files))[:60]}",
                    _thrown(server.port, _dataset(f"alice/r{number}")),
                )
                hub.requests.clear()
            alive = server.process is not None and server.process.poll() is None
            score.note("the server lives", "" if alive else "it has ended")
    return score


def _drawn(rng: random.Random, good: bytes) -> dict[str, bytes]:
    card = rng.choice(CARDS)
    files = {"README.md": f"---\n{card}\n---\n".encode()} if card else {}
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(("jsonl", "json", "csv", "parquet"))
        data = rng.choice(
            (
                good,
                good[: len(good) // 2],
                b"",
                b"\0" * 100,
                bytes(rng.randrange(256) for _ in range(500)),
                b"[" * 5_000,
            )
        )
        files[rng.choice(LAYOUTS).format(kind)] = data
    return files
