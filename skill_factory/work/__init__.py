"""What outlives a page: long work, each piece a command of its own, and workspaces; everything known about them is on disk.

`process.py` starts, watches and ends a command for a folder. `builds.py`, `pushes.py` and `makings.py` say which command
and what its folder holds; on a shared server, `queue.py` lets only a few run at a time. `kept/` holds what
a visitor works on, version by version.
"""
