"""One case through inspect, preview and build, in this process or in one of its own; what is wrong with what came out."""

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.command import ROOT, python
from tests.torture.cases import Case, case

SECONDS = 30
"""No small case may take longer."""
ADDRESSES = 8_000_000_000
"""Address space of the process that tries cases; Arrow reserves more than it uses."""
OPTIONS = (
    "--attempts",
    "2",
    "--format",
    "*C_full",
    "--format",
    "*C*IC",
    "--set",
    'answers.rules=["column","tag"]',
)


class TooLong(Exception):
    """A case ran past its time."""


def put(one: Case, folder: Path) -> None:
    """The case's files, in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in one.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def here(one: Case, folder: Path) -> tuple[str, bool]:
    """Try a case by the functions that the command calls → what is wrong, and whether it got past column mapping."""
    put(one, folder)
    os.chdir(folder)
    mapped = False
    for words in (
        ["inspect", one.source, "--json", *OPTIONS],
        ["preview", one.source, *OPTIONS],
        ["preview", one.source, "--html", "page.html", *OPTIONS],
        ["build", one.source, "--out", "out", "--workers", "1", *OPTIONS],
    ):
        code, out, err = called(words)
        if words[0] == "inspect" and code == 0:
            mapped = {"question", "response", "correct"} <= set(json.loads(out)["mapping"])
        if wrong := judged(one, folder, words[0], code, out, err):
            return f"{words[0]}: {wrong}", mapped
    return "", mapped


def called(words: list[str]) -> tuple[int, str, str]:
    """The command in this process → exit code, standard output, standard error."""
    from skill_factory.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
    except TooLong:
        return 99, out.getvalue(), f"Traceback: longer than {SECONDS} s"
    except Exception as error:
        return 99, out.getvalue(), f"Traceback: {type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
    return code, out.getvalue(), err.getvalue()


def _stop(number: int, frame: Any) -> None:
    raise TooLong


def as_process(one: Case, folder: Path) -> str:
    """Try a case as a user would, by its build alone → what is wrong."""
    put(one, folder)
    done = python("-m", "skill_factory", "build", one.source, "--out", "out", *OPTIONS, cwd=folder)
    return judged(one, folder, "build", done.exit, done.out, done.err)


def judged(one: Case, folder: Path, word: str, code: int, out: str, err: str) -> str:
    """What is wrong with the end of a command; empty where it is as promised."""
    if "Traceback" in err or code not in (0, 2):
        return f"exit {code}: {err.strip()[-300:]}"
    if steers(out) or steers(err.replace("\r", "")):
        return "control characters reached the terminal"
    if code == 2:
        lines = [line for line in err.replace("\r", "\n").splitlines() if line.strip()]
        if not lines or lines[-1].rstrip()[-1] not in ".?!`" or len(lines[-1]) > 2000:
            return f"no sentence: {err[-300:]!r}"
    made = (
        {path.name for path in folder.iterdir()} - {name.split("/")[0] for name in one.files} - {"page.html"}
    )
    if made != ({"out"} if word == "build" and code == 0 else set()):
        return f"left behind: {sorted(made)}"
    return built(one, folder / "out") if word == "build" and code == 0 else ""


def steers(text: str) -> bool:
    """Whether a text holds what a terminal obeys."""
    return any(
        (ord(sign) < 32 and sign not in "\n\t") or ord(sign) == 127 or "\u202a" <= sign <= "\u202e"
        for sign in text
    )


def built(one: Case, out: Path) -> str:
    """What is wrong with a build: the ledger, the rows, and texts that were not in the source."""
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    for level, count in report["ledger"].items():
        if count["read"] != count["kept"] + sum(count["dropped"].values()):
            return f"{level}: read is not kept + dropped"
    if (out / ".work").exists():
        return "work files left"
    rows = [row for path in sorted((out / "sft_train").glob("*")) for row in pq.read_table(path).to_pylist()]
    if len(rows) != report["traces"] or len({row["trace_id"] for row in rows}) != len(rows):
        return "rows lost, or there twice"
    for row in rows:
        text = row["conversations"][1]["content"]
        for span in row["spans"]:
            part = text[span["start"] : span["end"]]
            if one.texts and span["kind"] in ("sample", "reflect", "reflection") and part not in one.texts:
                return f"a text that was not in the source: {part[:80]!r}"
        if one.texts and row["conversations"][0]["content"] not in one.texts:
            return "a question that was not in the source"
    return ""


# -- many, in a process that may die -------------------------------------------------------------------------------


def worker(seed: int, numbers: list[int], folder: Path) -> None:
    """Try cases one after the other and print a line of JSON for each, with the peak of memory so far."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    told = os.fdopen(os.dup(1), "w")
    for number in numbers:
        print(json.dumps({"began": number}), file=told, flush=True)
        one = case(seed, number)
        started = time.monotonic()
        wrong, mapped = here(one, folder)
        line = {
            "number": number,
            "name": one.name,
            "wrong": wrong,
            "mapped": mapped,
            "seconds": time.monotonic() - started,
            "peak": peak(),
        }
        print(json.dumps(line), file=told, flush=True)


def peak() -> int:
    """Bytes that this process has held at most."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def many(seed: int, count: int, folder: Path) -> list[dict[str, Any]]:
    """Try so many cases; where a case ends the process, that is its result, and another process goes on behind it."""
    found: list[dict[str, Any]] = []
    number = 0
    while number < count:
        code = (
            "from pathlib import Path; from tests.torture.trying import worker; "
            f"worker({seed}, list(range({number}, {count})), Path({str(folder)!r}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        found += [line for line in lines if "wrong" in line]
        began = max((line["began"] for line in lines if "began" in line), default=number)
        if done.returncode == 0:
            break
        if not any(line["number"] == began for line in found):
            found.append(
                {
                    "number": began,
                    "name": case(seed, began).name,
                    "mapped": False,
                    "seconds": 0.0,
                    "peak": 0,
                    "wrong": f"the process ended with {done.returncode}: {done.stderr[-300:]}",
                }
            )
        number = began + 1
    return found
