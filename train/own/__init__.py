"""Styles of one's own: a bundled model bent to a few minutes of a person's recordings."""
