"""The page Measure: choose outputs, see how they were read, the figures, one output taken apart, round two."""
