"""The listener's proof as one check of ``restyle verify``: does the card tell the truth?"""

from __future__ import annotations

from pathlib import Path

from ...models.card import Card
from ..checks import Check
from .figures import Figures, broken, differing
from .prove import Proof, prove

KEY = "listener"  # of the card's proof


def declared(card: Card) -> Figures | None:
    """Figures that the card declares."""
    entry = card.proof.get(KEY)
    return entry["figures"] if isinstance(entry, dict) and "figures" in entry else None


def listen(path: Path, card: Card) -> Check:
    """Measure again and compare with the card; what breaks a bound is said either way."""
    return compared(prove(path, card), card)


def compared(proof: Proof, card: Card) -> Check:
    """See :func:`listen`."""
    said = declared(card)
    wrong = [] if said is None else differing(proof.figures, said)
    if wrong:
        return Check(KEY, False, "; ".join(wrong))
    over = broken(proof.figures)
    text = "no figure declared" if said is None else f"{len(said)} figures as declared"
    return Check(KEY, True, f"{text}; {'; '.join(over) if over else 'all bounds hold'}")
