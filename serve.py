"""The app with what a server needs around it, `streamlit run serve.py`; what it shows is `app.py`'s alone."""

import streamlit as st

from skill_factory.ui.frame.serving import middleware

app = st.App("app.py", middleware=middleware())
