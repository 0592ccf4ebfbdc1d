"""What was tried, what survived, what was lost."""

from dataclasses import dataclass, field


@dataclass
class Score:
    """Cases of one kind; `lost` says of each lost case what happened."""

    name: str
    promise: str
    """What has to be true of every case."""
    tried: int = 0
    lost: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    """Other numbers that were measured."""
    skipped: str = ""
    """Why nothing was tried here."""

    @property
    def survived(self) -> int:
        return self.tried - len(self.lost)

    def note(self, case: str, wrong: str) -> None:
        """Count a case; `wrong` is empty where the promise held."""
        self.tried += 1
        if wrong:
            self.lost.append(f"{case}: {wrong}")
