"""The entrance of an installed package, which `serve.py` shows. It has no folder of pages beside it."""

from skill_factory.ui import app
from skill_factory.ui.frame import steps

steps.PACKAGED = True
app.run()
