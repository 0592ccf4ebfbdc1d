"""The same counts on a Ray cluster: a task for each piece; figures come from the same table, so they are equal."""

from collections.abc import Iterator, Sequence
from typing import Any

from skill_factory.build.engines.ray import cluster, heard_on_standard_error
from skill_factory.measure.piecework import Counted, Work, count_piece


def counted_on_ray(works: Sequence[Work], address: str) -> Iterator[tuple[int, Counted]]:
    """(place, rows and what could not be read) of each piece, as they come. Errors: BuildFolderError."""
    with heard_on_standard_error(), cluster(address) as ray:
        task = ray.remote(count_piece)
        waiting: dict[Any, int] = {task.remote(*work): place for place, work in enumerate(works)}
        while waiting:
            # One at a time and as they come: what is done leaves the cluster's memory at once.
            ready, _ = ray.wait(list(waiting), num_returns=1)
            for ref in ready:
                yield waiting.pop(ref), ray.get(ref)
