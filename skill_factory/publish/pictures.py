"""The pictures of a published card: PNG files beside the data, and the lines that show them in light and dark.

They are drawn from the build's report when it is published, so a build needs no drawing library and its bytes depend on
none. The same report gives the same bytes, so publishing again finds nothing to send.
"""

import json
import struct
import zlib
from collections.abc import Collection
from dataclasses import replace
from html import escape

from skill_factory.errors import RecipeError
from skill_factory.hub.client import web_address
from skill_factory.insight.pictures import DARK, LIGHT, Picture, of_tally, pictures
from skill_factory.publish.files import BUILD, LocalBuild, local_file
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.tally import tally_from_json

FOLDER = "pictures"
SCALE = 2
"""Pixels for each pixel of the drawing, for sharp displays."""
PLACES = {"composition": "## What a trace shows\n\n", "lengths": "## Length\n\n"}
"""Picture → the heading of our card that it comes under."""


def with_pictures(build: LocalBuild) -> LocalBuild:
    """The build with its pictures as files; as it is where none can be drawn, since its tables say the same."""
    if _has(build, {path_of(name, "light") for name in PLACES}):
        return build  # planned again
    files = []
    for picture in pictures_of(build):
        for theme, ink in (("light", LIGHT), ("dark", DARK)):
            files.append(local_file(path_of(picture.name, theme), png(picture.svg(ink))))
    return replace(build, files=(*build.files, *files)) if all(file.size for file in files) else build


def pictures_of(build: LocalBuild) -> list[Picture]:
    """The pictures of a finished build; none for other kinds of folders."""
    if build.kind is not BUILD:
        return []
    try:
        report = json.loads((build.folder / "report.json").read_text("utf-8"))
        recipe = recipe_or_mixture((build.folder / "recipe.toml").read_text("utf-8"), "recipe.toml")
        return pictures(of_tally(tally_from_json(report), recipe))
    except (KeyError, TypeError, ValueError, AttributeError, RecipeError):
        return []  # a report of another version: its tables are in the card


def png(svg: str) -> bytes:
    """A drawing as a PNG; empty where the library that draws it is missing or can't."""
    try:
        import vl_convert

        return packed(bytes(vl_convert.svg_to_png(svg, scale=SCALE)))
    except (ImportError, OSError, ValueError):
        return b""


def packed(picture: bytes) -> bytes:
    """The same PNG, compressed as far as it goes: the library that draws packs in haste, to four times the size."""
    head, chunks, at = picture[:8], list[tuple[bytes, bytes]](), 8
    while at < len(picture):
        size, kind = struct.unpack(">I4s", picture[at : at + 8])
        chunks.append((kind, picture[at + 8 : at + 8 + size]))
        at += 12 + size
    pixels = zlib.compress(zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT")), 9)
    kept = {kind: data for kind, data in chunks if kind != b"IDAT"}
    order = [(b"IHDR", kept[b"IHDR"]), (b"IDAT", pixels), (b"IEND", b"")]
    return head + b"".join(
        struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in order
    )


def path_of(name: str, theme: str) -> str:
    """Where a picture lies in the repository."""
    return f"{FOLDER}/{name}-{theme}.png"


def show_pictures(card: str, build: LocalBuild, repo: str, endpoint: str | None) -> str:
    """The card with its pictures under their headings, as far as the build has them."""
    if not _has(build, {path_of(name, "light") for name in PLACES}):
        return card
    for picture in pictures_of(build):
        heading = PLACES[picture.name]
        before, found, after = card.partition(heading)
        if found:
            card = f"{before}{heading}{markup(picture, repo, endpoint)}\n\n{after}"
    return card


def _has(build: LocalBuild, paths: Collection[str]) -> bool:
    return set(paths) <= {file.path for file in build.files}


def markup(picture: Picture, repo: str, endpoint: str | None) -> str:
    """HTML that shows the dark drawing in a dark theme; addresses are whole, since a `srcset` isn't resolved on the Hub."""
    base = f"{web_address(repo, endpoint=endpoint)}/resolve/main"
    dark, light = (f"{base}/{path_of(picture.name, theme)}" for theme in ("dark", "light"))
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{escape(picture.words)}" width="480"></picture>'
    )
