"""``restyle bench rates``: fixed conversions between sample rates, quality, latency and cost.

Everything is measured on sines that went through :class:`realtime.dsp.resample.Resampler`; times
are the least of several rounds, soxr's beside ours in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soxr

from realtime.dsp.resample import Resampler, process_block
from realtime.dsp.round_trip import RoundTrip

from ..rig.sines import fit, sine
from ..rig.tables import Report, Row, as_command

PAIRS = (
    (44100, 48000),
    (48000, 44100),
    (96000, 48000),
    (48000, 96000),
    (16000, 48000),
    (48000, 16000),
)
DEVICES = ((48000, 44100), (44100, 48000), (48000, 16000), (48000, 24000), (96000, 48000))
BLOCK, ROUNDS = 128, 7
HEARD_HZ = 20000.0
COLUMNS = {
    "from_hz": "from Hz",
    "to_hz": "to Hz",
    "taps": "taps",
    "latency_samples": "latency (samples out)",
    "latency_ms": "ms",
    "passband_hz": "passband Hz",
    "passband_db": "loss there dB",
    "distortion_db": "THD+N 997 Hz dB",
    "worst_distortion_db": "worst in band dB",
    "alias_db": "worst alias dB",
    "cpu_percent": "CPU % of real time",
    "soxr_hq_percent": "soxr HQ %",
}
TRIPS = {
    "device_hz": "device Hz",
    "model_hz": "model Hz",
    "latency_samples": "round trip (device samples)",
    "latency_ms": "ms",
}


def _through(in_rate: int, out_rate: int, frequency: float) -> np.ndarray:
    """One second of a sine of amplitude 0.5, converted, without its beginning."""
    converter = Resampler(in_rate, out_rate, 1)
    x = sine(in_rate, frequency, in_rate)
    return converter.process(x)[0, out_rate // 4 :]


def _alias_db(in_rate: int, out_rate: int, stopband_hz: float) -> float | None:
    """Loudest thing heard of sines between the stopband and the input's Nyquist frequency."""
    if stopband_hz >= in_rate / 2:
        return None
    worst = -np.inf
    for frequency in np.linspace(stopband_hz, in_rate / 2 - 20, 24):
        y = _through(in_rate, out_rate, frequency)[:16384]
        spectrum = np.abs(np.fft.rfft(y * np.blackman(y.size))) / (0.42 * y.size / 2)
        heard = np.fft.rfftfreq(y.size, 1 / out_rate) < HEARD_HZ
        worst = max(worst, 20 * np.log10(spectrum[heard].max() / 0.5))
    return round(float(worst), 1)


def _least(run: Callable[[], object]) -> float:
    run()
    best = np.inf
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best


def rows_for(in_rate: int, out_rate: int) -> Row:
    """Measure one conversion."""
    converter = Resampler(in_rate, out_rate, 1)
    edge = converter.filter.passband_hz
    tones = [_through(in_rate, out_rate, f) for f in np.linspace(40.0, edge, 16)]
    inside = [fit(y, f, out_rate) for y, f in zip(tones, np.linspace(40.0, edge, 16), strict=True)]
    blocks = [
        np.ascontiguousarray(b) for b in np.split(sine(BLOCK * 375, 997.0, in_rate), 375, axis=1)
    ]
    y = np.empty((1, converter.most(BLOCK)), dtype=np.float32)

    def own() -> None:
        for block in blocks:
            process_block(converter.address, block, y)

    def other() -> None:
        stream = soxr.ResampleStream(in_rate, out_rate, 1, "float32", "HQ")
        for block in blocks:
            stream.resample_chunk(block[0])

    seconds = BLOCK * len(blocks) / in_rate
    return {
        "from_hz": in_rate,
        "to_hz": out_rate,
        "taps": converter.filter.taps,
        "latency_samples": int(converter.latency),
        "latency_ms": round(1000 * converter.latency / out_rate, 3),
        "passband_hz": round(edge),
        "passband_db": round(20 * np.log10(inside[-1][0] / 0.5), 3),
        "distortion_db": round(fit(_through(in_rate, out_rate, 997.0), 997.0, out_rate)[1], 1),
        "worst_distortion_db": round(max(d for _, d in inside), 1),
        "alias_db": _alias_db(in_rate, out_rate, converter.filter.stopband_hz),
        "cpu_percent": round(100 * _least(own) / seconds, 3),
        "soxr_hq_percent": round(100 * _least(other) / seconds, 3),
    }


def trip_rows() -> list[Row]:
    """Latency of a model of another rate, without the model."""
    rows: list[Row] = []
    for device, model in DEVICES:
        latency = RoundTrip(device, model, 1).latency
        rows.append(
            {
                "device_hz": device,
                "model_hz": model,
                "latency_samples": latency,
                "latency_ms": round(1000 * latency / device, 3),
            }
        )
    return rows


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="restyle bench rates", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    report = Report("rates", "restyle bench rates")
    rows = []
    for pair in PAIRS:
        report.progress(f"converting {pair[0]} Hz to {pair[1]} Hz")
        rows.append(rows_for(*pair))
    report.table("rates", f"One channel, blocks of {BLOCK} samples", rows, COLUMNS)
    report.table("round_trips", "To a model of another rate and back", trip_rows(), TRIPS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    as_command(main)
