"""The living trace: what the recipe makes of one question of the user's data, and what the last change did to it."""
