"""The embedded demo: a Countdown world that makes raw data of any size from a seed.

`countdown.py` knows the puzzles, `prose.py` the words, `rows.py` puts them together; `source.py` offers them as a source.
"""
