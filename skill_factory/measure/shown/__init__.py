"""A measurement for people: tables, charts, one output taken apart, a card, a page, and what it says of the next dataset."""
