"""What several pages let a visitor press: stop, delete, rename, and see the command that does the same."""
