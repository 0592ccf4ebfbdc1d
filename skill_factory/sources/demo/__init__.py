"""The embedded demo: worlds that make raw data of any size from a seed.

`worlds.py` lists them. `countdown.py` and `sums.py` know the questions, `countdown_prose.py` and `sums_prose.py` the words,
`rows.py` makes rows of either; `source.py` offers them as a source.
"""
