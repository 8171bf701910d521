"""Amplification efficiency from a dilution series: Ct falls by 1 / log10(1 + efficiency) cycles per tenfold input.

    Ct = intercept + slope log10(quantity),   efficiency = 10^(-1 / slope) - 1

Rasmussen R, in Rapid Cycle Real-Time PCR, Springer 2001, 21-34, doi 10.1007/978-3-642-59524-0_3; what to report of it:
MIQE, Bustin SA et al., Clin Chem 2009;55:611-622, doi 10.1373/clinchem.2008.112797.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from senexo.assays._qpcr.spec import UNDETECTED
from senexo.assays.stats.estimate import LEVEL
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, check

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    Column("target", "text"), Column("quantity", "number", low=0),
    Column("ct", "number", may_be_empty=True, low=1, high=60, empty_words=UNDETECTED),
    Column("replicate", "text", required=False),
)  # fmt: skip
KEY = ("target", "quantity", "replicate")
FEWEST = 3  # dilutions
_NAMES = ["target", "efficiency", "low", "high", "slope", "intercept", "r_squared", "n_dilutions", "n_wells"]


def efficiency(table: pd.DataFrame, *, cutoff: float = 40.0, where: str = "table") -> pd.DataFrame:
    """Efficiency of every target of a dilution series, with its 95 % interval; 1 is doubling in each cycle.

    A straight line through the mean Ct of each dilution (its wells share the error of pipetting it, so they are no
    independent points); the interval is Student's of the slope. A dilution with an undetected well is left out: what
    is seen of it is a selection of early wells.

    table: one row per well: target, quantity (relative input, > 0; 0 is a no-template control and is left out), ct,
    and where there are any replicate. Returns target, efficiency, low, high, slope, intercept, r_squared, n_dilutions,
    n_wells.

    InvalidInput names wrong cells, and targets with fewer than three dilutions or a Ct that does not fall.

    >>> import pandas as pd
    >>> series = pd.DataFrame({"target": "U6", "quantity": [1, 10, 100, 1000], "ct": [31.0, 27.7, 24.3, 21.0]})
    >>> efficiency(series)["efficiency"].round(3).to_list()
    [0.993]
    """
    import pandas as pd

    wells = check(table, COLUMNS, where=where, key=KEY)
    wells["ct"] = wells["ct"].where(wells["ct"] <= cutoff)
    wells = wells[wells["quantity"] > 0.0]
    lost = wells["ct"].isna().groupby([wells["target"], wells["quantity"]]).transform("any")
    rows, faults = [], []
    for target, group in wells.groupby("target", sort=False):
        whole = group[~lost[group.index]]
        row = _line(whole)
        if row is None:
            found = f"{whole['quantity'].nunique()} dilutions of {target} in which every well was detected"
            if whole["quantity"].nunique() >= FEWEST:
                found = f"a Ct of {target} that does not fall with quantity"
            faults.append(Fault(f"{where}: column quantity", found, f"a series of at least {FEWEST} that falls"))
        else:
            rows.append((target, *row))
    if not rows and not faults:
        faults.append(Fault(f"{where}: column quantity", "no well of a dilution series", "quantities above 0"))
    if faults:
        raise InvalidInput(faults)
    return pd.DataFrame(rows, columns=_NAMES)


def split(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Wells of samples, and wells with a quantity: the dilution series and no-template controls of the same plate."""
    if "quantity" not in table.columns:
        return table, table.iloc[:0]
    quantity = check(table, [Column("quantity", "number", may_be_empty=True, low=0)], where=where)["quantity"]
    table = table.set_axis(quantity.index)
    standards = table[quantity.notna()]
    return table[quantity.isna()], check(standards, COLUMNS, where=where, key=KEY) if len(standards) else standards


def blanks(wells: pd.DataFrame, cutoff: float) -> list[str]:
    """What is to be said of no-template controls (quantity 0) that gave a signal."""
    signal = wells[(wells["quantity"] == 0.0) & (wells["ct"] <= cutoff)]
    return [
        f"a no-template control of {target} gave a signal at Ct {group.min():.1f}; later wells may hold nothing else"
        for target, group in signal.groupby("target", sort=False)["ct"]
    ]


def _line(wells: pd.DataFrame) -> tuple[float, ...] | None:
    """efficiency, low, high, slope, intercept, r_squared, n_dilutions, n_wells; None where there is no falling line."""
    from scipy.special import stdtrit

    means = wells.groupby("quantity")["ct"].mean()
    n = len(means)
    if n < FEWEST:
        return None
    x, y = np.log10(means.index.to_numpy(float)), means.to_numpy(float)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    if slope >= 0.0:
        return None
    intercept = float(y.mean() - slope * x.mean())
    residual = y - intercept - slope * x
    error = math.sqrt(float(residual @ residual) / (n - 2) / float(centred @ centred))
    half = float(stdtrit(n - 2, (1.0 + LEVEL) / 2.0)) * error
    total = float(np.sum((y - y.mean()) ** 2))
    ends = (_efficiency(slope - half), _efficiency(slope + half))
    return _efficiency(slope), *ends, slope, intercept, 1.0 - float(residual @ residual) / total, n, len(wells)


def _efficiency(slope: float) -> float:
    return 10.0 ** (-1.0 / slope) - 1.0 if slope < -1e-2 else math.inf
