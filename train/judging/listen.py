"""A blind listening test: one HTML page with its sounds inside, for any browser, without a network.

Two kinds of questions are asked.  A/B/X: is X the model or the true target?  Whoever hears no
difference is right half the time, so the count is judged by the exact binomial distribution.
And which of two anonymous sounds, the model and a rival, is closer to the true target?

All sounds of one question are equally loud (ITU-R BS.1770), since the louder one would win.  The
page shuffles its questions whenever it is loaded; what was which stands in a key that is encoded,
not in clear text, and is shown at the end.
"""

from __future__ import annotations

import base64
import io
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.audio_files import whole_file
from realtime.errors import ConfigError
from realtime.trust.hashes import content_hash

from ..data.pairs import Pair
from ..data.scores.render import SAMPLE_RATE
from ..fit.checkpoint import BEST, folder_of, load
from ..networks.layers import Streamable
from ..recipes import get_recipe
from ..recipes.base import Recipe
from ..recipes.player import PLAYERS
from .baselines import HAND_MADE, matched_eq
from .judges.level import SILENCE, loudness
from .run import clips, fingerprint

Array = npt.NDArray[np.float32]
TEMPLATE = Path(__file__).with_name("listen_page.html")
SECONDS, SHORTEST = 6.0, 1.0  # of a clip: at most, and when there are too many for one page
LEAST = 4096  # samples of a recording that is worth hearing
RECORDINGS, ALL_RECORDINGS = 3, 24  # of a style at most, and of a page if it has many styles
LARGEST = 25_000_000  # bytes of a page
LEVEL, PEAK = -23.0, 0.89  # LUFS of every sound, lowered together where one would peak above
MOST = 1000.0  # 60 dB: what is all but silent stays so


@dataclass(frozen=True)
class Excerpt:
    """Part of a test recording as ``model``, as ``oracle`` and as one rival, of one length."""

    style: str
    recording: str
    sounds: dict[str, Array]


