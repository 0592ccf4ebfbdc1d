"""Raw data of any size from a seed: questions of a world, a model's worked attempts at them, and its reflections.

Every world is synthetic and says so in every question and in the column `source`. A few blemishes of real data are
planted at small rates: answers cut off, repeated responses, stray tags, missing verdicts, empty reflections.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.errors import RecipeError, SourceError
from skill_factory.sources.demo.draw import Draw
from skill_factory.sources.demo.worlds import COUNTDOWN, Attempt, World
from skill_factory.whole_files import replaced_whole

DEFAULT_QUESTIONS = 500
VARIANTS = ("original", "plan_and_execute", "alternatively", "rephrase")
RESPONSES_PER_VARIANT = 2
REFLECTIONS = 4
SOURCE = "synthetic: SkillFactory demo"
REPEATED_RESPONSE, REPEATED_REFLECTION = 0.02, 0.006
HARD_TO_JUDGE, MISJUDGED_IF_HARD, MISJUDGED = 0.12, 0.65, 0.09

STAGE = "model_responses__mutated_prompts"
SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("answer", pa.string()),
        ("prompt_variant", pa.string()),
        (STAGE, pa.list_(pa.string())),
        (f"{STAGE}__eval_is_correct", pa.list_(pa.bool_())),
        (f"{STAGE}__eval_extracted_answers", pa.list_(pa.string())),
        (f"{STAGE}_reflection", pa.list_(pa.string())),
        ("source", pa.string()),
    ]
)
Row = tuple[object, ...]
"""One response with its question and reflections, in the order of `SCHEMA`."""


def write_demo(
    path: str | Path, questions: int = DEFAULT_QUESTIONS, seed: int = 0, world: World = COUNTDOWN
) -> int:
    """Write the demo's raw data as one Parquet file and return its number of rows (one per response)."""
    target = Path(path)
    if target.suffix != ".parquet":
        raise SourceError(
            f"The demo is written as Parquet; found the name '{target.name}'. Let it end in .parquet."
        )
    batches = demo_batches(questions, seed, world=world)
    try:
        with (
            replaced_whole(target) as partial,
            pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer,
        ):
            return sum(_write_batch(writer, batch) for batch in batches)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(
            f"Can't write the demo to {target}: {reason}. Choose a folder that can be written to."
        ) from error


def _write_batch(writer: pq.ParquetWriter, batch: pa.RecordBatch) -> int:
    writer.write_batch(batch)
    return int(batch.num_rows)


def demo_batches(
    questions: int = DEFAULT_QUESTIONS, seed: int = 0, per_batch: int = 512, world: World = COUNTDOWN
) -> Iterator[pa.RecordBatch]:
    """The demo's rows in the published script's columns (`SCHEMA`), `per_batch` questions at a time."""
    if questions < 1:
        raise RecipeError(f"The demo needs at least 1 question, found {questions}. Ask for 1 or more.")
    starts = range(0, questions, per_batch)
    return (_batch(world, seed, range(start, min(start + per_batch, questions))) for start in starts)


def _batch(world: World, seed: int, numbers: Sequence[int]) -> pa.RecordBatch:
    columns = zip(*(row for i in numbers for row in question_rows(seed, i, world)), strict=True)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=SCHEMA)


def question_rows(seed: int, i: int, world: World = COUNTDOWN) -> list[Row]:
    """The rows of question i (counted from 0) of a world; they depend on (world, seed, i) alone."""
    draw = Draw(*world.key, "question", seed, i)
    task = world.make(seed, i, draw)
    pass_rate = _pass_rate(draw)
    rows: list[Row] = []
    for variant in VARIANTS:
        attempt: Attempt | None = None
        for k in range(RESPONSES_PER_VARIANT):
            draw = Draw(*world.key, "response", seed, i, variant, k)
            # Else the attempt before is repeated, as models do, so that duplicates are seen in the ledger.
            if attempt is None or not draw.chance(REPEATED_RESPONSE):
                attempt = task.attempt(variant, draw.chance(pass_rate), draw)
            misjudging = _draw_misjudging(draw)
            drafts = [task.reflection(attempt, draw.chance(misjudging), draw) for _ in range(REFLECTIONS)]
            said = ([attempt.text], [attempt.correct], [attempt.answer], _repeat_some(drafts, draw))
            rows.append((task.question, task.gold, variant, *said, SOURCE))
    return rows


def _draw_misjudging(draw: Draw) -> float:
    """The rate at which reflections of one attempt misjudge it; some attempts are hard to judge."""
    return MISJUDGED_IF_HARD if draw.chance(HARD_TO_JUDGE) else MISJUDGED


def _pass_rate(draw: Draw) -> float:
    """How often this question is solved: never for some, always for some, in between for most."""
    kind = draw.below(100)
    # The sum of two even draws is most often in the middle, as pass rates of real questions are.
    between = 0.08 + 0.84 * (draw.below(1000) + draw.below(1000)) / 1998
    return 0.0 if kind < 7 else 1.0 if kind < 14 else between


def _repeat_some(drafts: list[str], draw: Draw) -> list[str]:
    return [
        drafts[k - 1] if k and draw.chance(REPEATED_REFLECTION) else text for k, text in enumerate(drafts)
    ]
