"""Whether a text goes round in circles."""

MOST_PERIOD, SHORTEST_LOOP = 1_000, 150
"""A text goes round in circles when its last 3·p characters, at least SHORTEST_LOOP, repeat with a period p."""


def goes_in_circles(text: str) -> bool:
    """Whether the last 3·p characters of a text, at least 150, repeat with a period p of at most 1,000."""
    if len(text) < SHORTEST_LOOP:
        return False
    tail = text[-3 * MOST_PERIOD :]
    # A period shows in the last 50 characters first: they must stand again p characters before.
    last, at = tail[-50:], len(tail) - 50
    while (at := tail.rfind(last, max(0, len(tail) - 50 - MOST_PERIOD), at + 49)) >= 0:
        period = len(tail) - 50 - at
        length = max(3 * period, SHORTEST_LOOP)
        # Checked in full: 50 characters alone also come again in tables and lists.
        if length <= len(tail) and tail[-length:-period] == tail[len(tail) - length + period :]:
            return True
    return False
