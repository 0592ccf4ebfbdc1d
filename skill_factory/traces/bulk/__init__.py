"""Many traces at once, byte for byte what `render` makes of each, without making a string of any.

`text_pool.py` holds all texts in one place, `outlines.py` asks `render` once for each layout, `typeset.py` lets Arrow
put the pieces together.
"""
