"""One stream's audio callback and its worker."""
