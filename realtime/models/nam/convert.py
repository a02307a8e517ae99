"""A capture becomes a model: its card, and a proven ``.onnx`` file."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import unicodedata
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...parameters.parameter import Parameter
from ..card import CARD_KEY, STATE_KEY, TEST_KEY, Card
from ..metadata import pack_array, write_metadata
from .build import MATCH_DB, Variant, build_program, stated_loudness
from .file import MAX_BYTES, Capture, from_data
from .knobs import read_knobs
from .limits import plain_text
from .oversample import OVERSAMPLING, Oversampled, checked_factor
from .program import Program
from .reference import run, settled_states
from .text import parse_bytes

if TYPE_CHECKING:
    from .player import CapturePlayer

CAPTURE_KEY = "restyle.nam"
HOP = 64
PROOF_DB = -100.0  # loudest error of the kernel against float64 that the gate lets pass
_STEPS = 16
_WORDS = ("name", "modeled_by", "gear_type", "gear_make", "gear_model", "tone_type")


def model_name(text: str) -> str:
    """Turn any text into a model name: letters, digits, ``-``, ``_`` and ``.``.

    Accents are left out; what has letters of other alphabets ends in a number that only the same
    text has, so that two such names never are one.
    """
    letters = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    cleaned = re.sub(r"[^\w.-]+", "-", letters, flags=re.ASCII).strip("-.")
    if any(c.isalnum() and not c.isascii() for c in letters):
        number = zlib.crc32(text.encode(errors="surrogatepass")) & 0xFFFFFF
        return f"{cleaned[:72] or 'model'}-{number:06x}"
    return cleaned[:80] or "capture"


def _plain(value: Any) -> Any:
    """Make a stated value fit for JSON that any reader takes: NaN and infinity become null."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, dict):
        return {plain_text(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def make_card(capture: Capture, name: str) -> Card:
    """The card of a capture; what its file does not state is ``unknown``."""
    m = capture.metadata
    said = {k: plain_text(m[k])[:200] for k in _WORDS if m.get(k)}
    gear = " ".join(said[k] for k in ("gear_make", "gear_model") if k in said)
    summary = " ".join(
        part
        for part in (
            said.get("tone_type", ""),
            gear or said.get("gear_type", "") or "captured gear",
            f"captured by {said['modeled_by']}" if "modeled_by" in said else "",
        )
        if part
    )
    controls = [Parameter("input_db", -24.0, 24.0, 0.0, "dB")]
    loudness = stated_loudness(capture)
    if loudness is not None:
        controls.append(Parameter("match", 0.0, 1.0, 0.0))
    controls += read_knobs(capture.config)
    numbers = ("loudness", "gain", "input_level_dbu", "output_level_dbu", "date", "training")
    return Card(
        name=model_name(name),
        title=said.get("name") or plain_text(name),
        summary=summary,
        domain="waveform",
        sample_rate=capture.sample_rate,
        hop_length=HOP,
        latency=0,
        licence=plain_text(m.get("license") or m.get("licence") or "unknown")[:200],
        controls=tuple(controls),
        provenance={
            "source": f"Neural Amp Modeler capture, file version {capture.version}",
            "architecture": capture.architecture,
            "weights": int(capture.weights.size),
            "level_match_db": MATCH_DB,
            **said,
            **{k: _plain(m[k]) for k in numbers if k in m},
        },
    )


def make_player(
    variant: Variant, name: str, channels: int, hop: int | None = None
) -> CapturePlayer:
    """A capture ready to stream by `hop` samples a step (:data:`HOP` when None)."""
    from .player import CapturePlayer  # its kernels ask Numba for the processor

    card = make_card(variant.capture, name + variant.suffix)
    return CapturePlayer(
        build_program(variant.capture), replace(card, hop_length=hop or HOP), channels
    )


def as_played(card: Card) -> Card:
    """The card of a capture with what the player adds."""
    return replace(card, controls=(*card.controls, OVERSAMPLING))


def open_capture(
    variant: Variant,
    name: str,
    channels: int,
    hop: int | None = None,
    oversampling: float = 1.0,
    input_gain_db: float = 0.0,
) -> CapturePlayer | Oversampled:
    """A capture as the engine plays it.

    Parameters
    ----------
    hop : int or None [samples]
        See :func:`make_player`.
    oversampling : float
        One of :data:`realtime.models.nam.oversample.FACTORS`.
    input_gain_db : float [dB]
        See :func:`realtime.models.nam.build.build_program`.

    Raises
    ------
    ModelError, ConfigError
        The capture is malformed; another factor.
    """
    from .player import CapturePlayer  # its kernels ask Numba for the processor

    card = as_played(make_card(variant.capture, name + variant.suffix))
    card = replace(card, hop_length=hop or HOP)
    program = build_program(variant.capture, input_gain_db)
    factor = checked_factor(oversampling)
    if factor == 1:
        return CapturePlayer(program, card, channels)
    return Oversampled(
        lambda copies, together: CapturePlayer(program, card, copies, together), channels, factor
    )


def null_db(got: Any, expected: Any) -> float:
    """Power of the difference over that of the expected signal [dB]."""
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.sum(np.square(np.asarray(got, dtype=np.float64) - expected)))
        power = float(np.sum(np.square(expected)))
        return float(10 * np.log10((error + 1e-30) / (power + 1e-30)))


def _prove(program: Program, card: Card, x: Any, expected: Any) -> dict[str, Any]:
    """Stream through the kernel in two ways and compare with the float64 reference."""
    from .player import CapturePlayer  # its kernels ask Numba for the processor

    streams = []
    for hop in (HOP, 37):
        player = CapturePlayer(program, replace(card, hop_length=hop))
        n = len(x) // hop * hop
        parts = [player.step(x[None, None, i : i + hop]).ravel() for i in range(0, n, hop)]
        streams.append(np.concatenate(parts))
    n = min(len(s) for s in streams)
    if not np.array_equal(streams[0][:n], streams[1][:n]):
        raise ModelError("the stream depends on how it is cut into blocks; this is a bug")
    error = null_db(streams[0], expected[: len(streams[0])])
    if not error <= PROOF_DB:
        raise ModelError(f"the kernel misses the float64 reference by {error:.0f} dB (allowed {PROOF_DB:.0f})")  # fmt: skip  # noqa: E501
    return {"null_db": round(error, 1), "reference": "float64", "blocks": "identical for 64 and 37"}


def to_onnx(variant: Variant, name: str, hop: int = HOP) -> tuple[Card, bytes]:
    """Write one size of a capture as a streaming ``.onnx`` that proves itself.

    Raises
    ------
    ModelError
        The capture cannot be built, or its proof fails.
    """
    from .graph import write_graph  # onnx is for writing; playing does without
    from .player import CapturePlayer

    capture = variant.capture
    program = build_program(capture)
    card = replace(make_card(capture, name + variant.suffix), hop_length=hop)
    graph, states, initial = write_graph(program, len(card.controls), settled_states(program))
    rng = np.random.default_rng(0)
    level = np.repeat(rng.uniform(0.0, 0.4, _STEPS * 4), -(-hop // 4))[: _STEPS * hop]
    x = (level * rng.standard_normal(_STEPS * hop)).astype(np.float32)
    expected = run(program, x.astype(np.float64))
    if not np.isfinite(expected).all():
        raise ModelError("the capture gives values that are not finite")
    late = CapturePlayer(program, card).lag
    card = replace(
        card,
        states=states,
        proof=_prove(program, card, x, expected),
        provenance={**card.provenance, "lag_samples": late.samples, "inverted": late.inverted},
    )
    vector = {
        "steps": _STEPS,
        "x": pack_array(x),
        "y": pack_array(expected.astype(np.float32)),
    }
    entries = {CARD_KEY: card.to_json(), TEST_KEY: json.dumps(vector)}
    entries |= {STATE_KEY + k: pack_array(v.astype(np.float32)) for k, v in initial.items()}
    entries[CAPTURE_KEY] = pack_capture(capture)
    return card, write_metadata(graph, entries)


def pack_capture(capture: Capture) -> str:
    """Text of a capture for :func:`unpack_capture`."""
    data = {
        "version": capture.version,
        "architecture": capture.architecture,
        "config": capture.config,
        "weights": capture.weights.tolist(),
        "sample_rate": capture.sample_rate if capture.states_rate else None,
        "metadata": capture.metadata,
    }
    return base64.b64encode(zlib.compress(json.dumps(data).encode(), 9)).decode("ascii")


def unpack_capture(text: str) -> Capture:
    """Read what an imported file carries under :data:`CAPTURE_KEY`.

    Raises
    ------
    ModelError
        The entry is damaged.
    """
    try:
        inflater = zlib.decompressobj()
        return from_data(
            parse_bytes(inflater.decompress(base64.b64decode(text, validate=True), MAX_BYTES))
        )
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ModelError(f"the capture inside the model file is damaged: {error}") from None
