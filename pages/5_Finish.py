"""The door to Finish; what the page shows lies in `skill_factory/ui/finish/page.py`."""

from skill_factory.ui import app

app.door(app.FINISH)
