"""The door to Look; what the page shows lies in `skill_factory/ui/look/page.py`."""

from skill_factory.ui import app

app.door(app.LOOK)
