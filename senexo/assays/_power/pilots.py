"""What a pilot table says of the variability that power rests on, read with the assay's own columns.

A spread estimated from a few donors is itself uncertain, and with it the power; a note says how uncertain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import significant
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import as_number, as_text, capped

if TYPE_CHECKING:
    import pandas as pd

Numbers = dict[str, float]
LEAST_SPREAD = 0.1  # donors that agree better are taken as chance


@dataclass(frozen=True, slots=True)
class Pilot:
    """Which roles a pilot of one assay needs, and how it is read: (table, roles, design, where) -> numbers, notes."""

    roles: tuple[str, ...]
    read: Callable[[pd.DataFrame, Mapping[str, Any], str, str], tuple[Numbers, list[str]]]
    optional: tuple[str, ...] = ()


def read_pilot(
    assay: str, table: pd.DataFrame | None, roles: Mapping[str, Any], design: str, where: str
) -> tuple[Numbers, list[str]]:
    """The assumptions that the pilot table settles; nothing without one."""
    named = {name: value for name, value in roles.items() if value is not None}
    if table is None:
        if named:
            first = next(iter(named))
            raise InvalidInput([Fault(f"{where}: {first}", f"'{named[first]}'", "a pilot table to find it in")])
        return {}, []
    needed, optional = PILOTS[assay].roles, PILOTS[assay].optional
    faults = [
        Fault(f"{where}: {name}", "nothing", f"a pilot of {assay} needs it") for name in needed if name not in named
    ]
    faults += [
        Fault(f"{where}: {name}", f"'{value}'", f"only {', '.join(needed + optional)} for a pilot of {assay}")
        for name, value in named.items()
        if name not in needed + optional
    ]
    if faults:
        raise capped(faults, where)
    return PILOTS[assay].read(table, named, design, where)


def _of_counts(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Numbers, list[str]]:
    """Level and effect of every donor on the log odds scale, less what counting a finite number of cells adds."""
    from senexo.assays._senescence.assay import counted, senescence

    senescence(table, compare=(roles["arm"], roles["control"]), design=design, where=where)  # names every fault
    cells = counted(table, where)[0]
    cells = cells[cells["time_h"] == cells["time_h"].max()]  # the time that the assay judges
    _no_families(roles, set(cells["arm"]), where)
    sums = cells.groupby(["arm", "donor"])[["n_positive", "n_total"]].sum()
    arm, other = (sums.loc[[roles[name]]].droplevel("arm") for name in ("arm", "control"))
    (logit, error), (level, level_error) = _logits(arm), _logits(other)
    found: Numbers = {
        "share": float(other["n_positive"].sum() / other["n_total"].sum()),
        "cells": float(round(np.median(np.concatenate([arm["n_total"], other["n_total"]])))),
    }
    found["share"] = min(max(found["share"], 1e-3), 1.0 - 1e-3)
    notes = []
    if len(level) > 1:
        found["donor_sd"] = _spread(float(level.var()) - float(level_error.mean()))
    effect = (logit - level).dropna()
    if len(effect) > 1 and design == "paired":
        found["sd"] = _spread(float(effect.var()) - float((error + level_error).dropna().mean()))
        notes.append(_uncertain("sd", found["sd"], len(effect)))
    return found, notes


def _no_families(roles: Mapping[str, Any], arms: set[str], where: str) -> None:
    """The assays take a family for several arms; an effect is one arm's."""
    faults = [
        Fault(f"{where}: {name}", f"'{roles[name]}', a family", "one arm")
        for name in ("arm", "control")
        if roles[name] not in arms
    ]
    if faults:
        raise capped(faults, where)


