"""Native effects beside pedalboard's: what differs, and what each costs.

Each effect plays in stereo noise with tones that swell and pause, steps, and music; the null is the
level of the difference relative to pedalboard's output (for Convolution, to scipy's), and ``worst``
is the worst of its settings when each parameter in turn stands at the ends and in the middle of its
range.  ``bits`` compares blocks of 16 to 1024 and of varying sizes.  ``turned`` is what is heard
above 5 kHz while a knob is turned and a 60 Hz tone plays, relative to the tone; ``steady`` the same
at rest, where it was turned to (its harmonics), ``jump`` where the knob jumps.  Costs are the least
of many rounds in one run, for blocks of 64 samples: the native step from compiled code,
pedalboard's from Python, as either is called while sound runs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard
import soundfile
from numba import njit
from scipy.signal import fftconvolve

from realtime.audio_files import read_audio
from realtime.engine.path import Path as SoundPath
from realtime.native.intrinsics import call_hop, clock_address, monotonic_ns
from realtime.session.builder import Builder
from realtime.session.sound import Sound, Stage
from realtime.stages.build import make_effect
from realtime.stages.ranges import NATIVE_RANGES, RANGES

from ..rig.sounds import phrase
from ..rig.tables import Row

RATE, BLOCK, ROUNDS, CALLS = 48000, 64, 40, 100
Array = npt.NDArray[np.float32]
CASES: dict[str, dict[str, Any]] = {
    "Gain": {"gain_db": -3.0},
    "Invert": {},
    "NoiseGate": {"threshold_db": -30.0},
    "Compressor": {"threshold_db": -30.0, "ratio": 8.0},
    "Limiter": {"threshold_db": -20.0},
    "LowpassFilter": {"cutoff_frequency_hz": 3000.0},
    "HighpassFilter": {"cutoff_frequency_hz": 80.0},
    "PeakFilter": {"cutoff_frequency_hz": 2000.0, "gain_db": 9.0},
    "LowShelfFilter": {"cutoff_frequency_hz": 2000.0, "gain_db": 9.0},
    "HighShelfFilter": {"cutoff_frequency_hz": 3000.0, "gain_db": 9.0},
    "LadderFilter": {"cutoff_hz": 900.0, "resonance": 0.5, "drive": 3.0},
    "Distortion": {"drive_db": 25.0},
    "Clipping": {"threshold_db": -12.0},
    "Bitcrush": {"bit_depth": 6.0},
    "Delay": {"delay_seconds": 0.1, "feedback": 0.6, "mix": 0.4},
    "Chorus": {"feedback": 0.3},
    "Phaser": {"feedback": 0.3},
    "Reverb": {"room_size": 0.7},
}
LOW: dict[str, dict[str, Any]] = {
    "PeakFilter, 100 Hz": {"cutoff_frequency_hz": 100.0, "gain_db": -20.0, "q": 2.0},
    "LowShelfFilter, 100 Hz": {"cutoff_frequency_hz": 100.0, "gain_db": -20.0, "q": 2.0},
    "HighShelfFilter, 100 Hz": {"cutoff_frequency_hz": 100.0, "gain_db": -20.0, "q": 2.0},
}
"""Where the two differ on purpose."""
CONVOLUTION = "Convolution"
GLIDES: dict[str, tuple[str, float, float]] = {
    "Gain": ("gain_db", -40.0, 0.0),
    "NoiseGate": ("threshold_db", -80.0, 0.0),
    "Compressor": ("threshold_db", 0.0, -30.0),
    "Limiter": ("threshold_db", -10.0, -30.0),
    "LowpassFilter": ("cutoff_frequency_hz", 20.0, 10000.0),
    "HighpassFilter": ("cutoff_frequency_hz", 20.0, 5000.0),
    "PeakFilter": ("gain_db", -20.0, 20.0),
    "LowShelfFilter": ("gain_db", -20.0, 0.0),
    "HighShelfFilter": ("gain_db", -20.0, 20.0),
    "LadderFilter": ("cutoff_hz", 200.0, 8000.0),
    "Distortion": ("drive_db", 0.0, 12.0),
    "Clipping": ("threshold_db", 0.0, -14.0),
    "Delay": ("delay_seconds", 0.1, 0.137),
    "Chorus": ("mix", 0.0, 1.0),
    "Phaser": ("mix", 0.0, 1.0),
    "Reverb": ("dry_level", 0.1, 0.4),
    "Convolution": ("mix", 0.0, 1.0),
}
"""A knob of each, and where it is turned from and to."""
SIZES: tuple[tuple[int, ...], ...] = (
    (16,), (33,), (64,), (128,), (256,), (441,), (512,), (1024,), (1, 700, 64, 17, 1500, 3),
)  # fmt: skip
COLUMNS = {
    "effect": "effect",
    "null_db": "noise, null dB",
    "steps_db": "steps",
    "music_db": "music",
    "worst_db": "worst setting",
    "worst_at": "which",
    "bits": "same bits",
    "steady_db": "steady, dB",
    "turned_db": "turned, dB",
    "jump_db": "jump, dB",
    "native_ns": "native, ns a sample",
    "pedalboard_ns": "pedalboard, ns a sample",
    "times": "times cheaper",
}


@njit(nogil=True, error_model="numpy")
def _steps(step, argument, block, address, calls, clock):  # type: ignore[no-untyped-def]
    """Nanoseconds for so many steps over copies of a block ``[channels, n]``."""
    fresh = block.copy()
    total = 0
    for _ in range(calls):
        for c in range(block.shape[0]):
            for i in range(block.shape[1]):
                block[c, i] = fresh[c, i]
        begin = monotonic_ns(clock)
        call_hop(step, (argument, address, block.shape[1]))
        total += monotonic_ns(clock) - begin
    return total


@njit(nogil=True, error_model="numpy")
def _nothing(calls, clock):  # type: ignore[no-untyped-def]
    """What reading the clock costs so many times."""
    total = 0
    for _ in range(calls):
        begin = monotonic_ns(clock)
        total += monotonic_ns(clock) - begin
    return total


def played(stage: Any, x: Array, sizes: Sequence[int] = (BLOCK,)) -> Array:
    """Step a prepared native effect over `x` in blocks of these sizes, in turn; a new array."""
    parts, start, k = [], 0, 0
    while start < x.shape[1]:
        block = np.array(x[:, start : start + sizes[k % len(sizes)]], order="C")
        _steps(stage.step_address, stage.argument, block, block.ctypes.data, 1, clock_address())
        parts.append(block)
        start, k = start + block.shape[1], k + 1
    return np.concatenate(parts, axis=1)


def null_db(found: Array, expected: Array) -> float:
    """Level of the difference."""
    error = np.square(found.astype(np.float64) - expected).mean()
    power = np.square(expected.astype(np.float64)).mean()
    return round(float(10 * np.log10(max(error, 1e-30) / power)), 1) if error else float("-inf")


def native_ns(stage: Any, block: Array) -> float:
    """Least time of a step [ns]."""
    clock = clock_address()
    least, nothing = 1e18, 1e18
    for _ in range(ROUNDS):
        own = block.copy()
        address = own.ctypes.data
        spent = _steps(stage.step_address, stage.argument, own, address, CALLS, clock)
        least, nothing = min(least, spent), min(nothing, _nothing(CALLS, clock))
    return (least - nothing) / CALLS


def pedalboard_ns(plugin: Any, block: Array) -> float:
    """Least time of a call [ns]."""
    least = 1e18
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        for _ in range(CALLS):
            plugin.process(block, RATE, buffer_size=BLOCK, reset=False)
        least = min(least, time.perf_counter_ns() - begin)
    return least / CALLS


def steps() -> Array:
    """Levels that change every 50 ms ``[2, n]``."""
    levels = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 40))
    return np.repeat(levels, RATE // 20, axis=1).astype(np.float32)


def music() -> Array:
    """Four seconds of the bundled clip, both channels a little apart ``[2, n]``."""
    clip = read_audio(Path(__file__).parents[2] / "exported" / "demo.flac")
    mono = clip.samples[0, : 4 * RATE]
    return np.stack([mono, np.roll(mono, 480)])


class Bench:
    """One effect beside its peer.

    Parameters
    ----------
    name : str
    response : Path
        An impulse response, for Convolution.
    """

    def __init__(self, name: str, response: Path) -> None:
        self.name, self._file = name, {}
        if name == CONVOLUTION:
            self._file = {"impulse_response_filename": str(response)}
            self._taps = soundfile.read(response, dtype="float64", always_2d=True)[0].T

    def native(self, values: Mapping[str, Any], x: Array, sizes: Sequence[int] = (BLOCK,)) -> Array:
        """What the native effect makes of `x` in blocks of these sizes."""
        stage: Any = make_effect(self.name, {**values, **self._file})
        stage.prepare(RATE, x.shape[0], BLOCK)
        return played(stage, x, sizes)

    def peer(self, values: Mapping[str, Any], x: Array) -> Array:
        """What pedalboard, or scipy, makes of it."""
        if self.name == CONVOLUTION:
            wet = [fftconvolve(c, self._taps[k % len(self._taps)]) for k, c in enumerate(x)]
            mix = float(values.get("mix", 1.0))
            return (1.0 - mix) * x + mix * np.stack(wet)[:, : x.shape[1]]
        kind = getattr(pedalboard, self.name)
        found: Array = kind(**values).process(x, RATE, buffer_size=8192, reset=True)
        return found

    def worst(self, values: Mapping[str, Any], x: Array) -> tuple[float, str]:
        """The highest null of :func:`settings`, and which that is."""
        found = [
            (null_db(self.native(one, x), self.peer(one, x)), f"{name} {one[name]:g}")
            for name, one in settings(self.name, values)
        ]
        return max(found, default=(float("-inf"), "–"))

    def same_bits(self, values: Mapping[str, Any], x: Array) -> str:
        """Whether blocks of any size give the same bits."""
        whole = self.native(values, x, (x.shape[1],))
        same = all(np.array_equal(self.native(values, x, sizes), whole) for sizes in SIZES)
        return "yes" if same else "NO"

    def turned(self, values: Mapping[str, Any]) -> Row:
        """What a tone has above 5 kHz, while a knob is turned, and where it jumps [dB of it]."""
        if self.name not in GLIDES:
            return {}
        name, start, end = GLIDES[self.name]
        given = {k: v for k, v in {**values, **self._file}.items() if k != name}
        t = np.arange(RATE) / RATE
        tone = (0.25 * np.sin(2 * np.pi * 60.0 * t)).astype(np.float32)[None]
        half = RATE // 2

        def path(value: float) -> SoundPath:
            stage = Stage(effect=self.name, parameters={**given, name: value}, identity=1)
            return Builder(1, RATE, BLOCK).path(Sound((stage,)))

        one, steady = path(start), path(end)
        one.process_hops(tone[:, :half])
        slot = one.slot(1)
        assert slot is not None
        slot.placed.aim(name, end)
        gliding = one.process_hops(tone[:, half:])[0]
        before = path(start).process_hops(tone)[0]
        after = steady.process_hops(tone)[0]
        jumping = np.concatenate([before[: half + 1000], after[half + 1000 :]])[half:]
        sounds = {"steady_db": after[half:], "turned_db": gliding, "jump_db": jumping}
        return {name: round(bright_db(y), 1) for name, y in sounds.items()}


def bright_db(y: Array) -> float:
    """Level above 5 kHz of ``y [n]``, relative to a tone of 0.25."""
    n = 1 << 13
    spectrum = np.abs(np.fft.rfft(y[:n] * np.blackman(n))) ** 2
    tone = (0.25 * np.blackman(n).sum() / 2) ** 2
    bright = spectrum[int(5000 * n / RATE) :].sum()
    return float(10 * np.log10(max(bright, 1e-20) / tone))


def settings(name: str, values: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each continuous parameter in turn at the ends and in the middle of its range."""
    found = []
    for p in RANGES.get(name, NATIVE_RANGES[name]):
        if p.choices or p.kind == "switch":
            continue
        middle = (p.minimum * p.maximum) ** 0.5 if p.minimum > 0 else (p.minimum + p.maximum) / 2
        at = (p.minimum, middle, p.maximum)
        found.extend((p.name, {**values, p.name: value}) for value in at)
    return found


