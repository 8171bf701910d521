"""Shipped claims on coupled cells: cutting what a claim rests on takes its effect away, to the last digit.

By the deterministic equations, with a few donors: in the null every comparison has the margin of no effect, within
1e-9, and in the claim's own world another one. `tests/lab/test_claim_nulls.py` runs the shorter of these studies.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from verify import Check
from verify._nulls import COUPLED, margins

NULL, EFFECT = 1e-9, 1e-4


def main() -> list[Check]:
    """Two rows for each study."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in COUPLED:
            claimed, cut, expected = margins(name, Path(folder) / name)
            off, effect = float(np.abs(cut - expected).max()), float(np.abs(claimed - cut).max())
            rows.append(Check(f"{name}: null", off, NULL, off <= NULL, f"{len(cut)} comparisons"))
            rows.append(Check(f"{name}: effect of what is cut", effect, EFFECT, effect >= EFFECT, "", ">="))
    return rows
