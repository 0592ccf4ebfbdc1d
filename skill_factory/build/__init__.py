"""A source becomes a build folder. Open `pipeline.py` first: it shows the whole flow on one screen.

`prepare.py` checks the recipe once `settling.py` has found the columns, `scatter.py` sorts rows into partitions, `engines/`
builds the partitions, `owned.py` says whose a folder is, `folder.py` writes everything in it, and `card.py` writes what the
folder says about itself, from the numbers in `card_numbers.py`.
"""
