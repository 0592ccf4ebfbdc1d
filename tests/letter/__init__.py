"""The notes of every export, followed to the letter: each command in a shell, in a fresh folder, with the real trainer."""
