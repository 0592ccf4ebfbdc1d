"""The same counts on a Ray cluster: a task for each piece; figures come from the same table, so they are equal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from skill_factory.build.engines.ray import cluster, heard_on_standard_error

if TYPE_CHECKING:
    from skill_factory.measure.measuring import Work


def counted_on_ray(
    works: "Sequence[Work]", address: str
) -> Iterator[tuple[int, tuple[pa.Table, Counter[str]]]]:
    """(place, rows and what could not be read) of each piece, as they come. Errors: BuildFolderError."""
    with heard_on_standard_error(), cluster(address) as ray:
        task = ray.remote(_count)
        waiting: dict[Any, int] = {task.remote(*work): place for place, work in enumerate(works)}
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1)
            for ref in ready:
                yield waiting.pop(ref), ray.get(ref)


def _count(*call: Any) -> tuple[pa.Table, Counter[str]]:
    from skill_factory.measure.measuring import count_piece

    return count_piece(*call)
