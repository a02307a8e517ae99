"""Play noise into a model for minutes and watch that nothing grows, sticks or breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..models.steppable import Steppable
from ..parameters.parameter import Parameter
from ..stages.model import model_path

PART_SECONDS = 2.0


@dataclass(frozen=True)
class Soak:
    """What was seen.

    Attributes
    ----------
    seconds : float
        Of sound played.
    peak, last_level_db : float
        Largest sample; level of the last part, played at the level of the first.
    first_level_db : float
    resets : int
        How often the model's state had to be thrown away because it was not finite.
    finite : bool
    """

    seconds: float
    peak: float
    first_level_db: float
    last_level_db: float
    resets: int
    finite: bool
    comparable: bool = True  # a generator's music is louder and softer as it goes

    @property
    def passed(self) -> bool:
        """Finite, within full scale, no resets, and as loud at the end as at the beginning."""
        steady = not self.comparable or abs(self.last_level_db - self.first_level_db) < 6.0
        return self.finite and self.peak <= 1.0 and self.resets == 0 and steady


def _drawn(rng: np.random.Generator, control: Parameter) -> float:
    value = float(rng.uniform(control.minimum, control.maximum))
    return float(round(value)) if control.kind == "categorical" else value


def soak(model: Steppable, minutes: float, seed: int = 0) -> Soak:
    """Noise at changing levels, silence, full scale and samples that are not numbers.

    Every two seconds the level changes (from silence to full scale), one part in eight holds NaN
    and infinities, and all controls move; the first and the last part are the same noise at the
    same setting.
    """
    rate, hop = model.card.sample_rate, model.card.hop_length
    path = model_path(model)
    (placed,) = (slot.placed for slot in path.slots())
    rng = np.random.default_rng(seed)
    n = max(1, round(PART_SECONDS * rate / hop)) * hop
    parts = max(3, round(minutes * 60.0 / PART_SECONDS))
    shape = (model.channels, n)
    probe = (0.1 * np.random.default_rng(seed + 1).standard_normal(shape)).astype(np.float32)
    defaults = {c.name: c.default for c in model.card.controls}
    peak, finite, levels = 0.0, True, []
    for part in range(parts):
        if part in (0, parts - 1):
            x, settings = probe, defaults
        else:
            x = rng.uniform(-1.0, 1.0, shape).astype(np.float32)
            x *= np.float32(rng.choice((0.0, 0.01, 0.1, 1.0)))
            if part % 8 == 0:
                x[:, rng.integers(0, n, 50)] = rng.choice((np.nan, np.inf, -np.inf))
            settings = {c.name: _drawn(rng, c) for c in model.card.controls}
        for name, value in settings.items():
            placed.aim(name, value)
        y = path.process_hops(x)
        finite = finite and bool(np.isfinite(y).all())
        peak = max(peak, float(np.nan_to_num(np.abs(y)).max()))
        late = y[:, n // 2 :].astype(np.float64)
        levels.append(10 * float(np.log10(np.mean(late**2) + 1e-12)))
    resets = int(path.counters()["resets"])
    comparable = model.card.kind != "generator"
    return Soak(parts * n / rate, peak, levels[0], levels[-1], resets, finite, comparable)
