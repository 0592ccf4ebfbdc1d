"""Model text as a person reads it: maths set, light Markdown rendered, code in its face; nothing active, nothing fetched."""
