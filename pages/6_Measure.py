"""The door to Measure; what the page shows lies in `skill_factory/ui/measure/page.py`."""

from skill_factory.ui import app

app.door(app.MEASURE)
