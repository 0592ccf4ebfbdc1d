"""Ask a trained model, to measure it: each question several times, on the machinery that generates raw data."""

from dataclasses import replace

from skill_factory.build.prepare import SAMPLE_ROWS
from skill_factory.errors import SourceError
from skill_factory.generate import generate
from skill_factory.generate.flow import AskThrough
from skill_factory.generate.job import Job, Made
from skill_factory.generate.net.endpoint import asker
from skill_factory.generate.planning import Plan
from skill_factory.generate.progress import Report, silent
from skill_factory.generate.prompts import Prompt
from skill_factory.generate.work import check_question, pilot_questions
from skill_factory.measure.evaluation.asked_outputs import Outputs
from skill_factory.measure.evaluation.asking import completion_asker
from skill_factory.measure.evaluation.chat_template import chat_template, plain_text
from skill_factory.measure.evaluation.forcing import Evaluation
from skill_factory.recipe.model import Columns
from skill_factory.sources import open_source
from skill_factory.sources.guessing import guess

PLAIN = Prompt("question", "{question}", about="the question as it is, as in training")


def evaluate(
    job: Job,
    evaluation: Evaluation,
    key: str | None = None,
    report: Report = silent,
    token: str | None = None,
) -> Made:
    """
    Ask for all outputs that a job wants and has not got, and write them as rows that `measure` reads.

    A run that was stopped, killed or cut short by its budget resumes where it was. Errors: SkillFactoryError.
    """
    job = replace(job.checked(), endpoint=job.endpoint.checked())
    evaluation.checked(job)
    plan = _planned(job, evaluation, token)
    ask: AskThrough = completion_asker if evaluation.completions else asker
    return generate(job, key, report, token, plan, ask)


def _planned(job: Job, evaluation: Evaluation, token: str | None) -> Plan:
    source = open_source(job.source, job.part, token)
    names, rows = source.names(), source.head(SAMPLE_ROWS)
    if not rows:
        raise SourceError(
            f"{source.spec.name or 'The source'} holds no rows. Give a source with at least one."
        )
    # What was said wins over what was guessed.
    columns = check_question(Columns(**{**guess(names, rows).model_dump(), **job.columns}), names)
    only, total = None, 0
    if job.pilot:
        only, total = pilot_questions(source, columns, job.pilot, job.sampling.seed or 0)
    render = (
        chat_template(evaluation.tokenizer, token)
        if evaluation.tokenizer and evaluation.completions
        else plain_text
    )
    work = Outputs(
        source,
        columns,
        PLAIN,
        job.per_variant,
        job.endpoint.model,
        job.sampling,
        job.task,
        evaluation,
        render,
        only,
    )
    return Plan(source, (PLAIN,), work, len(only or ()), total)
