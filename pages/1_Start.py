"""The door to Start; what the page shows lies in `skill_factory/ui/start/page.py`."""

from skill_factory.ui import app

app.door(app.START)
