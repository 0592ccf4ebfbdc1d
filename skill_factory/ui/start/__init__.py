"""Start: what comes out, what is needed, and the ways in."""
