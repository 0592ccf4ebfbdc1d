"""A first look at a source: what it holds, how it was read, what it lacks, what is doubtful, and what to do next.

`inspecting.py` is the whole of it, from `reading.py` (the rows that are looked at) over the doubts, the lights and the opinion
to `advice.py`; `record.py` is what comes out. `mixture.py` looks at each source of a mixture, and forecasts the shares.
"""

from skill_factory.insight.inspection.inspecting import inspect
from skill_factory.insight.inspection.record import Inspection

__all__ = ["Inspection", "inspect"]