def _logits(sums: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Log odds of every donor's share, and what counting adds to their variance."""
    positive, negative = sums["n_positive"] + 0.5, sums["n_total"] - sums["n_positive"] + 0.5
    return (positive / negative).map(math.log), 1.0 / positive + 1.0 / negative


def _of_cycles(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Numbers, list[str]]:
    """dCt of every donor, as the assay computes it, less what technical replicates add."""
    from senexo.assays._qpcr.assay import qpcr

    result = qpcr(
        table, target=roles["target"], reference=roles["reference"], control=roles["control"], arms=[roles["arm"]],
        design=design, where=where,
    )  # fmt: skip
    dct = result.tables["dct"]
    _no_families(roles, set(dct["arm"]), where)
    seen = dct[~dct["censored"].astype(bool)]
    arm, other = (seen[seen["arm"] == roles[name]].set_index("donor")["dct"] for name in ("arm", "control"))
    wells = result.tables["replicates"]
    of_target = wells[wells["target"] == roles["target"]]
    found: Numbers = {}
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
    notes = []
    if len(other) > 1:
        found["donor_sd"] = _spread(float(other.var()) - technical)
    effect = (arm - other).dropna()
    if len(effect) > 1 and design == "paired":
        found["sd"] = _spread(float(effect.var()) - 2.0 * technical)
        notes.append(_uncertain("sd", found["sd"], len(effect)))
    return found, notes


def _of_readings(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Numbers, list[str]]:
    """Log rates of every donor, as the assay computes them, less what the spread of readings adds."""
    from senexo.assays._particles.assay import particles

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
    found: Numbers = {"readings": float(round(groups.size().median()))}
    if freedom.sum() > 0:
        found["reading_sd"] = math.sqrt(float((groups.var().fillna(0.0) * freedom).sum() / freedom.sum()))
    reading = found.get("reading_sd", 0.0) ** 2 / found["readings"]
    found["blank"] = 0.0
    if len(blanks):
        control = samples.loc[samples["arm"] == pair[1], "medium"] - float(blanks["mean"].mean())
        found["blank"] = min(max(float(blanks["mean"].mean()) / max(float(control.median()), 1e-300), 1e-6), 10.0)
        found["blanks"] = float(max(int(blanks["n_readings"].median()), 2))
    notes = []
    if len(other) > 1:
        found["donor_sd"] = _spread(float(other.var()) - reading)
    effect = (arm - other).dropna()
    if len(effect) > 1 and design == "paired":
        found["sd"] = _spread(float(effect.var()) - 2.0 * reading)
        notes.append(_uncertain("sd", found["sd"], len(effect)))
    return found, notes


def _of_patients(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Numbers, list[str]]:
    """Median survival of an exponential law, log 2 x all time seen / events, and how long patients were followed."""
    from senexo.assays._survival.read import Roles, read

    cohort = read(table, Roles(roles["time"], roles["event"], None, (), (), None), where)
    events = int(cohort.event.sum())
    note = f"median from {events} events of {len(cohort.time)} patients of the pilot, as if their hazard were constant"
    found = {"median": math.log(2.0) * float(cohort.time.sum()) / events}
    return found | _followed(cohort.time, cohort.event), [*cohort.notes, note]


def _followed(time: NDArray[np.float64], event: NDArray[np.bool_]) -> Numbers:
    """Follow-up spread evenly between two times, from the quartiles of the reverse Kaplan-Meier curve."""
    from senexo.assays.stats.kaplan_meier import curve

    reverse = curve(time, ~event)
    ends = [time[reverse.survival <= share] for time, share in ((reverse.time, 0.75), (reverse.time, 0.25))]
    early, late = (float(end[0]) if len(end) else float(time.max()) for end in ends)
    shortest = max(early - (late - early) / 2.0, 0.1 * late)
    return {"follow_up": shortest, "accrual": max(0.0, late + (late - early) / 2.0 - shortest)}


def _of_plates(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Numbers, list[str]]:
    """Frequency and doses of the pilot; all its rows are one arm."""
    from senexo.assays._dilution.assay import dilution

    result = dilution(table, **roles, where=where)
    row, doses = result.tables["frequencies"].iloc[0], np.sort(result.tables["units"]["dose"].unique())
    if not math.isfinite(row["one_in"]) or row["n_response"] == row["n_tested"]:
        raise InvalidInput([Fault(where, "no unit, or every unit, with a response", "a frequency to start from")])
    found: Numbers = {"one_in": float(row["one_in"]), "dose": float(doses[0]), "doses": float(len(doses))}
    if len(doses) > 1:
        found["step"] = float((doses[-1] / doses[0]) ** (1.0 / (len(doses) - 1)))
    low, high = significant(row["one_in_low"]), significant(row["one_in_high"])
    note = f"1 in {significant(row['one_in'])} cells comes from the pilot (95 % CI 1 in {low} to 1 in {high})"
    return found, [note]


def _of_responders(table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str) -> tuple[Numbers, list[str]]:
    """The share of patients who respond, with its exact interval."""
    from senexo.assays._response.read import read
    from senexo.assays.stats.proportion import clopper_pearson

    cohort = read(table, roles["response"], None, (), None, where)
    responded, n = int(cohort.response.sum()), len(cohort.response)
    low, high = clopper_pearson(responded, n)
    note = f"rate from {n} patients of the pilot (95 % CI {100 * low:.0f} to {100 * high:.0f} %)"
    return {"rate": responded / n}, [*cohort.notes, note]


def _of_intensities(
    table: pd.DataFrame, roles: Mapping[str, Any], design: str, where: str
) -> tuple[Numbers, list[str]]:
    """The prior of the moderated t-test: the typical variance of an RNA, and how alike variances are."""
    from senexo.assays._expression.assay import expression

    settings = expression(
        table, group=roles["group"], control=roles["control"], kind="intensities", where=where
    ).settings
    if settings["s2_prior"] is None:
        raise InvalidInput([Fault(where, "too few samples to tell a variance", "two donors in a group, several RNAs")])
    prior_df = min(max(float(settings["df_prior"]), 2.0), 1000.0)
    rnas = float(min(max(int(settings["n_tested"]), 10), 20_000))
    return {"sd": math.sqrt(float(settings["s2_prior"])), "prior_df": prior_df, "rnas": rnas}, []


def _spread(variance: float) -> float:
    return math.sqrt(max(variance, LEAST_SPREAD**2))


def _uncertain(name: str, sd: float, n: int) -> str:
    """The exact interval of a standard deviation of n donors."""
    from scipy.special import chdtri

    low, high = (sd * math.sqrt((n - 1) / chdtri(n - 1, tail)) for tail in (0.025, 0.975))
    return (
        f"{name} = {significant(sd)} comes from {n} donors of the pilot (95 % CI {significant(low)} to "
        f"{significant(high)}): power is as uncertain"
    )


PILOTS: dict[str, Pilot] = {
    "senescence": Pilot(("arm", "control"), _of_counts),
    "qpcr": Pilot(("arm", "control", "target", "reference"), _of_cycles),
    "expression": Pilot(("group", "control"), _of_intensities),
    "particles": Pilot(("arm", "control"), _of_readings, optional=("blank",)),
    "survival": Pilot(("time", "event"), _of_patients),
    "dilution": Pilot(("dose", "tested", "response"), _of_plates),
    "response": Pilot(("response",), _of_responders),
}
