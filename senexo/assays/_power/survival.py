"""Power of `survival`: simulated patients who are followed, and what a pilot says of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays._power.made_up import frame
from senexo.assays._power.simulator import Assumption, Found, Numbers, Pilot, Rng, Simulator
from senexo.assays._survival.assay import survival
from senexo.assays._survival.read import Roles, read
from senexo.assays.stats.kaplan_meier import curve, log_rank

if TYPE_CHECKING:
    import pandas as pd


def draw(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """Exponential times, the hazard of the exposed times `effect`, cut at the end of follow-up."""
    exposed = np.arange(n) < round(n * x["share"])
    times = rng.exponential(x["median"] / math.log(2.0), n) / np.where(exposed, effect, 1.0)
    end = x["follow_up"] + x["accrual"] * rng.random(n)
    return frame({
        "time": np.maximum(np.minimum(times, end), 1e-9), "event": (times <= end).astype(int),
        "group": np.where(exposed, "exposed", "control"),
    })  # fmt: skip


def _log_rank(table: pd.DataFrame, design: str) -> float:
    """The assay's log-rank test; nan without an event."""
    time, event = table["time"].to_numpy(), table["event"].to_numpy() > 0
    exposed = (table["group"] == "exposed").to_numpy().astype(np.int64)
    return log_rank(time, event, exposed, np.zeros_like(exposed)).p_value if event.any() else math.nan


def _pilot(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Found, list[str]]:
    """Median survival of an exponential law, log 2 x all time seen / events, and how long patients were followed."""
    cohort = read(table, Roles(roles["time"], roles["event"], None, (), (), None), where)
    events = int(cohort.event.sum())
    note = f"median from {events} events of {len(cohort.time)} patients of the pilot, as if their hazard were constant"
    found = {"median": math.log(2.0) * float(cohort.time.sum()) / events}
    return found | _followed(cohort.time, cohort.event), [*cohort.notes, note]


def _followed(time: NDArray[np.float64], event: NDArray[np.bool_]) -> Found:
    """Follow-up spread evenly between two times, from the quartiles of the reverse Kaplan-Meier curve."""
    reverse = curve(time, ~event)
    ends = [time[reverse.survival <= share] for time, share in ((reverse.time, 0.75), (reverse.time, 0.25))]
    early, late = (float(end[0]) if len(end) else float(time.max()) for end in ends)
    shortest = max(early - (late - early) / 2.0, 0.1 * late)
    return {"follow_up": shortest, "accrual": max(0.0, late + (late - early) / 2.0 - shortest)}


SIMULATOR = Simulator(
    function=survival,
    unit="patients", effect="a hazard ratio", low=1e-3, high=1e3, none=1.0, smallest=10,
    assumptions=(
        Assumption("median", 12.0, "median survival of the control group (in any unit of time)", 1e-6, 1e6),
        Assumption("follow_up", 24.0, "time from the last patient to the analysis", 1e-6, 1e6),
        Assumption("accrual", 12.0, "time over which patients enter", 0.0, 1e6),
        Assumption("share", 0.5, "share of patients in the exposed group", 0.02, 0.98),
    ),
    claim=lambda effect, x: f"a hazard ratio of {effect:g} ({100 * x['share']:g} % of patients exposed)",
    draw=draw, test=_log_rank,
    options=lambda x, design: {"time": "time", "event": "event", "group": "group"},
    pilot=Pilot(("time", "event"), _pilot), answer="logrank:group",
)  # fmt: skip
