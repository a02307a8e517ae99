"""``python -m benchmarks.rig.peers.devices``: devices pedalboard's AudioStream opens."""

from __future__ import annotations

from typing import Any

from benchmarks.rig.child import answer


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Names, and the sentence to print."""
    from pedalboard.io import AudioStream

    names = list(AudioStream.output_device_names)
    if not names:
        remark = (
            "its AudioStream finds no device here (it opens ALSA's, not JACK's);"
            " measured instead: Pedalboard.process in a loop like a callback's"
        )
    else:
        remark = (
            f"its AudioStream sees {len(names)} devices, but counts neither calls nor misses;"
            " measured instead: Pedalboard.process in a loop like a callback's"
        )
    return {"devices": names, "remark": remark}


if __name__ == "__main__":
    answer(measure)
