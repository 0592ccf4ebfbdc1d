"""What a job comes to: its source opened, its columns settled, its questions chosen, its work."""

from skill_factory.build.prepare import SAMPLE_ROWS, settled_columns
from skill_factory.errors import SourceError
from skill_factory.generate.job import Job, Kind
from skill_factory.generate.lineage import questions_behind
from skill_factory.generate.prompts import Prompt, prompt_book
from skill_factory.generate.reflecting import Reflect
from skill_factory.generate.sampling import Sample
from skill_factory.generate.work import Work, check_question, pilot_questions
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.guessing import guess


class Plan:
    """A job with its source opened, its columns settled and its questions chosen."""

    def __init__(
        self, source: RawSource, prompts: tuple[Prompt, ...], work: Work, tried: int, total: int
    ) -> None:
        self.source, self.prompts, self.work = source, prompts, work
        self.tried, self.total = tried, total


def planned(job: Job, token: str | None = None) -> Plan:
    """A job with its source opened and its questions chosen. Errors: SourceError, ColumnError, RecipeError."""
    book = prompt_book(job.prompts or None)
    prompts = book.chosen(job.variants) if job.kind is Kind.RESPONSES else (book.reflection,)
    source = open_source(job.source, job.part, token)
    columns = _columns(job, source)
    # Without a pilot nobody needs the total, and counting it would read the whole source.
    only, total = None, 0
    if job.pilot:
        only, total = pilot_questions(source, columns, job.pilot, job.sampling.seed or 0)
    work = _work(job, source, columns, prompts, only)
    return Plan(source, prompts, work, len(only or ()), max(total, questions_behind(job.source)))


def _columns(job: Job, source: RawSource) -> Columns:
    if job.kind is Kind.REFLECTIONS:
        return settled_columns(source, Columns(), job.columns)
    names, rows = source.names(), source.head(SAMPLE_ROWS)
    if not rows:
        raise SourceError(f"{source.spec.name or 'The source'} holds no rows. Give a source that has some.")
    return check_question(Columns(**{**guess(names, rows).model_dump(), **job.columns}), names)


def _work(
    job: Job, source: RawSource, columns: Columns, prompts: tuple[Prompt, ...], only: frozenset[int] | None
) -> Work:
    model = job.endpoint.model
    if job.kind is Kind.RESPONSES:
        return Sample(source, columns, prompts, job.per_variant, model, job.sampling, job.task, only)
    # At least `k`: a smaller maximum would contradict what was asked for.
    return Reflect(source, columns, prompts[0], job.k, max(job.k, job.max_k), model, job.sampling, only)
