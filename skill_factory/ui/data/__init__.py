"""Data: which column holds what, whether the data is ready, and how to make what is missing."""
