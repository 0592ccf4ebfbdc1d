"""What differs between two builds: their rows, questions, recipes and ledgers, with a few examples of each kind."""

from skill_factory.insight.difference.built import Built, open_built
from skill_factory.insight.difference.differing import Difference, difference

__all__ = ["Built", "Difference", "difference", "open_built"]
