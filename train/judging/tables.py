"""Figures of many styles in one table for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .aims import GAP, GAP_UNPAIRED, ONSET_UNPAIRED, PITCH, Rows, figures, misses
from .denoised import KEY
from .distances import JUDGES
from .judges.timbre import gap_share
from .results import number

Cell = Callable[[Rows, dict[str, float]], str]


def _share(value: float | None) -> str:
    return "" if value is None else f"{round(100 * value)} %"


def _gap(rows: Rows, name: str) -> str:
    if name not in rows or "frechet" not in rows[name]:
        return ""
    return _share(gap_share(*(rows[k]["frechet"] for k in ("copy", name, "oracle"))))


def _against(figure: str, *candidates: str) -> Cell:
    """The model's figure beside others' of the same name, ``0.2 / 0.5 / 0.4``."""

    def cell(rows: Rows, found: dict[str, float]) -> str:
        if figure not in rows["model"]:
            return ""
        return " / ".join(number(rows[k][figure]) for k in ("model", *candidates))

    return cell


def _beside(figure: str, *candidates: str) -> Cell:
    """The model's figure beside those of candidates that not every set has."""

    def cell(rows: Rows, found: dict[str, float]) -> str:
        if figure not in rows["model"]:
            return ""
        values = (rows.get(k, {}).get(figure) for k in ("model", *candidates))
        return " / ".join("-" if v is None else number(v) for v in values)

    return cell


COLUMNS: dict[str, dict[str, Cell]] = {
    "instrument": {
        "gap closed": lambda rows, found: _share(found.get("gap")),
        "matched EQ": lambda rows, found: _share(found.get("gap_matched_eq")),
        "best baseline": lambda rows, found: _share(found.get("gap_baseline")),
        "by MMD": lambda rows, found: _share(found.get("gap_mmd")),
        "heard as the target, model / input / target": _against("probe", "copy", "oracle"),
        "tag flip, model / target": _against("tag_flip", "oracle"),
        "pitch F1, model / input / target": _against("pitch_f1", "copy", "oracle"),
        "STFT distance, model / input": _against("stft_distance", "copy"),
        "mel error dB, model / input": _against("mel_db", "copy"),
        "level dB": lambda rows, found: f"{rows['model']['level_db']:+.1f}",
    },
    "effect": {
        "ESR, model / matched EQ / input": _against("esr", "matched_eq", "copy"),
        "STFT distance, model / matched EQ / input": _against(
            "stft_distance", "matched_eq", "copy"
        ),
        "by hand": lambda rows, found: number(rows["hand_made"]["stft_distance"]),
        "level dB": lambda rows, found: f"{rows['model']['level_db']:+.1f}",
    },
    "latent": {
        "gap closed": lambda rows, found: _share(found.get("gap")),
        "dedicated converter": lambda rows, found: _gap(rows, "dedicated"),
        "best baseline": lambda rows, found: _share(found.get("gap_baseline")),
        "heard as the target, model / dedicated / input / target": _beside(
            "probe", "dedicated", "copy", "oracle"
        ),
        "pitch F1 over target's": lambda rows, found: number(found.get("pitch")),
        "STFT distance, model / PCA / carrier / dedicated / matched EQ / input": _beside(
            "stft_distance", "pca", "carrier", "dedicated", "matched_eq", "copy"
        ),
        "level dB": lambda rows, found: f"{rows['model']['level_db']:+.1f}",
    },
    "voice": {
        "STFT distance, model / matched EQ / input": _against(
            "stft_distance", "matched_eq", "copy"
        ),
        "word errors, model / input / teacher": _against("word_errors", "copy", "oracle"),
        "voiced, model / input / teacher": _against("voiced", "copy", "oracle"),
        "DNSMOS, model / teacher": _against("mos_speech", "oracle"),
        "like the speaker, model / teacher": _against("speaker", "oracle"),
        "level dB": lambda rows, found: f"{rows['model']['level_db']:+.1f}",
    },
}
COLUMNS["blend"] = COLUMNS["effect"]
TITLES = {
    "instrument": "Instruments",
    "effect": "Effects",
    "blend": "Blends",
    "latent": "Autoencoders",
    "voice": "Voices",
}
ABOUT = {
    "instrument": (
        "*Gap closed*: (input - model) / (input - target) by Fréchet distance in the embedding "
        "of an outside music tagger (musicnn, never in a loss); *target* is the same tunes "
        "played by the true instrument, *best baseline* the best of two equalisers and a chain "
        "of effects made by hand. *By MMD*: the same by maximum mean discrepancy, which levels "
        "off far from the target and so is the sterner of the two. *Heard as the target*: share "
        "of 3 s windows nearer to the target's mean in that embedding than to those of seven "
        "other instruments. *Tag flip*: share of windows whose target tags beat piano and "
        "guitar. *Pitch F1*: keys that a transcriber (basic-pitch) hears, frame by frame, "
        f"against the score. Aims: {GAP:.0%} of the gap by Fréchet distance (styles learnt without "
        f"pairs: {GAP_UNPAIRED:.0%}, and onset F1 {ONSET_UNPAIRED} of the input's), pitch F1"
        f" {PITCH} of the target's, more than any baseline."
    ),
    "effect": (
        "*ESR*: energy of the error over that of the target. *By hand*: STFT distance of a chain of"
        " effects made in a few minutes."
    ),
    "voice": (
        "*Word errors* of a recogniser (pocketsphinx) on sentences whose text is known; "
        "*voiced*: share of sounding frames with a pitch (SwiftF0); *DNSMOS*: estimated rating "
        "of the speech, 1 to 5; *like the speaker*: cosine of speaker embeddings (Resemblyzer) "
        "with the input's. *Teacher* is the chain that the style learnt from."
    ),
}
ABOUT["latent"] = (
    "*Gap closed*, *heard as the target*, *pitch F1* as above, where all recordings of a set have"
    " one target; *dedicated*: the converter that knows this target alone. *PCA*: as many"
    " principal components of the log band levels as the autoencoder has numbers, with the same"
    " carrier; *carrier*: none of them. The set *reconstruction* asks for the input itself."
)
ABOUT["blend"] = ABOUT["effect"]


