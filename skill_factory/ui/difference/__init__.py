"""Difference: two builds beside each other, reached from the list of earlier builds."""
