"""What comes out, what is needed, and three ways in."""

import streamlit as st

from skill_factory.ui import shell

shell.page()
st.title("Start")
