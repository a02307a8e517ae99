"""Scores to play from: melodies, tunes, sentences."""
