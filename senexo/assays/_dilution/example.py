"""A small made-up table that `dilution` reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """A made-up plate: a control and an arm in which responding cells are rarer."""
    import pandas as pd

    rng = np.random.default_rng(8)
    rows = [
        (arm, dose, 24, int(rng.binomial(24, 1 - math.exp(-dose / one_in))))
        for arm, one_in in (("scrambled", 300.0), ("miR-34c", 2500.0))
        for dose in (50, 150, 500, 1500, 5000)
    ]
    return pd.DataFrame(rows, columns=["arm", "cells", "wells", "positive"])
