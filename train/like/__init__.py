"""Point it at a record: a reference recording becomes a chain of effects and a model."""
