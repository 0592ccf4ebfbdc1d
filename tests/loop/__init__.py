"""The closed loop on a small machine: raw data, arms, a model each, outputs, figures, and the next raw data."""
