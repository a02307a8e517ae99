"""Train `clean` for so many seconds on a machine with a graphics card and nothing but torch.

``python clean_alone.py SECONDS OUT [DEVICE]`` stands beside what ``scripts.pack_clean`` packed.
The network, the mixtures and the loss are those of the recipe (:mod:`train.recipes.clean`).  Into
OUT go ``clean.pt`` every minute (running mean of the weights, and what is needed to go on) and
``log.txt``.
"""

from __future__ import annotations

import copy
import ctypes
import json
import math
import sys
import tempfile
import time
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "code"))

from train.data.examples import noisy  # noqa: E402
from train.losses.listener import objection, test_rows  # noqa: E402
from train.losses.speech import speech_distance  # noqa: E402
from train.networks.cleaner import Cleaner  # noqa: E402
from train.networks.frames import FrameTransform  # noqa: E402
from train.networks.layers import go_on  # noqa: E402

RATE, HOP, LATENCY = 48000, 128, 128
N = 1125 * HOP  # 3 s
WARM = 9600
ANEW = 0.1  # share of rows that begin with a network that has heard nothing
TESTS = 4
OBJECTION = 0.002  # of the loss, for each dB that a test sound is not clean
SAVE_EVERY, CHECK_EVERY = 55.0, 40.0  # s


@cache
def sndfile() -> ctypes.CDLL:
    """The libsndfile inside the wheel of soundfile."""
    with zipfile.ZipFile(next(HERE.glob("soundfile-*.whl"))) as archive:
        name = next(n for n in archive.namelist() if ".so" in n)
        library = ctypes.CDLL(archive.extract(name, tempfile.mkdtemp()))
    library.sf_open.restype = ctypes.c_void_p
    library.sf_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    library.sf_readf_float.restype = ctypes.c_int64
    library.sf_readf_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    return library


class Info(ctypes.Structure):
    """SF_INFO of libsndfile."""

    _fields_ = [("frames", ctypes.c_int64)] + [
        (n, ctypes.c_int) for n in ("rate", "channels", "format", "sections", "seekable")
    ]


def read_sound(path: Path) -> np.ndarray:
    """Samples of a mono file at 48 kHz."""
    info = Info()
    handle = sndfile().sf_open(str(path).encode(), 0x10, ctypes.byref(info))
    if not handle or info.rate != RATE or info.channels != 1:
        raise SystemExit(f"cannot read {path}: rate {info.rate}, channels {info.channels}")
    parts, block = [], np.zeros(1 << 20, dtype=np.float32)
    while True:
        got = sndfile().sf_readf_float(handle, block.ctypes.data, len(block))
        if got <= 0:
            return np.concatenate(parts)
        parts.append(block[:got].copy())


def stretches(sound: Tensor, draw: noisy.Draw, rows: int, n: int) -> Tensor:
    """Random stretches ``[rows, n]`` of clips one after the other."""
    begin = draw.integers(len(sound) - n, rows, 1)
    return sound[begin + torch.arange(n, device=sound.device)].float()


