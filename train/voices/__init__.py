"""Voices of players: tables learnt from single notes, and how they are judged."""