def rows() -> list[Row]:
    """One row for each effect."""
    x, stepping, tune = phrase(), steps(), music()
    block = np.ascontiguousarray(x[:, 5000 : 5000 + BLOCK])
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        response = Path(folder) / "response.wav"
        fading = np.exp(-np.arange(RATE) / 8000)[:, None]
        taps = 0.02 * np.random.default_rng(2).standard_normal((RATE, 2)) * fading
        soundfile.write(response, taps.astype(np.float32), RATE, subtype="FLOAT")
        for label, parameters in {**CASES, CONVOLUTION: {}, **LOW}.items():
            bench = Bench(label.split(",")[0], response)
            nulls = [
                null_db(bench.native(parameters, y), bench.peer(parameters, y))
                for y in (x, stepping, tune)
            ]
            row: Row = {"effect": label, "null_db": nulls[0]}
            if label not in LOW:
                worst, which = bench.worst(parameters, x[:, :RATE])
                row |= {
                    "steps_db": nulls[1],
                    "music_db": nulls[2],
                    "worst_db": worst,
                    "worst_at": which,
                    "bits": bench.same_bits(parameters, x[:, : RATE // 2]),
                } | bench.turned(parameters)
            if label in CASES:
                stage: Any = make_effect(label, parameters)
                stage.prepare(RATE, x.shape[0], BLOCK)
                plugin = getattr(pedalboard, label)(**parameters)
                native = native_ns(stage, block) / block.size
                other = pedalboard_ns(plugin, block) / block.size
                row |= {
                    "native_ns": round(native, 2),
                    "pedalboard_ns": round(other, 1),
                    "times": round(other / native, 1),
                }
            found.append(row)
    return found
