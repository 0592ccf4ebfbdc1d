r"""Intervals and inequalities as what they hold: `2 \le x < 5` is `[2,5)`, `x<2 or x>5` is a union, `\mathbb{R}` is all."""

import re
from typing import NamedTuple


class Piece(NamedTuple):
    """One interval: the texts of its ends, and whether they belong to it."""

    low: str
    low_in: bool
    high: str
    high_in: bool


class Region(NamedTuple):
    """The intervals that make it up, and the letter that lies in them (empty: none is named)."""

    pieces: tuple[Piece, ...]
    letter: str = ""


ALL, LEAST, MOST = Piece("-\\infty", False, "\\infty", False), "-\\infty", "\\infty"
_LETTER = r"(\\?[A-Za-z]+(?:_\{?[0-9A-Za-z]\}?)?)"
_ORDERS = {
    "<": (False, "<"),
    "\\le": (True, "<"),
    "<=": (True, "<"),
    ">": (False, ">"),
    "\\ge": (True, ">"),
    ">=": (True, ">"),
}
_ORDER = re.compile(r" ?(<=|>=|\\le(?![a-z])|\\ge(?![a-z])|<|>) ?")
_EVERYTHING = re.compile(
    r"\\reals|(?:all )?real numbers|all reals|the real numbers|all real values|R", re.IGNORECASE
)


def read_region(text: str) -> Region | None:
    """The intervals that a plain text states as a whole, or None; a bare pair `(2,5)` is left to be a tuple."""
    letter, text = _about(text.replace("\\{", "{").replace("\\}", "}").strip())
    parts = re.split(r" ?\\cup ?| or | ?\\lor ?|或", text)
    if len(parts) == 1 and "\\setminus" not in text and "\\ne" not in text:
        found = _part(text)
        if found is None or (not letter and not found.letter and _is_pair(text)):
            return None
        return _named(found, letter)
    regions = [_part(part) for part in parts]
    if len(parts) > 8 or any(one is None for one in regions):
        return None
    letters = {one.letter for one in regions if one and one.letter} | ({letter} if letter else set())
    pieces = tuple(piece for one in regions if one for piece in one.pieces)
    return Region(pieces, "".join(letters)) if len(letters) < 2 else None


def interval(text: str) -> Piece | None:
    """One interval in brackets, `]2,5[` too."""
    found = re.fullmatch(r"([\[\](])([^,;]+)[,;]([^,;]+)([\])\[])", text.strip())
    if not found or (found[1] == "]") != (found[4] == "["):
        return None
    low, high = _end(found[2]), _end(found[3])
    return Piece(low, found[1] == "[", high, found[4] == "]") if low and high else None


def _end(text: str) -> str:
    bare = text.replace(" ", "")
    return {
        "\\infty": MOST,
        "+\\infty": MOST,
        "-\\infty": LEAST,
        "infinity": MOST,
        "-infinity": LEAST,
        "+infinity": MOST,
        "oo": MOST,
        "-oo": LEAST,
    }.get(bare, text.strip())


def _named(region: Region, letter: str) -> Region | None:
    if letter and region.letter and letter != region.letter:
        return None
    return Region(region.pieces, letter or region.letter)


def _is_pair(text: str) -> bool:
    """Could it be a point or a list as well?"""
    piece = interval(text)
    return (
        piece is not None
        and text[0] + text[-1] in ("()", "[]")
        and MOST not in (piece.high, piece.low)
        and LEAST not in (piece.low, piece.high)
    )


def _about(text: str) -> tuple[str, str]:
    r"""The letter of `x \in …` and of a set `\{x \mid …\}`, and what follows."""
    built = re.fullmatch(rf"{{ ?{_LETTER} ?(?:\\in ?\\reals ?)?(?:\||:|\\mid) ?(.+) ?}}", text)
    if built:
        return built[1], built[2].strip()
    inside = re.fullmatch(rf"{_LETTER} ?(?:\\in(?![a-z])|in) ?(.+)", text)
    return (inside[1], inside[2].strip()) if inside else ("", text)


def _part(text: str) -> Region | None:
    text = text.strip()
    letter, text = _about(text)
    if _EVERYTHING.fullmatch(text):
        return Region((ALL,), letter)
    if piece := interval(text):
        return Region((piece,), letter)
    without = re.fullmatch(r"\\reals ?(?:\\setminus|\\backslash|-) ?\{([^{},]+)\}", text)
    unequal = re.fullmatch(rf"{_LETTER} ?\\ne ?(.+)", text)
    if without or unequal:
        end = without[1].strip() if without else unequal[2].strip() if unequal else ""
        return Region(
            (Piece(LEAST, False, end, False), Piece(end, False, MOST, False)),
            unequal[1] if unequal else letter,
        )
    return _inequality(text)


def _inequality(text: str) -> Region | None:
    joined = re.split(r" and | ?\\land ?", text)
    if len(joined) == 2:
        return _both(*(_inequality(part.strip()) for part in joined))
    if sized := re.fullmatch(
        rf"\| ?{_LETTER} ?\| ?(<=|>=|\\le(?![a-z])|\\ge(?![a-z])|<|>) ?([0-9]+(?:\.[0-9]+)?)", text
    ):
        return _of_size(sized[1], sized[2], sized[3])
    pieces = _ORDER.split(text)
    if len(pieces) == 3:
        left, order, right = pieces
        if not re.fullmatch(_LETTER, left.strip()):
            left, right, order = right, left, _turned(order)
        return _half(left.strip(), order, right.strip())
    if len(pieces) != 5:
        return None
    low, first, letter, second, high = (part.strip() for part in pieces)
    (low_in, way), (high_in, other_way) = _ORDERS[first], _ORDERS[second]
    if way != other_way or not re.fullmatch(_LETTER, letter):
        return None
    ends = (_end(low), low_in, _end(high), high_in)
    # Written downwards (`5 > x > 2`), the ends change places.
    low, low_in, high, high_in = ends if way == "<" else (ends[2], ends[3], ends[0], ends[1])
    return Region((Piece(low, low_in and low != LEAST, high, high_in and high != MOST),), letter)


def _of_size(letter: str, order: str, end: str) -> Region:
    """`|x| < 2`: between -2 and 2, or outside of them."""
    closed, way = _ORDERS[order]
    if way == "<":
        return Region((Piece(f"-{end}", closed, end, closed),), letter)
    return Region((Piece(LEAST, False, f"-{end}", closed), Piece(end, closed, MOST, False)), letter)


def _turned(order: str) -> str:
    return {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "\\le": "\\ge", "\\ge": "\\le"}[order]


def _half(letter: str, order: str, end: str) -> Region | None:
    if not re.fullmatch(_LETTER, letter) or not end:
        return None
    closed, way = _ORDERS[order]
    end = _end(end)
    if way == "<":
        return Region((Piece(LEAST, False, end, closed and end != MOST),), letter)
    return Region((Piece(end, closed and end != LEAST, MOST, False),), letter)


def _both(one: Region | None, other: Region | None) -> Region | None:
    """`x > 2 and x < 5`: one interval, from one end to the other."""
    if one is None or other is None or one.letter != other.letter or len(one.pieces + other.pieces) != 2:
        return None
    lows = [piece for piece in one.pieces + other.pieces if piece.low != LEAST]
    highs = [piece for piece in one.pieces + other.pieces if piece.high != MOST]
    if len(lows) != 1 or len(highs) != 1:
        return None
    return Region((Piece(lows[0].low, lows[0].low_in, highs[0].high, highs[0].high_in),), one.letter)
