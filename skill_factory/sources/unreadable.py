"""What readers of damaged or hostile files raise, in Arrow, in zip archives and in unpackers, and how it is said."""

import gzip
import struct
import zlib
from zipfile import BadZipFile

import pyarrow as pa

try:
    from lzma import LZMAError
except ImportError:  # a Python that was built without it can't meet its errors

    class LZMAError(Exception):  # type: ignore[no-redef]
        """Never raised."""


UNREADABLE = (
    pa.ArrowException, BadZipFile, zlib.error, LZMAError, struct.error, OSError, EOFError, ValueError, LookupError,
    OverflowError, RuntimeError, SystemError,
)  # fmt: skip
"""ValueError is also that of a name or text that isn't UTF-8; SystemError is Arrow's for a column without its parts."""

TORN = (EOFError, gzip.BadGzipFile, zlib.error, LZMAError, pa.ArrowException)
"""What unpackers raise of a packed text that is damaged."""


def is_of_file(error: Exception) -> bool:
    """Whether a fault met while reading over the network is one of the file: Arrow's OSError is bare, the network's isn't."""
    kinds = (pa.ArrowException, zlib.error, EOFError, ValueError, LookupError, SystemError)
    return (type(error) is OSError and error.errno is None) or isinstance(error, kinds)


def why(error: BaseException) -> str:
    """What is said of a fault: without the place on this machine where the file lies."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().rstrip(".") or type(error).__name__
