"""What a push would do, as plain data, and the sentences that show it before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from skill_factory.publish.files import LocalBuild, LocalFile, first_names, rows_text
from skill_factory.wording import file_size, many


class Mode(StrEnum):
    """What to do with a repository that already holds a dataset."""

    NEW = "new"
    """Refuse to publish."""
    PR = "pr"
    """Propose the change as a pull request; the repository stays as it is."""
    REPLACE = "replace"
    """Replace the dataset; the repository's history keeps the old one."""


@dataclass(frozen=True)
class Shape:
    """Rows (None if unknown) and columns of the data on one side."""

    rows: int | None
    columns: Mapping[str, str]


@dataclass(frozen=True)
class PushPlan:
    """What a push would do to one commit of a repository (`parent`; None if there is no repository yet)."""

    repo: str
    mode: Mode
    public: bool
    endpoint: str | None
    build: LocalBuild
    parent: str | None
    upload: tuple[LocalFile, ...]
    """Files to send: those that are new or different."""
    delete: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]
    before: Shape | None
    """The data in the repository; None if there is none."""
    theirs: Mapping[str, str] = field(default_factory=dict)
    """Ids of the data files in the repository, which is what the user agrees to replace."""
    refusal: str = ""
    """Why the plan can't be carried out; empty if it can."""
    warnings: tuple[str, ...] = ()

    @property
    def creates(self) -> bool:
        """Whether the push creates the repository."""
        return self.parent is None

    @property
    def unchanged(self) -> bool:
        """Whether the repository already holds exactly this."""
        # How a push whose answer got lost finds out that it went through.
        return not self.creates and not self.upload and not self.delete

    @property
    def title(self) -> str:
        """The message of the commit."""
        kind = self.build.kind
        return f"Publish {many(self.build.rows, kind.noun)} ({kind.mark} {self.build.fingerprint[:12]})"

    def lines(self) -> list[str]:
        """The plan for people, one sentence a line."""
        if self.unchanged:
            return [f"{self.repo} already holds exactly this {self.build.kind.name}; nothing would change."]
        return [*self._headlines(), *_column_lines(self), *self.warnings]

    def _headlines(self) -> list[str]:
        now = many(self.build.rows, "row")
        size = sum(file.size for file in self.upload)
        sends = f"{many(len(self.upload), 'file')} to send ({file_size(size)})"
        if self.creates:
            # Visibility is said only here: an existing repository keeps its own.
            seen = "public" if self.public else "private"
            return [f"{self.repo} will be created ({seen}) with {now}.", f"{sends}."]
        was = "no data yet" if self.before is None else f"{rows_text(self.before.rows)} now"
        verb = "proposed as a pull request" if self.mode is Mode.PR else "put in place"
        changes = f"{len(self.added)} new, {len(self.changed)} changed, {len(self.delete)} deleted, {len(self.same)} kept"
        return [f"{self.repo} has {was}; {now} will be {verb}.", f"{sends}: {changes}."]


def _column_lines(plan: PushPlan) -> list[str]:
    if plan.before is None:
        return []
    old, new = plan.before.columns, plan.build.columns
    gained, lost = [c for c in new if c not in old], [c for c in old if c not in new]
    # A changed type breaks whoever loads the dataset, as surely as a column that is gone.
    other = [c for c in new if c in old and old[c] != new[c]]
    by_words = {"New columns": gained, "Removed columns": lost, "Columns with another type": other}
    return [f"{what}: {first_names(names)}." for what, names in by_words.items() if names]
