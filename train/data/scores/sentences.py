"""English sentences composed by rule, so that their licence is ours to give."""

from __future__ import annotations

import numpy as np

WHO = (
    "the old sailor", "a careful teacher", "my younger sister", "the tall engineer",
    "every good musician", "the quiet neighbour", "a hungry traveller", "our new doctor",
    "the village baker", "a cheerful farmer", "the first violinist", "no serious chess player",
    "the girl with the umbrella", "a judge from the north", "the zoo keeper", "his own brother",
)  # fmt: skip
DOES = (
    "carried", "forgot", "measured", "painted", "brought back", "searched for", "shook",
    "thought about", "would never sell", "could hardly hear", "quickly folded", "just found",
    "polished", "loved", "joked about", "wrapped up", "threw away", "asked for",
)  # fmt: skip
WHAT = (
    "a bright yellow lantern", "the broken piano", "seven wooden chairs", "the oldest map",
    "some fresh orange juice", "a very long letter", "the usual breakfast", "both heavy boxes",
    "an enormous fish", "the choir's best song", "a pair of thick gloves", "the north window",
    "five white horses", "the cheapest guitar", "a mouthful of soup", "the measuring tape",
    "this strange machine", "a jar of honey", "the evening paper", "three pounds of sugar",
)  # fmt: skip
WHERE = (
    "near the harbour", "in the middle of the night", "before the rain began",
    "under the stone bridge", "at half past four", "without a single word", "beside the church",
    "on the way to school", "during the second act", "although nobody had asked",
    "while the kettle was boiling", "because the shop was shut", "for the joy of it",
    "behind the garage", "after a short pause", "with both eyes closed",
)  # fmt: skip
OPENINGS = ("", "", "", "yesterday ", "in truth, ", "as usual, ", "once again ", "they say ")


def compose_sentence(seed: int) -> str:
    """Compose one sentence, or a question now and then; the same seed gives the same words."""
    rng = np.random.default_rng([seed, 20])

    def pick(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    if rng.random() < 0.15:
        return f"Did you know that {pick(WHO)} {pick(DOES)} {pick(WHAT)}?"
    middle = f"{pick(WHO)} {pick(DOES)} {pick(WHAT)} {pick(WHERE)}"
    if rng.random() < 0.3:
        middle += f", and {pick(WHO)} {pick(DOES)} {pick(WHAT)}"
    text = pick(OPENINGS) + middle + "."
    return text[0].upper() + text[1:]
