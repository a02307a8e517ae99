"""Commands as a person runs them."""
