"""What the figures of a style amount to, and which of the aims it misses."""

from __future__ import annotations

from typing import Any

from .judges.timbre import gap_share

Rows = dict[str, dict[str, float]]
BASELINES = ("matched_eq", "own_eq", "hand_made")
GAP_UNPAIRED = 0.3  # of a style that learnt from recordings that do not belong together
ONSET_UNPAIRED = 0.75  # its onset F1 over the input's: nobody told it which notes to keep
GAP, PITCH = 0.6, 0.85  # share of the gap closed; pitch F1 over that of the true target
LEVEL_DB = 3.0
WORDS, VOICED, QUALITY = 0.1, 0.1, 0.3  # over, from and below the teacher's


def figures(rows: Rows) -> dict[str, float]:
    """Shares and ratios of the model's row.

    Returns
    -------
    dict
        ``gap``, ``gap_matched_eq`` and ``gap_baseline`` (the best one): share of the way from
        copy to oracle by Fréchet distance.  ``gap_mmd`` and ``stft_gap``: the model's by other
        distances.  ``pitch``: frame-pitch F1 over the oracle's; ``onset``: onset F1 over the
        input's.  What was not judged is not there.
    """
    model, oracle = rows["model"], rows["oracle"]
    found = {}
    if "frechet" in model:
        shares = {name: _share(rows, name, "frechet") for name in (*BASELINES, "model")}
        found["gap"] = shares["model"]
        found["gap_matched_eq"] = shares["matched_eq"]
        found["gap_baseline"] = max(shares[name] for name in BASELINES)
    if "mmd" in model:
        found["gap_mmd"] = _share(rows, "model", "mmd")
    if rows["copy"]["stft_distance"] != oracle["stft_distance"]:
        found["stft_gap"] = _share(rows, "model", "stft_distance")
    if oracle.get("pitch_f1"):
        found["pitch"] = model["pitch_f1"] / oracle["pitch_f1"]
    if rows["copy"].get("onset_f1"):
        found["onset"] = model["onset_f1"] / rows["copy"]["onset_f1"]
    return found


def _share(rows: Rows, name: str, figure: str) -> float:
    return gap_share(*(rows[k][figure] for k in ("copy", name, "oracle")))


def misses(result: dict[str, Any]) -> list[str]:
    """Aims that a style misses, by test set; empty if none."""
    kind, said = result.get("kind"), []
    for name, part in result.get("sets", {}).items():
        rows: Rows = part["rows"]
        model, oracle, found = rows["model"], rows["oracle"], figures(rows)
        if kind == "instrument" and "gap" in found:
            aim = GAP_UNPAIRED if result.get("unpaired") else GAP
            if found["gap"] < aim:
                said.append(f"{name}: closes {found['gap']:.0%} of the gap (aim {aim:.0%})")
            if found["gap"] <= found["gap_baseline"]:
                said.append(f"{name}: a baseline closes {found['gap_baseline']:.0%} of the gap")
            if found.get("pitch", 1.0) < PITCH:
                said.append(f"{name}: pitch F1 {found['pitch']:.2f} of the target's (aim {PITCH})")
            if result.get("unpaired") and found.get("onset", 1.0) < ONSET_UNPAIRED:
                said.append(
                    f"{name}: onset F1 {found['onset']:.2f} of the input's (aim {ONSET_UNPAIRED})"
                )
        if "pca" in rows and model["stft_distance"] >= rows["pca"]["stft_distance"]:
            said.append(f"{name}: no nearer than as many principal components by STFT distance")
        if "dedicated" in rows and "frechet" in model:
            other = _share(rows, "dedicated", "frechet")
            if found["gap"] <= other:
                said.append(
                    f"{name}: the dedicated converter closes {other:.0%} of the gap,"
                    f" this one {found['gap']:.0%}"
                )
        if "pca" not in rows and model["stft_distance"] >= rows["matched_eq"]["stft_distance"]:
            said.append(f"{name}: no nearer than a matched equaliser by STFT distance")
        if abs(model["level_db"]) > LEVEL_DB:
            said.append(f"{name}: level {model['level_db']:+.1f} dB")
        if "word_errors" in model and model["word_errors"] > oracle["word_errors"] + WORDS:
            said.append(
                f"{name}: word errors {model['word_errors'] - oracle['word_errors']:+.2f}"
                " against the teacher's"
            )
        if "voiced" in model and abs(model["voiced"] - oracle["voiced"]) > VOICED:
            said.append(f"{name}: voiced {model['voiced']:.2f} (teacher {oracle['voiced']:.2f})")
        if "mos_speech" in model and model["mos_speech"] < oracle["mos_speech"] - QUALITY:
            said.append(
                f"{name}: DNSMOS {model['mos_speech']:.2f} (teacher {oracle['mos_speech']:.2f})"
            )
        if "no_adversary" in rows and "frechet" in model:
            alone = _share(rows, "no_adversary", "frechet")
            if found["gap"] <= alone:
                said.append(f"{name}: without its adversary it closes {alone:.0%} of the gap")
    return said
