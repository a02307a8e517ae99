"""``restyle bench captured``: hidden gear captured in minutes, beside NAM's own trainer.

Three kinds of gear that the trainer knows nothing of: a circuit (a diode clipper behind a
high-pass, solved sample by sample at eight times the rate), pedalboard's distortion between filters
(or ``--plugin``), and a network (``--capture``; else the bundled *tube-amp*).  Each plays the
capture signal and gives it back late, noisy and, every other one, with its polarity turned, as an
interface would.  restyle finds what came between and trains; then the trainer of neural-amp-modeler
gets the same aligned recording, the same size of network, the same minutes and the same threads.
ESR is taken on twelve seconds of playing that neither was taught, of the written files in restyle's
player; both choose their best step by it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard as pb
import soundfile
import soxr
from numba import njit
from scipy.signal import butter, lfilter

from realtime.audio_files import Clip
from realtime.commands.common import check_writable
from realtime.errors import ConfigError
from realtime.models.catalog import find_model
from realtime.models.nam.build import Variant
from realtime.models.nam.convert import make_player
from realtime.models.nam.file import read_capture
from realtime.parameters.parameter import Parameter
from realtime.session.render import render
from realtime.session.sound import Sound, Stage
from train.capture.fit import Take
from train.capture.heard import hear
from train.capture.make import make
from train.capture.network import DILATIONS, KERNEL, SIZES
from train.capture.signal import RATE, Signal, make_signal
from train.player import play as play_model

from ..rig.sines import fit, sine
from ..rig.tables import Report, Row

Array = npt.NDArray[np.float64]
SEED = 5  # of delays and noise
NOISE_DB = -80.0  # of the interface
POSITIONS, BETWEEN = (2.0, 5.0, 8.0), (3.5, 6.5)  # of the knob: taught, and never heard
SINE = 220.0  # Hz
TOLD = (1.0, 2.0, 5.0)  # minutes whose ESR is told
OVER = 8  # the circuit's rate over the signal's
SERIES, CAPACITY = 2.2e3, 10e-9  # of the clipper [ohm, farad]
SATURATION, THERMAL = 2.52e-9, 45.3e-3  # of its diodes [ampere, volt]
FURTHEST = 0.1  # volts of one of Newton's steps
BATCH, SEGMENT = 16, 8192  # of NAM's trainer, as its window has them
COLUMNS = {
    "gear": "gear", "by": "by", "network": "network", "minutes": "minutes", "steps": "steps",
    "esr": "ESR held out", "at_1": "after 1 min", "at_2": "2 min", "at_5": "5 min",
}  # fmt: skip


@njit(cache=True)
def clipper(volts: Array, step: float) -> Array:
    """A resistor into a capacitor and two diodes, by the trapezoidal rule and Newton's method.

    After Yeh, Abel, Vladimirescu & Smith, Numerical methods for simulation of guitar distortion
    circuits, Computer Music Journal 32(2), 2008.
    """
    out, v, before = np.empty_like(volts), 0.0, 0.0
    for n in range(len(volts)):
        guess = v
        for _ in range(50):
            slope = (volts[n] - guess) / (SERIES * CAPACITY)
            slope -= 2 * SATURATION / CAPACITY * math.sinh(guess / THERMAL)
            error = guess - v - 0.5 * step * (slope + before)
            bend = -1 / (SERIES * CAPACITY)
            bend -= 2 * SATURATION / (CAPACITY * THERMAL) * math.cosh(guess / THERMAL)
            change = error / (1 - 0.5 * step * bend)
            change = min(max(change, -FURTHEST), FURTHEST)  # sinh overflows far off
            guess -= change
            if abs(change) < 1e-9:
                break
        before = (volts[n] - guess) / (SERIES * CAPACITY)
        before -= 2 * SATURATION / CAPACITY * math.sinh(guess / THERMAL)
        v = guess
        out[n] = v
    return out


def circuit(x: Array, gain: float = 5.0) -> Array:
    """The clipper behind 40 dB above 720 Hz, the dry sound beside it, a tone control behind.

    `gain` is the knob's position, 4 dB to each.
    """
    fast = soxr.resample(x, RATE, RATE * OVER, quality="VHQ")
    driven = 100 * 10 ** ((gain - 5) / 5) * lfilter(*butter(1, 720, "high", fs=RATE * OVER), fast)
    clipped = soxr.resample(clipper(driven, 1 / (RATE * OVER)), RATE * OVER, RATE, quality="VHQ")
    y = np.resize(clipped, len(x)) + 0.1 * x
    return 0.9 * lfilter(*butter(1, 2500, fs=RATE), y)


def plugin(path: Path | None) -> Callable[[Array], Array]:
    """A plug-in as it begins, or pedalboard's distortion with what stands around it in a rig."""
    if path is not None:
        try:
            effects: list[Any] = [pb.load_plugin(str(path))]
        except ImportError as error:
            raise ConfigError(f"--plugin {path} cannot be loaded: {error}") from None
    else:
        effects = [pb.HighpassFilter(110), pb.PeakFilter(800, gain_db=5, q=0.7), pb.Distortion(32)]
        effects += [pb.LowShelfFilter(150, gain_db=4), pb.PeakFilter(2800, gain_db=4, q=1.2)]
        effects += [pb.LowpassFilter(4500), pb.LowpassFilter(6000), pb.Gain(-9)]

    def play(x: Array) -> Array:
        made = pb.Pedalboard(effects)(x.astype(np.float32)[None], RATE)
        return np.asarray(made[0], dtype=np.float64)

    return play


