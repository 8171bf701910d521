"""Power of `senescence`: simulated counts of positive cells, and what a pilot says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._power.made_up import donor_names, expit, frame, logit, refuse_families, spread, uncertain
from senexo.assays._power.simulator import Assumption, Found, Numbers, Pilot, Rng, Simulator
from senexo.assays._senescence.assay import counted, senescence
from senexo.assays._senescence.contrasts import paired_difference
from senexo.assays.stats.unpaired import share_difference

if TYPE_CHECKING:
    import pandas as pd


def draw(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """Logit shares of donors, each with its own effect, binomial counts."""
    level = rng.normal(0.0, x["donor_sd"], n)
    other = level if paired else rng.normal(0.0, x["donor_sd"], n)
    treated = logit(x["share"] + effect) + level + rng.normal(0.0, x["sd"], n)
    shares = np.concatenate([expit(treated), expit(logit(x["share"]) + other)])
    return frame({
        "arm": ["treated"] * n + ["control"] * n,
        "donor": donor_names(n, "treated", paired) + donor_names(n, "control", paired),
        "n_positive": rng.binomial(int(x["cells"]), shares), "n_total": int(x["cells"]),
    })  # fmt: skip


def _difference(table: pd.DataFrame, design: str) -> float:
    """The assay's test of the difference of shares."""
    rows = [table[table["arm"] == arm] for arm in ("treated", "control")]
    counts = [arm[name].to_numpy(float) for arm in rows for name in ("n_positive", "n_total")]
    return (paired_difference(*counts) if design == "paired" else share_difference(*counts).difference).p_value


def _pilot(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Found, list[str]]:
    """Level and effect of every donor on the log odds scale, less what counting a finite number of cells adds."""
    senescence(table, compare=(roles["arm"], roles["control"]), design=design, where=where)  # names every fault
    cells = counted(table, where)[0]
    cells = cells[cells["time_h"] == cells["time_h"].max()]  # the time that the assay judges
    refuse_families(roles, set(cells["arm"]), where)
    sums = cells.groupby(["arm", "donor"])[["n_positive", "n_total"]].sum()
    arm, other = (sums.loc[[roles[name]]].droplevel("arm") for name in ("arm", "control"))
    (logit, error), (level, level_error) = _logits(arm), _logits(other)
    found: Found = {
        "share": float(other["n_positive"].sum() / other["n_total"].sum()),
        "cells": float(round(np.median(np.concatenate([arm["n_total"], other["n_total"]])))),
    }
    found["share"] = min(max(found["share"], 1e-3), 1.0 - 1e-3)
    notes = []
    if len(level) > 1:
        found["donor_sd"] = spread(float(level.var()) - float(level_error.mean()))
    effect = (logit - level).dropna()
    if len(effect) > 1 and design == "paired":
        found["sd"] = spread(float(effect.var()) - float((error + level_error).dropna().mean()))
        notes.append(uncertain("sd", found["sd"], len(effect)))
    return found, notes


def _logits(sums: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Log odds of every donor's share, and what counting adds to their variance."""
    positive, negative = sums["n_positive"] + 0.5, sums["n_total"] - sums["n_positive"] + 0.5
    return (positive / negative).map(math.log), 1.0 / positive + 1.0 / negative


def _impossible(effect: float, x: Numbers) -> str:
    """The effect must leave a share a share."""
    left = 0.0 < x["share"] + effect < 1.0
    return "" if left else f"a difference that leaves a share of {x['share']:g} between 0 and 1"


SIMULATOR = Simulator(
    function=senescence,
    unit="donors", effect="a difference of shares of positive cells", low=-1.0, high=1.0, none=0.0, smallest=3,
    assumptions=(
        Assumption("share", 0.05, "share of positive cells in the control arm", 1e-4, 1.0 - 1e-4),
        Assumption("sd", 0.5, "SD between donors of their own effect (log odds ratio)", 0.0, 5.0),
        Assumption("donor_sd", 0.6, "SD between donors of their level (log odds)", 0.0, 5.0),
        Assumption("cells", 200, "cells counted per donor and arm", 1, 1e6, whole=True),
    ),
    claim=lambda effect, x: f"{100 * effect:+.3g} points of positive cells over {100 * x['share']:.2g} %",
    draw=draw, test=_difference,
    impossible=_impossible,
    options=lambda x, design: {"compare": ("treated", "control"), "design": design},
    pilot=Pilot(("arm", "control"), _pilot), answer="senescent:difference:treated:control", designs=True,
)  # fmt: skip
