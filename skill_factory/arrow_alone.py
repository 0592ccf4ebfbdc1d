"""Arrow without pandas.

The first time that Arrow makes an array or a scalar it imports pandas, which takes half a second of each process, to ask
whether the values are a series of pandas'. What is built from a command line, or in a worker, never is.
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
    """Let Arrow take note that there is no pandas; who imports pandas by name, or asks for `to_pandas`, still gets it."""
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    none = _NoPandas()
    sys.meta_path.insert(0, none)
    try:
        pa.scalar(True)
    finally:
        sys.meta_path.remove(none)
