"""Tables that every kind of experiment has: arms, parameters, donors, and what assays read in wells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from senexo.lab import donors
from senexo.model.cell_types import own_names
from senexo.model.priors import SHIPPED

if TYPE_CHECKING:
    from senexo.lab.experiment import Unit
    from senexo.lab.measurement import Target
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Study


class Measured(Protocol):
    """What the tables of measurements need to know of an experiment."""

    @property
    def targets(self) -> tuple[Target, ...]: ...
    @property
    def readout_times(self) -> NDArray[np.float64]: ...
    @property
    def arrest(self) -> Any: ...
    @property
    def fates(self) -> Sequence[Any]: ...


def about(study: Study, unit: Unit) -> dict[str, Any]:
    """The columns that say which well a row is of."""
    name, arm = list(study.arms.items())[unit.arm]
    return {"arm": name, "family": arm.family, "dose_copies": number(arm.dose_copies), "donor": unit.donor}


def number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def arms(study: Study) -> pd.DataFrame:
    rows = [
        (name, arm.family, arm.agent, number(arm.dose_copies), _genotype(arm.genotype), arm.summary, position)
        for position, (name, arm) in enumerate(study.arms.items())
    ]
    return pd.DataFrame(rows, columns=["arm", "family", "agent", "dose_copies", "genotype", "summary", "position"])


def _genotype(actions: Sequence[Any]) -> str:
    return ", ".join(dict.fromkeys(f"{action.verb} {action.of}" for action in actions)) or "wild type"


class StudyNumber(NamedTuple):
    """A number that a study's results rest on: a parameter that donors draw, or one of the noise of measuring."""

    name: str
    value: float
    low: float
    high: float
    law: str
    unit: str
    source: str
    status: str
    note: str


def numbers(study: Study) -> list[StudyNumber]:
    """Every number that the results of a study rest on; each reference RNA counts for itself.

    The parameters table, the counts of `senexo check`, of run.json and of the report are all made from it.
    """
    found = [
        StudyNumber(name, d.value, d.low, d.high, d.law, d.unit, d.source, d.status, "")
        for name, d in study.donors.draws.items()
    ]
    if study.mouse is not None:
        found += [
            StudyNumber(f"mouse {name}", d.value, d.low, d.high, d.law, d.unit, d.source, d.status, "mice")
            for name, d in study.mouse.draws.items()
        ]
    if study.cohort is not None:
        found += [
            StudyNumber(f"cohort {name}", d.value, d.low, d.high, d.law, d.unit, d.source, d.status, "patients")
            for name, d in study.cohort.draws.items()
        ]
    noise = study.replicates
    for name, about in noise.about.items():
        values = noise.reference_copies if name == "reference_copies" else {name: getattr(noise, name)}
        note = "measuring" if name != "reference_copies" else "measuring: copies per cell"
        found += [StudyNumber(n, v, v, v, "fixed", "", about.source, about.status, note) for n, v in values.items()]
    return found


def assumed(study: Study) -> list[str]:
    """The names of those of `numbers` that are assumed."""
    return [number.name for number in numbers(study) if number.status == "assumed"]


def prior(study: Study) -> str | None:
    """The name of the prior that donors draw from; None for a model file, which has none."""
    return (study.model.prior or SHIPPED) if study.model.circuit else None


def wiring(circuit: Circuit) -> pd.DataFrame:
    """The edges of a circuit that a study can cut (`present`) or connect; `quantity` is an edge's switch."""
    rows = [
        (edge.name, source, "inhibits" if " -| " in edge.name else "activates", target, edge.target,
         edge.verb == "cut", edge.evidence)
        for edge in circuit.handles
        if edge.kind == "edge"
        for source, target in [edge.ends]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["edge", "source", "sign", "target", "quantity", "present", "evidence"])


def parameters(study: Study, circuit: Circuit | None) -> pd.DataFrame:
    """The circuit's table in its order, with the study's own draws where it departs, then the noise of measuring."""
    notes = {parameter.name: parameter.note for parameter in circuit.parameters} if circuit else {}
    names = own_names(circuit.cell_types) if circuit else {}
    for rule in circuit.cell_types if circuit else ():
        notes |= {names[rule.name][parameter.name]: parameter.note for parameter in rule.parameters}
    rows = [one._replace(note=one.note or notes.get(one.name, "")) for one in numbers(study)]
    return pd.DataFrame(rows, columns=list(StudyNumber._fields))


def drawn(study: Study) -> pd.DataFrame:
    rows = [
        (donor, name, value)
        for donor in range(1, study.donors.n + 1)
        for name, value in donors.donor_values(study.donors.draws, study.seed, donor).items()
    ]
    return pd.DataFrame(rows, columns=["donor", "parameter", "value"])


def senescence(culture: Measured, place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    if all(fate.name != "commitment" for fate in culture.fates):
        return pd.DataFrame()
    counts = arrays["senescence"]
    r, t, _ = counts.shape
    return pd.DataFrame({
        **place, "replicate": np.repeat(np.arange(1, r + 1), t), "time_h": np.tile(culture.readout_times, r),
        "n_positive": counts[:, :, 0].ravel(), "n_total": counts[:, :, 1].ravel(),
    })  # fmt: skip


def arrest(culture: Measured, place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    if culture.arrest is None:
        return pd.DataFrame()
    counts = np.rint(arrays["arrest"]).astype(np.int64)  # the deterministic twin has fractions of cells
    return pd.DataFrame({
        **place, "replicate": 1, "time_h": culture.readout_times, "n_positive": counts[:, 0], "n_total": counts[:, 1],
    })  # fmt: skip


def qpcr(culture: Measured, place: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    ct = arrays["ct"]
    r, t, p = ct.shape
    return pd.DataFrame({
        **place, "replicate": np.repeat(np.arange(1, r + 1), t * p),
        "time_h": np.tile(np.repeat(culture.readout_times, p), r),
        "target": np.tile([name for name, _, _ in culture.targets], r * t),
        "ct": ct.ravel(), "detected": ~np.isnan(ct.ravel()), "copies_true": np.tile(arrays["copies"].ravel(), r),
    })  # fmt: skip
