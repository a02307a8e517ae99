"""Models: the card they carry, how their files are read, run, listed and proved."""
