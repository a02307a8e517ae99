"""Fit the rational function behind the capture kernel's hyperbolic tangent and print it.

tanh(t) / t is even and smooth; on |t| <= 9 a ratio of polynomials in t^2 is fitted to it by
weighted least squares whose weights move to where the error is largest (Lawson's algorithm), which
comes close to the smallest largest relative error.  Beyond 9, tanh is 1 to float32.
"""

from __future__ import annotations

import numpy as np

REACH, NODES, ROUNDS = 9.0, 4000, 60


def fit(upper: int, lower: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients of numerator and denominator in t^2, and the largest relative error."""
    nodes = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    t = (REACH / 2) * (1 + nodes)
    t = t[t > 1e-4]
    target, u = np.tanh(t) / t, (t / REACH) ** 2
    powers = np.vander(u, max(upper, lower) + 1, increasing=True)
    weight, previous = np.ones_like(t), np.ones_like(t)
    best, found = np.inf, np.zeros(upper + lower + 1)
    for _ in range(ROUNDS):
        scale = np.sqrt(weight) / (target * previous)
        columns = [powers[:, : upper + 1], -target[:, None] * powers[:, 1 : lower + 1]]
        solution = np.linalg.lstsq(np.hstack(columns) * scale[:, None], target * scale)[0]
        top = powers[:, : upper + 1] @ solution[: upper + 1]
        bottom = 1 + powers[:, 1 : lower + 1] @ solution[upper + 1 :]
        error = np.abs(top / bottom / target - 1)
        if error.max() < best:
            best, found = float(error.max()), solution.copy()
        previous = np.abs(bottom)
        weight = weight * (error + 1e-12)
        weight /= weight.mean()
    p = found[: upper + 1] / REACH ** (2 * np.arange(upper + 1))
    q = np.r_[1.0, found[upper + 1 :]] / REACH ** (2 * np.arange(lower + 1))
    return p, q, best


if __name__ == "__main__":
    p, q, error = fit(5, 4)
    print("P", [float(f"{v:.16g}") for v in p])
    print("Q", [float(f"{v:.16g}") for v in q])
    print(f"largest relative error {error:.2g}")
