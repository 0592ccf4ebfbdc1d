"""A build folder goes to the Hub in one commit: first see what would change (`plan.py`), then send it (`push.py`).

Also here: the app as a Space (`space.py`), and builds on the Hub's own machines (`hub_jobs.py`).
"""
