"""Kept responses and reflections become training traces.

Read in order: `formats/` says which attempts a trace shows, `plan.py` applies the limits, `render.py` puts the words
around them, `rows.py` makes rows a trainer reads. `lint.py` finds what is wrong with a trace, ours or not. `bulk/` does
what `render.py` does, for thousands of traces at once.
"""
