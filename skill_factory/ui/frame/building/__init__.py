"""Builds on more than one page: one is started, and earlier ones are found again."""