def write_page(
    names: list[str],
    out: Path,
    log: Callable[[str], None] = print,
    rival: str | Path | None = None,
) -> Path:
    """Write the listening test of some styles into a folder; recipes never trained are left out.

    Bundled players are heard beside the true patch and the dry input, see
    :mod:`train.judging.listen_players`.

    Parameters
    ----------
    rival : str or Path, optional
        A model that players are heard beside in place of the dry input.

    Returns
    -------
    Path
        ``out/index.html``, of at most `LARGEST` bytes.

    Raises
    ------
    ConfigError
        None was trained, a checkpoint does not fit, data is missing, or there is too much; a rival
        is asked for and no player.
    ModelError
        There is no such rival.
    """
    from .listen_players import player_excerpts, player_file, rival_file

    names = list(dict.fromkeys(names))
    players = {name: player_file(name) for name in names if name in PLAYERS}
    if rival is not None and not players:
        raise ConfigError(f"--rival is for players; name one of {', '.join(PLAYERS)}")
    against = None if rival is None else rival_file(rival)
    recipes = [get_recipe(name) for name in names if name not in players]
    missing = [r.name for r in recipes if not (folder_of(r) / BEST).exists()]
    found = [(r, load(r)[0]) for r in recipes if r.name not in missing]
    if not found and not players:
        tried, first = ", ".join(missing) or "any style", (missing or ["NAME"])[0]
        raise ConfigError(f"there is no checkpoint of {tried} yet; run: restyle train fit {first}")
    if missing:
        log(f"never trained, left out: {', '.join(missing)}")
    count = max(1, min(RECORDINGS, ALL_RECORDINGS // max(1, len(found))))
    heard: list[Excerpt] = []
    for number, (recipe, network) in enumerate(found):
        heard += excerpts(recipe, network, count, number)
        log(f"{recipe.name}: {sum(e.style == recipe.name for e in heard)} recordings")
    for name in players:
        heard += player_excerpts(name, against)
        log(f"{name}: {sum(e.style == name for e in heard)} recordings")
    weights = {recipe.name: fingerprint(network) for recipe, network in found}
    files = players if against is None else {**players, "rival": against}
    weights |= {name: content_hash(file)[:16] for name, file in files.items()}
    page = fill(heard, {"weights": weights, "skipped": missing})
    try:
        out.mkdir(parents=True, exist_ok=True)
        with whole_file(out / "index.html") as partial:
            partial.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write into {out}: {error.strerror or error}") from None
    return out / "index.html"


def excerpts(recipe: Recipe, network: Streamable, count: int, number: int = 0) -> list[Excerpt]:
    """Convert a few held-out recordings and keep the fullest seconds of each.

    The rivals take turns from recording to recording, the first by the style's `number`.

    Raises
    ------
    ConfigError
        No test recording sounds for long enough, or the model's output is not finite.
    """
    data = recipe.data()
    chosen = choose(data.test, count, recipe.warm_up + recipe.latency)
    rivals = ("hand_made" if recipe.name in HAND_MADE else "copy", "matched_eq")
    found = []
    for made in clips(recipe, network, chosen, matched_eq(data.train)):
        rival = rivals[(number + len(found)) % len(rivals)]
        part = fullest(made.sounds["oracle"], round(SECONDS * SAMPLE_RATE))
        sounds = {k: made.sounds[k][part].copy() for k in ("model", "oracle", rival)}
        if not np.isfinite(sounds["model"]).all():
            again = f"train it again: restyle train fit {recipe.name} --fresh"
            raise ConfigError(f"the output of '{recipe.name}' is not finite; {again}")
        if sounds["oracle"].any():
            found.append(Excerpt(recipe.name, made.pair.name, sounds))
    if not found:
        raise ConfigError(f"'{recipe.name}' has no test recording with sound in it")
    return found


def choose(pairs: tuple[Pair, ...], count: int, lost: int) -> tuple[Pair, ...]:
    """Some recordings from all over the set, of full length rather than short ones."""
    long = lost + round(SECONDS * SAMPLE_RATE)
    full = [p for p in pairs if len(p.dry) >= long]
    short = [p for p in pairs if lost + LEAST <= len(p.dry) < long]
    pool = full + sorted(short, key=lambda p: -len(p.dry))[: max(0, count - len(full))]
    places = np.linspace(0, len(pool) - 1, min(count, len(pool))).round().astype(int)
    return tuple(pool[k] for k in places)


def fullest(signal: Array, n: int) -> slice:
    """Where `n` samples sound most: the highest mean level in dB, rests counted as -60 dB."""
    hop = SAMPLE_RATE // 20
    frames = len(signal) // hop
    if len(signal) <= n or frames <= n // hop:
        return slice(0, min(n, len(signal)))
    power = np.square(signal[: frames * hop].reshape(frames, hop), dtype=np.float64).mean(axis=1)
    level = np.log10(power + 1e-6 * power.max() + 1e-20)
    total = np.concatenate([[0.0], np.cumsum(level)])
    begin = int(np.argmax(total[n // hop :] - total[: len(total) - n // hop])) * hop
    return slice(begin, begin + n)


def matched(sounds: dict[str, Array]) -> dict[str, Array]:
    """Make the sounds of one recording equally loud, none of them above `PEAK`.

    By :func:`train.judging.judges.level.loudness`, or by mean power where its package is missing or
    a sound is too short or quiet for it.
    """
    try:
        levels = [loudness(x) for x in sounds.values()]
    except ConfigError:
        levels = [SILENCE]
    if min(levels) <= SILENCE:
        power = (float(np.square(x, dtype=np.float64).mean()) for x in sounds.values())
        levels = [10 * np.log10(p + 1e-20) for p in power]
    gains = {k: min(MOST, 10 ** ((LEVEL - db) / 20)) for k, db in zip(sounds, levels, strict=True)}
    highest = max(gains[k] * float(np.abs(x).max()) for k, x in sounds.items())
    together = min(1.0, PEAK / max(highest, 1e-9))
    return {k: x * np.float32(gains[k] * together) for k, x in sounds.items()}


def flac(samples: Array) -> str:
    """Mono sound at 48 kHz as 16-bit FLAC in base64."""
    file = io.BytesIO()
    whole = np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)
    soundfile.write(file, whole, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return base64.b64encode(file.getvalue()).decode("ascii")


def fill(heard: list[Excerpt], about: dict[str, Any]) -> str:
    """The page's text, its clips shortened until it is no larger than `LARGEST`, or ConfigError."""
    seconds = SECONDS
    while True:
        page = _filled(heard, about, round(seconds * SAMPLE_RATE))
        size = len(page.encode("utf-8"))
        if size <= LARGEST:
            return page
        seconds *= 0.97 * LARGEST / size
        if seconds < SHORTEST:
            raise ConfigError(f"{len(heard)} recordings are too many for a page; name fewer styles")


def _filled(heard: list[Excerpt], about: dict[str, Any], n: int) -> str:
    chance = secrets.SystemRandom()
    sounds, rows = [], []
    for excerpt in chance.sample(heard, len(heard)):
        ids = {name: secrets.token_hex(6) for name in excerpt.sounds}
        cut = matched({name: x[:n] for name, x in excerpt.sounds.items()})
        sounds += [(ids[name], flac(x)) for name, x in cut.items()]
        rows.append({"style": excerpt.style, "recording": excerpt.recording, "sounds": ids})
    chance.shuffle(sounds)
    key = base64.b64encode(json.dumps({**about, "recordings": rows}).encode("ascii"))
    page = TEMPLATE.read_text(encoding="utf-8").replace("@KEY@", key.decode("ascii"))
    return page.replace("@SOUNDS@", json.dumps(dict(sounds), indent=0))
