"""Power of `response`: simulated patients who respond or not, and what a pilot says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from senexo.assays._power.made_up import expit, frame, logit
from senexo.assays._power.simulator import Assumption, Found, Numbers, Pilot, Rng, Simulator
from senexo.assays._response.assay import response
from senexo.assays._response.read import Roles, read
from senexo.assays.stats.proportion import clopper_pearson

if TYPE_CHECKING:
    import pandas as pd


def draw(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """The odds of a response times `effect` for each standard deviation of a normal level."""
    level = rng.normal(0.0, 1.0, n)
    share = expit(logit(x["rate"]) + math.log(effect) * level)
    return frame({"level": level, "response": (rng.random(n) < share).astype(int)})


def _pilot(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Found, list[str]]:
    """The share of patients who respond, with its exact interval."""
    cohort = read(table, Roles(roles["response"]), where)
    responded, n = int(cohort.response.sum()), len(cohort.response)
    low, high = clopper_pearson(responded, n)
    note = f"rate from {n} patients of the pilot (95 % CI {100 * low:.0f} to {100 * high:.0f} %)"
    return {"rate": responded / n}, [*cohort.notes, note]


SIMULATOR = Simulator(
    function=response,
    unit="patients", effect="an odds ratio for one SD of the level", low=1e-3, high=1e3, none=1.0, smallest=10,
    assumptions=(Assumption("rate", 0.6, "share of patients at the mean level who respond", 1e-3, 1.0 - 1e-3),),
    claim=lambda effect, x: f"an odds ratio of {effect:g} per SD of the level ({100 * x['rate']:g} % respond)",
    draw=draw,
    options=lambda x, design: {"response": "response", "value": "level"},
    pilot=Pilot(("response",), _pilot), answer="odds_ratio:alone:level",
)  # fmt: skip
