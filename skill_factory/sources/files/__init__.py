"""Files, folders, globs and archives: Parquet, Arrow, JSON, CSV, spreadsheets and logs; text formats also packed.

`found.py` says which files are meant and what each is, `source.py` reads them.
"""

from skill_factory.sources.files.found import SUFFIXES, TEXTS, UPLOADS, looks_like_path
from skill_factory.sources.files.source import FilePiece, FileSource

__all__ = ["SUFFIXES", "TEXTS", "UPLOADS", "FilePiece", "FileSource", "looks_like_path"]
