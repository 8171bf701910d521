"""A small made-up table that `senescence` reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """A made-up plate: six donors, a scrambled control, a ladder of two mimics, and the top dose washed out.

    >>> example()["arm"].nunique()
    10
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    ec50 = {"mimic": rng.lognormal(math.log(400.0), 0.4, 6)}
    ec50["mutant seed"] = 1.6 * ec50["mimic"]
    arms: list[tuple[str, str, float, float]] = [("scrambled", "scrambled", math.nan, 0.0)]
    arms += [(f"{family} {dose}", family, dose, 1.0) for family in ec50 for dose in (100, 300, 1000, 3000)]
    arms += [("mimic 3000 washed out", "washed out", math.nan, 0.4)]
    rows = []
    for arm, family, dose, effect in arms:
        for donor in range(6):
            reach = 1.0 / (1.0 + (ec50.get(family, ec50["mimic"])[donor] / (dose if dose == dose else 3000.0)) ** 2)
            n_total = int(rng.integers(180, 221))
            n_positive = int(rng.binomial(n_total, 0.03 + 0.6 * effect * reach))
            rows.append((arm, family, dose, f"donor {donor + 1}", n_positive, n_total))
    return pd.DataFrame(rows, columns=["arm", "family", "dose_copies", "donor", "n_positive", "n_total"])
