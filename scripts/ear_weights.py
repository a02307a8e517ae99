"""``python -m scripts.ear_weights``: bundle the weights of the ear of one's own training.

Whoever makes a player starts from them; see ``docs/players.md``.
"""

from train.export.player import keep_ear

if __name__ == "__main__":
    keep_ear()
