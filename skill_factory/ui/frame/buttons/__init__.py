"""What several pages let a visitor press: stop, delete, rename, save as a file, and see the command that does the same."""
