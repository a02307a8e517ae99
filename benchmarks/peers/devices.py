"""``python -m benchmarks.peers.devices``: which devices pedalboard's AudioStream can open here."""

from __future__ import annotations

from typing import Any

from benchmarks.child import answer


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
