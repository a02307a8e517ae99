"""One stream: what it is made of, changed while it plays, or rendered offline."""
