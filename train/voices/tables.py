"""What a voice knows of its instrument: a row of numbers for every analysed note, kept in a file.

The file is a compressed numpy archive without objects: float16 tables of the analysed pitches and
``about``, JSON with name, origin and licence.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

Floats = npt.NDArray[np.float32]
LOWEST, NOTES = 28, 69  # MIDI pitch of the first row the ear hears, and how many
PARTIALS, BANDS = 24, 16
STRETCH, KNOTS = 0.01, 19  # an envelope's knots: STRETCH (2^(i/2) - 1) seconds after the onset
SILENT = -16.0  # natural logarithm of an amplitude that counts as nothing
LOUD_SECONDS, LOUD_DB = 0.6, -24.3  # how loud a voice is made (strings' own level), over what
LOUD_KEYS = (45, 80)
LARGEST = 1 << 24  # bytes of a voice's file
CENTRES = np.geomspace(150.0, 16000.0, BANDS)  # of the bands of noise, Hz
DEVIATION = 0.42 * float(np.log(CENTRES[1] / CENTRES[0]))  # of a band, of log frequency


def knots() -> npt.NDArray[np.float64]:
    """Times of an envelope's knots [s], dense where a note begins."""
    return np.asarray(STRETCH * (2.0 ** (np.arange(KNOTS) / 2.0) - 1.0))


def shapes(hz: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Power density of the bands of noise at frequencies above 0, each of power 1 in all.

    Normal distributions over the logarithm of the frequency: sums of them follow any slope and
    have edges nowhere.

    Returns
    -------
    ndarray [shape=(n, BANDS), 1/Hz]
    """
    away = np.log(hz[:, None] / CENTRES) / DEVIATION
    return np.asarray(np.exp(-0.5 * away**2) / (np.sqrt(2.0 * np.pi) * DEVIATION * hz[:, None]))


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a voice comes from.

    Attributes
    ----------
    name : str
    origin, licence : str
        What its notes were, and their licence (SPDX).
    lead : float
        Seconds of the attack that are skipped by default, to make up for a late ear.
    """

    name: str
    origin: str
    licence: str
    lead: float = 0.0


@dataclass(frozen=True)
class Tables:
    """One row a note; *sounds* are the partials, then bands of noise (:func:`shapes`).

    Attributes
    ----------
    pitches : ndarray [shape=(notes,)]
        MIDI numbers, rising.
    course : ndarray [shape=(notes, KNOTS, PARTIALS + BANDS)]
        Natural logarithm of amplitude at every knot, at full velocity.
    tail, release, touch : ndarray [shape=(notes, PARTIALS + BANDS)]
        Nepers a second after the last knot; by which it falls after the note's end; exponent of the
        velocity (0..1).
    ratio : ndarray [shape=(notes, PARTIALS)]
        Frequency over the equally tempered pitch's; 0 for none.
    steady, second, random : ndarray [shape=(notes, PARTIALS)]
        Amplitudes, of power 1 together, of the line itself, of another beside it, and of
        narrow-band noise around it.
    beat, width : ndarray [shape=(notes, PARTIALS)]
        Hz from the line to the second; the noise's corner frequency in Hz.
    """

    pitches: Floats
    course: Floats
    tail: Floats
    release: Floats
    touch: Floats
    ratio: Floats
    steady: Floats
    second: Floats
    random: Floats
    beat: Floats
    width: Floats

    def every(self) -> Tables:
        """The tables for every pitch that the ear hears: the nearest analysed note's."""
        wanted = LOWEST + np.arange(NOTES)
        near = np.abs(wanted[:, None] - self.pitches[None]).argmin(axis=1)
        rows = {f.name: getattr(self, f.name)[near] for f in fields(self)}
        return Tables(**{**rows, "pitches": wanted.astype(np.float32)})


def levelled(tables: Tables) -> Tables:
    """A voice made as loud as any other: the mean power of a note's first :data:`LOUD_SECONDS`.

    A voice that dies away is played on its beginnings alone, so its whole notes tell too little.
    """
    shift = np.float32(np.log(10.0) / 20.0 * (LOUD_DB - loudness(tables)))
    return replace(tables, course=np.maximum(tables.course + shift, SILENT))


def loudness(tables: Tables) -> float:
    """Level [dB] of notes at full velocity, their first :data:`LOUD_SECONDS`, A2 to G5."""
    course = tables.every().course[slice(*(k - LOWEST for k in LOUD_KEYS))]
    times, at = np.linspace(0.0, LOUD_SECONDS, 600), knots()
    spread = np.searchsorted(at, times, side="right").clip(1, KNOTS - 1)
    between = ((times - at[spread - 1]) / np.diff(at)[spread - 1])[:, None]
    levels = (1.0 - between) * course[:, spread - 1] + between * course[:, spread]
    power = np.mean(np.sum(0.5 * np.exp(2.0 * levels), axis=2), axis=1)
    return float(10.0 * np.mean(np.log10(power)))


def _shapes(notes: int) -> dict[str, tuple[int, ...]]:
    sounds = (notes, PARTIALS + BANDS)
    whole = {"pitches": (notes,), "course": (notes, KNOTS, PARTIALS + BANDS)}
    known = {f.name: (notes, PARTIALS) for f in fields(Tables)}
    return {**known, **dict.fromkeys(("tail", "release", "touch"), sounds), **whole}


def save(path: Path, tables: Tables, about: About) -> None:
    """Write a voice's file, whole or not at all."""
    rows = {f.name: getattr(tables, f.name).astype(np.float16) for f in fields(tables)}
    rows["ratio"] = tables.ratio.astype(np.float32)
    note = np.frombuffer(msgspec.json.encode(about), dtype=np.uint8)
    with whole_file(path) as partial, open(partial, "wb") as file:
        np.savez_compressed(file, about=note, **rows)


def load(path: Path) -> tuple[Tables, About]:
    """Read a voice's file.

    Raises
    ------
    ConfigError
        It is missing, or no voice.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST >> 20} MiB")
        with np.load(path, allow_pickle=False) as file:
            about = msgspec.json.decode(file["about"].tobytes(), type=About)
            shapes = _shapes(len(file["pitches"]))
            rows = {name: file[name].astype(np.float32) for name in shapes}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError) as e:
        reason = str(e).splitlines()[0][:120] if str(e) else type(e).__name__
        raise ConfigError(
            f"{path} is no voice ({reason}); make one with: restyle train voice-from SOURCE -o FILE"
        ) from None
    for name, shape in shapes.items():
        if rows[name].shape != shape or not np.isfinite(rows[name]).all():
            raise ConfigError(
                f"{path}: expected finite '{name}' of shape {shape}, got {rows[name].shape}; learn"
                " it anew with: restyle train voice-from SOURCE -o FILE"
            )
    return Tables(**rows), about


def described(about: About) -> dict[str, str]:
    """The voice's source as cards list it."""
    return {"source": f"notes of {about.origin}", "licence": about.licence}
