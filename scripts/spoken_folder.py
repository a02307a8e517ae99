"""``python -m scripts.spoken_folder VOICE FOLDER``: sentences said by flite, with their words.

A folder as ``restyle train voice --target`` takes it, of a voice whose licence allows it: flite's
are free for any use (MIT-like, Carnegie Mellon University).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import soundfile

from train.data.manifest import SAMPLE_RATE
from train.data.scores.sentences import compose_sentence
from train.target.sentences import FLITE, say

FIRST = 1000  # other sentences than those of the set `speech`


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(prog="scripts.spoken_folder", description=__doc__)
    parser.add_argument("voice", choices=FLITE)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=int, default=80)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    for k in range(options.sentences):
        text, name = compose_sentence(FIRST + k), f"{k:03}"
        samples = say(f"flite {options.voice}", text)
        soundfile.write(options.folder / f"{name}.flac", samples, SAMPLE_RATE)
        (options.folder / f"{name}.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
