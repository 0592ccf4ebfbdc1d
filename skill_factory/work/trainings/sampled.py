"""What a trained model is measured by: the questions of its build, and the model that it began with."""

from dataclasses import dataclass
from pathlib import Path

from skill_factory.training.plan import Place
from skill_factory.training.questions import held_out_file
from skill_factory.work.builds import Job
from skill_factory.work.process import State
from skill_factory.work.trainings.process import model_folder, status


@dataclass(frozen=True)
class Trained:
    """A model that was trained on a build."""

    build: str
    """The build's id."""
    title: str
    """What the page calls the build's data."""
    base: str
    """The model that the training began with: a folder, or user/name."""
    model: str
    """What came of it: a folder of this computer, or user/name on the Hub."""
    questions: str
    """The questions that the build holds out, with gold answers, as a file; empty if it holds out none."""

    @property
    def here(self) -> bool:
        """Whether it lies on this computer."""
        return Path(self.model).is_dir()


def trained_on(job: Job) -> Trained | None:
    """The model that was trained on a build; None while there is none."""
    now = status(job)
    if now is None or now.state is not State.DONE:
        return None
    model = now.plan.to if now.plan.place is Place.JOBS else str(model_folder(job))
    return Trained(job.id, job.label, now.plan.model, model, str(held_out_file(job.out) or ""))
