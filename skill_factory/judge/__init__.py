"""What counts: every response, reflection and question is kept, or dropped with its first reason.

A text is looked at once (`texts.py`), and what a filter needs of it goes into a narrow table (`facts.py`), by the rules
in `responses.py` and `reflections.py`. `judge.py` decides on that table alone. Texts are read again only where they are
shown: `lookup.py`, `first_questions.py`.
"""
