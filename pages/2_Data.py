"""Pick the data and see if they will do."""

import streamlit as st

from skill_factory.ui import shell

shell.page()
st.title("Data")
