"""A small made-up table that `fates` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def example() -> pd.DataFrame:
    """Made-up tracks of four donors: the mimic commits cells to senescence that would have divided.

    >>> example()["fate"].value_counts().index.to_list()
    ['division', 'commitment', 'death', 'censored']
    """
    import pandas as pd

    rng, rows = np.random.default_rng(20180515), []
    for donor in range(4):
        level = rng.lognormal(0.0, 0.25)
        for arm, hazards in (("scrambled", (0.03, 0.004, 0.003)), ("mimic", (0.012, 0.003, 0.02))):
            for cell in range(40):
                rates = np.array(hazards) * level
                time, lost = rng.exponential(1.0 / rates.sum()), min(96.0, rng.exponential(400.0))
                fate = ("division", "death", "commitment")[rng.choice(3, p=rates / rates.sum())]
                rows.append((
                    arm, f"donor {donor + 1}", cell + 1, round(max(min(time, lost), 0.25), 2),
                    fate if time <= lost else "censored",
                ))  # fmt: skip
    return pd.DataFrame(rows, columns=["arm", "donor", "cell", "time_h", "fate"])
