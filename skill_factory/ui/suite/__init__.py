"""Suite: arms of the chosen recipe, built and compared."""
