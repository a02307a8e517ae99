"""``restyle import FOLDER --presets``: a pack of captures and cabinets as presets.

A capture becomes a preset: the capture at the common loudness, and behind it the pack's impulse
responses, the first of which sounds unless the capture has a cabinet in it already.  Captures whose
names differ in one number alone, as takes of one amplifier at several knob positions do, share a
preset, with a scene for each position.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import AudioFileError, ConfigError
from ..models.card import Card
from ..models.nam.limits import plain_text
from ..presets.check import MATCH, Library
from ..presets.files import preset_path, save_preset
from ..presets.format import Preset
from ..session.sound import Scene, Sound, Stage, Value
from ..stages.native.kinds import RESPONSE
from ..trust.sounds import read_sound

LONGEST_SECONDS = 5.0  # a longer file is music, not an impulse response
MOST_RESPONSES, MOST_TAKES = 4, 12  # in one preset
SOUNDS = (".wav", ".flac", ".aif", ".aiff")
LICENCES = re.compile(r"(?i)(licen[cs]e|copying)(\.(txt|md))?")
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def responses(folder: Path) -> list[Path]:
    """The impulse responses below a folder, by name; sounds that cannot be read are none."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SOUNDS):
        try:
            clip = read_sound(path)  # apart, where it is not known yet
        except AudioFileError:
            continue
        channels, samples = clip.samples.shape
        if samples <= LONGEST_SECONDS * clip.sample_rate and channels <= 2:
            found.append(path)
    return found


def licence_of(folder: Path) -> str | None:
    """The first line of the pack's licence file."""
    for path in sorted(folder.iterdir()):
        if LICENCES.fullmatch(path.name) and path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                lines = (plain_text(line) for line in file.read(4096).splitlines())
                return next((line[:120] for line in lines if line), None)
    return None


class Take(NamedTuple):
    """One of several captures of an amplifier."""

    value: float
    label: str
    card: Card


def takes(cards: Sequence[Card]) -> list[tuple[str, list[Take]]]:
    """Captures of one amplifier together, by the number in their titles that tells them apart.

    Where a title stands twice, models go by their names instead.

    Returns
    -------
    list of (str, list of Take)
        What the titles have in common, and the captures in the order of that number.
    """
    often = Counter(card.title for card in cards)
    called = {c.name: c.title if often[c.title] == 1 else c.name for c in cards}
    groups: dict[str, list[Take]] = {}
    for card in cards:
        parts = _NUMBER.split(called[card.name])  # words and numbers in turn
        for k in range(1, len(parts), 2):
            words = parts[k - 1].rstrip(_LETTERS)
            letters = parts[k - 1][len(words) :]
            common = "".join([*parts[: k - 1], words, *parts[k + 1 :]])
            take = Take(float(parts[k].replace(",", ".")), letters + parts[k], card)
            groups.setdefault(f"{k} {common}", []).append(take)
    found: list[tuple[str, list[Take]]] = []
    left = {c.name: c for c in cards}
    for key, group in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0])):
        mine = (t for t in group if t.card.name in left)
        together = sorted(mine, key=lambda take: take.value)[:MOST_TAKES]
        if len({t.value for t in together}) == len(together) > 1:
            found.append((key.partition(" ")[2], together))
            for take in together:
                del left[take.card.name]
    return found + [(called[c.name], [Take(0.0, "", c)]) for c in left.values()]


def preset_of(
    pack: str,
    title: str,
    together: Sequence[Take],
    models: Mapping[str, str],
    sounds: Sequence[Path],
    terms: str | None,
) -> Preset:
    """A preset of the takes of one amplifier.

    Parameters
    ----------
    title : str
        What the captures' titles have in common.
    models : mapping of str to str
        What presets call the model of each card's name.
    sounds : sequence of Path
        The impulse responses, where they stay.
    terms : str or None
        The pack's licence, where a capture states none.
    """
    stages = []
    for k, (_, _, card) in enumerate(together):
        loud: dict[str, Value] = {MATCH: 1.0} if any(p.name == MATCH for p in card.controls) else {}
        stages.append(Stage(model=models[card.name], bypass=k > 0, parameters=loud))
    facts = together[0].card.provenance
    complete = "cab" in str(facts.get("gear_type", ""))
    for k, sound in enumerate(sounds):
        parameters: dict[str, Value] = {RESPONSE: str(sound), "normalize": "on"}
        stages.append(Stage(effect="Convolution", bypass=complete or k > 0, parameters=parameters))
    places = range(1, len(together) + 1)
    scenes = [
        Scene(take.label, {f"{n}.bypass": n != k for n in places})
        for k, take in zip(places, together, strict=True)
        if len(together) > 1
    ]
    by, level = facts.get("modeled_by"), facts.get("input_level_dbu")
    stated = (t.card.licence for t in together if t.card.licence != "unknown")
    note = [f"from {pack}", f"licence: {next(stated, terms or 'unknown')}"]
    note += [f"by {by}"] if by else []
    note += [f"made for {level:g} dBu"] if isinstance(level, int | float) else []
    name = re.sub(r"[^\w.,&+()-]+", " ", f"{pack} - {title}")[:60].strip(" .,&+(-_")
    return Preset(name, "; ".join(note)[:300], Sound(stages=tuple(stages), scenes=tuple(scenes)))


def make_presets(
    folder: Path, cards: Sequence[Card], target: Path, own: bool
) -> tuple[list[str], list[str]]:
    """Write the presets of a pack whose captures were imported.

    Parameters
    ----------
    folder : Path
        The pack.
    target : Path
        Where the models are; impulse responses are copied beside them.
    own : bool
        Whether that is the user's folder, whose models go by their names.

    Returns
    -------
    made, there : list of str
        Names of presets that were written; of those that were there before and stay as they are.

    Raises
    ------
    RestyleError
        A response cannot be copied, or a preset not be written; those before it are there.
    """
    pack, terms = plain_text(folder.resolve().name), licence_of(folder)
    sounds = kept(folder, responses(folder)[:MOST_RESPONSES], target)
    models = {c.name: c.name if own else str((target / f"{c.name}.onnx").resolve()) for c in cards}
    made: list[str] = []
    there: list[str] = []
    library = Library()
    for title, together in takes(cards):
        preset = preset_of(pack, title, together, models, sounds, terms)
        if preset_path(preset.name).exists():
            there.append(preset.name)
            continue
        library.checked(preset.sound, preset.name)
        save_preset(preset.name, preset)
        made.append(preset.name)
    return made, there


def kept(folder: Path, sounds: Sequence[Path], target: Path) -> list[Path]:
    """Copies of a pack's impulse responses, by their places in it, where they stay without it."""
    there = target / "responses" / folder.resolve().name
    copies = [there / sound.relative_to(folder) for sound in sounds]
    try:
        for sound, copy in zip(sounds, copies, strict=True):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sound, copy)
    except OSError as error:
        raise ConfigError(f"cannot copy into {there}: {error.strerror}") from None
    return copies
