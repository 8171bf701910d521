"""Power of `qpcr`: simulated threshold cycles, and what a pilot says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._power.made_up import between_donors, donor_names, frame, refuse_families
from senexo.assays._power.simulator import Assumption, Found, Numbers, Pilot, Rng, Simulator
from senexo.assays._qpcr.assay import qpcr

if TYPE_CHECKING:
    import pandas as pd


def draw(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """Log2 levels of donors, each with its own fold, wells with technical noise and a cut-off."""
    import pandas as pd

    wells, parts = int(x["wells"]), []
    level = rng.normal(0.0, x["donor_sd"], n)
    for arm, shift in (("treated", math.log2(effect)), ("control", 0.0)):
        own = level if paired else rng.normal(0.0, x["donor_sd"], n)
        fold = shift + (rng.normal(0.0, x["sd"], n) if arm == "treated" else 0.0)
        for target, middle in (("target", x["ct"] - own - fold), ("reference", np.full(n, 20.0))):
            ct = np.repeat(middle, wells) + rng.normal(0.0, x["technical_sd"], n * wells)
            parts.append(frame({
                "arm": arm, "donor": np.repeat(donor_names(n, arm, paired), wells), "target": target,
                "replicate": np.tile(np.arange(wells), n), "ct": np.where(ct <= x["cutoff"], ct, np.nan),
                "detected": ct <= x["cutoff"],
            }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _pilot(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Found, list[str]]:
    """dCt of every donor, as the assay computes it, less what technical replicates add."""
    result = qpcr(
        table, target=roles["target"], reference=roles["reference"], control=roles["control"], arms=[roles["arm"]],
        design=design, where=where,
    )  # fmt: skip
    dct = result.tables["dct"]
    refuse_families(roles, set(dct["arm"]), where)
    seen = dct[~dct["censored"].astype(bool)]
    arm, other = (seen[seen["arm"] == roles[name]].set_index("donor")["dct"] for name in ("arm", "control"))
    wells = result.tables["replicates"]
    of_target = wells[wells["target"] == roles["target"]]
    found: Found = {}
    freedom = (of_target["n_detected"] - 1).clip(lower=0)
    if freedom.sum() > 0:
        found["technical_sd"] = math.sqrt(float((of_target["sd_ct"] ** 2 * freedom).sum() / freedom.sum()))
        found["wells"] = float(round(of_target["n_wells"].median()))
    technical = (
        2.0 * found.get("technical_sd", 0.0) ** 2 / found.get("wells", 1.0)
    )  # of the target and of the reference
    detection = result.tables["detection"].set_index(["target", "arm"])
    middle = float(detection["median_ct"].loc[(roles["target"], roles["control"])])
    if not math.isnan(middle):
        found["ct"] = middle
    spreads, notes = between_donors(arm, other, technical, design)
    return {**found, **spreads}, notes


SIMULATOR = Simulator(
    function=qpcr,
    unit="donors", effect="a fold change", low=1e-4, high=1e4, none=1.0, smallest=3,
    assumptions=(
        Assumption("sd", 0.6, "SD between donors of their own log2 fold change", 0.0, 10.0),
        Assumption("donor_sd", 1.0, "SD between donors of their level (log2)", 0.0, 10.0),
        Assumption("technical_sd", 0.25, "SD of technical replicates (cycles)", 0.0, 5.0),
        Assumption("wells", 2, "technical replicates", 1, 96, whole=True),
        Assumption("ct", 30.0, "mean Ct of the target in the control arm", 1.0, 60.0),
        Assumption("cutoff", 40.0, "Ct beyond which nothing is detected", 1.0, 60.0),
    ),
    claim=lambda effect, x: f"a {effect:g}-fold change",
    draw=draw,
    options=lambda x, design: {
        "target": "target", "reference": "reference", "control": "control", "cutoff": x["cutoff"], "design": design,
    },
    pilot=Pilot(("arm", "control", "target", "reference"), _pilot), answer="fold:target:treated:control", designs=True,
)  # fmt: skip
