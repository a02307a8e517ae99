"""The ear: spectra, labels and decoder against closed forms; its stream, its file, its notes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
import torch

from realtime.errors import CardError
from realtime.models.card import EAR_LOWEST, EAR_PITCHES, EAR_ROWS
from realtime.models.ear import Ear as Listener
from realtime.models.ear import Note, midi_file, notes_of
from realtime.models.load import open_model
from realtime.proof.verify import verify
from train.data.notes import mix, synthetic
from train.data.notes.scores import played
from train.export import gate
from train.losses.notes import note_loss, note_losses
from train.networks import decoder, spectra
from train.networks.ear import HOP, LOWEST, PITCHES, ROWS, Ear
from train.own.rebuild import begin_with
from train.recipes.ear import HearNotes

from ..commands.conftest import Run, run  # noqa: F401
from ..signals import cut, noise

RATE = 48000


def hertz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def sine(pitch: float, n: int, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz(pitch) * np.arange(n) / RATE)).astype(np.float32)


def test_a_frame_by_matrix_products_is_the_transform_of_numpy() -> None:
    layer, x = spectra.Spectra(), torch.from_numpy(noise(spectra.SIZE)[0])[None]
    power = layer._step(x)[0, 0].reshape(4, spectra.SIDE, spectra.COLUMNS)
    for k, n in enumerate(spectra.LENGTHS):
        part = x[0, -n:].numpy().astype(np.float64) * layer._windows()[k].numpy()
        wanted = np.abs(np.fft.rfft(part, spectra.SIZE)[: spectra.SIDE * spectra.COLUMNS]) ** 2
        got = power[k].numpy().T.reshape(-1)
        assert np.abs(got - wanted).max() < 2e-5 * wanted.max()
    one, many = layer(x), layer(torch.nn.functional.pad(x, (0, 0)).repeat(1, 2))[:, :1]
    assert torch.allclose(one, many, atol=1e-5)


@pytest.mark.parametrize("pitch", [40.0, 57.0, 69.0, 88.0, 57.35])
def test_a_sine_peaks_in_the_bin_of_its_pitch_and_has_its_power(pitch: float) -> None:
    level = spectra.Spectra()(torch.from_numpy(sine(pitch, spectra.SIZE))[None])[0, 0]
    power = np.expm1(level.numpy() / spectra.SCALE) * spectra.FLOOR
    found = spectra.LOWEST_BIN + power[3].argmax() / spectra.PER_SEMITONE
    assert abs(found - pitch) <= (0.7 if pitch < 45 else 0.34)
    assert 0.5 < power[3].max() / 0.5**2 < 2.5  # wide bins of high pitches hold several of the FFT


def test_harmonics_lie_where_their_frequency_says() -> None:
    bins = spectra.harmonic_bins(LOWEST, PITCHES, (0.5, 1, 2, 3, 16))
    for p in (0, 20, 68):
        for k, h in enumerate((0.5, 1, 2, 3, 16)):
            pitch = 69 + 12 * np.log2(h * hertz(LOWEST + p) / 440)
            wanted = (pitch - spectra.LOWEST_BIN) * spectra.PER_SEMITONE
            assert abs(int(bins[p, k]) - min(wanted, spectra.BINS)) <= 0.5
    network, y = Ear(), torch.rand(3, 20, spectra.BINS)
    one, many = network._harmonics(y, True), network._harmonics(y, False)
    assert torch.allclose(one, many, atol=1e-5)


def heads(rows: dict[int, tuple[float, float]], velocity: float = 0.5, bend: float = 0.2):
    """Logits ``[1, 69, 4]`` of probabilities of onset and activity by pitch."""
    y = torch.full((1, PITCHES, 4), -9.0)
    y[:, :, 2], y[:, :, 3] = velocity, bend
    for pitch, pair in rows.items():
        y[0, pitch - LOWEST, :2] = torch.logit(torch.tensor(pair))
    return y


def decoded(
    steps: list[dict[int, tuple[float, float]]], struck: float = 0.9, gliding: float = 0.0
) -> np.ndarray:
    """Notes ``[hops, 4, 69]``."""
    layer = decoder.Decoder(LOWEST, PITCHES)
    state, found = torch.zeros(1, *layer.state_shape), []
    for rows in steps:
        logit = torch.logit(torch.tensor([[struck]]))
        level = torch.tensor([[0.1]])
        notes, state = layer(heads(rows), logit, level, torch.tensor([[gliding]]), state)
        found.append(notes[0].numpy())
    return np.stack(found)


def test_a_note_fires_once_sounds_until_it_is_quiet_and_fires_again_when_it_rearmed() -> None:
    y = decoded([{60: (0.9, 0.9)}] * 5 + [{60: (0.1, 0.9)}] * 3 + [{60: (0.9, 0.9)}] + [{}] * 8)
    at = 60 - LOWEST
    assert list(np.flatnonzero(y[:, 0, at])) == [0, 8]
    assert y[0, 0, at] == pytest.approx(0.5)
    assert list(np.flatnonzero(y[:, 1, at])) == list(range(8 + decoder.QUIET))
    assert y[3, 3, at] == pytest.approx(0.2) and y[-1, 3, at] == 0
    assert y[-1, 2, 0] == pytest.approx(0.1, rel=1e-2)  # the level
    assert not np.delete(y[:, :2], at, axis=2).any()


def test_what_rings_is_struck_again_unless_the_stroke_was_anothers() -> None:
    rings = [{60: (0.9, 0.9)}] * 2 + [{60: (0.1, 0.9)}] * 3
    weak, rest, gone = {60: (0.75, 0.9)}, {60: (0.55, 0.9)}, {60: (0.4, 0.9)}
    at, other = 60 - LOWEST, 65 - LOWEST

    def struck(*steps: dict[int, tuple[float, float]], pitch: int = at) -> list[int]:
        return list(np.flatnonzero(decoded([*rings, *steps])[len(rings) :, 0, pitch]))

    assert struck({60: (0.9, 0.9)}, rest) == [0]  # surely struck
    assert struck(weak, *[rest] * 4) == [decoder.WAITS]
    assert struck(weak, rest, *[gone] * 4) == []  # it was shaken, by whatever that was
    both = {60: (0.55, 0.9), 65: (0.9, 0.9)}
    assert struck(weak, both, *[both] * 4) == []  # another's stroke shook it
    assert struck(weak, both, *[both] * 4, pitch=other) == [1]
    silent = [{}] * (4 * decoder.QUIET)
    assert struck(*silent, weak, rest) == [len(silent)]  # what rings no more is a note at once


def test_where_another_pitch_may_be_meant_an_onset_is_a_note_once_it_holds() -> None:
    taken, meant = {60: (0.7, 0.7), 67: (0.4, 0.6)}, {60: (0.1, 0.1), 67: (0.9, 0.9)}
    assert struck_pitches(decoded([taken, meant, meant])) == [67]
    holds = {60: (0.55, 0.9), 67: (0.1, 0.1)}
    y = decoded([taken, holds, holds])
    assert struck_pitches(y) == [60] and list(np.flatnonzero(y[:, 0].max(axis=1))) == [1]
    sure = decoded([{60: (0.9, 0.9), 67: (0.4, 0.6)}])
    assert struck_pitches(sure) == [60]  # at once
    clear = decoded([{60: (0.7, 0.7), 67: (0.1, 0.6)}])
    assert struck_pitches(clear) == [60]
    low = decoded([{40: (0.7, 0.7), 67: (0.4, 0.6)}])
    assert struck_pitches(low) == [40]  # it took long enough


def test_a_harmonic_is_heard_as_a_note_only_when_it_is_sure() -> None:
    y = decoded([{48: (0.8, 0.9), 60: (0.75, 0.8), 67: (0.95, 0.9)}] * 2)
    assert sorted(struck_pitches(y)) == [48, 67]
    surer = decoded([{48: (0.7, 0.9), 60: (0.8, 0.8)}] * 2)
    assert sorted(struck_pitches(surer)) == [48, 60]


def test_a_young_octave_gives_way_once_to_the_note_it_belongs_to() -> None:
    y = decoded([{60: (0.8, 0.9)}, {60: (0.3, 0.3), 48: (0.9, 0.9)}, {48: (0.9, 0.9)}])
    assert list(y[:, 1, 60 - LOWEST]) == [1, 0, 0] and list(y[:, 1, 48 - LOWEST]) == [0, 1, 1]
    held = [{60: (0.8, 0.9)}, {60: (0.3, 0.9), 48: (0.9, 0.9)}]
    assert decoded(held)[1, 1, 60 - LOWEST] == 1  # both are played


def test_what_is_not_struck_must_be_surer() -> None:
    assert decoded([{60: (0.65, 0.9)}])[0, 0].any()
    assert not decoded([{60: (0.65, 0.9)}], struck=0.01)[0, 0].any()


GLIDE = [{60: (0.9, 0.95)}] * 6 + [{61: (0.8, 0.9)}] * 3 + [{62: (0.8, 0.9)}] * 3
GLIDE += [{63: (0.7, 0.9)}] * 2 + [{63: (0.1, 0.95)}] * 12


def struck_pitches(y: np.ndarray) -> list[int]:
    return [int(k) + LOWEST for k in np.argwhere(y[:, 0] > 0)[:, 1]]


def test_a_glide_is_a_run_of_semitones_or_the_note_where_it_stays() -> None:
    assert struck_pitches(decoded(GLIDE, struck=0.05)) == [60, 61, 62, 63]
    y = decoded(GLIDE, struck=0.05, gliding=1.0)
    assert struck_pitches(y) == [60, 63]
    assert np.flatnonzero(y[:, 0, 63 - LOWEST])[0] == 12 + decoder.STAYS - 1
    assert y[-1, 1, 63 - LOWEST] == 1.0


def test_a_glide_that_is_not_heard_to_begin_is_a_note_where_it_stays() -> None:
    late = [{k: (0.1, active) for k, (_, active) in rows.items()} for rows in GLIDE[6:]]
    assert struck_pitches(decoded(GLIDE[:6] + late, struck=0.05)) == [60]
    assert struck_pitches(decoded(GLIDE[:6] + late, struck=0.05, gliding=1.0)) == [60, 63]


def test_a_semitone_that_is_struck_is_a_note_at_once_unless_all_is_a_glide() -> None:
    line = [{60: (0.9, 0.95)}] * 6 + [{60: (0.0, 0.4), 61: (0.9, 0.9)}] * 8
    assert [np.flatnonzero(decoded(line, 0.9, g)[:, 0, 61 - LOWEST])[0] for g in (0, 0.5, 1)] == [
        6,
        6,
        6 + decoder.STAYS - 1,
    ]


def test_a_chord_is_no_glide() -> None:
    chord = [{48: (0.9, 0.9), 52: (0.9, 0.9), 57: (0.9, 0.9)}] * 4
    more = [{48: (0.1, 0.9), 52: (0.1, 0.9), 57: (0.1, 0.9), 58: (0.9, 0.9)}] * 2
    assert struck_pitches(decoded(chord + more, 0.05, 1.0)) == [48, 52, 57, 58]


@pytest.fixture(scope="module")
def notes() -> mix.Notes:
    return mix.Notes(synthetic.make(2, 3))


def test_hands_never_play_one_pitch_twice_at_once() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        events = played(rng, 2.0)
        assert all(a.begin <= b.begin for a, b in zip(events, events[1:], strict=False))
        for pitch in {e.pitch for e in events}:
            own = [e for e in events if e.pitch == pitch]
            assert all(a.end < b.begin for a, b in zip(own, own[1:], strict=False))


def test_a_mixture_has_the_pitch_and_the_beginning_that_its_label_says(notes: mix.Notes) -> None:
    made = mix.plan(notes, 1, np.random.default_rng(1), hops=96)
    made.gain[:], made.events[:] = 0, -1
    for key in ("attack", "drive", "wet", "noise", "hum", "hits"):
        made.rows[key][:] = 1e-5 if key == "attack" else 0
    made.rows["colour"][:], made.rows["cabinet"][:] = 0, 0
    event = mix.Event(0.2, 0.5, 57, 0.0)
    own = notes.instruments[0]
    mix._place(made, 0, 0, event, int(own[np.abs(notes.pitches[own] - 57).argmin()]), notes,
               0.0, 0.3, 0.0, 5.0, 1e3)  # fmt: skip
    x = mix.sound(notes, made, hops=96)[0].numpy()
    begin = int(np.argmax(np.abs(x) > 1e-4))
    assert 0.2 * RATE - 110 <= begin <= 0.2 * RATE + 200
    part = x[round(0.22 * RATE) : round(0.45 * RATE)] * np.hanning(round(0.23 * RATE))
    spectrum = np.abs(np.fft.rfft(part, 1 << 17))
    near = slice(*(round(f * (1 << 17) / RATE) for f in (hertz(56), hertz(58.6))))
    peak = (near.start + spectrum[near].argmax()) * RATE / (1 << 17)
    assert 69 + 12 * np.log2(peak / 440) == pytest.approx(57.3, abs=0.05)
    y = mix.labels(torch.from_numpy(made.events), 96)[0].numpy()
    first, at = int(0.2 * RATE // HOP), 57 - LOWEST
    assert list(np.flatnonzero(y[:, at, 0])) == list(range(first, first + mix.SMEAR))
    assert np.flatnonzero(y[:, at, 1])[0] == first and not np.delete(y[:, :69, :2], at, 1).any()
    assert y[first + 2, at, 3] == pytest.approx(0.3) and y[0, at, 3] == mix.UNKNOWN
    assert list(np.flatnonzero(y[:, 69, 0])) == list(range(first, first + mix.STRUCK))


def test_plans_and_sounds_follow_from_their_seeds(notes: mix.Notes) -> None:
    sounds = []
    for _ in range(2):
        made = mix.plan(notes, 2, np.random.default_rng(4), hops=48)
        sounds.append(mix.sound(notes, made, hops=48, seed=1))
    assert torch.equal(*sounds) and sounds[0].abs().max() <= 1 and bool(sounds[0].isfinite().all())


def test_the_loss_is_least_where_the_answer_is_right_and_asks_nothing_unknown() -> None:
    target = torch.zeros(1, 4, PITCHES + 1, 4)
    target[..., 2:] = mix.UNKNOWN
    target[0, 1, 5] = torch.tensor([1.0, 1.0, 0.4, -0.2])
    good = torch.where(target > 0.5, 9.0, -9.0)
    good[..., 2:] = target[..., 2:]
    assert float(note_loss(good, target)) < 0.02
    for k in range(4):
        bad = good.clone()
        bad[0, 1, 5, k] *= -1
        assert float(note_losses(bad, target)[k]) > 2 * float(note_losses(good, target)[k]) + 0.01
    other = good.clone()
    other[0, 2, 7, 2:] = 0.0  # not asked for
    assert float(note_loss(other, target)) == pytest.approx(float(note_loss(good, target)))


def test_one_step_after_the_other_hears_what_a_whole_signal_hears() -> None:
    torch.manual_seed(0)
    network = Ear().eval()
    x = torch.from_numpy(0.1 * noise(HOP * 24)[0]).reshape(1, -1)
    states = network.initial_state(1)
    with torch.no_grad():
        whole = network.hear(x)
        past, before, *middle, _ = states
        for k, hop in enumerate(x.split(HOP, dim=1)):
            features, past, before = network.features(hop, past, before)
            logits, struck, middle = network.judge(features, middle)
            assert torch.allclose(logits[:, 0], whole[:, k, :PITCHES], atol=1e-4)
            assert torch.allclose(struck[:, 0], whole[:, k, PITCHES, 0], atol=1e-4)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh ear through the export gate."""
    torch.manual_seed(1)
    recipe = HearNotes()
    network = recipe.network().eval()
    with torch.no_grad():
        network.heads.bias[0] = 0.3  # type: ignore[union-attr, operator]
    path = tmp_path_factory.mktemp("ear") / "ear.onnx"
    return gate.export(recipe, network, recipe.card(network, {}, {}), path)


