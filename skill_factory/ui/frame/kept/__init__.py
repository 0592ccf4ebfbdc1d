"""What a visitor works on stays: it is kept on disk as it changes, found again by its address, undone and redone."""
