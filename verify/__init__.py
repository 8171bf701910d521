"""Long checks against theory and rivals. `python -m verify` runs them all and prints one table; exit 1 on a failure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One verdict: `statistic` is what was measured, `bar` the threshold written down before running."""

    name: str
    statistic: float
    bar: float
    passed: bool
    detail: str = ""
