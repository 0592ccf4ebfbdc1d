"""Many traces at once: byte for byte what `render` makes of each one, without a single Python string.

`text_pool.py` holds all texts in one place, `outlines.py` asks `render` once for each layout, and `typeset.py` lets
Arrow put the pieces together.
"""
