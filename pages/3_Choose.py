"""Choose the traces, with live numbers beside each choice."""

import streamlit as st

from skill_factory.ui import shell

shell.page()
st.title("Choose")
