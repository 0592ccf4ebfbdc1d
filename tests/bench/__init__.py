"""Measures speed and memory side by side and writes docs/benchmarks.md: `make bench`."""
