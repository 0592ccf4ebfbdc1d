"""Options that several commands share: the recipe, the endpoint of a model, what is measured."""