def network(path: Path | None) -> Callable[[Array], Array]:
    """A ``.nam``, or the bundled *tube-amp*."""

    def play(x: Array) -> Array:
        if path is not None:
            return played(path, x)
        sound = Sound((Stage(model=str(find_model("tube-amp"))),))
        made = render(sound, Clip(x.astype(np.float32)[None], RATE)).samples[0]
        return np.asarray(made, dtype=np.float64)

    return play


def played(path: Path, x: Array) -> Array:
    """``x [n]`` through a ``.nam`` by restyle's player."""
    model = make_player(Variant("", read_capture(path)), path.stem, 1, 64)
    blocks = np.pad(x, (0, -len(x) % 64)).astype(np.float32).reshape(-1, 1, 1, 64)
    return np.concatenate([model.step(block).ravel() for block in blocks])[: len(x)].astype(float)


def recorded(y: Array, at: int, rng: np.random.Generator) -> Array:
    """What an interface makes of it: late, noisy, and turned where `at` is odd."""
    late = np.concatenate([np.zeros(int(rng.integers(50, 9000))), y, np.zeros(4800)])
    return (-1) ** at * late + 10 ** (NOISE_DB / 20) * rng.standard_normal(len(late))


def held_out(path: Path, signal: Signal, wet: Array) -> float:
    """ESR of a written ``.nam`` on the playing that no training heard."""
    begin, end = signal.judge
    made = played(path, signal.samples[:end].astype(float))[begin:]
    return float(np.sum((made - wet[begin:end]) ** 2) / np.sum(wet[begin:end] ** 2))


def by_restyle(signal: Signal, wet: npt.NDArray[np.float32], folder: Path, options: Any) -> Row:
    """Captured by restyle; ESR as it went."""
    made = make(
        signal, [Take(wet)], folder / "captured.onnx", say=lambda words: print(words, flush=True),
        threads=options.threads, minutes=options.minutes, size=options.size, good=0.0,
    )  # fmt: skip
    told = {}
    for minutes in TOLD:
        best = [look.best for look in made.fitted.looks if look.seconds <= 60 * minutes]
        told[f"at_{minutes:g}"] = round(min(best, default=math.inf), 5)
    return {
        "by": "restyle", "network": f"A1 {options.size}", "steps": made.fitted.steps,
        "minutes": round(made.fitted.seconds / 60, 1),
        "esr": round(held_out(made.captures[0], signal, wet), 5), **told,
    }  # fmt: skip


