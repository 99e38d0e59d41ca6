"""The rules and values of the model."""
