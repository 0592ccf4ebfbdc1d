"""
SkillFactory Studio: a model's own answers and critiques become think / sample / reflect training traces.

`skill_factory.api` holds the five functions for other programs; `pipeline.py` is where a reader starts.
"""

__version__ = "0.1.0"
