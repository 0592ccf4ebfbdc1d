"""The app's entrance: `streamlit run app.py`. Frame and pages lie in `skill_factory/ui/`."""

from skill_factory.ui import app

app.run()
