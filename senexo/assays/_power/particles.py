"""Power of `particles`: simulated readings of particles, and what a pilot says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._particles.assay import particles
from senexo.assays._power.made_up import between_donors, donor_names, frame
from senexo.assays._power.simulator import Assumption, Found, Numbers, Pilot, Rng, Simulator
from senexo.base.table import as_number, as_text

if TYPE_CHECKING:
    import pandas as pd


MEDIUM = 1e9  # particles per mL that a typical control donor releases; only its ratio to the blank matters


def draw(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """Lognormal rates of donors, each with its own ratio, on top of what the medium holds already."""
    import pandas as pd

    runs, parts = int(x["readings"]), []
    level = rng.normal(0.0, x["donor_sd"], n)
    for arm, shift in (("treated", math.log(effect)), ("control", 0.0)):
        own = level if paired else rng.normal(0.0, x["donor_sd"], n)
        spread = rng.normal(0.0, x["sd"], n) if arm == "treated" else 0.0
        held = MEDIUM * (np.exp(own + shift + spread) + x["blank"])
        parts.append(frame({
            "arm": arm, "donor": np.repeat(donor_names(n, arm, paired), runs), "replicate": np.tile(np.arange(runs), n),
            "particles_per_ml": np.repeat(held, runs) * rng.lognormal(0.0, x["reading_sd"], n * runs),
            "n_cells": 2e6, "hours": 48.0,
        }))  # fmt: skip
    if x["blank"]:
        medium = MEDIUM * x["blank"] * rng.lognormal(0.0, x["reading_sd"], int(x["blanks"]))
        parts.append(frame({
            "arm": "medium", "donor": "", "replicate": np.arange(len(medium)), "particles_per_ml": medium,
            "n_cells": math.nan, "hours": math.nan,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True).assign(dilution=1.0, volume_ml=5.0)


def _pilot(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Found, list[str]]:
    """Log rates of every donor, as the assay computes them, less what the spread of readings adds."""
    pair = (roles["arm"], roles["control"])
    result = particles(table, compare=pair, blank=roles.get("blank"), design=design, where=where)
    samples, blanks = result.tables["samples"], result.tables["blanks"]
    seen = samples[~samples["below"].astype(bool)].assign(log=lambda rows: rows["rate"].map(math.log))
    arm, other = (seen[seen["arm"] == name].set_index("donor")["log"] for name in pair)
    column = "particles_per_ml" if "particles_per_ml" in table.columns else "particles_per_frame"
    arms, readings = table["arm"].map(as_text), table[column].map(as_text).map(as_number)
    logs = readings[arms.isin(pair) & (readings > 0.0)].map(math.log)
    groups = logs.groupby([arms, table["donor"].map(as_text)])
    freedom = groups.size() - 1
    found: Found = {"readings": float(round(groups.size().median()))}
    if freedom.sum() > 0:
        found["reading_sd"] = math.sqrt(float((groups.var().fillna(0.0) * freedom).sum() / freedom.sum()))
    reading = found.get("reading_sd", 0.0) ** 2 / found["readings"]
    found["blank"] = 0.0
    if len(blanks):
        control = samples.loc[samples["arm"] == pair[1], "medium"] - float(blanks["mean"].mean())
        found["blank"] = min(max(float(blanks["mean"].mean()) / max(float(control.median()), 1e-300), 1e-6), 10.0)
        found["blanks"] = float(max(int(blanks["n_readings"].median()), 2))
    spreads, notes = between_donors(arm, other, reading, design)
    return {**found, **spreads}, notes


SIMULATOR = Simulator(
    function=particles,
    unit="donors", effect="a ratio of rates of release", low=1e-4, high=1e4, none=1.0, smallest=2,
    assumptions=(
        Assumption("sd", 0.25, "SD between donors of their own log ratio", 0.0, 5.0),
        Assumption("donor_sd", 0.5, "SD between donors of their log rate", 0.0, 5.0),
        Assumption("reading_sd", 0.15, "SD of the log of a reading", 0.0, 2.0),
        Assumption("readings", 3, "readings of a sample", 1, 100, whole=True),
        Assumption("blank", 0.1, "particles of the medium over those of a typical control sample", 0.0, 10.0),
        Assumption("blanks", 4, "readings of the blank", 2, 100, whole=True),
    ),
    claim=lambda effect, x: f"a release {effect:g} times that of the control",
    draw=draw,
    options=lambda x, design: {
        "compare": ("treated", "control"), "blank": "medium" if x["blank"] else None, "design": design,
    },
    pilot=Pilot(("arm", "control"), _pilot, optional=("blank",)), answer="ratio:treated:control", designs=True,
)  # fmt: skip
