"""Record what the C++ core plays of every kind: ``python -m tests.nam.core.record PLAYER``.

PLAYER is ``player.cpp`` built with NeuralAmpModelerCore (MIT)::

    g++ -std=c++20 -O2 -DNDEBUG -DNAM_ENABLE_A2_FAST -I CORE -I CORE/Dependencies/eigen \\
        -I CORE/Dependencies/nlohmann player.cpp CORE/NAM/*.cpp CORE/NAM/wavenet/*.cpp -o player
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .kinds import kinds, signal

PLAYED = Path(__file__).with_name("played.json")
BLOCK = 64


def main(player: str) -> None:
    """Write :data:`PLAYED`."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in kinds().items():
            path = Path(folder) / "x.nam"
            path.write_bytes(data)
            sound = signal().astype("<f4").tobytes()
            done = subprocess.run(
                [player, str(path), str(BLOCK)], input=sound, capture_output=True, check=False
            )
            y = np.frombuffer(done.stdout, dtype="<f4")
            if done.returncode or not np.isfinite(y).all():
                raise SystemExit(f"{name}: {done.returncode} {done.stderr.decode()[:200]}")
            digest = hashlib.sha256(data).hexdigest()[:16]
            found[name] = {"sha": digest, "y": base64.b64encode(done.stdout).decode()}
            print(f"{name}: rms {np.sqrt(np.mean(np.square(y))):.3f}")
    PLAYED.write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
