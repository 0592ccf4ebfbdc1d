"""Measure: has a model the skill? Outputs of runs become counts, and counts become figures with their doubt.

parts      one output taken apart: thinking, attempts, reflections, answer   (pure)
"""
