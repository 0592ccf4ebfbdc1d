"""What a visitor works on, kept on disk: `workspaces.py` says what happens to one, `folder.py` how its files are read."""
