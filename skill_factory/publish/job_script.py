"""Runs on a machine of the Hub: build the recipe, publish the result. `hub_jobs.py` starts it as a uv script.

    job_script.py RECIPE.toml PACKAGE.whl SOURCE USER/NAME MODE VISIBILITY [--from=NAME=PLACE ...]

SOURCE is `-` for a mixture, whose sources are named by --from.

uv installs the package from the wheel; the token is in the environment variable HF_TOKEN.
"""

import subprocess
import sys


def commands(
    recipe: str, source: str, repo: str, mode: str, visibility: str, *places: str
) -> list[list[str]]:
    """The two commands of the job, the same as on one's own computer."""
    here = [sys.executable, "-m", "skill_factory"]
    public = ["--public"] if visibility == "public" else []
    return [
        [*here, "build", *([] if source == "-" else [source]), "--recipe", recipe, *places, "--out", "build"],
        # `--yes`, since nobody sits at that machine; consent was given before the job began.
        [*here, "push", "build", repo, "--mode", mode, "--yes", *public],
    ]


def main() -> int:
    """Run both commands, and return the exit code of the first that fails."""
    recipe, _wheel, source, repo, mode, visibility, *places = sys.argv[1:]
    for command in commands(recipe, source, repo, mode, visibility, *places):
        print("$", *command[1:], flush=True)
        # The commands themselves say what went wrong; the exit code is what the Hub shows as failed.
        code = subprocess.run(command, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
