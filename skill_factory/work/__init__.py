"""Long work that outlives a page: each piece is a command of its own, with everything known about it on disk.

`process.py` starts, watches and ends a command for a folder. `builds.py`, `pushes.py` and `makings.py` say which command
and what its folder holds; on a shared server, `queue.py` lets only a few run at a time.
"""
