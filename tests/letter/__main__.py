"""`make letter`: exports for every trainer, their notes followed to the letter. Writes docs/trainers.md; exit code 1 at a fault."""

import argparse
import shutil
import tempfile
from pathlib import Path

from tests.command import ROOT
from tests.letter.cases import CASES, Case
from tests.letter.data import ENVIRONMENTS, make_builds, make_models, rows
from tests.letter.follow import Place, Tried, follow
from tests.letter.page import page


def main() -> None:
    """Follow all notes, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a trainer, or an environment; then no page is written")
    parser.add_argument("--builds", default="", help="kinds of builds, by commas; then no page is written")
    parser.add_argument("--questions", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder for what the commands printed")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "trainers.md")
    args = parser.parse_args()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    chosen = [case for case in CASES if not args.only or args.only in (case.trainer, case.environment)]
    missing = {
        case.environment for case in chosen if not (ENVIRONMENTS / case.environment / "complete").exists()
    }
    if missing:
        raise SystemExit(
            f"Not there: {', '.join(sorted(missing))}. Run tests/trainers/environments.sh with their names."
        )
    folder = Path(tempfile.mkdtemp(prefix="letter-"))
    try:
        models, builds = make_models(folder / "models"), make_builds(folder, args.questions)
        tried, sizes = list[Tried](), {name: rows(path) for name, path in builds.items()}
        for case in chosen:
            for build, model in _pairs(case, args.builds):
                work = Path(tempfile.mkdtemp(dir=folder))
                found = follow(case, Place(builds[build], models[model], work), args.keep)
                for one in found:
                    print(
                        f"{one.trainer} ({one.versions}) {one.build} {one.model} `{one.command}`: {one.said}",
                        flush=True,
                    )
                tried += found
                shutil.rmtree(work)
    finally:
        shutil.rmtree(folder)
    if not args.only and not args.builds:
        args.page.write_text(page(tried, sizes), encoding="utf-8")
        print(f"{args.page}: written")
    raise SystemExit(any(one.fault for one in tried))


def _pairs(case: Case, builds: str) -> list[tuple[str, str]]:
    """Builds and models: every build with the first model, every model with the tight build."""
    wanted = builds.split(",") if builds else ["paper", "tight", "chinese"]
    pairs = [(build, case.models[0]) for build in wanted]
    return pairs + [("tight", model) for model in case.models[1:] if "tight" in wanted]


if __name__ == "__main__":
    main()
