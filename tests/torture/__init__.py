"""Attack and accident, with figures: `python -m tests.torture` tries everything and writes docs/reliability.md."""
