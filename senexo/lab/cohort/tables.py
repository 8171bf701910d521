"""From stored units of patients to tidy tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from senexo.engine.host.patient import CAUSES
from senexo.lab import tables as common
from senexo.lab.cohort.hazards import DAY_H, LEVELS, STEP_H
from senexo.lab.lone.hazards import LEFT
from senexo.study.cohort import CLASSES

if TYPE_CHECKING:
    from senexo.lab.experiment import Arrays, Get, Unit
    from senexo.lab.lone.simulator import CellSimulator
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Cohort, Study

EVERY_D = 30
COURSES = ("leukaemic cells", "stem cells", "neutrophils", "platelets")


class OfPatients(Protocol):
    """What the tables need to know of the experiment."""

    study: Study
    cohort: Cohort
    circuit: Circuit | None
    simulator: CellSimulator

    @property
    def end_days(self) -> int: ...

    def values(self, donor: int) -> dict[str, float]: ...


def tables(experiment: OfPatients, units: Sequence[Unit], get: Get) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of a result folder that does not come from an assay, by name."""
    study = experiment.study
    yield "arms", common.arms(study)
    yield "parameters", common.parameters(study, experiment.circuit)
    yield "donors", common.drawn(study)
    parts: dict[str, list[pd.DataFrame]] = {"timecourse": [], "patients": [], "examples": [], "hazards": []}
    for unit in units:
        arrays, place = get(unit.chunk), common.about(study, unit)
        parts["timecourse"].append(_timecourse(experiment, place, arrays))
        parts["patients"].append(of_patients(place, arrays, experiment.end_days, experiment.values(unit.donor)))
        parts["examples"].append(_examples(place, arrays))
        parts["hazards"].append(_hazards(place, arrays))
    for name, frames in parts.items():
        yield name, pd.concat(frames, ignore_index=True)


def of_patients(
    place: Mapping[str, Any], arrays: Arrays, end: float, values: Mapping[str, float]
) -> pd.DataFrame:  # fmt: skip
    """One row per patient: covariates, remission, residual disease, relapse, death; days after the beginning."""
    known = {name.removeprefix("known_"): one for name, one in arrays.items() if name.startswith("known_")}
    death, relapse, remission = arrays["death_day"], arrays["relapse_day"], arrays["remission_day"]
    days = np.fmin(death, end)
    in_remission = ~np.isnan(remission)
    relapsed = ~np.isnan(relapse)
    left = np.fmin(np.fmin(relapse, death), end) - remission
    failed = np.fmin(arrays["fails_day"], death)
    mrd = arrays["mrd"]
    return pd.DataFrame({
        **place, "patient": np.arange(1, len(death) + 1), "days": days, "dead": (~np.isnan(death)).astype(int),
        "cause": np.array(CAUSES)[arrays["cause"].astype(int)],
        "event_free_days": np.fmin(failed, end), "event": (~np.isnan(failed)).astype(int),
        "early_death": (death <= 60.0).astype(int), "remission": in_remission.astype(int),
        "remission_day": remission, "remission_days": left, "relapse": relapsed.astype(int),
        "death_in_remission": (in_remission & ~relapsed & ~np.isnan(death)).astype(int),
        "mrd": mrd, "mrd_positive": np.where(np.isnan(mrd), np.nan, mrd >= values["mrd_limit"]),
        "transplant_day": arrays["transplant_day"], "second_course": arrays["second_course"].astype(int),
        "blasts_day16": 100.0 * arrays["blasts_day16"], "stem_cells_at_remission": arrays["stem_at_remission"],
        "log2_stem_cells": np.log2(arrays["stem_at_remission"] + 1.0),
        "stem_cells_at_relapse": arrays["stem_at_relapse"], "least_stem_cells": arrays["least_stem"],
        "neutrophil_nadir": arrays["neutrophils_nadir"], "platelet_nadir": arrays["platelets_nadir"],
        "neutropenia_days": arrays["neutrophils_grade4_days"], "thrombopenia_days": arrays["platelets_grade4_days"],
        "risk": np.array(CLASSES)[known.pop("risk").astype(int)], "blasts_percent": known.pop("blasts"),
        **{name: known.pop(name) for name in ("age", "wbc", "mir34c", "log2_level")},
        **{name: column.astype(int) for name, column in known.items()},
    })  # fmt: skip


def _timecourse(experiment: OfPatients, place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """Every 30 days the shares of patients of a world who live, and in whom the leukaemia has relapsed."""
    days = np.unique(np.append(np.arange(0, experiment.end_days, EVERY_D), experiment.end_days)).astype(float)
    death = np.where(np.isnan(arrays["death_day"]), np.inf, arrays["death_day"])
    shares = {
        "patients alive": (death[:, None] > days).mean(axis=0),
        "patients relapsed": (arrays["relapse_day"][:, None] <= days).mean(axis=0),
        "patients who reached remission": (arrays["remission_day"][:, None] <= days).mean(axis=0),
    }
    return pd.concat(
        [
            pd.DataFrame({
                "arm": place["arm"], "donor": place["donor"], "replicate": 0, "time_h": days * DAY_H,
                "cell_type": experiment.simulator.cell_type, "quantity": quantity, "statistic": "mean",
                "value": share.astype(np.float32), "unit": "1",
            })
            for quantity, share in shares.items()
        ],
        ignore_index=True,
    )  # fmt: skip


def _examples(place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """The course of the first patients by day, as far as they are followed cell by cell."""
    n, days, _ = arrays["courses"].shape
    frame = pd.DataFrame({**place, "patient": np.repeat(np.arange(1, n + 1), days),
                          "day": np.tile(np.arange(1, days + 1), n)})  # fmt: skip
    for column, name in enumerate(COURSES):
        frame[name.replace(" ", "_")] = arrays["courses"][:, :, column].ravel()
    return frame[frame["platelets"] > 0.0].reset_index(drop=True)


def _hazards(place: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    """What a course adds for stem cells by level and p53: integrals over the course, mean factor on divisions."""
    added = arrays["added"]
    days = STEP_H / DAY_H
    return pd.DataFrame({
        **place, "level": np.tile(LEVELS, 2), "tp53": np.repeat([0, 1], len(LEVELS)),
        "commitment": added[:, 0].sum(axis=1) * days, "death": added[:, 1].sum(axis=1) * days,
        "escape_per_day": added[:, 2].mean(axis=1), "divisions": added[:, 3].mean(axis=1),
        "late": added[:, 0, -1] > LEFT * added[:, 0].max(axis=1),
    })  # fmt: skip
