"""A small made-up table that `expression` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up reads of 30 RNAs in LSC and HSC of six donors; miR-34a-5p is lower in LSC, miR-34c-5p hardly there.

    >>> example().shape
    (12, 32)
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    names = ["miR-34a-5p", "miR-34c-5p", *(f"miR-{n}" for n in (
        "16-5p", "21-5p", "22-3p", "23a-3p", "24-3p", "25-3p", "26a-5p", "27a-3p", "29a-3p", "30d-5p", "92a-3p",
        "99b-5p", "101-3p", "103a-3p", "125b-5p", "126-3p", "142-5p", "146a-5p", "148a-3p", "150-5p", "155-5p",
        "181a-5p", "182-5p", "191-5p", "196b-5p", "221-3p", "223-3p", "486-5p",
    ))]  # fmt: skip
    level = np.exp(rng.uniform(4.0, 8.5, len(names)))
    level[:2] = 300.0, 0.6
    change = np.ones(len(names))
    change[[0, names.index("miR-126-3p"), names.index("miR-155-5p")]] = 0.35, 2.5, 3.0
    rows = []
    for donor in range(6):
        own = level * rng.lognormal(0.0, 0.4, len(names))
        for cell, factor in (("HSC", 1.0), ("LSC", change)):
            mean = own * factor * rng.lognormal(0.0, 0.25)
            rows.append([f"donor {donor + 1}", cell, *rng.negative_binomial(15.0, 15.0 / (15.0 + mean))])
    return pd.DataFrame(rows, columns=["donor", "cell", *names])
