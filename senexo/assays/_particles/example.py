"""A small made-up table that `particles` reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up readings of five donors: a knock-down and an inhibitor lower the release; the medium holds some already.

    >>> example()["arm"].value_counts().to_dict()
    {'control': 10, 'RAB27B knock-down': 10, 'GW4869': 10, 'medium': 4}
    """
    import pandas as pd

    rng = np.random.default_rng(20180515)
    columns = ["arm", "donor", "replicate", "particles_per_ml", "dilution", "volume_ml", "n_cells", "hours"]
    rows: list[tuple[Any, ...]] = []
    for donor in range(5):
        level = rng.lognormal(math.log(25.0), 0.4)
        for arm, effect in (("control", 1.0), ("RAB27B knock-down", 0.45), ("GW4869", 0.6)):
            cells = round(float(rng.uniform(1.6e6, 2.4e6)), -4)
            held = 1e8 + level * effect * rng.lognormal(0.0, 0.15) * cells * 48.0 / 5.0
            rows += [
                (arm, f"donor {donor + 1}", run, float(f"{held / 20 * rng.lognormal(0.0, 0.1):.3g}"), 20, 5, cells, 48)
                for run in (1, 2)
            ]
    rows += [
        ("medium", "", run, float(f"{1e8 / 5 * rng.lognormal(0.0, 0.15):.3g}"), 5, 5, math.nan, math.nan)
        for run in range(1, 5)
    ]
    return pd.DataFrame(rows, columns=columns)
