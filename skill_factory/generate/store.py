"""The answers on disk: append-only, in SQLite, keyed by the request's id, so that nothing answered is asked again.

An attempt is kept before it is sent, and an answer before the next request, so a run that is killed at any moment leaves
behind whole answers, failures, and attempts of which nobody knows whether they were billed (lost); nothing else.
What many workers note at a time is kept by one `keep`: a transaction costs more than what is in it.
"""

import errno
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from filelock import BaseFileLock

from skill_factory.errors import BuildFolderError
from skill_factory.generate.request import Answer, Finish
from skill_factory.locks import held, take

VERSION = 2
_SINCE_1 = "ALTER TABLE answers ADD COLUMN thinking TEXT NOT NULL DEFAULT '';"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS asked    (attempt INTEGER PRIMARY KEY, id BLOB NOT NULL, run INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS answers  (id BLOB PRIMARY KEY, attempt INTEGER UNIQUE, text TEXT NOT NULL, finish TEXT NOT NULL,
                                     prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
                                     counted INTEGER NOT NULL, seconds REAL NOT NULL, thinking TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS failures (attempt INTEGER PRIMARY KEY, id BLOB NOT NULL, why TEXT NOT NULL, final INTEGER NOT NULL,
                                     billed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS runs     (run INTEGER PRIMARY KEY, at TEXT NOT NULL, settings TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS failed ON failures (id) WHERE final;
"""


class AnswerStore:
    """A store that this process alone writes to."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: BaseFileLock) -> None:
        self.path = path
        self._db = connection
        self._lock = lock
        self._run = 0
        self._noted = False
        self._fault: BuildFolderError | None = None
        (self._any_declined,) = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM failures WHERE final)"
        ).fetchone()

    @classmethod
    def open(cls, path: Path) -> "AnswerStore":
        """Open or create a store and hold its lock. Errors: BuildFolderError: taken, not writable, not a store."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = take(path.with_suffix(".lock"))
        except OSError as error:
            raise BuildFolderError(
                f"Can't write to {path.parent}: {error.strerror}. Choose another folder."
            ) from None
        # Two writers would send, and pay for, each other's requests.
        if lock is None:
            raise BuildFolderError(
                f"Another run is generating into {path.parent.parent}. Wait for it to end, or choose another folder."
            )
        try:
            db = sqlite3.connect(path, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            # A killed process loses nothing that was committed; only a power cut may take the last moments.
            db.execute("PRAGMA synchronous=NORMAL")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version not in (0, 1, VERSION):
                raise BuildFolderError(
                    f"{path.name} was written by another version ({version}). Choose another folder."
                )
            # In one transaction: a kill here leaves the old version or the new one.
            added = _SINCE_1 if version == 1 else ""
            db.executescript(f"BEGIN; {_SCHEMA} {added} PRAGMA user_version={VERSION}; COMMIT;")
        except sqlite3.DatabaseError as error:
            lock.release()
            raise _in_words(error, path) from None
        except BuildFolderError:
            lock.release()
            raise
        return cls(path, db, lock)

    def __enter__(self) -> "AnswerStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.keep()
        finally:
            self._db.close()
            self._lock.release()

    # -- writing ------------------------------------------------------------------------------------------------------

    def begin_run(self, at: str, settings: str) -> None:
        """Note that a run begins, with its settings as JSON (no secret among them)."""
        row = self._note("INSERT INTO runs (at, settings) VALUES (?, ?)", (at, settings))
        self._run = row.lastrowid or 0
        self.keep()

    def note_asked(self, request: str) -> int:
        """Note an attempt and give it a number; it may be sent once this is kept."""
        row = self._note("INSERT INTO asked (id, run) VALUES (?, ?)", (bytes.fromhex(request), self._run))
        return row.lastrowid or 0

    def note_answer(self, request: str, answer: Answer, attempt: int | None = None) -> bool:
        """Note an answer; False where the request has one already, which stays."""
        values = (
            answer.text,
            answer.finish.value,
            answer.prompt_tokens,
            answer.completion_tokens,
            answer.counted,
            answer.seconds,
            answer.thinking,
        )
        row = self._note(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (bytes.fromhex(request), attempt, *values),
        )
        return row.rowcount == 1

    def note_failure(self, request: str, attempt: int, why: str, final: bool, billed: bool) -> None:
        """Note that an attempt brought no answer; `final`: asking again is useless, `billed`: it may have cost money."""
        self._any_declined |= final  # most stores never need the look-up
        self._note(
            "INSERT INTO failures VALUES (?, ?, ?, ?, ?)",
            (attempt, bytes.fromhex(request), why, final, billed),
        )

    def keep(self) -> None:
        """Commit all that was noted, so that no kill can take it. Errors: BuildFolderError."""
        if self._fault:
            raise self._fault
        if self._noted:
            try:
                self._db.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                raise self._broken(error) from None
            self._noted = False

    def _note(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        if self._fault:
            raise self._fault
        try:
            if not self._noted:
                self._db.execute("BEGIN")
                self._noted = True
            return self._db.execute(statement, values)
        except sqlite3.DatabaseError as error:
            raise self._broken(error) from None

    def _broken(self, error: sqlite3.DatabaseError) -> BuildFolderError:
        # What others noted since the last `keep` may be lost with it, so from now on everyone is refused.
        self._fault = _in_words(error, self.path)
        return self._fault

    # -- reading ------------------------------------------------------------------------------------------------------

    def has(self, request: str) -> bool:
        """Whether a request was answered."""
        rows = self._db.execute("SELECT 1 FROM answers WHERE id = ?", (bytes.fromhex(request),))
        return rows.fetchone() is not None

    def answered(self, requests: Iterable[str]) -> frozenset[str]:
        """Which of a few requests were answered."""
        ids = [bytes.fromhex(request) for request in requests]
        marks = ",".join("?" * len(ids))
        rows = self._db.execute(f"SELECT id FROM answers WHERE id IN ({marks})", ids)
        return frozenset(identity.hex() for (identity,) in rows)

    def declined(self, request: str) -> bool:
        """Whether a server declined a request for good."""
        if not self._any_declined:  # asked for every request, and almost always so
            return False
        rows = self._db.execute("SELECT 1 FROM failures WHERE final AND id = ?", (bytes.fromhex(request),))
        return rows.fetchone() is not None

    def get(self, request: str) -> Answer | None:
        """The answer to a request; None before there is one."""
        row = self._db.execute(
            "SELECT text, finish, prompt_tokens, completion_tokens, counted, seconds, thinking FROM answers WHERE id = ?",
            (bytes.fromhex(request),),
        ).fetchone()
        return Answer(row[0], Finish(row[1]), row[2], row[3], bool(row[4]), *row[5:]) if row else None

    def spent(self) -> tuple[int, int, int]:
        """How many answers there are, with their prompt tokens and completion tokens."""
        row = self._db.execute(
            "SELECT count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0) FROM answers"
        ).fetchone()
        return int(row[0]), int(row[1]), int(row[2])

    def estimated(self) -> int:
        """Answers whose tokens the server didn't count, or not in a way that could be true."""
        (number,) = self._db.execute("SELECT count(*) FROM answers WHERE NOT counted").fetchone()
        return int(number)

    def lost(self) -> int:
        """Attempts of all runs that were sent and brought nothing, but may have been billed."""
        # An attempt that this run has in flight is not lost yet.
        (cut,) = self._db.execute(
            "SELECT count(*) FROM asked a WHERE run < ?"
            " AND NOT EXISTS (SELECT 1 FROM failures f WHERE f.attempt = a.attempt)"
            " AND NOT EXISTS (SELECT 1 FROM answers n WHERE n.attempt = a.attempt)",
            (self._run,),
        ).fetchone()
        (spoiled,) = self._db.execute("SELECT count(*) FROM failures WHERE billed").fetchone()
        return int(cut) + int(spoiled)

    def failures(self) -> dict[str, int]:
        """Failed attempts by reason, the most frequent first."""
        return dict(
            self._db.execute("SELECT why, count(*) FROM failures GROUP BY why ORDER BY 2 DESC LIMIT 20")
        )

    def first_run(self) -> str | None:
        """When the first run began; None before it."""
        row = self._db.execute("SELECT at FROM runs ORDER BY run LIMIT 1").fetchone()
        return str(row[0]) if row else None


def in_use(path: Path) -> bool:
    """Whether a process is writing to a store now."""
    return held(path.with_suffix(".lock"))


def _in_words(error: sqlite3.DatabaseError, path: Path) -> BuildFolderError:
    """A fault of the database or the disk as a sentence."""
    if not isinstance(error, sqlite3.OperationalError):
        return BuildFolderError(
            f"{path} isn't a store of answers ({error}). Move it away, or choose another folder."
        )
    if "full" in str(error) or getattr(error, "errno", 0) == errno.ENOSPC:
        return BuildFolderError(
            f"The disk of {path.parent.parent} is full. Make room and run the same command again to resume."
        )
    return BuildFolderError(f"Can't write the answers to {path}: {error}. Choose another folder.")
