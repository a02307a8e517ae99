"""Learning curves as one picture, for people without TensorBoard."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .log import LOG, read_log

CURVES = "curves.png"


def smooth(values: npt.NDArray[np.float64], span: int) -> npt.NDArray[np.float64]:
    """Mean of the last `span` values, fewer at the beginning."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - span)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def draw_curves(
    folder: Path, history: list[tuple[int, float]], copy_loss: float | None = None
) -> Path | None:
    """Write ``curves.png``: training loss, validation, what copying the input gives, rates.

    Returns
    -------
    Path or None
        None where there is nothing to draw yet or no room to write it: a picture must not end a
        training.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    log = read_log(folder / LOG)
    if not log and not history:
        return None
    figure = Figure(figsize=(8, 6), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    loss, rates = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    steps = np.array([entry["step"] for entry in log], dtype=float)
    if log:
        values = np.array([entry["loss"] for entry in log])
        loss.plot(steps, values, color="0.85", linewidth=0.6)
        loss.plot(steps, smooth(values, max(1, len(values) // 50)), label="training")
        rates.plot(steps, [entry["rate"] for entry in log], color="C2")
    if history:
        loss.plot(*zip(*history, strict=True), "o-", markersize=3, label="validation")
    if copy_loss is not None:
        loss.axhline(copy_loss, color="0.4", linestyle="--", label="input handed through")
    seen = [entry["loss"] for entry in log] + [value for _, value in history]
    if seen and min(seen) > 0:
        loss.set_yscale("log")
        loss.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
        loss.yaxis.set_major_formatter("{x:g}")
        loss.yaxis.set_minor_formatter(NullFormatter())
    loss.set_ylabel("loss")
    loss.set_title(folder.name)
    loss.legend()
    rates.set_ylabel("learning rate")
    rates.set_xlabel("step")
    target = folder / CURVES
    partial = target.with_suffix(".part")
    try:
        canvas.print_figure(str(partial), format="png", dpi=100)
        os.replace(partial, target)
    except OSError:
        partial.unlink(missing_ok=True)
        return None
    return target
