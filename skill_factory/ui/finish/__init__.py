"""Finish: build, publish, download, and hand over to a trainer."""
