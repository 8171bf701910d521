"""What simulated tables and pilots of several assays share.

The laws are those that the assays suppose: donors with their own level and their own effect (normal on the log or
log-odds scale), binomial counts, wells with technical noise, exponential survival, single hits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays.stats.estimate import significant
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

LEAST_SPREAD = 0.1  # donors that agree better are taken as chance


def expit(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def logit(share: float) -> float:
    return math.log(share / (1.0 - share))


def frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)


def donor_names(n: int, arm: str, paired: bool) -> list[str]:
    """Names of donors; unpaired arms have donors of their own."""
    return [f"{i}" if paired else f"{arm} {i}" for i in range(n)]


def refuse_families(roles: Mapping[str, Any], arms: set[str], where: str) -> None:
    """The assays take a family for several arms; an effect is one arm's."""
    faults = [
        Fault(f"{where}: {name}", f"'{roles[name]}', a family", "one arm")
        for name in ("arm", "control")
        if roles[name] not in arms
    ]
    if faults:
        raise InvalidInput(faults)


def spread(variance: float) -> float:
    return math.sqrt(max(variance, LEAST_SPREAD**2))


def uncertain(name: str, sd: float, n: int) -> str:
    """The exact interval of a standard deviation of n donors."""
    from scipy.special import chdtri

    low, high = (sd * math.sqrt((n - 1) / chdtri(n - 1, tail)) for tail in (0.025, 0.975))
    return (
        f"{name} = {significant(sd)} comes from {n} donors of the pilot (95 % CI {significant(low)} to "
        f"{significant(high)}): power is as uncertain"
    )


def between_donors(arm: pd.Series, other: pd.Series, within: float, design: str) -> tuple[dict[str, float], list[str]]:
    """SD between donors of their level, and in pairs of their own effect, from measured logs by donor.

    within: the variance of a measured log by its technical replicates, which is taken off.
    """
    found: dict[str, float] = {}
    notes = []
    if len(other) > 1:
        found["donor_sd"] = spread(float(other.var()) - within)
    effect = (arm - other).dropna()
    if len(effect) > 1 and design == "paired":
        found["sd"] = spread(float(effect.var()) - 2.0 * within)
        notes.append(uncertain("sd", found["sd"], len(effect)))
    return found, notes
