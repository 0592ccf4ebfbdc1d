"""Choose: which traces to make, each control next to the chart of what it does."""
