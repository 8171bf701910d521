"""Power of `expression`: simulated intensities of RNAs, and what a pilot says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo.assays._expression.assay import expression
from senexo.assays._power.made_up import donor_names, frame
from senexo.assays._power.simulator import Assumption, Found, Numbers, Pilot, Rng, Simulator
from senexo.assays.stats.moderated import moderate, pairs, two_groups
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd


def draw(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """Log2 intensities of many RNAs of which one, `target`, differs; variances differ between RNAs."""
    rnas = int(x["rnas"])
    spread = x["sd"] * (np.sqrt(x["prior_df"] / rng.chisquare(x["prior_df"], rnas)) if x["prior_df"] < 1000 else 1.0)
    level = rng.normal(8.0, 2.0, rnas) + np.zeros((n, rnas))
    donors = rng.normal(0.0, x["donor_sd"], (n, rnas)) if paired else np.zeros((n, rnas))
    groups = [level + donors + rng.normal(0.0, 1.0, (n, rnas)) * spread for _ in range(2)]
    groups[0][:, 0] += math.log2(effect)
    table = frame(
        dict(zip(["target", *(f"RNA {i}" for i in range(2, rnas + 1))], np.concatenate(groups).T, strict=True))
    )
    return table.assign(
        cell=["treated"] * n + ["control"] * n,
        who=donor_names(n, "treated", paired) + donor_names(n, "control", paired),
    )


def _moderated(table: pd.DataFrame, design: str) -> float:
    """The assay's moderated t-test of the RNA `target`, the variances of all others in it."""
    groups = (table[table["cell"] == name].drop(columns=["cell", "who"]) for name in ("treated", "control"))
    case, control = (group.to_numpy(float) for group in groups)
    tests = moderate((pairs if design == "paired" else two_groups)(case, control))
    return float(tests.p_value[list(table.columns).index("target")])


def _pilot(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Found, list[str]]:
    """The prior of the moderated t-test: the typical variance of an RNA, and how alike variances are."""
    settings = expression(
        table, group=roles["group"], control=roles["control"], kind="intensities", where=where
    ).settings
    if settings["s2_prior"] is None:
        raise InvalidInput([Fault(where, "too few samples to tell a variance", "two donors in a group, several RNAs")])
    prior_df = min(max(float(settings["df_prior"]), 2.0), 1000.0)
    rnas = float(min(max(int(settings["n_tested"]), 10), 20_000))
    return {"sd": math.sqrt(float(settings["s2_prior"])), "prior_df": prior_df, "rnas": rnas}, []


SIMULATOR = Simulator(
    function=expression,
    unit="donors", effect="a fold change of one RNA", low=1e-4, high=1e4, none=1.0, smallest=2,
    assumptions=(
        Assumption("sd", 0.7, "typical SD between donors within a group (log2)", 1e-3, 10.0),
        Assumption("prior_df", 5.0, "how alike SDs of RNAs are (degrees of freedom; 1000: equal)", 2.0, 1000.0),
        Assumption("donor_sd", 0.7, "SD between donors of what both groups share (log2)", 0.0, 10.0),
        Assumption("rnas", 200, "RNAs measured, of which one differs", 10, 20_000, whole=True),
    ),
    claim=lambda effect, x: f"a {effect:g}-fold change of an RNA named in advance, among {x['rnas']:g}",
    draw=draw, test=_moderated,
    options=lambda x, design: {
        "group": "cell", "control": "control", "donor": "who", "design": design, "kind": "intensities",
        "target": "target",
    },
    pilot=Pilot(("group", "control"), _pilot), answer="fold:target:treated:control", designs=True,
)  # fmt: skip
