"""The app's entrance: `streamlit run app.py`. What it shows lies in `pages/`, one script a step."""

from skill_factory.ui.frame import shell

shell.run()
