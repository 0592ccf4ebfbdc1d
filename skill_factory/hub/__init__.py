"""The Hugging Face Hub: who is signed in, what is there, read a file, sign in.

`client.py` is the only place that makes the Hub's client, and `errors.py` turns every refusal into a sentence.
`layout.py` says which files make which subset and split, by the card (`front_matter.py`) and by
names (`file_patterns.py`); `look.py` looks at a dataset without loading it.
"""
