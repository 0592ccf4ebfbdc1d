"""What each column may hold: by its name, by the shape of its values, and several columns that belong together."""
