"""Outputs of a made-up run, 4 kB each with 2.5 attempts: as many as asked for, written piece by piece, from a seed.

python -m tests.bench.outputs FILE.parquet OUTPUTS       writes them
python -m tests.bench.outputs --read FILE.parquet        reads them in two processes and does nothing else
"""

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SAMPLES, GROUP, CHARACTERS = 16, 10_000, 4_000
TEXT = (
    "first we add the two numbers and then compare with what was asked so the next step is to divide by seven "
    "let me check this again wait, that can be seen from the remainder which is 42 or 17 and \\frac{a}{b} holds"
)
WORDS = TEXT.split()


def write(path: Path, outputs: int, seed: int = 0) -> None:
    """Questions with SAMPLES outputs each."""
    with pq.ParquetWriter(
        path, pa.schema([(name, pa.string()) for name in ("question", "answer", "response")])
    ) as out:
        for start in range(0, outputs, GROUP):
            rows = [_row(seed, number) for number in range(start, min(start + GROUP, outputs))]
            out.write_table(pa.Table.from_pylist(rows, out.schema))


def _row(seed: int, number: int) -> dict[str, str]:
    rng, question = random.Random(f"{seed} {number}"), number // SAMPLES
    gold = 1000 + question
    attempts = rng.choice((1, 2, 2, 3, 4, 3))
    size = CHARACTERS // attempts - 120
    blocks = [_attempt(rng, gold, size) for _ in range(attempts)]
    last = rng.choice((gold, gold + 1))
    text = f"<think>\n{''.join(blocks)}</think>\n\nSo it is\n\n<answer>\n{last}\n</answer>"
    return {
        "question": f"Problem {question}: what is {question} + 1000?",
        "answer": str(gold),
        "response": text,
    }


def _attempt(rng: random.Random, gold: int, size: int) -> str:
    right = rng.random() < 0.5
    words: list[str] = []
    while sum(map(len, words)) + len(words) < size:
        words += rng.choices(WORDS, k=40)
    answer = gold if right else gold + rng.randint(1, 5)
    verdict = "Correct" if right == (rng.random() < 0.8) else "Incorrect"
    body = f"{' '.join(words)[:size]}\n<answer>{answer}</answer>"
    return (
        f"<sample>\n{body}\n</sample>\n<reflect>\nI look at it.\n<verdict>{verdict}</verdict>\n</reflect>\n"
    )


def read(path: Path) -> int:
    """The plain parallel read that a measurement is compared with: two processes, every row a Python object."""
    groups = pq.ParquetFile(path).num_row_groups
    with ProcessPoolExecutor(2) as pool:
        return sum(pool.map(_read_group, _calls(path, groups), chunksize=1))


def _calls(path: Path, groups: int) -> Iterator[tuple[str, int]]:
    yield from ((str(path), group) for group in range(groups))


def _read_group(call: tuple[str, int]) -> int:
    path, group = call
    return sum(
        len(row["response"])
        for batch in pq.ParquetFile(path).iter_batches(2_000, row_groups=[group])
        for row in batch.to_pylist()
    )


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        print(read(Path(sys.argv[2])))
    else:
        write(Path(sys.argv[1]), int(sys.argv[2]))
