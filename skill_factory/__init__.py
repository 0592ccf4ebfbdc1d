"""
SkillFactory Studio: a model's own attempts and reflections become think / sample / reflect training traces.

`skill_factory.api` holds the functions for other programs; start reading at `build/pipeline.py`.
"""

__version__ = "0.1.0"
