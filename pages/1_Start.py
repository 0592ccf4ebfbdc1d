"""What comes out, what is needed, and three ways in."""

import streamlit as st

from skill_factory.ui import building, doors, saved, shell, start, workspace

shell.page()
st.title("Turn a model's tries into training traces")

left, right = st.columns([2, 3], gap="large")
with left:
    start.needed()
    with st.container(border=True, key="doors"):
        doors.of_recipe()
        doors.demo(primary=not workspace.current().source)
        hub_tab, file_tab = st.tabs(["From the Hub", "My file"], key="doors.tab")
        with hub_tab:
            doors.hub()
        with file_tab:
            doors.file()
    if workspace.current().source:
        shell.go(shell.DATA, f"Go on with {shell.plain(workspace.current().label)}")
with right:
    start.example()

saved.recipes()
building.builds()
start.words()
