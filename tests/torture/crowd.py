"""Many visitors on one hosted server at once: each with data, a token and a recipe that nobody else may ever see."""

import re
import secrets
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hub import Hub, Token, User
from tests.make_raw import make_rows
from tests.torture.cases import as_jsonl
from tests.torture.score import Score
from tests.torture.server import Server
from tests.torture.visitors import Visitor, memory

BOUND = 2_000_000_000
"""Bytes that the server may hold at most with fifty visitors."""
REFUSED = (
    "/etc/passwd",
    "/etc/hosts.json",
    "~/.ssh/id_rsa.json",
    "../../etc/passwd.csv",
    "file:///etc/hosts.json",
    "http://127.0.0.1:1/a.parquet",
    "http://169.254.169.254/latest/meta-data.json",
    "http://localhost/raw.jsonl",
    "http://[::1]/raw.jsonl",
    "http://0.0.0.0/raw.jsonl",
    "\\\\server\\share\\a.csv",
    "/proc/self/environ.json",
    "./skill_factory/recipe/presets/*.json",
)


def crowd(folder: Path, visitors: int, builders: int) -> list[Score]:
    """So many visitors at once, some of them building → leaks, memory, the queue, refusals, idle files."""
    marks = [secrets.token_hex(12) for _ in range(visitors)]
    users = [User(f"user-{mark}") for mark in marks]
    tokens = {f"hf_{mark}": Token(f"user-{mark}") for mark in marks}
    with Hub(folder / "hub", users=users, tokens=tokens) as hub:
        variables = {"SKILL_FACTORY_HOSTED": "1", "HF_ENDPOINT": hub.url, "SKILL_FACTORY_BUILDS": "1"}
        with Server(folder / "home", **variables) as server, ThreadPoolExecutor(visitors) as threads:
            together = threading.Barrier(builders)
            came = [
                threads.submit(_visit, server.port, mark, together if k < builders else None, visitors / 10)
                for k, mark in enumerate(marks)
            ]
            told = [one.result() for one in came]
            leaks = _leaks(marks, told, server)
            refused = _refusals(server, folder)
            most = memory(server.pid)
        after = _idle(server, folder)
    queue = Score(
        "Queue", "with one build at a time the others wait in line, say how many are before them, and all end"
    )
    lines = [mark for mark, (_, _, line) in zip(marks, told, strict=True) if line]
    for mark, (_, wrong, _) in list(zip(marks, told, strict=True))[:builders]:
        queue.note(mark[:6], wrong)
    if builders > 2:
        queue.note("somebody waited", "" if lines else "nobody was ever told of a line")
    leaks.figures["memory of the server at most"] = f"{most / 1e6:,.0f} MB (bound {BOUND / 1e6:,.0f} MB)"
    leaks.note("memory", "" if most < BOUND else f"{most} bytes")
    return [leaks, queue, refused, after]


def _visit(port: int, mark: str, builds: threading.Barrier | None, spread: float) -> tuple[bytes, str, bool]:
    """One visitor's way → all that was received, what went wrong, whether a line was shown."""
    time.sleep(int(mark[:4], 16) / 65536 * spread)
    rows = [
        {**row, "question": f"{mark} {row['question']}", "answer": mark}
        for row in make_rows(12, 8, 4, seed=int(mark[:6], 16))
    ]
    line = False
    with Visitor(port) as visitor:
        try:
            visitor.choose("text_input", "Access token", f"hf_{mark}")
            visitor.send_file("My file", f"{mark}.jsonl", as_jsonl(rows))
            visitor.go("Choose")
            visitor.choose("slider", "Maximum attempts", 2)
            visitor.go("Look")
            if mark not in visitor.words():
                return bytes(visitor.received), "the visitor's own data are not shown", line
            visitor.go("Finish")
            if builds is not None:
                builds.wait(300)
                visitor.press("Build")
                until = time.monotonic() + 300
                while "are ready" not in visitor.words() and time.monotonic() < until:
                    line = line or bool(
                        re.search(r"In the queue: \d+ build|Next in the queue", visitor.words())
                    )
                    time.sleep(0.3)
                    visitor.run()
                if "are ready" not in visitor.words():
                    return bytes(visitor.received), f"the build did not end: {visitor.words()[-200:]}", line
        except (LookupError, ConnectionError, TimeoutError, threading.BrokenBarrierError) as error:
            if builds is not None:
                builds.abort()
            return bytes(visitor.received), f"{type(error).__name__}: {str(error)[:300]}", line
        return bytes(visitor.received), "", line


