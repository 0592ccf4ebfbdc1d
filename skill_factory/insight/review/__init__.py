"""The review of a set of traces: all of them as a narrow list, the risky ones first, and what was said and dropped."""
