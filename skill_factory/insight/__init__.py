"""What people see before and after a build: tables, charts, sentences and pages, all computed from the same numbers.

Nothing here changes what a build writes, and nothing here knows Streamlit.
"""
