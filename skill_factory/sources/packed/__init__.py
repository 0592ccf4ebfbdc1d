"""
What is packed: texts that are compressed one by one, archives that hold a folder, and Inspect's logs.

`streams.py` unpacks a text as it is read. `archives.py` unpacks a zip (`zips.py`) or tar archive (`tars.py`) into a
folder that goes with its source; what it may hold and how large it may become, `bounds.py` says for both.
"""
