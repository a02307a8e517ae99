"""The material of a generator: what is played when, and how a note of each instrument sounds."""
