"""A guitarist's rig: its stages, what others make of them, and its way over real PortAudio.

:func:`composition` knows nothing of restyle's path or effects: pedalboard plays gate, delay and
reverb, scipy cabinet and equalizer, and whoever is named the capture.  :func:`measure` runs in a
process of its own under a dummy JACK server, PortAudio's own output connected to its own input.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard
import soundfile
from scipy.signal import fftconvolve, lfilter

from realtime.session.builder import Builder
from realtime.session.render import render_samples
from realtime.session.session import Session
from realtime.session.sound import Device, EngineName, Setup, Sound, Stage, identified

from . import jack
from .alignment import shift_of
from .child import answer
from .loopback import open_device
from .probe import ProbedDevice
from .sounds import of_file, phrase

Array = npt.NDArray[np.float32]
RATE = 48000
GATE = {"threshold_db": -50.0}
PEAK_HZ, PEAK_DB, PEAK_Q = 800.0, -4.0, 0.7071067690849304  # the last is pedalboard's own default
ECHO = {"delay_seconds": 0.35, "feedback": 0.35, "mix": 0.3}
ROOM = {"wet_level": 0.15}
STRUCK = 0.3
TRIES = 6
FADED = RATE // 2  # behind it a session has faded in


def response(seconds: float, channels: int) -> Array:
    """Noise that fades by 60 dB."""
    rng = np.random.default_rng(0)
    n = round(seconds * RATE)
    fading = 10.0 ** (-3.0 * np.arange(n) / n)
    return (0.02 * rng.standard_normal((channels, n)) * fading).astype(np.float32)


def stages(
    folder: Path, engine: EngineName | None, capture: str | None, seconds: float = 1.0
) -> tuple[Stage, ...]:
    """The rig, with a cabinet of so many seconds; without the capture where there is none."""
    file = folder / f"response-{seconds:g}.wav"
    soundfile.write(str(file), response(seconds, 1).T, RATE, subtype="FLOAT")
    effect = [
        ("NoiseGate", GATE),
        ("Convolution", {"impulse_response_filename": str(file)}),
        ("PeakFilter", {"cutoff_frequency_hz": PEAK_HZ, "gain_db": PEAK_DB}),
        ("Delay", ECHO),
        ("Reverb", ROOM),
    ]
    made = [Stage(effect=name, parameters=values, engine=engine) for name, values in effect]
    if capture is not None:
        made.insert(1, Stage(model=capture))
    return tuple(made)


def rig(folder: Path, capture: str, seconds: float = 1.0) -> Sound:
    """The whole of it as a sound."""
    return Sound(identified(stages(folder, None, capture, seconds), 1))


def composition(
    x: Array, capture: Callable[[Array], npt.NDArray[np.floating]], response: Array
) -> Array:
    """What the rig should make of ``x [1, n]``: its parts by others, one after the other ``[n]``.

    Parameters
    ----------
    capture : callable
        Plays one channel ``[n]``.
    response : ndarray [shape=(m,), float32]
        Of the cabinet.
    """
    driven = capture(pedalboard.NoiseGate(**GATE)(x, RATE)[0])
    heard = fftconvolve(driven.astype(np.float64), response.astype(np.float64))[: len(driven)]
    # the peak filter of R. Bristow-Johnson's cookbook
    a, w = 10 ** (PEAK_DB / 40), 2 * np.pi * PEAK_HZ / RATE
    alpha = np.sin(w) / (2 * PEAK_Q)
    over = np.array([1 + alpha * a, -2 * np.cos(w), 1 - alpha * a])
    under = np.array([1 + alpha / a, -2 * np.cos(w), 1 - alpha / a])
    heard = lfilter(over / under[0], under / under[0], heard).astype(np.float32)
    behind = pedalboard.Pedalboard([pedalboard.Delay(**ECHO), pedalboard.Reverb(**ROOM)])
    found: Array = behind(heard[None], RATE)[0]
    return found


def _tape(setup: Setup, x: Array, block: int) -> Array:
    """What comes back of ``x [n]``."""
    loop = ProbedDevice(open_device(RATE, block), x, jack.connect_loop)
    with Session(setup, loop) as session:
        session.stream.path.set_deadline(0.0)  # from the first hop on no stage rests
        session.wait(len(x) / RATE + 2.0)
    return loop.tape


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Impulse and sound of ``job = {preset, block, seconds, tape}`` over JACK.

    Returns
    -------
    dict
        ``declared`` latency; ``device`` the bare copy's round trip; ``impulse`` the first sample
        that an impulse changes; all in samples.  ``runs``: how often it was played, as a cycle
        that the server lost moves all behind it.  What came back of the phrase from its first
        sample on is written to the file `tape` (``.npy``).

    Raises
    ------
    RuntimeError
        It never came back bit for bit as offline.
    """
    block = job["block"]
    x = phrase(job["seconds"], 1, RATE)
    at = x.shape[1] // 2 + 5
    struck = x.copy()
    struck[0, at] += STRUCK
    setup = Setup(of_file(Path(job["preset"])), Device(lane="inline"))
    path = Builder(1, RATE, block).path(setup.sound)
    wanted = [render_samples(path, signal)[0] for signal in (x, struck)]
    latency = path.latency
    path.close()
    for run in range(1, TRIES + 1):
        bare = ProbedDevice(open_device(RATE, block), x[0], jack.connect_loop).play_bare()
        device = shift_of(bare, x[0])
        if device is None:
            continue
        tapes = [_tape(setup, signal[0], block)[device + latency :] for signal in (x, struck)]
        # the sound fades in
        if all(
            np.array_equal(tape[FADED:], offline[FADED : len(tape)])
            for tape, offline in zip(tapes, wanted, strict=True)
        ):
            faded = slice(FADED, min(map(len, tapes)))
            changed = FADED + np.flatnonzero(tapes[0][faded] != tapes[1][faded])
            np.save(job["tape"], tapes[0])
            return {
                "declared": latency,
                "device": device,
                "impulse": int(changed[0]) + device + latency - at,
                "runs": run,
            }
    raise RuntimeError(f"no run in {TRIES} came back bit for bit as offline")


if __name__ == "__main__":
    answer(measure)
