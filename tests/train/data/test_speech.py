"""The speech set, where its Debian packages are installed."""

from __future__ import annotations

import wave
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from train.data.scores.sentences import compose_sentence
from train.data.sets import speech
from train.data.sets.packages import is_here
from train.data.sets.source import in_order
from train.data.sound.decode import decode


def needs(*names: str) -> pytest.MarkDecorator:
    missing = [n for n in names if not is_here(n)]
    return pytest.mark.skipif(bool(missing), reason=f"Debian packages missing: {missing}")


@needs(*(f"asterisk-core-sounds-{c}-g722" for c in speech.PROMPTS))
def test_prompts_are_in_four_languages_and_one_prompt_in_one_split() -> None:
    sources = speech.prompts()
    splits = defaultdict(set)
    for source, split in in_order(sources):
        splits[source.key].add(split)
    assert {s.tags["language"] for s in sources} == set(speech.PROMPTS)
    assert len(sources) > 2000 and all(len(s) == 1 for s in splits.values())
    assert not any("silence/" in s.file for s in sources)
    x = next(s for s in sources if s.file == "en/vm-goodbye").make()
    assert 0.5 < len(x) / 48000 < 3 and 0.1 < np.abs(x).max() <= 1.2
    power = np.square(np.abs(np.fft.rfft(x)))
    hz = np.fft.rfftfreq(len(x), 1 / 48000)
    assert power[hz > 8200].sum() < 1e-6 * power.sum()  # G.722 at 16 kHz holds 8 kHz
    assert power[hz < 4000].sum() > 0.5 * power.sum()


@needs("flite", "libflite1")
def test_sentences_are_spoken_by_every_voice() -> None:
    sources = speech.synthesised()
    assert len(sources) == speech.SENTENCES * len(speech.VOICES)
    assert len({s.key for s in sources}) == speech.SENTENCES
    x = sources[2].make()
    assert 1 < len(x) / 48000 < 15 and np.abs(x).max() > 0.05
    np.testing.assert_array_equal(x, sources[2].make())


@needs("pocketsphinx-testdata")
def test_read_sentences_have_their_words_and_are_for_tests_alone() -> None:
    sources = speech.read_aloud()
    assert len(sources) == 5 and {s.split for s in sources} == {"test"}
    assert "he was not an ill disposed young man" in {s.tags["text"] for s in sources}
    file = Path("/usr/share/pocketsphinx/test/data/librivox") / f"{Path(sources[0].file).name}.wav"
    with wave.open(str(file)) as raw:
        reference = np.frombuffer(raw.readframes(raw.getnframes()), dtype="<i2") / 32768
    dense = resample_poly(reference, 3, 1)
    x = decode(file)
    error = np.square(x - dense[: len(x)]).mean() / np.square(dense).mean()
    assert 10 * np.log10(error) < -35  # two different filters at the edge of the band


def test_sentences_are_many_and_the_same_every_time() -> None:
    texts = [compose_sentence(i) for i in range(speech.SENTENCES)]
    assert len(set(texts)) == len(texts) and texts == [compose_sentence(i) for i in range(240)]
    assert all(20 < len(t) < 200 and t[0].isupper() and t[-1] in ".?" for t in texts)