def _leaks(marks: list[str], told: list[tuple[bytes, str, bool]], server: Server) -> Score:
    score = Score(
        "Visitors", "no row, name, token or recipe of one visitor reaches another, the log or another's link"
    )
    for mark, (received, wrong, _) in zip(marks, told, strict=True):
        others = [other for other in marks if other != mark and other.encode() in received]
        if f"hf_{mark}".encode() in received:
            others.append("its own token, sent back")
        score.note(mark[:6], f"received {len(others)} marks of others: {others[:2]}" if others else wrong)
    written = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in server.home.rglob("*")
        if path.is_file() and path.suffix not in (".npz", ".parquet", ".arrow")
    )
    for mark in marks:
        score.note(f"token of {mark[:6]} on disk", "written" if f"hf_{mark}" in written else "")
    return score


def _refusals(server: Server, folder: Path) -> Score:
    score = Score(
        "Sources of a shared server",
        "paths of its disk, file:// and inner addresses are refused in a sentence",
    )
    uploads = server.home / "uploads"
    (folder / "secret.json").write_text('[{"question": "the secret of the server"}]', encoding="utf-8")
    tries = (
        *REFUSED,
        str(uploads) + "/",
        f"{uploads}/*/*",
        f"{uploads}/../uploads/*/*.jsonl",
        str(folder / "secret.json"),
        str(server.home) + "/",
        f"{uploads}/{next(uploads.iterdir()).name}/../*/*",
    )
    with Visitor(server.port) as visitor:
        for text in tries:
            visitor.go("Start")
            before = len(visitor.received)
            visitor.choose("text_input", "Dataset on the Hugging Face Hub", text)
            visitor.press("Find")
            seen = bytes(visitor.received[before:])
            bad = b"the secret" in seen or b"root:" in seen or b"Is this data ready?" in seen
            said = (
                any(one.WhichOneof("type") == "alert" for one in visitor.shown.values())
                or "No dataset" in visitor.words()
            )
            score.note(text, "it was opened" if bad else "" if said else "no sentence was shown")
    return score


def _idle(server: Server, folder: Path) -> Score:
    """With a time of two seconds, what the visitors left is gone at the next visit."""
    score = Score(
        "Idle visitors",
        "files of a visitor who stays away go after their time; those of one who is there stay",
    )
    left = [path for kind in ("uploads", "builds") for path in (server.home / kind).iterdir()]
    server._variables["SKILL_FACTORY_IDLE_HOURS"] = str(4 / 3600)
    time.sleep(5)
    with server, Visitor(server.port) as visitor:
        visitor.send_file("My file", "here.jsonl", as_jsonl(list(make_rows(4, 6, 3, seed=1))))
        (mine,) = [p for p in (server.home / "uploads").iterdir() if p not in left]
        for _ in range(12):
            time.sleep(0.5)
            visitor.run()
        score.note("a visitor who is there", "" if mine.is_dir() else "the upload is gone")
    for path in left:
        score.note(f"{path.parent.name} of one who left", "still there" if path.exists() else "")
    return score


def load(folder: Path, visitors: int, moves: int) -> Score:
    """So many visitors moving a slider on the demo at once → the median and the slowest twentieth."""
    score = Score(
        "Load", "visitors moving controls on the demo see the page again within 500 ms, at the median"
    )
    with Server(folder / "home", SKILL_FACTORY_HOSTED="1") as server, ThreadPoolExecutor(visitors) as threads:
        waits = sorted(
            wait
            for found in threads.map(lambda k: _moves(server.port, k, moves), range(visitors))
            for wait in found
        )
    median, slow = waits[len(waits) // 2] * 1000, waits[int(len(waits) * 0.95)] * 1000
    score.figures |= {
        "visitors": str(visitors),
        "controls moved": str(len(waits)),
        "median": f"{median:,.0f} ms",
        "95th percentile": f"{slow:,.0f} ms",
    }
    score.note(f"{visitors} visitors", "" if median < 500 else f"median {median:.0f} ms")
    return score


def _moves(port: int, number: int, moves: int) -> list[float]:
    with Visitor(port) as visitor:
        visitor.press("Try the demo")
        visitor.go("Choose")
        waits = []
        for k in range(moves):
            # A person looks at what came before the next move.
            time.sleep(1.0 + (number * 7 + k * 3) % 10 / 5)
            visitor.choose("slider", "Maximum attempts", 1 + (number + k) % 5)
            waits.append(visitor.runs[-1])
    return waits


if __name__ == "__main__":
    for one in [*crowd(Path(tempfile.mkdtemp()), 8, 3), load(Path(tempfile.mkdtemp()), 5, 4)]:
        print(one.name, one.tried, one.lost[:5], one.figures)
