"""``restyle explain``: put an explanation of one model and one sound together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from realtime.models.card import Card
from realtime.models.tagger import Tagger

from ..losses.mel import mel_matrix
from ..networks.frame_tcn import FrameTCN
from ..networks.frames import FrameTransform
from ..networks.layers import Streamable
from ..networks.tag_cnn import TagCNN
from ..player import play
from . import pictures
from .attribution import Attribution, of_samples, of_spectrum, of_tagger
from .influence import BANDS, N_FFT, influences
from .memory import Memory, analytic, measure
from .network import open_network
from .page import Page

Array = npt.NDArray[np.float32]
RATE, MELS, FFT, HOP = 48000, 96, 4096, 512
SHOWN = 4  # labels that get a picture of their own
CLIP = 2 * RATE


def explain(path: Path, x: Array, target: Path, folder: Path | None, source: str) -> Path:
    """Write the page.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
        Mono, 48 kHz.
    folder : Path or None
        For the pictures as files.

    Raises
    ------
    ModelError
        The file is no network that restyle trained.
    """
    torch.set_num_threads(1)
    card, network = open_network(path)
    page = Page(
        f"{card.title} ({card.name})",
        f"{card.summary[:1].upper()}{card.summary[1:]}. Shown with {len(x) / RATE:.1f} s of"
        f" {source}.",
    )
    if isinstance(network, TagCNN):
        _tags(page, path, network, card, x)
    elif card.kind == "generator":
        _music(page, path, x)
        _controls(page, path, card, x)
    else:
        _conversion(page, path, card, x)
        _controls(page, path, card, x)
        if network is not None:
            _origin(page, network, card, x)
    if network is not None:
        _memory(page, network, card)
    else:
        page.section(
            "What is not shown",
            "Attributions and memory need the network in torch, and"
            " this file's cannot be read back.",
        )
    page.write(target, folder)
    return target


def _mel_rows(count: int, n_fft: int) -> npt.NDArray[np.float64]:
    """Centre of each band in Hz."""
    weights = mel_matrix(n_fft, count, RATE).numpy()
    return np.asarray(np.arange(len(weights)) @ weights * RATE / n_fft)


def _mel_db(x: Array) -> npt.NDArray[np.float64]:
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x, (FFT - HOP, 0)), FFT)[::HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(FFT))))
    return np.asarray(10 * np.log10(power @ mel_matrix(FFT, MELS, RATE).numpy() + 1e-6)).T


def _conversion(page: Page, path: Path, card: Card, x: Array) -> None:
    y = play(path, x)
    before, after = _mel_db(x), _mel_db(y)
    top = max(before.max(), after.max())
    rows = _mel_rows(MELS, FFT)
    page.section("What it does", "Input and output as played, and what came of each band.")
    page.sounds([("input", x), ("output", y)])
    for name, level in (("input", before), ("output", after)):
        page.picture(
            name,
            pictures.heat(level, len(x) / RATE, rows, "Hz", "dB", limits=(top - 70, top)),
            f"The {name}; both pictures have one scale of 70 dB.",
        )
    mask = np.where(np.maximum(before, after) > top - 70, after - before, 0.0)
    page.picture(
        "mask",
        pictures.heat(mask, len(x) / RATE, rows, "Hz", "dB", signed=True),
        "The mask: output over input. Red is made louder or new, blue is taken away,"
        " white is left or silent.",
    )


def _music(page: Page, path: Path, x: Array) -> None:
    """What a generator plays for as long as the file lasts."""
    y = play(path, x)
    level = _mel_db(y)
    page.section("What it plays", "A generator hears nothing of the file; this is its music.")
    page.sounds([("output", y)])
    page.picture(
        "output",
        pictures.heat(
            level,
            len(y) / RATE,
            _mel_rows(MELS, FFT),
            "Hz",
            "dB",
            limits=(level.max() - 70, level.max()),
        ),
        "The output.",
    )


def _controls(page: Page, path: Path, card: Card, x: Array) -> None:
    found = influences(path, card, x[:CLIP]) if card.controls else []
    if not found:
        return
    page.section(
        "What the controls do",
        "Level of each band at the highest value over that at the lowest; of a blend, this style"
        " alone over the first one alone.",
    )
    hz = _mel_rows(BANDS, N_FFT)
    page.picture(
        "controls",
        pictures.lines(hz, {i.name: i.bands_db for i in found}, "Hz", "change, dB", log_x=True),
        "One curve a control: far from 0 it changes the sound there.",
    )
    page.table(
        ("control", "change over bands that sound, dB"),
        [(i.name, f"{i.overall_db:.1f}") for i in found],
    )
    for one in found:
        page.section(f"{one.name}, from end to end", "The same two seconds on the way.")
        page.sounds([(f"{one.name} {v:.2g} {one.unit}".strip(), y) for v, y in one.clips])


def _origin(page: Page, network: Streamable, card: Card, x: Array) -> None:
    """Where one output comes from, at the loudest place."""
    controls = torch.tensor([[c.default for c in card.controls]]) if card.controls else None
    loudest = int(np.argmax(np.convolve(np.square(x[RATE // 2 :]), np.ones(512)))) + RATE // 2
    if isinstance(network, FrameTCN) and card.spectrum is not None:
        s, hop = card.spectrum, card.hop_length
        before = (analytic(network) + 16) * hop + s.n_fft  # all it remembers, and a little more
        part = x[max(0, loudest - before) : loudest + 2048]
        whole = torch.from_numpy(part[None, : len(part) // hop * hop].copy())
        frames = FrameTransform(s.n_fft, s.synthesis_length, hop, s.fall).forward(whole)
        found = of_spectrum(network, frames, frames.shape[2] - 8, controls)
        bins = np.arange(1, card.spectrum.n_bins) * RATE / card.spectrum.n_fft
        seconds = frames.shape[2] * card.hop_length / RATE
        _attributed(page, found, "Which frames and bins before it they come from.")
        page.picture(
            "origin",
            pictures.heat(found.parts[1:], seconds, bins, "Hz", "parts", signed=True),
            "Integrated gradients of the loudest frame's output magnitudes: red raises"
            " them, blue lowers them; the answer lies at the right edge.",
        )
        return
    if isinstance(network, FrameTCN):
        return
    reach = min(loudest, analytic(network) + 32)
    part = x[loudest - reach : loudest + 1]
    found = of_samples(network, part, reach, controls)
    _attributed(page, found, "Which samples before it it comes from.")
    window = 16
    size = np.convolve(np.abs(found.parts[::-1]), np.ones(window) / window, mode="same")
    page.picture(
        "origin",
        pictures.lines(
            np.arange(len(size)) / RATE * 1000,
            {"size of the parts": size + 1e-12},
            "before the output, ms",
            "part",
        ),
        "Integrated gradients of the output at the loudest place: what lies at 0 ms counts"
        " at once, the tail is memory.",
    )


def _attributed(page: Page, found: Attribution, text: str) -> None:
    page.section(f"Where the {found.answer} comes from", text)
    page.table(
        ("for this sound", "for silence", "sum of the parts differs by"),
        [(f"{found.value:.4g}", f"{found.baseline:.4g}", f"{found.gap:.1e}")],
    )


def _tags(page: Page, path: Path, network: TagCNN, card: Card, x: Array) -> None:
    with Tagger(path, RATE) as tagger:
        frames, labels, hop = tagger.feed(x), tagger.labels, tagger.hop_seconds
    order = np.argsort(-frames.mean(axis=0))
    page.section("What it hears", "Probability of the likeliest labels, hop by hop, as played.")
    page.sounds([("the sound", x)])
    rows = _mel_rows(MELS, FFT)
    level = _mel_db(x)
    page.picture(
        "input",
        pictures.heat(
            level, len(x) / RATE, rows, "Hz", "dB", limits=(level.max() - 70, level.max())
        ),
        "The sound.",
    )
    curves = {labels[k]: frames[:, k] for k in order[:6]}
    page.picture(
        "tags",
        pictures.lines(np.arange(len(frames)) * hop, curves, "time, s", "probability"),
        "Tags over time.",
    )
    bands = _mel_rows(network.mel.shape[1], len(network.window))
    for k in [k for k in order[:SHOWN] if frames[:, k].mean() > 0.1] or list(order[:1]):
        found = of_tagger(network, x, int(k), labels[k])
        _attributed(page, found, "Red speaks for it, blue against it.")
        page.picture(
            f"for-{labels[k].replace(' ', '-')}",
            pictures.heat(found.parts, len(x) / RATE, bands, "Hz", "parts", signed=True),
            f"Integrated gradients of '{labels[k]}' over log-mel energies, from silence to"
            " the sound.",
        )


def _memory(page: Page, network: Streamable, card: Card) -> None:
    controls = torch.tensor([[c.default for c in card.controls]]) if card.controls else None
    n_fft = card.spectrum.n_fft if card.spectrum else 0
    try:
        found: Memory | None = measure(network, controls, card.hop_length, n_fft)
    except TypeError:
        found = None
    if found is None:
        return
    page.section(
        "What it remembers",
        "The receptive field: how far back one output hears, by the layers and by the gradient.",
    )
    page.table(
        ("by the layers", "by the gradient", "time"),
        [
            (
                f"{found.analytic} {found.unit}",
                f"{found.measured} {found.unit}",
                f"{1000 * found.samples / RATE:.1f} ms",
            )
        ],
    )
    step = card.hop_length if found.unit == "frames" else 1
    back = np.arange(len(found.weight)) * step / RATE * 1000
    page.picture(
        "memory",
        pictures.lines(
            back,
            {"gradient": np.log10(found.weight + 1e-9)},
            "before the output, ms",
            "log10 of its size",
        ),
        "How much the present output depends on what was; where the curve falls to the"
        " floor the memory ends.",
    )
