"""`make letter`: exports for every trainer, their notes followed to the letter. Writes docs/trainers.md; exit code 1 at a fault.

What became of each case is kept in .trainers/letter, so that a part can be tried again (`--only TRAINER`) without the rest.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path

from tests.command import ROOT
from tests.letter.cases import CASES, Case
from tests.letter.data import ENVIRONMENTS, make_builds, make_models, rows
from tests.letter.follow import Place, Tried, follow
from tests.letter.page import page

KEPT = ENVIRONMENTS / "letter"


def main() -> None:
    """Follow the notes, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="trainers, environments or cases, by commas")
    parser.add_argument("--questions", type=int, default=3)
    parser.add_argument("--logs", type=Path, help="a folder for what the commands printed")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "trainers.md")
    args = parser.parse_args()
    for made in [KEPT, *([args.logs] if args.logs else [])]:
        made.mkdir(parents=True, exist_ok=True)
    wanted = set(args.only.split(",")) - {""}
    chosen = [
        case for case in CASES if not wanted or wanted & {case.trainer, case.environment, _place(case).stem}
    ]
    if missing := {case.environment for case in chosen if not _is_made(case)}:
        raise SystemExit(
            f"Not there: {', '.join(sorted(missing))}. Run tests/trainers/environments.sh with their names."
        )
    folder = Path(tempfile.mkdtemp(prefix="letter-"))
    try:
        models = make_models(folder / "models", {model for case in chosen for model in case.models})
        builds = make_builds(folder, args.questions)
        for case in chosen:
            tried = _follow(case, builds, models, folder, args.logs)
            _keep(case, tried, {name: rows(path) for name, path in builds.items()})
    finally:
        shutil.rmtree(folder)
    tried = [case for case in CASES if _place(case).exists()]
    kept = [json.loads(_place(case).read_text(encoding="utf-8")) for case in tried]
    found = [Tried(**one) for told in kept for one in told["tried"]]
    kinds = {(one["trainer"], one["versions"]): set[str]() for told in kept for one in told["tried"]}
    for case, told in zip(tried, kept, strict=True):
        for one in told["tried"]:
            kinds[one["trainer"], one["versions"]].add(case.kind)
    when = sorted({(told["date"], told["commit"]) for told in kept})
    # Cases that were tried on different days may have had builds of different sizes.
    sizes = {name: sorted({told["rows"][name] for told in kept}) for name in kept[-1]["rows"]}
    missing = sorted({_place(case).stem for case in CASES} - {_place(case).stem for case in tried})
    args.page.write_text(page(found, sizes, when, kinds, missing), encoding="utf-8")
    print(f"{args.page}: written" + (f", without {', '.join(missing)}" if missing else ""))
    raise SystemExit(any(one.fault for one in found))


def _is_made(case: Case) -> bool:
    return (ENVIRONMENTS / case.environment / "complete").exists()


def _place(case: Case) -> Path:
    return KEPT / ("-".join(filter(None, (case.trainer, case.environment, case.loss))) + ".json")


def _keep(case: Case, tried: list[Tried], sizes: dict[str, int]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    told = {
        "commit": commit,
        "date": date.today().isoformat(),
        "rows": sizes,
        "tried": [asdict(one) for one in tried],
    }
    _place(case).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")


def _follow(
    case: Case, builds: dict[str, Path], models: dict[str, Path], folder: Path, logs: Path | None
) -> list[Tried]:
    """Every build with the case's first model, and the tight build with its other models."""
    pairs = [(build, case.models[0]) for build in builds] + [("tight", model) for model in case.models[1:]]
    tried = []
    for build, model in pairs:
        work = Path(tempfile.mkdtemp(dir=folder))
        found = follow(case, Place(builds[build], models[model], work), logs)
        for one in found:
            print(
                f"{one.trainer} ({one.versions}) {one.build} {one.model} `{one.command}`: {one.said}",
                flush=True,
            )
        tried += found
        shutil.rmtree(work)
    return tried


if __name__ == "__main__":
    main()
