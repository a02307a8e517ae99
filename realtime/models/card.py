"""The model card: what a streaming model says of itself .

One schema serves trainer and player.  The card travels as JSON inside the ``.onnx`` file's
``metadata_props`` under :data:`CARD_KEY`, initial states under ``restyle.state.<name>`` and the
test vector under :data:`TEST_KEY`, so a model is one file that any host can stream and check.

Graph contract
--------------
========================  ======================================================================
input ``x``               waveform: ``[batch, 1, T]`` samples, ``T`` a multiple of hop_length;
                          spectrum: ``[batch, 2, T, n_bins]`` frames, real and imaginary plane
input ``controls``        optional, ``[1, n_controls]``, in the order of :attr:`Card.controls`
input ``state_<name>``    ``[batch, *shape]``, one for each :attr:`Card.states`
output ``y``              the shape of ``x``; of a tagger ``[batch, n_labels, T]``, a probability
                          for each of :attr:`Card.labels` at every hop; of an ear
                          ``[batch, 4, 69]``: :data:`EAR_ROWS` for each pitch
output ``state_<n>_out``  the shape of its input
========================  ======================================================================

The batch axis carries audio channels; each channel has a state of its own.  All tensors are
float32.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, prod
from typing import Any

from ..errors import CardError
from ..parameters.parameter import BLEND, CATEGORICAL, CONTINUOUS, Parameter
from ..schema import read, shown

FORMAT_VERSION = (1, 5)
CARD_KEY = "restyle.card"
STATE_KEY = "restyle.state."
TEST_KEY = "restyle.test_vector"

KINDS = ("converter", "player", "tagger", "generator", "ear")
CONVERTING = ("converter", "player")  # sound in, sound out
PLAYING = (*CONVERTING, "generator")  # sound out
ONE_HOP = ("player", "generator", "ear")  # take one hop a call: each follows from the one before
EAR_ROWS = ("onset", "active", "level", "bend")  # of an ear, for each pitch
EAR_LOWEST, EAR_PITCHES = 28, 69  # MIDI pitches: E1 to C7
DOMAINS = ("waveform", "spectrum")
WINDOWS = {"asymmetric_hann": 2, "steep_hann": 16}  # synthesis length over the window's fall
CONTROL_KINDS = (CONTINUOUS, BLEND, CATEGORICAL)
LOWEST_RATE, HIGHEST_RATE = 2000, 768_000  # Hz
HIGHEST_CORNER = 100.0  # Hz, of a DC blocker
MOST_SAMPLES = 1 << 18  # of a hop, a window, a latency
MOST_HELD = 1 << 26  # numbers in all states of a channel: 256 MiB
CONTROL_KEYS = ("name", "minimum", "maximum", "default", "unit", "kind")  # in JSON


SOURCE_CONTROLS = (  # of every generator, after its own
    Parameter("seed", 0, 9999, 0, kind=CATEGORICAL),
    Parameter("loop", 0, 600, 0, "s", kind=CATEGORICAL),
)


@dataclass(frozen=True)
class State:
    """One explicit state: graph input ``state_<name>``, output ``state_<name>_out``.

    `shape` is that of one channel, without the batch axis.
    """

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Spectrum:
    """STFT geometry of a ``spectrum`` model, in samples; see :mod:`realtime.dsp.windows`."""

    n_fft: int
    synthesis_length: int
    window: str = "asymmetric_hann"

    @property
    def n_bins(self) -> int:
        """Number of frequency bins, ``n_fft // 2 + 1``."""
        return self.n_fft // 2 + 1

    @property
    def fall(self) -> int:
        """Newest samples over which the analysis window falls."""
        return max(1, self.synthesis_length // WINDOWS[self.window])


@dataclass(frozen=True)
class Card:
    """Everything a host, a musician and a sceptic want to know of one model.

    Attributes
    ----------
    name : str
        Short identifier, ``[a-z0-9-]``; also the bundled file's name.
    title, summary : str
        For people: one line each.
    domain : str
        ``waveform`` or ``spectrum``.
    sample_rate : int [Hz]
    hop_length : int [samples]
        What one step advances by.
    latency : int [samples]
        Algorithmic latency, on top of waiting for a full hop.  Waveform models declare theirs (0
        for a causal network); for spectrum models it is
        ``synthesis_length - hop_length + lookahead * hop_length``.
    lookahead : int [hops]
        How many hops later than its input frame a step's output frame belongs.
    licence : str
        Licence of the weights, an SPDX expression, or ``unknown``.
    kind : str
        ``converter`` (sound in, sound out), ``tagger`` (sound in, probabilities of labels out),
        ``generator`` (noise in, sound out, one hop a call; since format 1.2), ``ear`` (sound in,
        notes out, one hop a call; since format 1.4) or ``player`` (sound in, sound of its own out,
        one hop a call; since format 1.4).
    labels : tuple of str
        What a tagger tells; since format 1.1.
    dc_blocker : float [Hz]
        Corner of the first-order high-pass that a host runs over the graph's sound while a constant
        comes in, so that none comes out; 0: never. Since format 1.5.
    provenance, metrics, proof : dict
        Training data with licences, recipe, seed, revision; figures with the command that made
        them; streaming error and measured latency found by the export gate.
    """

    name: str
    title: str
    summary: str
    domain: str
    sample_rate: int
    hop_length: int
    latency: int
    licence: str
    lookahead: int = 0
    spectrum: Spectrum | None = None
    states: tuple[State, ...] = ()
    controls: tuple[Parameter, ...] = ()
    kind: str = "converter"
    labels: tuple[str, ...] = ()
    dc_blocker: float = 0.0
    provenance: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)
    format_version: str = f"{FORMAT_VERSION[0]}.{FORMAT_VERSION[1]}"

    def __post_init__(self) -> None:
        _check(self)

    def step_shape(self, channels: int) -> tuple[int, ...]:
        """Shape of ``x`` and ``y`` for one step [batch = channels]."""
        if self.spectrum is None:
            return (channels, 1, self.hop_length)
        return (channels, 2, 1, self.spectrum.n_bins)

    @property
    def converts(self) -> bool:
        """Whether it makes sound of sound."""
        return self.kind in CONVERTING

    @property
    def one_hop(self) -> bool:
        """Whether its graph takes one hop a call."""
        return self.kind in ONE_HOP

    def as_played(self) -> Card:
        """The card with what the player adds: a generator's seed and loop, in seconds."""
        if self.kind != "generator":
            return self
        return replace(self, controls=(*self.controls, *SOURCE_CONTROLS))

    def output_shape(self, channels: int) -> tuple[int, ...]:
        """Shape of ``y`` for one step [batch = channels]."""
        if self.kind == "tagger":
            return (channels, len(self.labels), 1)
        if self.kind == "ear":
            return (channels, len(EAR_ROWS), EAR_PITCHES)
        return self.step_shape(channels)

    def to_json(self, *, indent: int | None = None) -> str:
        """Serialise; the inverse of :func:`from_json`."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, sort_keys=True)

    def to_dict(self) -> dict[str, Any]:
        """The card as plain data."""
        return {**asdict(self), "controls": [_plain(c) for c in self.controls]}


def _plain(control: Parameter) -> dict[str, Any]:
    """A control as cards have it: whole numbers where it takes no others."""
    plain = {key: getattr(control, key) for key in CONTROL_KEYS}
    if control.kind == CATEGORICAL:
        for key in ("minimum", "maximum", "default"):
            plain[key] = int(plain[key]) if plain[key] == int(plain[key]) else plain[key]
    return plain


def _check(card: Card) -> None:
    def need(good: bool, what: str) -> None:
        if not good:
            raise CardError(f"model card '{card.name}': {what}")

    name_ok = bool(card.name) and all(c.isalnum() or c in "-_." for c in card.name)
    need(name_ok, f"name must be letters, digits, '-', '_' or '.', got {card.name!r}")
    need(bool(card.kind), "kind is empty; a model that converts sound is a 'converter'")
    need(
        (card.kind == "tagger") == bool(card.labels) and len(set(card.labels)) == len(card.labels),
        "a tagger, and only that, names its labels, each once",
    )
    need(card.domain in DOMAINS, f"domain must be one of {DOMAINS}, got {card.domain!r}")
    for key in ("sample_rate", "hop_length", "latency", "lookahead"):
        value = getattr(card, key)
        need(type(value) is int, f"{key} must be a whole number, got {value!r}")
    need(card.sample_rate > 0, f"sample_rate must be positive, got {card.sample_rate}")
    need(card.hop_length > 0, f"hop_length must be positive, got {card.hop_length}")
    need(
        LOWEST_RATE <= card.sample_rate <= HIGHEST_RATE,
        f"sample_rate must be within {LOWEST_RATE}..{HIGHEST_RATE} Hz, got {card.sample_rate}",
    )
    for key, value in (("hop_length", card.hop_length), ("latency", card.latency)):
        need(value <= MOST_SAMPLES, f"{key} is at most {MOST_SAMPLES} samples, got {value}")
    need(card.latency >= 0, f"latency must not be negative, got {card.latency}")
    need(card.lookahead >= 0, f"lookahead must not be negative, got {card.lookahead}")
    need(
        0 <= card.dc_blocker <= HIGHEST_CORNER,
        f"dc_blocker must be within 0..{HIGHEST_CORNER:g} Hz, got {card.dc_blocker}",
    )
    need(bool(card.licence), "licence is empty; state it or write 'unknown'")
    need(
        (card.domain == "spectrum") == (card.spectrum is not None),
        "a spectrum model, and only that, names its STFT geometry under 'spectrum'",
    )
    if card.spectrum is not None:
        s = card.spectrum
        for key in ("n_fft", "synthesis_length"):
            value = getattr(s, key)
            need(type(value) is int, f"{key} must be a whole number, got {value!r}")
        for value in (s.n_fft, s.synthesis_length):
            need(0 < value <= MOST_SAMPLES, f"a window has 1..{MOST_SAMPLES} samples, got {value}")
        need(s.window in WINDOWS, f"window must be one of {tuple(WINDOWS)}, got {s.window!r}")
        due = s.synthesis_length - card.hop_length + card.lookahead * card.hop_length
        need(card.latency == due, f"latency must be {due} for this geometry, got {card.latency}")
    sets = card.metrics.get("sets", {})
    need(isinstance(sets, dict), f"metrics: sets must be an object, got {type(sets).__name__}")
    seen = [s.name for s in card.states]
    need(len(set(seen)) == len(seen), "two states have the same name")
    need(all(d > 0 for s in card.states for d in s.shape), "a state has an empty axis")
    held = sum(prod(s.shape) for s in card.states)
    need(held <= MOST_HELD, f"its states hold {shown(held)} numbers; the most is {MOST_HELD}")
    names = [c.name for c in card.controls]
    need(len(set(names)) == len(names), "two controls have the same name")
    for c in card.controls:
        need(c.kind in CONTROL_KINDS, f"control '{c.name}': kind must be one of {CONTROL_KINDS}")
        numbers = (c.minimum, c.default, c.maximum)
        need(
            all(isfinite(v) for v in numbers), f"control '{c.name}' has a range that is not finite"
        )
        need(
            c.minimum <= c.default <= c.maximum,
            f"control '{c.name}': default {c.default} outside {c.minimum}..{c.maximum}",
        )


def check_version(text: object) -> str | None:
    """Return a warning for a newer minor version, ``None`` for a known one.

    Raises
    ------
    CardError
        For another major version or text that is no version.
    """
    try:
        major, minor = (int(p) for p in str(text).split("."))
    except ValueError:
        raise CardError(f"model card: format_version {text!r} is not of the form '1.0'") from None
    if major != FORMAT_VERSION[0]:
        raise CardError(
            f"model card: format {text} is not readable here (this restyle reads"
            f" {FORMAT_VERSION[0]}.x); install a matching restyle or export the model again"
        )
    if minor > FORMAT_VERSION[1]:
        return f"model card format {text} is newer than {FORMAT_VERSION[0]}.{FORMAT_VERSION[1]}"
    return None


def _figure(text: str) -> float | None:
    value = float(text)
    return value if isfinite(value) else None


def from_json(text: str) -> Card:
    """Parse and check a card.

    Raises
    ------
    CardError
        When the text is not JSON, misses a field, or contradicts itself.
    """
    try:
        # NaN and 1e999 are no JSON, and no figures
        data = json.loads(text, parse_constant=lambda _: None, parse_float=_figure)
        json.dumps(data, ensure_ascii=False).encode("utf-8")  # half of a character cannot be shown
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise CardError(f"model card is not valid JSON: {reason}") from None
    if not isinstance(data, dict):
        raise CardError("model card: expected a JSON object")
    check_version(data.get("format_version", "1.0"))
    return read(data, Card, "model card", error=CardError, table="an object")
