"""Several sources on the pages: one of them is shown at a time, all of them are built together."""
