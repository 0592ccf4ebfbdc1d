"""The door to Suite; what the page shows lies in `skill_factory/ui/suite/page.py`."""

from skill_factory.ui import app

app.door(app.SUITE)
