"""Plots of an explanation, as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

Array = npt.NDArray[Any]
DPI = 90


def figure(width: float, height: float) -> tuple[Any, Any]:
    """A figure without a window.

    Raises
    ------
    ConfigError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("pictures need matplotlib; run: pip install 'restyle[train]'") from None
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made, made.add_subplot()


def png(made: Any) -> bytes:
    """The figure as a file's content."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def heat(
    values: Array,
    seconds: float,
    rows: Sequence[float],
    row_label: str,
    colour_label: str,
    *,
    signed: bool = False,
    limits: tuple[float, float] | None = None,
) -> bytes:
    """A map over time: ``values [rows, columns]``, `rows` in Hz on a logarithmic axis."""
    made, axes = figure(9.0, 3.2)
    edges = np.linspace(0.0, seconds, values.shape[1] + 1)
    at = np.asarray(rows, dtype=np.float64)
    bounds = np.concatenate(
        [[at[0] ** 1.5 / at[1] ** 0.5], np.sqrt(at[:-1] * at[1:]), [at[-1] ** 1.5 / at[-2] ** 0.5]]
    )
    low, high = limits or (float(values.min()), float(values.max()))
    if signed:
        high = float(np.quantile(np.abs(values), 0.995)) or 1.0
        low = -high
    mesh = axes.pcolormesh(
        edges, bounds, values, vmin=low, vmax=high, cmap="RdBu_r" if signed else "magma"
    )
    axes.set_yscale("log")
    axes.set_ylim(max(40.0, bounds[0]), min(20_000.0, bounds[-1]))
    axes.set_xlabel("time, s")
    axes.set_ylabel(row_label)
    made.colorbar(mesh, ax=axes, label=colour_label)
    return png(made)


def lines(
    x: Array, curves: dict[str, Array], x_label: str, y_label: str, *, log_x: bool = False
) -> bytes:
    """Curves over one axis."""
    made, axes = figure(9.0, 2.8)
    for name, y in curves.items():
        axes.plot(x, y, label=name, linewidth=1.4)
    if log_x:
        axes.set_xscale("log")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return png(made)
