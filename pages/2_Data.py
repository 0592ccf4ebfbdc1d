"""The door to Data; what the page shows lies in `skill_factory/ui/data/page.py`."""

from skill_factory.ui import app

app.door(app.DATA)
