"""Build the data set, publish it, train with it."""

import streamlit as st

from skill_factory.ui import shell

shell.page()
st.title("Finish")
