"""A voice turned towards another's: from one person's recorded sentences to a style."""
