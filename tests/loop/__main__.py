"""`make loop`: raw data → three builds → a small model trained from scratch on each → outputs of a real server → figures →
the next raw data. Writes docs/loop.md; `--short` only goes round."""

import argparse
import json
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from tests.command import ROOT
from tests.loop.page import page
from tests.loop.steps import (
    ARMS,
    SERVING,
    ablate,
    evaluate,
    make_raw,
    measured,
    next_build,
    train,
    write_traces,
)

AT_ONCE = 2
"""Models trained side by side; each takes one core."""
SHORT = ("--steps", "300", "--batch", "2000", "--width", "96", "--layers", "2", "--rate", "6e-3")
"""A training of some seconds that learns few traces by heart, and is asked their questions: figures say nothing."""


def main() -> None:
    """Go once round the loop, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="processor time of each training")
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--held-out", type=int, default=120, help="questions that the models are asked")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=420, help="most tokens of an output")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--attempts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "loop.md")
    parser.add_argument(
        "--short",
        action="store_true",
        help="once round with few questions and a training of seconds; no page is written",
    )
    args = parser.parse_args()
    if args.short:
        args.questions, args.held_out, args.samples, args.tokens, args.attempts = 24, 3, 2, 200, 2
        args.temperature = 0.2  # what was learned by heart is said as it was learned
    length = SHORT if args.short else ("--minutes", str(args.minutes))
    if not (SERVING / "complete").exists():
        raise SystemExit("There is no serving environment: run tests/trainers/serve_environment.sh first.")
    folder, begun = Path(tempfile.mkdtemp(prefix="loop-")), time.monotonic()
    try:
        raw, held, aside = make_raw(folder, args.questions, args.held_out)
        args.held_out = args.held_out if args.short else pq.read_metadata(held).num_rows
        suite = ablate(raw, folder, args.attempts, aside)
        traces = write_traces(suite, folder)
        models = [folder / "models" / arm.name for arm in ARMS]
        (folder / "models").mkdir()
        waiting = list(zip(traces, models, strict=True))
        while waiting:
            some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            running = [train(path, model, length, args.seed) for path, model in some]
            if any(process.wait() for process in running):
                raise SystemExit(f"A training failed; its log lies in {folder}.")
        (suite / "outputs").mkdir()
        outputs = [suite / "outputs" / arm.name for arm in ARMS]
        for model, out in zip(models, outputs, strict=True):
            # What few traces teach is those traces: only their own questions are answered so that a next build has traces.
            asked = (raw, args.held_out) if args.short else (held, 0)
            evaluate(model, asked[0], out, (args.samples, args.tokens), args.temperature, asked[1])
        text = page(
            ARMS,
            [json.loads((model / "training.json").read_text(encoding="utf-8")) for model in models],
            measured(suite),
            next_build(outputs[0], folder),
            f"{date.today().isoformat()}, seed {args.seed}, {round((time.monotonic() - begun) / 60)} minutes in all",
            args,
        )
    except BaseException:
        print(f"What was made so far lies in {folder}.")
        raise
    shutil.rmtree(folder)
    if args.short:
        # Its figures are those of models that know some traces by heart.
        print(text, "\nThe loop goes round. This was the short form, so no page was written.", sep="")
        return
    args.page.write_text(text, encoding="utf-8")
    print(f"{args.page}: written")


if __name__ == "__main__":
    main()
