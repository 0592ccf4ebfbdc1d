"""The recipe: the one thing that the app edits, the command line reads, the card prints and the fingerprint hashes.

`model.py` holds the whole recipe, and reads and writes it; its fields stand in `source_parts.py` (how raw data is read) and
`trace_parts.py` (which traces are made of it). `options.py` maps fields to options of the command line, `fields.py` lists
what the columns of a source may hold, `variants.py` and `phrases.py` read what is data (the names of prompt variants, the
phrase book), `tokens.py` estimates lengths, `share.py` packs a recipe into a link, and `presets/` holds the recipes that
ship.
"""