def test_its_file_proves_itself_and_any_cutting_hears_the_same(file: Path) -> None:
    assert (EAR_ROWS, EAR_LOWEST, EAR_PITCHES) == (ROWS, LOWEST, PITCHES)
    assert [c.name for c in verify(file) if not c.passed] == []
    x = 0.1 * noise(RATE // 4)
    with Listener(file, RATE) as ear:
        whole = ear.feed(x)
        ear.reset()
        parts = np.concatenate([ear.feed(part) for part in cut(x, [480, 1, 999])])
    assert whole.shape[1:] == (4, PITCHES) and np.array_equal(whole, parts)
    with pytest.raises(CardError, match="see: restyle notes"):
        open_model(file, 1)


def test_a_network_takes_all_weights_out_of_a_file(file: Path) -> None:
    torch.manual_seed(1)
    wanted, other = HearNotes().network(), Ear()
    begin_with(other, file)
    for name, value in wanted.state_dict().items():
        if name != "heads.bias":
            assert torch.allclose(other.state_dict()[name], value, atol=1e-6), name


def test_notes_are_read_from_frames_and_written_as_midi() -> None:
    frames = np.zeros((100, 4, PITCHES), dtype=np.float32)
    frames[10, 0, 20], frames[10:30, 1, 20], frames[10:30, 3, 20] = 0.5, 1, 0.1
    frames[20, 0, 32], frames[20:60, 1, 32] = 1.0, 1
    frames[40, 0, 32] = 0.25  # struck again before it ended
    found = notes_of(frames, 0.01)
    assert [(n.pitch, round(n.begin, 3), round(n.end, 3)) for n in found] == [
        (48, 0.11, 0.31), (60, 0.21, 0.41), (60, 0.41, 0.61),
    ]  # fmt: skip
    assert found[0].velocity == 0.5 and found[0].bend == pytest.approx(0.1)
    read = mido.MidiFile(file=io.BytesIO(midi_file(found)))
    now, heard = 0.0, []
    for message in read:
        now += message.time
        if message.type == "note_on" and message.velocity:
            heard.append((message.note, message.velocity, round(now, 3)))
    assert heard == [(48, 64, 0.11), (60, 127, 0.21), (60, 32, 0.41)]
    assert [m.type for m in mido.MidiFile(file=io.BytesIO(midi_file([Note(0, 0, 60, 0, 0)])))][
        1:3
    ] == ["note_on", "note_off"]


def test_notes_of_a_file(run: Run, file: Path, tmp_path: Path) -> None:  # noqa: F811
    soundfile.write("in.wav", 0.1 * noise(RATE // 4)[0], RATE)
    code, text, _ = run("notes", "in.wav", "--model", str(file), "-o", "out.mid", "--json")
    assert code == 0
    found = json.loads(text)["notes"]
    on = [m for m in mido.MidiFile("out.mid").tracks[0] if m.type == "note_on"]
    assert len(on) == len(found)
    for words, told in (
        (("in.wav", "-o", "out.wav"), "--out must end in .mid"),
        (("gone.wav",), "gone.wav"),
        (("in.wav", "--model", "tape"), "is no ear"),
    ):
        code, _, error = run("notes", *words)
        assert code == 2 and told in error
    assert not Path("out.wav").exists()