def by_nam(
    signal: Signal, wet: npt.NDArray[np.float32], folder: Path, options: Any, packed: bool
) -> Row:
    """Captured by the trainer of neural-amp-modeler; `packed` is the network it takes itself.

    Raises
    ------
    ConfigError
        The trainer failed, in its own last words.
    """
    soundfile.write(folder / "dry.wav", signal.samples, RATE, "PCM_24")
    soundfile.write(folder / "wet.wav", wet, RATE, "PCM_24")
    begin, end = signal.judge
    data = {
        "train": {"start_samples": signal.learn[0], "stop_samples": signal.learn[1], "ny": SEGMENT},
        "validation": {"start_samples": begin, "stop_samples": end, "ny": None},
        "common": {
            "x_path": "dry.wav", "y_path": "wet.wav", "delay": 0, "require_input_pre_silence": None,
        },
    }  # fmt: skip
    optimiser: dict[str, Any] = {"lr": 0.004}
    schedule = {"class": "ExponentialLR", "kwargs": {"gamma": 0.993}}
    model: dict[str, Any] = {
        "net": {"name": "WaveNet", "config": their_network(options.size)},
        "loss": {"val_loss": "esr"}, "optimizer": optimiser, "lr_scheduler": schedule,
    }  # fmt: skip
    if packed:
        model = json.loads(
            subprocess.run(
                [options.trainer.with_name("python"), "-c", PACKED], capture_output=True, check=True
            ).stdout
        )
    learning = {
        "train_dataloader": {"batch_size": BATCH, "shuffle": True, "drop_last": True},
        "val_dataloader": {},
        "trainer": {
            "max_epochs": -1,
            "max_time": {"minutes": options.minutes},
            "accelerator": "cpu",
        },
    }
    for name, content in (("data", data), ("model", model), ("learning", learning)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    made = folder / "made"
    made.mkdir()
    threads = str(options.threads)
    done = subprocess.run(
        [str(options.trainer), "data.json", "model.json", "learning.json", "made", "--no-show",
         "--no-plots"],
        cwd=folder, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
    )  # fmt: skip
    found = sorted(made.rglob("*.nam"))
    if done.returncode or not found:
        words = (done.stderr or done.stdout).strip().splitlines() or ["nothing said"]
        raise ConfigError(f"{options.trainer} failed: {words[-1]}")
    steps = [int(p.stem.split("step=")[1].split("_")[0]) for p in made.rglob("*step=*.ckpt")]
    return {
        "by": "neural-amp-modeler", "network": "its own, packed A2" if packed else
        f"A1 {options.size}", "minutes": options.minutes, "steps": max(steps, default=None),
        "esr": round(held_out(found[-1], signal, wet), 5),
    }  # fmt: skip


def by_knob(signal: Signal, folder: Path, options: Any) -> tuple[list[Row], list[Row]]:
    """The circuit at three positions of its gain as one model: ESR there and between, and THD."""
    x, rows, bends = signal.samples.astype(float), [], []
    knob = Parameter("gain", POSITIONS[0], POSITIONS[-1], POSITIONS[1])
    takes = [Take(hear(signal, circuit(x, v).astype(np.float32)).wet, (v,)) for v in POSITIONS]
    made = make(
        signal, takes, folder / "turned.onnx", knobs=[knob], threads=options.threads,
        minutes=options.minutes, size=options.size, good=0.0,
        say=lambda words: print(words, flush=True),
    )  # fmt: skip
    begin, end = signal.judge
    for at in sorted((*POSITIONS, *BETWEEN)):
        wet = hear(signal, circuit(x, at).astype(np.float32)).wet[begin:end]
        y = play_model(made.model, signal.samples[:end], {"gain": at})[begin:]
        error = float(np.sum((y - wet) ** 2) / np.sum(wet.astype(float) ** 2))
        rows.append({"gain": at, "taught": at in POSITIONS, "esr": round(error, 5)})
    tone = sine(4 * RATE, SINE, RATE, 0.25)[0]
    for at in np.arange(POSITIONS[0], POSITIONS[-1] + 0.5, 0.5):
        y = play_model(made.model, tone, {"gain": float(at)})[2 * RATE :]
        theirs = circuit(tone.astype(float), float(at))[2 * RATE :]
        bends.append({
            "gain": float(at), "thd_db": round(fit(y, SINE, RATE)[1], 1),
            "true_db": round(fit(theirs, SINE, RATE)[1], 1),
        })  # fmt: skip
    return rows, bends


PACKED = (
    "import json; from nam.train.core import _get_packed_model_config as c; print(json.dumps(c()))"
)


def their_network(size: str) -> dict[str, Any]:
    """The network of :class:`train.capture.network.CaptureNet` in the words of their trainer."""
    wide, narrow = SIZES[size]
    plain = {
        "condition_size": 1, "kernel_size": KERNEL, "dilations": list(DILATIONS),
        "activation": "Tanh", "gated": False,
    }  # fmt: skip
    layers = []
    for inputs, channels, outputs, bias in ((1, wide, narrow, False), (wide, narrow, 1, True)):
        head = {"out_channels": outputs, "kernel_size": 1, "bias": bias}
        layers.append({"input_size": inputs, "channels": channels, "head": head, **plain})
    return {"layers_configs": layers, "head_scale": 0.02}


def main(argv: list[str]) -> int:
    """Print the table; ``--json`` keeps it."""
    parser = argparse.ArgumentParser(prog="restyle bench captured", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, for each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", choices=list(SIZES), default="feather")
    parser.add_argument("--only", default="", help="parts of the gear's names, commas between")
    parser.add_argument("--plugin", type=Path, help="a VST3 instead of pedalboard's distortion")
    parser.add_argument("--capture", type=Path, help="a .nam instead of tube-amp")
    parser.add_argument(
        "--trainer", type=Path, metavar="nam-full",
        help="where 'pip install neural-amp-modeler' put it; without it restyle stands alone",
    )  # fmt: skip
    parser.add_argument("--packed", action="store_true", help="their own network, too")
    parser.add_argument("--knob", action="store_true", help="three positions of the circuit's gain")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(argv)
    check_writable(options.json)
    found = shutil.which(options.trainer) if options.trainer else None
    if options.trainer and not found:
        raise ConfigError(f"--trainer is the program nam-full, got '{options.trainer}'")
    options.trainer = Path(found).absolute() if found else None
    names = [options.plugin.stem if options.plugin else "Distortion"]
    names += [options.capture.stem if options.capture else "tube-amp"]
    gear: dict[str, Callable[[Array], Array]] = {
        "circuit: diode clipper": circuit,
        f"plug-in: {names[0]}": plugin(options.plugin),
        f"network: {names[1]}": network(options.capture),
    }
    if options.capture is not None:
        read_capture(options.capture)
    report = Report("captured", " ".join(["restyle bench captured", *argv]))
    signal, rows = make_signal(), []
    for at, (name, through) in enumerate(gear.items()):
        if not any(part in name for part in options.only.split(",")):
            continue
        rng = np.random.default_rng((SEED, at))
        take = recorded(through(signal.samples.astype(float)), at, rng)
        heard = hear(signal, take.astype(np.float32))
        report.note(f"{name}: {heard.words()}")
        for theirs in (None, False, True)[: 1 + bool(options.trainer) * (1 + options.packed)]:
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                if theirs is None:
                    row = by_restyle(signal, heard.wet, folder, options)
                else:
                    row = by_nam(signal, heard.wet, folder, options, packed=theirs)
            rows.append({"gear": name, **row})
            report.progress(str(rows[-1]))
    report.table("captured", "Captures of hidden gear", rows, COLUMNS)
    if options.knob:
        with tempfile.TemporaryDirectory() as place:
            turned, bends = by_knob(signal, Path(place), options)
        report.table(
            "knob", "One model of three positions",
            turned, {"gain": "gain", "taught": "taught", "esr": "ESR held out"},
        )  # fmt: skip
        report.table(
            "thd", "Distortion of a sine by the knob",
            bends, {"gain": "gain", "thd_db": "captured dB", "true_db": "circuit dB"},
        )  # fmt: skip
    if options.json:
        report.write(options.json)
    return 0
