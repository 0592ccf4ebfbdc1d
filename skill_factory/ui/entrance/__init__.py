"""The installed app's own main script, in a folder of its own: Streamlit imports from beside it, and reads its settings there."""
