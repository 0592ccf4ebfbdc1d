"""`build --on hf-jobs`: show the price, ask, then start the job and follow its log."""

from typing import TYPE_CHECKING

from skill_factory.cli.asking import agreed, say
from skill_factory.errors import HubError
from skill_factory.wording import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skill_factory.recipe.mixture import AnyRecipe


def build_on_jobs(
    recipe: "AnyRecipe",
    repo: str,
    *,
    source: str = "",
    places: "Mapping[str, str] | None" = None,
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
        job_sources,
        machines_for_rent,
        run_on_jobs,
    )
    from skill_factory.publish.plan import Mode

    token, (job_input, *each) = stored_token(), job_sources(recipe, source, places)
    reads = (
        listed([word.removeprefix("--from=").replace("=", ": ", 1) for word in each]) if each else job_input
    )
    # Prices come from the Hub at that moment: a list of our own would go stale.
    known = {machine.name: machine for machine in machines_for_rent(token)}
    machine = known.get(flavor or FLAVOR)
    if machine is None:
        raise HubError(f"The Hub has no machine {flavor or FLAVOR!r} for rent. Found: {', '.join(known)}.")
    say([f"A job will build from {reads} and publish to {repo}. It is stopped after {minutes} minutes."])
    say([cost_line(machine, minutes)])
    # The price has been shown by now, whoever says yes.
    if not (yes or agreed("Start it?", "A job costs money, so starting it")):
        say(["Nothing was started."])
        return 1
    job = run_on_jobs(
        recipe,
        repo,
        token,
        source="" if each else job_input,
        places=places,
        mode=Mode(mode),
        public=public,
        flavor=machine.name,
        minutes=minutes,
    )
    say([f"Started: {job.url}"])
    for line in follow_log(job):
        say([line])
    return 0
