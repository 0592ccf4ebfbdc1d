"""What `skill-factory app` gives to Streamlit: the installed app with what a server needs around it, as a checkout's `serve.py`."""

import streamlit as st

from skill_factory.ui.frame.serving import middleware

app = st.App("studio.py", middleware=middleware())
