"""What a running stream looks like to whoever turns its knobs.

Presets, MIDI, OSC and panels know a stream by this protocol alone.  Parameters are called ``mix``,
``input_gain_db``, ``output_gain_db``, ``bypass``, ``pre_mix`` and ``post_mix``; a model's control
by its own name; a stage's as ``pre.1.threshold_db`` or ``post.2.room_size``, counted from 1 in the
order of the sound, with ``post.2.bypass`` and ``post.2.stage_mix`` for the stage itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

KINDS = ("continuous", "blend", "categorical", "switch")


@dataclass(frozen=True)
class Parameter:
    """One knob and where it stands.

    Attributes
    ----------
    name : str
    unit : str
        Empty where there is none.
    minimum, maximum : float
        Both included.
    default, value : float
        Value is the one last asked for.
    kind : str
        ``continuous``; ``blend`` (the weights of all blend parameters sum to 1); ``categorical``
        (whole numbers); ``switch`` (0 or 1).
    """

    name: str
    unit: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = 0.0
    kind: str = "continuous"
    value: float = 0.0


class Surface(Protocol):
    """The knobs of one stream; every method may be called from any thread.

    A method that raises has changed nothing.  All errors are
    :class:`~realtime.errors.RestyleError` with the nearest valid name.
    """

    def parameters(self) -> Sequence[Parameter]:
        """All parameters as they stand now; others after a change of model or chain."""

    def get(self, name: str) -> float:
        """Value last asked for."""

    def set(self, name: str, value: float) -> None:
        """Ask for a value; a ``blend`` parameter is set with the others, by :meth:`blend`."""

    def blend(self, weights: Mapping[str, float]) -> None:
        """Ask for all weights of a model that blends; those not named become 0.

        Weights are shares, none negative, not all 0; they are scaled to sum to 1.
        """

    def styles(self) -> Sequence[str]:
        """Names of the models that can be played."""

    def style(self, name: str | None) -> None:
        """Change the model while the sound runs; None takes it out."""

    def bypass(self, on: bool) -> None:
        """Let the input through as it is, or restyle it again."""

    def load_preset(self, name_or_path: str) -> None:
        """Change to a preset; it is checked wholly before anything changes."""

    def meters(self) -> Mapping[str, float]:
        """Levels by name, such as ``input_rms_db`` [dBFS]."""

    def status(self) -> dict[str, Any]:
        """What plays: ``style``, ``preset``, ``bypass``, and what the host adds, as plain data."""
