"""``restyle bench generator``: an hour of a generator's music in virtual time.

Is it bounded, does it repeat, is the same seed the same music?  What is looked for is a loop: the
loudness of bands ten times a second, minus its mean, against itself at every later time.  The
same search over music that does loop (the player's own ``loop``) shows that it would be found.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError
from realtime.models.catalog import find_model
from realtime.models.load import open_model

from ..rig.tables import Report, Row

Floats = npt.NDArray[np.float64]
FRAME_HOPS = 36  # 96 ms at hops of 128 samples
BANDS = 24
LOOP_S = 30  # of the music that loops on purpose
NEAREST_S = 5.0  # later than that counts as coming back
SAME_S = 60.0  # how much of a seed is made again


def play(
    path: Path, seconds: float, settings: dict[str, float], keep: float = 0.0
) -> tuple[Floats, Floats, npt.NDArray[np.float32]]:
    """Features ``[frames, BANDS]``, peak and power per frame ``[frames, 2]``, first samples.

    The engine's own step, hop after hop; only what is asked for is kept.
    """
    with closing(open_model(path)) as player:
        card = player.card
        names = [c.name for c in card.controls]
        for name, value in settings.items():
            player.controls[0, names.index(name)] = value
        hop, rate = card.hop_length, card.sample_rate
        n = FRAME_HOPS * hop
        edges = np.geomspace(60, 6000, BANDS + 1) / rate * n
        bins = np.clip(np.round(edges).astype(int), 1, n // 2)
        window = np.hanning(n)
        features, levels, kept = [], [], []
        for frame in range(round(seconds / (n / rate))):
            x = np.concatenate([player.step(player.x)[0, 0] for _ in range(FRAME_HOPS)])
            if frame < round(keep * rate / n):
                kept.append(x)
            power = np.square(np.abs(np.fft.rfft(x * window)))
            bands = [
                power[a : max(b, a + 1)].sum() for a, b in zip(bins[:-1], bins[1:], strict=True)
            ]
            features.append(np.log10(np.array(bands) + 1e-6))
            levels.append((np.abs(x).max(), np.square(x, dtype=np.float64).mean()))
    sound = np.concatenate(kept) if kept else np.zeros(0, np.float32)
    return np.array(features), np.array(levels), sound


def coming_back(features: Floats, frame_s: float) -> tuple[float, float]:
    """Highest autocorrelation of the features at a lag of seconds, and that lag.

    Every lag from :data:`NEAREST_S` to half of the music, normalised by both parts' own power: 1
    is an exact repetition.
    """
    x = features - features.mean(axis=0)
    n = len(x)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(x, size, axis=0)
    product = np.fft.irfft(np.square(np.abs(spectrum)), size, axis=0).sum(axis=1)
    power = np.r_[0.0, np.cumsum(np.square(x).sum(axis=1))]
    lags = np.arange(round(NEAREST_S / frame_s), n // 2)
    early, late = power[n - lags], power[n] - power[lags]
    found = product[lags] / np.sqrt(early * late)
    best = int(np.argmax(found))
    return float(found[best]), float(lags[best] * frame_s)


def _decibel(power: float) -> float:
    return float(10 * np.log10(power + 1e-12))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(prog="restyle bench generator", description=__doc__)
    parser.add_argument("--model", default="endless-keys", help="a generator")
    parser.add_argument("--minutes", type=float, default=60.0, help="of music")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="also write the tables there")
    options = parser.parse_args(argv)
    if not 1.0 <= options.minutes <= 600.0:
        raise ConfigError(f"--minutes must be within 1..600, got {options.minutes:g}")
    path = find_model(options.model)
    with closing(open_model(path)) as player:
        if player.card.kind != "generator":
            raise ConfigError(f"'{options.model}' is no generator; one is endless-keys")
        frame_s = FRAME_HOPS * player.card.hop_length / player.card.sample_rate
    settings = {"seed": float(options.seed)}
    features, levels, first = play(path, 60 * options.minutes, settings, SAME_S)
    print(f"{options.minutes:g} minutes made", flush=True)
    _, _, again = play(path, SAME_S, settings, SAME_S)
    _, _, other = play(path, SAME_S, {"seed": options.seed + 1.0}, SAME_S)
    looped, _, _ = play(path, 8.0 * LOOP_S, {**settings, "loop": LOOP_S})
    found, lag = coming_back(features, frame_s)
    control, control_lag = coming_back(looped, frame_s)
    parts = np.array_split(levels, max(1, round(options.minutes / 10)))
    minutes = np.array_split(levels, max(1, round(options.minutes)))
    power = [_decibel(m[:, 1].mean()) for m in minutes]
    rows: list[Row] = [
        {"what": "minutes", "value": options.minutes},
        {"what": "samples that are not finite", "value": int((~np.isfinite(levels[:, 0])).sum())},
        {"what": "peak", "value": float(levels[:, 0].max())},
        {"what": "softest minute dBFS", "value": min(power)},
        {"what": "loudest minute dBFS", "value": max(power)},
        {"what": "highest autocorrelation", "value": found},
        {"what": "its lag s", "value": lag},
        {"what": f"the same of music looped at {LOOP_S} s", "value": control},
        {"what": "its lag s, looped", "value": control_lag},
        {"what": "samples that differ, same seed", "value": int((first != again).sum())},
        {"what": "samples that differ, next seed", "value": int((first != other).sum())},
    ]
    course: list[Row] = [
        {"ten minutes": k + 1, "peak": float(p[:, 0].max()), "dBFS": _decibel(p[:, 1].mean())}
        for k, p in enumerate(parts)
    ]
    report = Report("generator", " ".join(["restyle bench generator", *(argv or [])]))
    columns = {"what": "what", "value": "value"}
    report.table("generator", "Music without end", rows, columns)
    report.table("course", "Its course", course, {k: k for k in course[0]})
    if options.json:
        report.write(Path(options.json))
    bounded = bool(np.isfinite(levels).all()) and float(levels[:, 0].max()) <= 1.0
    same = np.array_equal(first, again) and not np.array_equal(first, other)
    return 0 if bounded and same and found < 0.5 < control else 1


if __name__ == "__main__":
    raise SystemExit(main())
