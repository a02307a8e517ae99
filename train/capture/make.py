"""From takes to files: a restyle model and a ``.nam``, or a sentence why not."""

from __future__ import annotations

import datetime
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from realtime.audio_files import read_audio
from realtime.errors import ConfigError, ModelError, RestyleError
from realtime.models.metadata import read_metadata
from realtime.models.nam.build import Variant
from realtime.models.nam.convert import (
    CAPTURE_KEY,
    HOP,
    make_player,
    null_db,
    to_onnx,
    unpack_capture,
)
from realtime.models.nam.file import Capture
from realtime.models.nam.knobs import MOST, check_name
from realtime.parameters.parameter import Parameter
from realtime.proof.verify import verify

from ..data.pairs import Pair
from ..judging.baselines import apply_eq, matched_eq
from ..judging.judges import timbre
from ..losses import stft_distance
from ..own.compare import judges_are_here
from ..own.keep import Origin
from .fit import KEPT, Fitted, Look, Take, fit
from .fit import play as play_network
from .heard import Heard, Refused, hear
from .network import CaptureNet
from .signal import RATE, Signal, make_signal

Array = npt.NDArray[np.float32]
Row = dict[str, float]
SAME = 1e-3  # largest difference of the dry file from the signal
FARTHEST, CLOSEST = 1e6, 50.0  # of a knob's positions: value, and value over their distance
PROOF_DB = -100.0  # of the written file against the network that was trained
SO_FAR = "so-far.nam"
DECIDE = {"esr", "embedding"}  # judges that a capture must win by


class NotBetter(RestyleError):
    """The capture is no better than doing nothing, or than an equaliser; nothing was written."""


@dataclass(frozen=True)
class Gear:
    """What the card says of the gear.

    Attributes
    ----------
    input_level_dbu, output_level_dbu : float or None
        What full scale stood for at the gear's input and output.
    """

    title: str = ""
    kind: str = ""
    origin: Origin = Origin()
    input_level_dbu: float | None = None
    output_level_dbu: float | None = None

    def metadata(self, name: str) -> dict[str, Any]:
        """As it stands in a ``.nam`` file."""
        now = datetime.datetime.now()
        said = {
            "name": self.title or name,
            "gear_type": self.kind or None,
            "modeled_by": self.origin.owner,
            "license": self.origin.licence,
            "input_level_dbu": self.input_level_dbu,
            "output_level_dbu": self.output_level_dbu,
            "date": {"year": now.year, "month": now.month, "day": now.day},
        }
        return {k: v for k, v in said.items() if v is not None}


@dataclass(frozen=True)
class Made:
    """What came of it: the files, and the rows of the judgment by take."""

    model: Path
    captures: tuple[Path, ...]
    rows: tuple[dict[str, Row], ...]
    fitted: Fitted


def check_dry(path: Path) -> Signal:
    """The signal, if `path` is it.

    Raises
    ------
    ConfigError
        It is another sound.
    """
    signal, clip = make_signal(), read_audio(path)
    n, sound = len(signal.samples), clip.samples[0]
    if clip.sample_rate != RATE or len(sound) != n or np.max(np.abs(sound - signal.samples)) > SAME:
        raise ConfigError(
            f"{path} is not the capture signal; write it with 'restyle capture signal"
            " signal.wav', or for pairs of your own use 'restyle train paired'"
        )
    return signal


def read_take(
    signal: Signal, path: Path, channel: int | None = None, converter: bool = True
) -> Heard:
    """A recording of the signal, judged; refusals name the file.

    Raises
    ------
    Refused
    """
    clip = read_audio(path)
    try:
        return hear(signal, clip.samples, clip.sample_rate, channel, converter)
    except Refused as refused:
        raise Refused(refused.cause, f"{path.name}: {refused}") from None


