"""Read the traces as the build will write them."""

import streamlit as st

from skill_factory.ui import shell

shell.page()
st.title("Look")
