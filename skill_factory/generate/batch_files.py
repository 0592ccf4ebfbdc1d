"""Without an endpoint: requests as a file for a batch runner, and its answers joined by id.

The format is the one that vLLM's `run-batch` and OpenAI's Batch take: one JSON object a line with `custom_id`, `method`,
`url` and `body`; answers come back in any order with `custom_id` and `response.body`.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from skill_factory.errors import RecipeError, SourceError
from skill_factory.generate.flow import finish, now, outstanding, settings_of, spending_of
from skill_factory.generate.folder import RawFolder
from skill_factory.generate.job import Job, Made
from skill_factory.generate.limits import Ending
from skill_factory.generate.money import Spending
from skill_factory.generate.net.completion import parse_completion
from skill_factory.generate.net.trouble import Trouble
from skill_factory.generate.planning import planned
from skill_factory.generate.progress import GenerateProgress, Report, silent
from skill_factory.generate.request import Request
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.work import Work
from skill_factory.sources.columns import excerpt
from skill_factory.whole_files import written_whole

URL = "/v1/chat/completions"
LONGEST_LINE = 64_000_000
"""Characters of a line of answers; a longer one would be held in memory several times over."""


def write_requests(job: Job, path: Path, token: str | None = None) -> int:
    """Write the requests of a job that have no answer yet; how many there are. Errors: SkillFactoryError."""
    job = job.checked()
    folder = RawFolder(job.out)
    folder.check_free()
    plan = planned(job, token)
    with AnswerStore.open(folder.answers) as store:
        try:
            with written_whole(path) as file:
                requests = outstanding(plan.work, store)
                lines = (request_line(request, job.endpoint.model) + "\n" for request in requests)
                number = sum(1 for line in lines if file.write(line.encode()))
        except OSError as error:
            raise RecipeError(
                f"Can't write the requests to {path}: {error.strerror}. Choose another place."
            ) from None
    return number


def request_line(request: Request, model: str) -> str:
    """One line of a request file."""
    body = {"model": model, "messages": list(request.messages), **request.body}
    line = {"custom_id": request.id, "method": "POST", "url": URL, "body": body}
    return json.dumps(line, ensure_ascii=False)


def join_answers(
    job: Job, paths: Iterable[Path], report: Report = silent, token: str | None = None
) -> tuple[Made, Counter[str]]:
    """
    Take the answers of a batch runner into the store and write the raw set; the second value says what became of the lines.

    They are counted as `joined`, `known` (answered before), `failed` (the runner's own error), `spoiled` (not a chat
    completion) or `foreign` (not asked for by this job). Errors: SourceError where a file can't be read, or where no
    line belongs to the job.
    """
    job = job.checked()
    folder = RawFolder(job.out)
    folder.check_free()
    plan = planned(job, token)
    with AnswerStore.open(folder.answers) as store, closing(sqlite3.connect("")) as staged:
        store.begin_run(now(), settings_of(job))
        lines = _stage(staged, paths)
        spending = spending_of(job, store)
        counts = _join(plan.work, store, staged, spending)
        counts["foreign"] = lines - sum(counts.values())
        if lines and counts["foreign"] == lines:
            raise SourceError(
                f"None of the {lines:,} answers belongs to these requests. "
                "Give the same source, model, prompts and parameters that the requests were written with."
            )
        moment = GenerateProgress(
            "write", job.kind.value, done=spending.answers, total=spending.answers, new=counts["joined"]
        )
        return finish(job, plan, store, spending, folder, report, Ending.DONE, moment), counts


def _join(work: Work, store: AnswerStore, staged: sqlite3.Connection, spending: Spending) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number in range(work.rounds):
        for request in work.requests(number, store):
            row = staged.execute("SELECT line FROM lines WHERE id = ?", (request.id,)).fetchone()
            if row is None:
                continue
            # A request may be asked for twice (equal responses); its line is one answer all the same.
            staged.execute("DELETE FROM lines WHERE id = ?", (request.id,))
            counts[_take_line(request, json.loads(row[0]), store, spending)] += 1
    return counts


def _take_line(request: Request, line: dict[str, Any], store: AnswerStore, spending: Spending) -> str:
    """Note the answer in a line; what became of it, as `join_answers` counts it."""
    response = line.get("response") or {}
    if not isinstance(response, dict):
        return "spoiled"
    if line.get("error") or response.get("status_code", 200) != 200:
        return "failed"
    try:
        answer = parse_completion(response.get("body"), request)
    except Trouble:
        return "spoiled"
    if not store.note_answer(request.id, replace(answer, seconds=0.0)):
        return "known"
    spending.take(answer)
    return "joined"


def _stage(staged: sqlite3.Connection, paths: Iterable[Path]) -> int:
    """Put the lines where they can be found by id, on disk rather than in memory; the first one of an id counts."""
    staged.execute("CREATE TABLE lines (id TEXT PRIMARY KEY, line TEXT)")
    for path in paths:
        staged.executemany("INSERT OR IGNORE INTO lines VALUES (?, ?)", _lines(path))
    (number,) = staged.execute("SELECT count(*) FROM lines").fetchone()
    return int(number)


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE + 1), ""), 1):
                if line.strip():
                    yield _request_id(path, number, line), line
    except OSError as error:
        raise SourceError(f"Can't read the answers in {path}: {error.strerror}. Check the path.") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path.name} isn't UTF-8 text. Give the batch runner's answers.") from None


def _request_id(path: Path, number: int, line: str) -> str:
    """The request that a line answers. Errors: SourceError."""
    if len(line) > LONGEST_LINE:
        raise SourceError(f"{path.name}, line {number} is longer than any answer. Remove that line.")
    try:
        request = str(json.loads(line)["custom_id"])
        request.encode()  # half of a surrogate pair names no request of ours
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SourceError(
            f"{path.name}, line {number} isn't an answer with a custom_id: {excerpt(line, 60)!r}. "
            "Give the file that the batch runner wrote, or remove that line."
        ) from None
    return request
