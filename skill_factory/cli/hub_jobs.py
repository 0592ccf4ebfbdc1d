"""`build --on hf-jobs`: the price first, then a yes, then the job and its log."""

from typing import TYPE_CHECKING

from skill_factory.cli.asking import agreed, say
from skill_factory.errors import HubError

if TYPE_CHECKING:
    from skill_factory.recipe.model import Recipe


def build_on_jobs(
    recipe: "Recipe",
    repo: str,
    *,
    source: str = "",
    mode: str = "new",
    public: bool = False,
    flavor: str = "",
    minutes: int = 60,
    yes: bool = False,
) -> int:
    """`build --on hf-jobs`: say the cost, ask, start the job, follow its log. 0 when it has published, 1 after a no."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.hub_jobs import FLAVOR, cost_line, follow, job_source, machines, run_on_jobs
    from skill_factory.publish.plan import Mode

    token, asked = stored_token(), job_source(recipe, source)
    known = {machine.name: machine for machine in machines(token)}
    machine = known.get(flavor or FLAVOR)
    if machine is None:
        raise HubError(f"The Hub rents out no machine {flavor or FLAVOR!r}. Found: {', '.join(known)}.")
    say([f"A job will build from {asked} and publish to {repo}; it is stopped after {minutes} minutes."])
    say([cost_line(machine, minutes)])
    if not (yes or agreed("Start it?", "A job costs money, so starting it")):
        say(["Nothing was started."])
        return 1
    job = run_on_jobs(
        recipe,
        repo,
        token,
        source=asked,
        mode=Mode(mode),
        public=public,
        flavor=machine.name,
        minutes=minutes,
    )
    say([f"Started: {job.url}"])
    for line in follow(job):
        say([line])
    return 0
