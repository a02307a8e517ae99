"""Recordings of a running host, captures of a whole session, and their replay."""
