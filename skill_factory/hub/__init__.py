"""The Hugging Face Hub: who am I, what is there, read a file, sign in.

`client.py` is the only place that talks to the Hub's client library, and `errors.py` turns every refusal into a sentence.
`layout.py` says which files make which subset and split; `look.py` looks at a dataset without loading it.
"""
