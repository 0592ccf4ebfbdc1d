"""Choose: which traces to make, each control beside the chart of what it does."""
