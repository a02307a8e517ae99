"""Pictures of sounds side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

Array = npt.NDArray[np.float32]
N_FFT, HOP, RANGE_DB = 4096, 512, 80.0


def spectrograms(sounds: dict[str, Array], rate: int, path: Path, title: str) -> Path:
    """Write log-frequency spectrograms of some mono recordings as one PNG, 80 dB deep.

    All share one colour scale, whose top is the loudest bin of all.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("pictures need matplotlib; run: pip install 'restyle[train]'") from None
    window = np.hanning(N_FFT)
    levels = {}
    for name, x in sounds.items():
        padded = np.pad(x, (0, max(0, N_FFT - len(x))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP] * window
        levels[name] = 20 * np.log10(np.abs(np.fft.rfft(frames)).T + 1e-6)
    top = max(float(v.max()) for v in levels.values())
    hz = np.fft.rfftfreq(N_FFT, 1 / rate)
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (name, level) in enumerate(levels.items()):
        axes = figure.add_subplot(1, len(levels), place + 1)
        seconds = np.arange(level.shape[1] + 1) * HOP / rate
        mesh = axes.pcolormesh(
            seconds, hz[1:], level[1:-1], vmin=top - RANGE_DB, vmax=top, cmap="magma"
        )
        axes.set_yscale("log")
        axes.set_ylim(40, rate / 2)
        axes.set_title(name)
        axes.set_xlabel("s")
        if place == 0:
            axes.set_ylabel("Hz")
    figure.colorbar(mesh, ax=figure.axes, label="dB")
    figure.suptitle(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        figure.savefig(partial, format="png", dpi=90)
    return path
