"""Arrow without pandas.

The first time Arrow makes an array or a scalar, it imports pandas to ask whether the values are a pandas series. That
takes half a second of every process, and a build on the command line or in a worker never has any.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _NoPandas(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("Arrow goes without it", name=fullname)
        return None


def arrow_alone() -> None:
    """Make Arrow believe that there is no pandas; code that imports pandas by name, or calls `to_pandas`, still gets it."""
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    refusal = _NoPandas()
    sys.meta_path.insert(0, refusal)
    try:
        # Arrow asks once per process and remembers the answer, so one scalar is enough.
        pa.scalar(True)
    finally:
        sys.meta_path.remove(refusal)
