"""Start: what you get, what you need, and the ways in."""