def sets_of(metrics: dict[str, Any]) -> dict[str, Any]:
    """Test sets in a card's metrics; the first cards had one set and no name for it."""
    if "sets" in metrics or "model" not in metrics:
        return dict(metrics.get("sets", {}))
    rows = {k: v for k, v in metrics.items() if isinstance(v, dict)}
    rows["model"] = {**rows["model"], "level_db": metrics.get("level_db", 0.0)}
    return {"test": {"recordings": metrics.get("test_recordings", 0), "rows": rows}}


def _place(entry: tuple[str, Any]) -> tuple[bool, str]:
    """The set that is most like the training comes first."""
    return entry[0] != "test", entry[0]


def by_kind(metrics: dict[str, dict[str, Any]]) -> list[str]:
    """Markdown lines: for each kind of style a table, a row for each style and test set.

    Parameters
    ----------
    metrics : dict of style to the card's metrics
    """
    lines: list[str] = []
    for kind, title in TITLES.items():
        styles = {k: m for k, m in metrics.items() if m.get("kind") == kind}
        if not styles:
            continue
        columns = COLUMNS[kind]
        lines += [f"### {title}", "", ABOUT[kind], ""]
        lines.append("| style | test set | recordings | " + " | ".join(columns) + " |")
        lines.append("|---" * (len(columns) + 3) + "|")
        for style, found in styles.items():
            for name, part in sorted(found["sets"].items(), key=_place):
                shares = figures(part["rows"])
                cells = " | ".join(c(part["rows"], shares) for c in columns.values())
                lines.append(f"| {style} | {name} | {part['recordings']} | {cells} |")
        missed = [f"{style}, {m}" for style, found in styles.items() for m in misses(found)]
        lines += ["", "Misses: " + "; ".join(missed) + "." if missed else "Misses no aim.", ""]
    bare = [style for style, found in metrics.items() if not {"sets", KEY} & set(found)]
    older = [s for s, found in metrics.items() if "sets" in found and found.get("judges") != JUDGES]
    if bare:
        lines += ["Not judged yet: " + ", ".join(bare) + ".", ""]
    if older:
        lines += ["Judged before the judges were last changed: " + ", ".join(older) + ".", ""]
    return lines
