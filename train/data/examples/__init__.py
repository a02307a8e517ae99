"""Training examples: what a network hears and what it should answer."""