def read_places(
    texts: Sequence[str], takes: int
) -> tuple[list[Parameter], list[tuple[float, ...]]]:
    """Knobs and where they stood in each take, from ``gain=2`` or ``gain=2,bass=5``.

    Raises
    ------
    ConfigError
        Not one text for each take, other knobs in one than in another, or a knob never turned.
    """
    if not texts and takes == 1:
        return [], [()]
    if len(texts) != takes:
        raise ConfigError(
            f"{takes} takes and {len(texts)} --knob; give one --knob NAME=VALUE before each take"
        )
    places: list[dict[str, float]] = []
    for text in texts:
        place: dict[str, float] = {}
        for part in text.split(","):
            name, equals, value = part.partition("=")
            if name.strip() in place:
                raise ConfigError(f"--knob names '{name.strip()}' twice in '{text}'")
            try:
                place[check_name(name.strip())] = float(value)
            except (ValueError, ModelError) as error:
                raise ConfigError(
                    f"--knob is NAME=VALUE, such as gain=2, got '{text}': {error}"
                ) from None
        places.append(place)
    names = list(places[0])
    if len(names) > MOST:
        raise ConfigError(f"a capture has at most {MOST} knobs, got {len(names)}")
    knobs = []
    for name in names:
        if any(set(p) != set(names) for p in places):
            raise ConfigError("every --knob must name the same knobs, such as gain=2,bass=5")
        values = sorted({p[name] for p in places})
        if not all(abs(v) < FARTHEST for v in values):  # NaN is not, either
            raise ConfigError(
                f"a knob stands within -{FARTHEST:g} and {FARTHEST:g}; '{name}' does not"
            )
        if len(values) < 2:
            raise ConfigError(f"knob '{name}' needs takes at two positions or more")
        if min(np.diff(values)) * CLOSEST < max(map(abs, values)):
            raise ConfigError(
                f"positions of '{name}' are closer together than a {CLOSEST:g}th of their value;"
                " count from the lowest, such as 0, 3 and 6"
            )
        knobs.append(Parameter(name, values[0], values[-1], values[len(values) // 2]))
    settings = [tuple(p[n] for n in names) for p in places]
    if len(set(settings)) < len(settings):
        raise ConfigError("two takes have the knobs at the same positions; leave one out")
    return knobs, settings


def make(
    signal: Signal,
    takes: Sequence[Take],
    out: Path,
    *,
    gear: Gear | None = None,
    knobs: Sequence[Parameter] = (),
    heard: Sequence[Heard] = (),
    say: Callable[[str], None] = print,
    threads: int = 1,
    **fitting: Any,
) -> Made:
    """Train, judge and write ``OUT.onnx`` and ``OUT.nam``, with knobs a ``.nam`` for each take.

    Parameters
    ----------
    out : Path
        Ends in .onnx.
    heard : sequence of Heard
        What was found of the takes, for the card.
    fitting
        See :func:`train.capture.fit.fit`.

    Raises
    ------
    NotBetter
        The held-out part says no.
    ConfigError, ModelError
        A place that cannot be written; the written file is not what was trained.
    """
    torch.set_num_threads(threads)
    gear = gear or Gear()
    work = out.with_suffix(".training")
    for file in (out, out.with_suffix(".nam")):
        if file.is_dir():
            raise ConfigError(f"{file} is a folder; name a file that can be written")
    try:
        work.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {work}: {error.strerror}") from None
    if (work / KEPT).exists():
        say(f"going on with the training in {work}, if it is of the same takes")
    said = gear.metadata(out.stem)

    def show(look: Look, best: CaptureNet) -> None:
        middle = [k.default for k in knobs]
        write_nam(best.capture(said, middle), work / SO_FAR)
        say(
            f"{look.seconds / 60:5.1f} min  step {look.steps:5}  loss {look.loss:.4f}"
            f"  held-out ESR {look.esr:.4f}  best {look.best:.4f}"
        )

    say(f"the sound so far plays by: restyle live --model {work / SO_FAR}")
    fitted = fit(signal, takes, knobs=knobs, folder=work, show=show, **fitting)
    net = fitted.network
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}.") as place:
        trial = Path(place) / out.name
        said["loudness"] = round(_loudness(net, signal), 2)
        _write_model(net.capture(said), trial)
        written = read_model(trial)
        rows = tuple(_judge(signal, take, net, written) for take in takes)
        for take, row in zip(takes, rows, strict=True):
            _check_better(take, knobs, row)
        said["training"] = {
            "held_out": {
                name: {k: float(f"{v:.4g}") for k, v in row.items()}
                for name, row in max(rows, key=lambda r: r["capture"]["esr"]).items()
            },
            "esr": [round(v, 6) for v in fitted.esr],
            "takes": [dict(zip([k.name for k in knobs], t.values, strict=True)) for t in takes],
            "steps": fitted.steps,
            "minutes": round(fitted.seconds / 60, 2),
            "ended": fitted.ended,
            "signal": "restyle capture signal",
            "found": [h.words() for h in heard],
        }
        _write_model(net.capture(said), trial)
        _check_proof(trial)
        places = [t.values for t in takes] if knobs else [()]
        captures = []
        for values in places:
            words = "".join(f"-{k.name}{v:g}" for k, v in zip(knobs, values, strict=True)).replace(
                ".", "_"
            )
            file = Path(place) / f"{out.stem}{words}.nam"
            write_nam(net.capture(said, values), file)
            captures.append(file)
        for file in (trial, *captures):
            os.replace(file, out.parent / file.name)
    shutil.rmtree(work, ignore_errors=True)
    return Made(out, tuple(out.parent / c.name for c in captures), rows, fitted)


def write_nam(capture: Capture, path: Path) -> None:
    """Write a capture as the file that plug-ins read, whole or not at all.

    Raises
    ------
    ConfigError
        It cannot be written.
    """
    data = {
        "version": capture.version,
        "metadata": capture.metadata,
        "architecture": capture.architecture,
        "config": capture.config,
        "weights": capture.weights.tolist(),
        "sample_rate": capture.sample_rate,
    }
    partial = path.with_suffix(".part")
    try:
        partial.write_text(json.dumps(data), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def table(rows: Mapping[str, Row]) -> str:
    """The judgment in columns."""
    heads = list(next(iter(rows.values())))
    lines = [f"{'held-out playing':18}" + "".join(f"{h:>15}" for h in heads)]
    lines += [f"{n:18}" + "".join(f"{r[h]:15.4g}" for h in heads) for n, r in rows.items()]
    return "\n".join(lines)


def _write_model(capture: Capture, path: Path) -> None:
    _, data = to_onnx(Variant("", capture), path.stem)
    path.write_bytes(data)


def _check_proof(path: Path) -> None:
    bad = [c for c in verify(path) if not c.passed]
    if bad:
        raise ModelError(f"the capture's proof fails: {bad[0].name} ({bad[0].found})")


def _loudness(net: CaptureNet, signal: Signal) -> float:
    """RMS of the capture's sound of the held-out playing [dB], knobs in the middle."""
    x = signal.samples[slice(*signal.judge)]
    y = play_network(net, x, [k.default for k in net.knobs])
    return 10 * math.log10(float(np.mean(np.square(y, dtype=np.float64))) + 1e-12)


def read_model(path: Path) -> Capture:
    """The capture inside a model file."""
    return unpack_capture(read_metadata(path.read_bytes())[CAPTURE_KEY])


def _play(capture: Capture, x: Array, controls: Mapping[str, float]) -> Array:
    """Stream ``x [n]`` through the player's kernel: no limiter, which loud gear would meet."""
    model = make_player(Variant("", capture), "capture", 1, HOP)
    for at, control in enumerate(model.card.controls):
        model.controls[0, at] = controls.get(control.name, control.default)
    blocks = np.pad(x, (0, -len(x) % HOP)).reshape(-1, 1, 1, HOP)
    return np.concatenate([model.step(block).ravel() for block in blocks])[: len(x)]


def _judge(signal: Signal, take: Take, net: CaptureNet, written: Capture) -> dict[str, Row]:
    """Copy, matched EQ and the written capture on the playing that was held out."""
    begin, end = signal.judge
    warm = net.reach
    x, target = signal.samples[begin - warm : end], take.wet[begin:end]
    made = _play(written, x, dict(zip([k.name for k in net.knobs], take.values, strict=True)))[
        warm:
    ]
    expected = play_network(net, x, take.values)[warm:]
    apart = null_db(made, expected.astype(np.float64))
    if not apart <= PROOF_DB:
        raise ModelError(f"the written file is {apart:.0f} dB from the network; this is a bug")
    dry = x[warm:]
    learn = slice(*signal.learn)
    gain = float(dry.astype(np.float64) @ target / (dry @ dry + 1e-12))
    equalised = apply_eq(x, matched_eq((Pair("", signal.samples[learn], take.wet[learn]),)))
    turned = np.copysign(np.float32(1), np.float32(gain))  # gear that inverts, inverts that, too
    sounds = {"copy": gain * dry, "matched EQ": turned * equalised[warm:], "capture": made}
    outside = timbre.embed([target]).mean(axis=0) if judges_are_here() else None
    rows = {}
    for name, y in sounds.items():
        y = np.ascontiguousarray(y, dtype=np.float32)
        a, b = torch.from_numpy(y)[None], torch.from_numpy(np.ascontiguousarray(target))[None]
        error = float(np.sum((y - target) ** 2) / (np.sum(target**2) + 1e-30))
        rows[name] = {"esr": error, "stft_distance": float(stft_distance(a, b))}
        if outside is not None:
            found = timbre.embed([y]).mean(axis=0)
            rows[name]["embedding"] = float(np.linalg.norm(found - outside))
    return rows


def _check_better(take: Take, knobs: Sequence[Parameter], rows: Mapping[str, Row]) -> None:
    for judge in DECIDE & rows["capture"].keys():
        value = rows["capture"][judge]
        for other in ("copy", "matched EQ"):
            if not value < rows[other][judge]:
                at = ", ".join(f"{k.name} {v:g}" for k, v in zip(knobs, take.values, strict=True))
                raise NotBetter(
                    f"the capture{f' at {at}' if at else ''} is no better than"
                    f" {'doing nothing' if other == 'copy' else 'an equaliser'} on playing that it"
                    f" never heard ({judge} {value:.3g}, {other} {rows[other][judge]:.3g}); nothing"
                    " was written — give --minutes more (what was learnt stays in"
                    " NAME.training), a larger --size, or look at the recording"
                )
