"""Build on a machine of the Hub instead of this one: with the same recipe, this package's wheel, and a price up front."""

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from skill_factory.errors import HubError
from skill_factory.hub.client import check_name, client
from skill_factory.hub.errors import SignInNeeded, patiently, plainly
from skill_factory.publish.plan import Mode
from skill_factory.publish.wheel import pack_wheel
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Recipe

FLAVOR = "cpu-upgrade"
"""Eight cores and 32 GB, enough for a million rows."""
PYTHON = "3.11"
MOUNT = "/data"
"""The folder where the library puts the files that it sends with a job."""
PER_HOUR = {"minute": 60.0, "hour": 1.0, "second": 3600.0}


@dataclass(frozen=True)
class Machine:
    """A kind of machine that the Hub rents out, and its price."""

    name: str
    cpu: str
    ram: str
    dollars_per_hour: float


@dataclass(frozen=True)
class HubJob:
    """A job that was started; watch it at `url`, or follow its log."""

    id: str
    url: str
    namespace: str
    token: str = field(repr=False)
    endpoint: str | None = None


def machines_for_rent(token: str | None, endpoint: str | None = None) -> tuple[Machine, ...]:
    """The machines for rent without accelerators, which a build can't use; the cheapest first."""
    with plainly("the list of machines", token):
        hardware = patiently(client(token, endpoint).list_jobs_hardware)
    # A build never uses a GPU, so renting one would waste money.
    plain = (machine for machine in hardware if machine.accelerator is None)
    priced = (Machine(m.name, m.cpu, m.ram, m.unit_cost_usd * PER_HOUR[m.unit_label]) for m in plain)
    return tuple(sorted(priced, key=lambda machine: machine.dollars_per_hour))


def cost_line(machine: Machine, minutes: float) -> str:
    """What a job of that length costs, as a sentence; the Hub bills by the minute."""
    dollars = machine.dollars_per_hour * minutes / 60
    # Short jobs cost a few cents, and "$0.00" would be wrong.
    shown = f"${dollars:.3f}" if dollars < 0.1 else f"${dollars:.2f}"
    return (
        f"{machine.name} ({machine.cpu}, {machine.ram}) costs ${machine.dollars_per_hour:.2f} an hour; "
        f"{minutes:.0f} minutes come to about {shown}, billed to your account by the minute."
    )


def job_source(recipe: Recipe, source: str = "") -> str:
    """The job's source as the command line takes it: the given one, otherwise the recipe's.

    Errors: HubError for a file, which the job couldn't read.
    """
    from skill_factory.sources.hub import looks_like_repo

    named = {
        "demo": f"demo:{recipe.source.name}" if recipe.source.name else "demo",
        "hub": f"{recipe.source.name}@{recipe.source.revision}".removesuffix("@"),
    }
    wanted = source or named.get(recipe.source.kind, "")
    # A file here may have the shape of USER/NAME, and the job would then read somebody else's dataset.
    if re.fullmatch(r"demo(:[a-z]+)?(:\d+)?", wanted) or (
        looks_like_repo(wanted) and not Path(wanted).exists()
    ):
        return wanted
    raise HubError(
        "A job can read a source on the Hub or make the demo, but this source is a file. "
        "Publish the raw data first, or build here."
    )


def job_sources(recipe: AnyRecipe, source: str = "", places: Mapping[str, str] | None = None) -> list[str]:
    """What a job reads, as words of its command: one source, or `-` and the place of each source of a mixture.

    Errors: as `job_source`, with the name of the source.
    """
    if not isinstance(recipe, Mixture):
        return [job_source(recipe, source)]
    words = ["-"]
    for one in recipe.sources:
        try:
            place = job_source(one.recipe, (places or {}).get(one.name, ""))
        except HubError as error:
            raise HubError(f"Source {one.name!r}: {error}") from None
        words.append(f"--from={one.name}={place}")
    return words


def run_on_jobs(
    recipe: AnyRecipe,
    repo: str,
    token: str | None,
    *,
    source: str = "",
    places: Mapping[str, str] | None = None,
    mode: Mode = Mode.NEW,
    public: bool = False,
    flavor: str = FLAVOR,
    minutes: int = 60,
    endpoint: str | None = None,
) -> HubJob:
    """Start a job that builds a recipe and publishes the result to `repo`; it is stopped after `minutes`.

    `places` says where each source of a mixture is.

    The token is a secret of the job and never part of its command. Errors: HubError (for a file as the source, without
    the right to run jobs, without credit).
    """
    check_name(repo)
    if not token:
        raise SignInNeeded("A job needs an account. Sign in, set HF_TOKEN, or run `hf auth login`.")
    (job_input, *more), visibility = (
        job_sources(recipe, source, places),
        "public" if public else "private",
    )
    # The job gets the package as a wheel, so it needs no index and runs exactly this version.
    script = Path(__file__).with_name("job_script.py")
    with tempfile.TemporaryDirectory() as folder, plainly("a job", token):
        written, wheel = Path(folder) / "recipe.toml", pack_wheel(Path(folder))
        written.write_text(recipe.to_toml(), encoding="utf-8")
        with redirect_stdout(
            sys.stderr
        ):  # the library prints a remark there, and standard output is for results
            job = client(token, endpoint).run_uv_job(
                str(script),
                script_args=[str(written), str(wheel), job_input, repo, mode.value, visibility, *more],
                dependencies=[f"{MOUNT}/{wheel.name}"],
                python=PYTHON,
                # Not an argument: arguments of jobs are shown on the Hub's pages.
                secrets={"HF_TOKEN": token},
                flavor=flavor,
                timeout=f"{minutes}m",
                labels={"app": "skill-factory"},
            )
    return HubJob(job.id, job.url, job.owner.name, token, endpoint)


def follow_log(job: HubJob) -> Iterator[str]:
    """The lines of the job's log, until it ends. Errors: HubError if it didn't end well, saying how it did."""
    hub = client(job.token, job.endpoint)
    with plainly("the job's log", job.token):
        yield from hub.fetch_job_logs(job_id=job.id, namespace=job.namespace, follow=True)
        # The log alone doesn't say how it ended: it also stops when the job is killed.
        status = patiently(lambda: hub.inspect_job(job_id=job.id, namespace=job.namespace)).status
    if status.stage != "COMPLETED":
        why = f": {status.message}" if status.message else ""
        raise HubError(f"The job ended as {status.stage}{why}. Its log is at {job.url}.")
