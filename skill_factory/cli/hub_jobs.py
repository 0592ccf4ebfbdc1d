"""`build --on hf-jobs`: show the price, ask, then start the job and follow its log."""

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
    """Show the price, ask, start the job, follow its log. Exit code 0 when it has published, 1 if the answer was no."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.hub_jobs import (
        FLAVOR,
        cost_line,
        follow_log,
        job_source,
        machines_for_rent,
        run_on_jobs,
    )
    from skill_factory.publish.plan import Mode

    token, job_input = stored_token(), job_source(recipe, source)
    # Prices come from the Hub at that moment: a list of our own would go stale.
    known = {machine.name: machine for machine in machines_for_rent(token)}
    machine = known.get(flavor or FLAVOR)
    if machine is None:
        raise HubError(f"The Hub has no machine {flavor or FLAVOR!r} for rent. Found: {', '.join(known)}.")
    say([f"A job will build from {job_input} and publish to {repo}. It is stopped after {minutes} minutes."])
    say([cost_line(machine, minutes)])
    # The price has been shown by now, whoever says yes.
    if not (yes or agreed("Start it?", "A job costs money, so starting it")):
        say(["Nothing was started."])
        return 1
    job = run_on_jobs(
        recipe,
        repo,
        token,
        source=job_input,
        mode=Mode(mode),
        public=public,
        flavor=machine.name,
        minutes=minutes,
    )
    say([f"Started: {job.url}"])
    for line in follow_log(job):
        say([line])
    return 0
