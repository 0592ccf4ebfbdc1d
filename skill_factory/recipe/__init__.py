"""The recipe: the one thing that the app edits, the command line reads, the card prints and the fingerprint hashes.

`model.py` holds every field. `options.py` maps fields to command-line options, `phrases.py` reads the phrase book that a
recipe names, `share.py` packs a recipe into a link, and `presets/` holds the recipes that ship.
"""
