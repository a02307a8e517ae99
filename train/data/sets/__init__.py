"""Data sets: where recordings come from and how they are kept."""
