"""A build folder goes to the Hub, in one commit: what would change is looked at first (`plan.py`), then sent (`push.py`).

Here too: the app as a Space (`space.py`) and builds on the Hub's own machines (`hub_jobs.py`).
"""
