"""`/stream`: what comes back is what `restyle render` writes, behind the declared latency."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from realtime.audio_files import read_audio
from realtime.models.catalog import bundled_folder

from ..signals import Array, noise
from .conftest import Desk, rendered


def clip(seconds: float = 2.0) -> Array:
    """The bundled clip's beginning ``[channels, n]``."""
    folder = bundled_folder()
    assert folder is not None
    found = read_audio(Path(folder) / "demo.flac")
    assert found.sample_rate == 48000
    return found.samples[:, : int(seconds * 48000)]


def through(ws: ClientConnection, x: Array, block: int, late: int) -> Array:
    """Send `x` and as much silence as its latency; what came back, the latency left out."""
    channels, n = x.shape
    total = -(-(n + late) // block) * block
    padded = np.zeros((total, channels), dtype="<f4")
    padded[:n] = x.T
    back = []

    def listen() -> None:
        for _ in range(total // block):
            found = ws.recv(timeout=60)
            assert isinstance(found, bytes)
            back.append(np.frombuffer(found, dtype="<f4").reshape(block, channels))

    listener = threading.Thread(target=listen)
    listener.start()
    for start in range(0, total, block):
        ws.send(padded[start : start + block].tobytes())
    listener.join(60)
    return np.concatenate(back).T[:, late : late + n]


@pytest.mark.parametrize(
    ("model", "block"), [("tube-amp", 64), ("tape", 37), ("clean", 64), ("clean", 480)]
)
def test_a_clip_comes_back_as_render_writes_it(plain: Desk, model: str, block: int) -> None:
    x = clip()
    with plain.open(f"/stream?rate=48000&channels={len(x)}&block={block}&model={model}") as ws:
        hello = json.loads(ws.recv(timeout=60))
        assert (hello["style"], hello["block"], hello["sample_rate"]) == (model, block, 48000)
        y = through(ws, x, block, hello["latency_samples"])
    assert hello["latency_ms"] == pytest.approx(hello["latency_samples"] / 48, abs=1e-4)
    assert np.array_equal(y, rendered(x, model))


def test_the_model_that_plays_is_taken_and_the_live_sound_is_not_touched(plain: Desk) -> None:
    plain.ask("PUT", "/api/model", {"name": "amp-blend"})
    plain.ask("PUT", "/api/blend", {"weights": {"fuzz": 1}})
    x = noise(24_000, channels=2, level=0.5)
    with plain.open("/stream?channels=2") as ws:
        hello = json.loads(ws.recv(timeout=60))
        y = through(ws, x, 64, hello["latency_samples"])
    expected = rendered(x, "amp-blend", warm=0.0, crunch=0.0, fuzz=1.0, radio=0.0)
    assert hello["style"] == "amp-blend"
    assert np.array_equal(y, expected)
    assert plain.host.incidents == []


def test_another_rate_is_converted_both_ways(plain: Desk) -> None:
    t = np.arange(44_100) / 44_100
    x = (0.2 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)[None]
    plain.ask("PUT", "/api/model", {"name": None})
    with plain.open("/stream?rate=44100&block=128&model=tape") as ws:
        hello = json.loads(ws.recv(timeout=60))
        y = through(ws, x, 128, hello["latency_samples"])
    assert hello["sample_rate"] == 44_100 and hello["latency_samples"] > 0
    model = rendered(x, "tape")  # memory of another rate, but as loud
    assert np.sqrt(np.mean(y[:, 9000:] ** 2)) == pytest.approx(
        float(np.sqrt(np.mean(model[:, 9000:] ** 2))), rel=0.1
    )


def test_what_is_no_stream_is_refused_in_a_sentence(plain: Desk) -> None:
    for query, says in (
        ("rate=1", "rate must be within 8000..192000"),
        ("block=9000", "block must be within 1..8192"),
        ("channels=x", "channels must be within 1..8"),
        ("model=../tape", "there is no model"),
        ("model=tap", "did you mean 'tape'"),
        ("mode=tape", "a stream takes"),
    ):
        with plain.open(f"/stream?{query}") as ws:
            assert says in json.loads(ws.recv(timeout=20))["error"]
            with pytest.raises(ConnectionClosed):
                ws.recv(timeout=20)
    for data in (b"123", "text"):
        with plain.open("/stream?model=tape") as ws:
            ws.recv(timeout=20)
            ws.send(data)
            with pytest.raises(ConnectionClosed):
                ws.recv(timeout=20)


def test_streams_are_bounded_and_a_slow_one_slows_itself(plain: Desk) -> None:
    idle = np.zeros(8192, dtype="<f4").tobytes()
    names = [f"/stream?block=8192&model={m}" for m in ("tape", "tape", "tape", "tube-amp")]
    with plain.open(names[0]) as a, plain.open(names[1]) as b, plain.open(names[2]) as c:
        with plain.open(names[3]) as d:
            for ws in (a, b, c, d):
                assert "error" not in json.loads(ws.recv(timeout=60))
            with plain.open("/stream") as fifth:
                assert "play already" in json.loads(fifth.recv(timeout=20))["error"]
            a.socket.settimeout(0.2)
            sent = 0
            try:
                for _ in range(2000):  # 64 MiB, and none of it is read back
                    a.send(idle)
                    sent += 1
            except (OSError, ConnectionClosed):
                pass
            assert sent < 2000
            begin = time.monotonic()
            b.send(idle)
            assert len(b.recv(timeout=20)) == len(idle)  # type: ignore[arg-type]
            assert plain.get("/api/state")["style"] == plain.host.view.style
            assert time.monotonic() - begin < 10
    plain.played.until(lambda: _opens(plain))


def _opens(desk: Desk) -> bool:
    """Whether a stream can be opened: those before have been given back."""
    with desk.open("/stream?model=tape") as ws:
        return "error" not in json.loads(ws.recv(timeout=20))
