"""What became of a voice: words, voicing, quality, speaker; each by a network of others.

pocketsphinx counts words, SwiftF0 says where a pitch is, DNSMOS (Reddy et al., ICASSP 2022)
estimates how listeners would rate the speech, Resemblyzer (Wan et al., ICASSP 2018) how alike two
speakers are.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from .packages import require

Array = npt.NDArray[np.float32]
RATE = 16000
VOICED = 0.5  # confidence, the package's default


def _low(samples: Array, rate: int) -> Array:
    """16 kHz, peak at most 0.9."""
    y = soxr.resample(samples, rate, RATE)
    return np.asarray(y * min(1.0, 0.9 / (np.abs(y).max() + 1e-9)), dtype=np.float32)


@cache
def _pitch() -> Any:
    return require("swift_f0").SwiftF0(threads=1)


def pitched(samples: Array, rate: int) -> tuple[Array, npt.NDArray[np.bool_], Array]:
    """Frequency in Hz, whether there is one, and peak level, frame by frame."""
    x = _low(samples, rate)
    found = _pitch().detect(x, RATE)
    voiced = np.asarray(found.confidence) > VOICED
    hop = len(x) / max(1, len(voiced))
    level = np.array(
        [np.abs(x[int(i * hop) : int((i + 1) * hop) + 1]).max() for i in range(len(voiced))]
    )
    return np.asarray(found.pitch_hz, dtype=np.float32), voiced, level.astype(np.float32)


def voiced_fraction(samples: Array, rate: int = 48000) -> float:
    """Share of sounding frames that have a pitch."""
    _, voiced, level = pitched(samples, rate)
    sounding = level > 0.05 * level.max(initial=0.0)
    return float(voiced[sounding].mean()) if sounding.any() else 0.0


def pitch_kept(samples: Array, source: Array, rate: int = 48000, cents: float = 50.0) -> float:
    """Share of the source's voiced frames whose pitch is still there, within `cents`."""
    (hz, voiced, _), (before, spoken, _) = (pitched(x, rate) for x in (samples, source))
    n = min(len(hz), len(before))
    off = 1200 * np.abs(np.log2(np.maximum(hz[:n], 1.0) / np.maximum(before[:n], 1.0)))
    same = voiced[:n] & (off <= cents)
    return float(same[spoken[:n]].mean()) if spoken[:n].any() else 0.0


@cache
def _decoder() -> Any:
    return require("pocketsphinx").Decoder(loglevel="FATAL")


def words(samples: Array, rate: int = 48000) -> str:
    """What an English recogniser understands."""
    x = (_low(samples, rate) * 32767).astype("<i2").tobytes()
    decoder = _decoder()
    decoder.start_utt()
    decoder.process_raw(x, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr if found is not None else ""


def plain(text: str) -> str:
    """Lower case, letters and apostrophes alone."""
    kept = "".join(c if c.isalpha() or c == "'" else " " for c in text.lower())
    return " ".join(kept.split())


def word_errors(texts: list[str], heard: list[str]) -> float:
    """Word error rate over all sentences."""
    return float(require("jiwer").wer([plain(t) for t in texts], [plain(h) or "-" for h in heard]))


def quality(samples: Array, rate: int = 48000) -> dict[str, float]:
    """DNSMOS of speech signal, background and overall, 1 to 5."""
    x = _low(samples, rate)
    with contextlib.redirect_stdout(io.StringIO()):
        found = require("speechmos.dnsmos").run(x, RATE)
    return {
        "mos_speech": float(found["sig_mos"]),
        "mos_background": float(found["bak_mos"]),
        "mos_overall": float(found["ovrl_mos"]),
    }


@cache
def _encoder() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports from names that scipy gave up
        return require("resemblyzer").VoiceEncoder("cpu", verbose=False)


def speaker(samples: Array, rate: int = 48000) -> Array:
    """Embedding of who speaks ``[256]``, of length one."""
    return np.asarray(_encoder().embed_utterance(_low(samples, rate)), dtype=np.float32)


def speaker_similarity(a: Array, b: Array, rate: int = 48000) -> float:
    """Cosine of two recordings' speaker embeddings; one voice is above 0.85 or so."""
    return float(speaker(a, rate) @ speaker(b, rate))
