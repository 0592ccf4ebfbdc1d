"""The door to Choose; what the page shows lies in `skill_factory/ui/choose/page.py`."""

from skill_factory.ui import app

app.door(app.CHOOSE)
