"""Power of `dilution`: simulated a plate of limiting dilution, and what a pilot says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._dilution.assay import dilution
from senexo.assays._power.made_up import frame
from senexo.assays._power.simulator import Assumption, Found, Numbers, Pilot, Rng, Simulator
from senexo.assays.stats.estimate import significant
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd


def draw(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """N mice or wells at each dose and arm, positive with probability 1 - exp(-dose x frequency)."""
    doses = x["dose"] * x["step"] ** np.arange(int(x["doses"]))
    rows = [
        (arm, dose, n, int(rng.binomial(n, -math.expm1(-dose * frequency))))
        for arm, frequency in (("treated", effect / x["one_in"]), ("control", 1.0 / x["one_in"]))
        for dose in doses
    ]
    return frame(dict(zip(("arm", "dose", "tested", "response"), zip(*rows, strict=True), strict=True)))


def _pilot(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Found, list[str]]:
    """Frequency and doses of the pilot; all its rows are one arm."""
    result = dilution(table, **roles, where=where)
    row, doses = result.tables["frequencies"].iloc[0], np.sort(result.tables["units"]["dose"].unique())
    if not math.isfinite(row["one_in"]) or row["n_response"] == row["n_tested"]:
        raise InvalidInput([Fault(where, "no unit, or every unit, with a response", "a frequency to start from")])
    found: Found = {"one_in": float(row["one_in"]), "dose": float(doses[0]), "doses": float(len(doses))}
    if len(doses) > 1:
        found["step"] = float((doses[-1] / doses[0]) ** (1.0 / (len(doses) - 1)))
    low, high = significant(row["one_in_low"]), significant(row["one_in_high"])
    note = f"1 in {significant(row['one_in'])} cells comes from the pilot (95 % CI 1 in {low} to 1 in {high})"
    return found, [note]


SIMULATOR = Simulator(
    function=dilution,
    unit="mice per dose and arm", effect="a ratio of frequencies", low=1e-6, high=1e6, none=1.0, smallest=2,
    assumptions=(
        Assumption("one_in", 1000.0, "cells among which one is active in the control arm", 1.0, 1e12),
        Assumption("dose", 100.0, "lowest dose (cells)", 1e-3, 1e12),
        Assumption("step", 5.0, "each dose over the one below", 1.01, 1e4),
        Assumption("doses", 4, "doses in each arm", 1, 50, whole=True),
    ),
    claim=lambda effect, x: f"a frequency {effect:g} times that of 1 in {x['one_in']:,.6g} cells",
    draw=draw,
    options=lambda x, design: {"dose": "dose", "tested": "tested", "response": "response", "group": "arm"},
    pilot=Pilot(("dose", "tested", "response"), _pilot), answer="fold:treated:control",
)  # fmt: skip
