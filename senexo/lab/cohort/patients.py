"""Patients of a cohort: covariates drawn jointly, and what follows from them for the simulation.

The class of risk comes first; age, white cells and blasts given the class have its quantiles (linear between them,
white cells on a logarithmic scale) and the rank correlations of the registry, by a normal copula (Pearson's r =
2 sin(pi rho / 6)). Every draw has a stream of its own, so that more patients, other arms or other numbers change none
of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import derive, generator
from senexo.engine.host.patient import PATIENT, ROOM, WEIGHT_KG
from senexo.study.blood import CELLS
from senexo.study.blood import numbers as blood_numbers
from senexo.study.cohort import CLASSES, COVARIATES, PERCENTS

if TYPE_CHECKING:
    from senexo.study.schema import Cohort

Floats = NDArray[np.float64]
Values = Mapping[str, float]
MOST_TRANSITS = 60
APL_SHARE = 65 / 1540  # AML-SG public registry
OLDEST_GRAFTED = 75.0
BOUNDS = {"age": (18.0, 95.0), "wbc": (0.2, 500.0), "blasts": (6.0, 99.0)}
LIMITS = ("course", "others", "transplant", "leukaemia")


@dataclass(frozen=True, slots=True)
class Patients:
    """The patients of one world.

    Attributes
    ----------
    known
        Column -> [n]: class of risk (0 to 2), age, white cells (G/L), blasts (%), flags, levels.
    model
        [n] of `senexo.engine.host.patient.PATIENT`, without `row` and `above`.
    sensitivity, clearance
        [n] factor on the kill hazard, and clearance of cytarabine over its central value.
    level
        [n] of miR-34c-5p, over the circuit's own.
    limits
        [n, 4] integrated hazards at death.
    keys
        [n, 2] of the random numbers of the course.
    """

    known: Mapping[str, Floats]
    model: NDArray[Any]
    sensitivity: Floats
    clearance: Floats
    level: Floats
    limits: Floats
    keys: NDArray[np.uint64]


def patients(cohort: Cohort, values: Values, seed: int, donor: int) -> Patients:
    """The patients of the world of a donor, whose numbers are `values`."""
    n = cohort.patients
    draw = _Draws(seed, donor, n)
    known = covariates(cohort, values, draw)
    risk = known["risk"].astype(int)

    def of_class(name: str) -> Floats:
        return np.array([values[f"{name}_{where}"] for where in CLASSES])[risk]

    mutated, methylated = known["tp53"] > 0.0, known["methylated"] > 0.0
    sensitivity = of_class("sensitivity") * np.exp(values["sensitivity_sd"] * draw.normal("sensitivity"))
    sensitivity *= np.where(mutated, values["sensitivity_tp53"], 1.0)
    sensitivity *= np.exp(values["sensitivity_age"] * (known["age"] - 50.0) / 10.0)
    sensitivity *= np.where(methylated, values["sensitivity_methylated"], 1.0)
    clearance = np.exp(values["ln_clearance_sd"] * draw.normal("clearance"))
    model = np.zeros(n, PATIENT)
    _kinetics(model, known, of_class("doubling"), values, draw, like_blasts=cohort.stem_kinetics == "blasts")
    _marrow(model, known, values)
    _blood(model, draw)
    model["consolidations"] = cohort.consolidations
    _risks(model, known, of_class("salvage"), values, draw)
    keys = np.array([derive(seed, "patient", donor, number) for number in range(1, n + 1)], np.uint64)
    limits = np.stack([draw.exponential(f"death: {name}") for name in LIMITS], axis=1)
    level = np.exp2(known["log2_level"])
    return Patients(known, model, sensitivity, clearance, level, limits, keys)


class _Draws:
    """[n] draws by name, each of its own stream."""

    def __init__(self, seed: int, donor: int, n: int) -> None:
        self.seed, self.donor, self.n = seed, donor, n

    def _stream(self, name: str) -> np.random.Generator:
        return generator(self.seed, "cohort", self.donor, name)

    def normal(self, name: str) -> Floats:
        return self._stream(name).standard_normal(self.n)

    def uniform(self, name: str) -> Floats:
        return self._stream(name).random(self.n)

    def exponential(self, name: str) -> Floats:
        return self._stream(name).standard_exponential(self.n)

    def poisson(self, name: str, means: Floats) -> Floats:
        """By inversion, so that each patient takes one draw."""
        from scipy.stats import poisson

        return np.asarray(poisson.ppf(self.uniform(name), means))


def covariates(cohort: Cohort, values: Values, draw: _Draws) -> dict[str, Floats]:
    """What a registry has of each patient [n], and the level of miR-34c-5p with its causes."""
    share = np.array([values[f"share_{where}"] for where in CLASSES])
    apl = draw.uniform("apl") < (APL_SHARE if cohort.apl == "drawn" else 0.0)
    risk = np.searchsorted(np.cumsum(share / share.sum())[:-1], draw.uniform("class"), side="right")
    risk = np.where(apl, 0, risk)
    rho = np.eye(3)
    for (i, one), (j, other) in (((0, "age"), (1, "wbc")), ((1, "wbc"), (2, "blasts")), ((0, "age"), (2, "blasts"))):
        rho[i, j] = rho[j, i] = 2.0 * np.sin(np.pi * values[f"rank_{one}_{other}"] / 6.0)
    normal = np.stack([draw.normal(f"copula: {name}") for name in COVARIATES], axis=1) @ np.linalg.cholesky(rho).T
    known = {"risk": risk.astype(float), "apl": apl.astype(float)}
    for column, name in enumerate(COVARIATES):
        known[name] = np.empty(draw.n)
        for number, where in enumerate(CLASSES):
            quantiles = [values[f"{name}_p{percent}_{where}"] for percent in PERCENTS]
            own = risk == number
            known[name][own] = from_quantiles(normal[own, column], quantiles, name)
    chance = np.array([[values[f"{what}_{where}"] for where in CLASSES] for what in ("tp53", "cbf", "npm1")])[:, risk]
    known["tp53"] = ((draw.uniform("tp53") < chance[0]) & ~apl).astype(float)
    marker = draw.uniform("marker")
    known["cbf"] = ((marker < chance[1]) & ~apl).astype(float)
    known["npm1"] = ((marker >= chance[1]) & (marker < chance[1] + chance[2]) & ~apl).astype(float)
    known["cbfb"] = known["cbf"] * (draw.uniform("cbfb") < 0.5)
    known["methylated"] = (draw.uniform("methylated") < values["methylated"]).astype(float)
    causes = known["tp53"] * np.log2(values["level_tp53"]) + known["methylated"] * np.log2(values["level_methylated"])
    known["log2_level"] = values["level_sd"] * draw.normal("level") + causes
    known["mir34c"] = known["log2_level"] + values["measured_sd"] * draw.normal("measured")
    known["mir34c_reads"] = draw.poisson("reads", values["bulk_reads"] * np.exp2(known["log2_level"]))
    return known


def from_quantiles(normal: Floats, quantiles: list[float], name: str) -> Floats:
    """Values with these quantiles (5, 25, 50, 75, 95 %) of standard normal numbers, within the bounds of `name`.

    Linear in the normal score between quantiles and beyond the outer ones; white cells on a logarithmic scale.
    """
    from scipy.special import ndtri

    at = ndtri(np.array(PERCENTS) / 100.0)
    logarithmic = name == "wbc"
    to = np.log(quantiles) if logarithmic else np.array(quantiles)
    found = np.interp(normal, at, to)
    for end, inner in ((0, 1), (-1, -2)):
        slope = (to[end] - to[inner]) / (at[end] - at[inner])
        beyond = normal < at[0] if end == 0 else normal > at[-1]
        found[beyond] = to[end] + slope * (normal[beyond] - at[end])
    return np.clip(np.exp(found) if logarithmic else found, *BOUNDS[name])


def _kinetics(
    model: NDArray[Any], known: Mapping[str, Floats], doubling: Floats, values: Values, draw: _Draws, *,
    like_blasts: bool,
) -> None:  # fmt: skip
    """Rates of stem cells and blasts, and the stem cells at diagnosis over those of the marrow (made counts later)."""
    cbfb = known["cbfb"] > 0.0
    doubling = np.where(known["npm1"] > 0.0, values["doubling_npm1"], doubling)
    doubling = np.where(known["cbf"] > 0.0, values["doubling_runx1"], doubling)
    doubling = np.where(cbfb, values["doubling_cbfb"], doubling)
    division = values["division"]
    growth = log(2.0) / (doubling * np.exp(values["doubling_sd"] * draw.normal("doubling")))
    growth = np.minimum(growth, 0.9 * division)
    resting = np.minimum(values["resting"], 0.95 * (1.0 - growth / division)) * (0.0 if like_blasts else 1.0)
    active = 1.0 - resting
    renewal = np.minimum(1.0, 0.5 * (1.0 + growth / (active * division)))
    odds = renewal * values["stemness"]
    model["division"], model["renewal"] = division, renewal
    model["renewal_escaped"] = odds / (1.0 - renewal + odds)
    model["rest"], model["wake"] = resting * (values["wake"] + growth) / active, values["wake"]
    model["clearance"] = values["clearance"]
    model["transit_division"] = values["transit_division"]
    model["blast_loss"] = values["blast_loss"] + values["egress"]
    centre = log(values["kill_resting"] / (1.0 - values["kill_resting"])) if 0 < values["kill_resting"] < 1 else None
    spread = values["kill_resting_sd"] * draw.normal("kill_resting")
    met = values["kill_resting"] if centre is None else 1.0 / (1.0 + np.exp(-(centre + spread)))
    model["kill_resting"] = 1.0 if like_blasts else met
    wanted = values["stem_share"] * np.exp(values["stem_share_sd"] * draw.normal("stem_share"))
    transits, share = transits_for(np.minimum(wanted, 0.1), growth, active, model)
    model["transits"], model["active"], model["quiescent"] = transits, active * share, resting * share


def transits_for(
    wanted: Floats, growth: Floats, active: Floats, model: NDArray[Any]
) -> tuple[NDArray[np.int64], Floats]:
    """The numbers of transit divisions [n] whose balanced growth has the stem-cell shares nearest to `wanted`, and
    the shares of it."""
    k = model["transit_division"]
    first = 2.0 * (1.0 - model["renewal"]) * model["division"] * active / (k + growth)
    gain = 2.0 * k / (k + growth)
    count = np.arange(1, MOST_TRANSITS + 1)[:, None]
    transit = first * gain ** (count - 1)
    mature = 2.0 * k * transit / (model["blast_loss"] + growth)
    share = 1.0 / (1.0 + np.cumsum(transit, axis=0) + mature)
    best = np.abs(np.log(share / wanted)).argmin(axis=0)
    return best + 1, np.take_along_axis(share, best[None, :], axis=0)[0]


def _marrow(model: NDArray[Any], known: Mapping[str, Floats], values: Values) -> None:
    """Normal and leukaemic cells at diagnosis, from the share of blasts; the normal ones at most those of health."""
    for name in ("renewal_normal", "division_normal", "loss_normal", "signal", "crowding", "normal_kill"):
        model[name] = values[name]
    mature = (2.0 * values["renewal_normal"] - 1.0) / values["signal"]
    healthy = mature * (1.0 + values["loss_normal"] / values["division_normal"])
    blasts = known["blasts"] / 100.0
    normal = np.minimum((1.0 - blasts) * max(values["marrow_full"], ROOM), healthy) * WEIGHT_KG
    model["blasts"], model["normal"] = blasts, normal
    model["leukaemic"] = blasts / (1.0 - blasts) * normal
    for name in ("active", "quiescent"):
        model[name] *= model["leukaemic"]


def _blood(model: NDArray[Any], draw: _Draws) -> None:
    """Constants of neutrophils and platelets, drawn from their ranges (`study/blood.csv`)."""
    for cells in CELLS:
        for name, one in blood_numbers(cells).items():
            u = draw.uniform(f"{cells} {name}")
            if one.law == "log-uniform":
                model[f"{cells}_{name}"] = one.low * (one.high / one.low) ** u
            else:
                model[f"{cells}_{name}"] = one.value if one.law == "fixed" else one.low + u * (one.high - one.low)


def _risks(model: NDArray[Any], known: Mapping[str, Floats], salvage: Floats, values: Values, draw: _Draws) -> None:
    """Hazards of death, transplantation, later treatment."""
    age, wbc = known["age"], known["wbc"]
    log_hazard = values["early_age"] * (age - 50.0) / 10.0 + values["early_wbc"] * np.log2((wbc + 1.0) / 11.0)
    model["course_hazard"] = values["early_death"] * np.exp(log_hazard)
    model["consolidation_factor"] = values["consolidation_death"]
    model["neutropenia_factor"] = values["early_neutropenia"]
    model["other_hazard"] = values["background_death"] * 2.0 ** ((age - 50.0) / 8.0)
    model["second_above"] = values["second_above"]
    grafted = (draw.uniform("transplant") < values["transplant"]) & (age <= OLDEST_GRAFTED)
    model["transplant_day"] = np.where(grafted, values["transplant_day"], inf)
    model["transplant_cures"] = draw.uniform("graft") < values["transplant_cure"]
    model["transplant_hazard"] = -np.log1p(-min(values["transplant_death"], 1.0 - 1e-12)) / 180.0
    odds = salvage / np.maximum(1.0 - salvage, 1e-12) * np.exp(values["salvage_age"] * (age - 50.0) / 10.0)
    cured = odds / (1.0 + odds) * np.where(known["tp53"] > 0.0, values["salvage_tp53"], 1.0)
    model["salvaged"] = draw.uniform("salvage") < cured
    model["later_hazard"] = log(2.0) / values["relapse_survival"]
    model["mrd_day"] = values["mrd_day"]
