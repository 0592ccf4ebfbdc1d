"""The only Streamlit of the package: the frame, the workspace, and the pieces that pages are made of."""