def main() -> None:
    """Train, and keep what was learnt."""
    seconds, out = float(sys.argv[1]), Path(sys.argv[2])
    want = sys.argv[3] if len(sys.argv) > 3 else "cuda:0"
    device = torch.device(want if torch.cuda.is_available() else "cpu")
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    log = (out / "log.txt").open("a", encoding="utf-8")

    def say(text: str) -> None:
        log.write(f"{time.monotonic() - began:7.1f} {text}\n")
        log.flush()
        print(text, flush=True)

    small = device.type == "cpu"
    torch.manual_seed(1)
    torch.set_num_threads(2 if small else 4)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = False
    batch = 4 if small else 96
    n = 512 * HOP if small else N
    tables = json.loads((HERE / "tables.json").read_text())
    heard = {}
    for name in ("speech", "music", "strokes", "noises"):
        x = torch.from_numpy(read_sound(HERE / f"{name}.ogg"))
        heard[name] = x.half().to(device)
        say(f"{name}: {len(x) / RATE / 60:.1f} min")
    held = int(tables["validation_from"])
    speech, test = heard["speech"][:held], heard["speech"][held:]
    generator = torch.Generator(device).manual_seed(11)
    draw = noisy.Draw(generator)
    made = noisy.made_strokes(draw, 200, 12000)
    places = torch.tensor(tables["strokes"])
    hits = torch.zeros(len(places), 12000, device=device)
    for row, (a, b) in zip(hits, places.tolist(), strict=True):
        piece = heard["strokes"][a : min(b, a + 12000)].float()
        row[: len(piece)] = piece / (piece.abs().max() + 1e-6)
    length = int(tables["noises_length"])
    recorded = heard["noises"][: len(heard["noises"]) // length * length].float()
    pools = noisy.Pools(heard["music"], torch.cat([hits, made]), recorded.reshape(-1, length))
    lines = test_rows(12 if small else 96, n, np.random.default_rng(3)).to(device)
    transform = FrameTransform(1024, 256, HOP, 16)
    network = Cleaner(513).to(device)
    mean = copy.deepcopy(network).eval()
    peak = 2e-3
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=0.01, eps=1e-7
    )
    say(f"{sum(p.numel() for p in network.parameters())} weights, {device}, {torch.__version__}")
    one = torch.ones(1, 1, device=device)

    def clean(net: Cleaner, x: Tensor) -> Tensor:
        y = transform.inverse(net.offline(transform.forward(x), controls=one))
        return torch.nn.functional.pad(y[:, LATENCY:], (0, LATENCY))

    def figures(net: Cleaner) -> str:
        still = noisy.Draw(torch.Generator(device).manual_seed(5))
        with torch.no_grad():
            found = []
            for _ in range(1 if small else 3):
                x = stretches(test, still, 4 if small else 64, n)
                dry, wet = noisy.mixtures(still, x, pools)
                y = clean(net, dry)
                keep = slice(WARM // HOP * HOP, -LATENCY)
                a, b, c = y[:, keep], wet[:, keep], dry[:, keep]
                voiced = b.square().mean(dim=1) > 1e-6
                ratio = [
                    10 * torch.log10(b.square().sum(1) / ((v - b).square().sum(1) + 1e-9))[voiced]
                    for v in (a, c)
                ]
                silent = ~voiced & (c.square().mean(dim=1) > 1e-8)
                rest = (
                    10
                    * torch.log10((a.square().sum(1) + 1e-12) / (c.square().sum(1) + 1e-12))[silent]
                )
                found.append(
                    [
                        float(speech_distance(a, b)),
                        float(speech_distance(c, b)),
                        float(ratio[0].mean()),
                        float(ratio[1].mean()),
                        float(rest.mean()) if len(rest) else 0.0,
                    ]
                )
            v = np.mean(found, axis=0)
            history.append([step, float(v[0])])
            o = float(objection(clean(net, lines[:8])[:, :-LATENCY], lines[:8, :-LATENCY]))
        return (
            f"validation loss {v[0]:.4f} (input {v[1]:.4f}), SNR {v[2]:.2f} dB"
            f" (input {v[3]:.2f}), noise alone {v[4]:.1f} dB, objection {o:.1f} dB"
        )

    def save(step: int) -> None:
        spent = (time.monotonic() - began) / 60
        box = {
            "weights": {k: v.float().cpu() for k, v in mean.state_dict().items()},
            "recipe": "clean",
            "config": {},
            "step": step,
            "cpu_minutes": spent,
            "history": history,
            "torch": str(torch.__version__),
            "card": torch.cuda.get_device_name(0) if not small else "cpu",
            "schedule": {
                "minutes": seconds / 60,
                "batch": batch,
                "segment": n,
                "learning_rate": peak,
                "seed": 1,
                "average": 0.998,
            },
        }
        torch.save(box, out / "part.pt")
        (out / "part.pt").replace(out / "clean.pt")

    history: list[list[float]] = []
    step, bad, saved, checked, total = 0, 0, began, began, 0.0
    carried: list[Tensor] | None = None
    reserve = 8.0 if not small else 2.0
    while True:
        now = time.monotonic()
        progress = (now - began) / max(1.0, seconds - reserve)
        if progress >= 1.0:
            break
        warm = min(1.0, step / 200)
        for group in optimiser.param_groups:
            group["lr"] = warm * (2e-5 + (peak - 2e-5) * 0.5 * (1 + math.cos(math.pi * progress)))
        with torch.no_grad():
            dry, wet = noisy.mixtures(draw, stretches(speech, draw, batch, n), pools)
            chosen = lines[torch.randint(len(lines), (TESTS,), device=device)]
            dry = torch.cat([dry, chosen])
        frames = transform.forward(dry)
        y, *left = network(frames, one, *go_on(network, frames, carried, ANEW))
        carried = [state.detach() for state in left]
        y = torch.nn.functional.pad(transform.inverse(y)[:, LATENCY:], (0, LATENCY))
        loss = speech_distance(y[:-TESTS, WARM:-LATENCY], wet[:, WARM:-LATENCY])
        fault = objection(y[-TESTS:, :-LATENCY], chosen[:, :-LATENCY])
        weight = OBJECTION * min(1.0, progress * 4)
        optimiser.zero_grad(set_to_none=True)
        (loss + weight * fault).backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not bool(torch.isfinite(norm)):
            bad += 1
            if bad > 50:
                say("too many bad gradients")
                break
            continue
        optimiser.step()
        step += 1
        decay = min(0.998, 1 - 1 / (1 + step / 4))
        with torch.no_grad():
            for a, b in zip(mean.parameters(), network.parameters(), strict=True):
                a.lerp_(b, 1.0 - decay)
        value = float(loss.detach())
        total = 0.98 * total + 0.02 * value if step > 1 else value
        if step in (1, 20, 100) or now - checked > CHECK_EVERY:
            checked = now
            say(
                f"step {step} loss {total:.4f} fault {float(fault.detach()):.1f}"
                f" norm {float(norm):.2f}; {figures(mean)}"
            )
        if now - saved > SAVE_EVERY:
            saved = now
            save(step)
    save(step)
    say(f"done: {step} steps; {figures(mean)}")
    left = torch.load(out / "clean.pt", map_location="cpu", weights_only=True)
    Cleaner(513).load_state_dict(left["weights"])
    (out / "part.pt").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
