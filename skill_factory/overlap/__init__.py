"""Which questions say the same: those of a benchmark, those that nearly repeat another, and those that are held out.

What is found depends on the questions alone, never on partitions or the order of rows. `words.py` takes texts apart,
`evidence.py` says what all of them share, `agreement.py` holds two against each other, `matching.py` and `groups.py` find
the pairs, and `ruling.py` makes of them what a recipe drops.
"""
