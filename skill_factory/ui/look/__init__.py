"""Look: the traces as the build will write them, what was dropped, and two recipes side by side."""
