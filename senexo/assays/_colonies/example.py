"""A small made-up table that `colonies` reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up dishes of five donors in triplicate: the mimic leaves a third of the colonies.

    >>> example()["arm"].value_counts().to_dict()
    {'scrambled': 15, 'mimic': 15}
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    rows = []
    for donor in range(5):
        level = rng.lognormal(math.log(0.02), 0.5)
        for arm, effect in (("scrambled", 1.0), ("mimic", 0.35 * rng.lognormal(0.0, 0.15))):
            rows += [
                (arm, f"donor {donor + 1}", dish, int(rng.poisson(2000 * level * effect)), 2000) for dish in (1, 2, 3)
            ]
    return pd.DataFrame(rows, columns=["arm", "donor", "replicate", "colonies", "cells_plated"])
