"""Kept responses and reflections become training traces.

Read in this order: `formats/` says which attempts a trace shows, `plan.py` applies the limits, `render.py` puts the words
around the attempts, `rows.py` makes the rows that a trainer reads. `bulk/` does what `render.py` does, for thousands of
traces at once. `lint.py` finds what is wrong with a trace, ours or not.
"""
