"""The door to Difference; what the page shows lies in `skill_factory/ui/difference/page.py`."""

from skill_factory.ui import app

app.door(app.DIFFERENCE)
