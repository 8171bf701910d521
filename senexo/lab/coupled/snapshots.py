"""Snapshots of all cells as AnnData (.h5ad), which scanpy opens.

X: cells x species, copies; `obs`: what each cell is, and in `weight` how many cells of its well it represents; `var`:
what each species is; `uns`: the run and the pools.
Virshup I et al., anndata: access and store annotated data matrices, J Open Source Softw 2024, doi 10.21105/joss.04371.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from senexo.base.atomic import replacing
from senexo.lab.coupled.lineages import lineage_names
from senexo.lab.coupled.readings import Place, Snapshot

if TYPE_CHECKING:
    from anndata import AnnData

    from senexo.engine.population.model import Floats, Population

SPARSE = 0.5  # up to this share of counts above 0 the matrix is kept sparse
CYCLING = "cycling"


def snapshot(
    population: Population,
    wells: Sequence[tuple[Place, Snapshot]],
    *,
    states: Mapping[str, str],
    about: Mapping[str, str | int | float] | None = None,
    units: Mapping[str, str] | None = None,
) -> AnnData:
    """The cells of these read-outs, well by well, in one AnnData.

    states: name of a state -> the slot that is above 0.5 in it (``{"senescent": "Q", "G0": "G0"}``); the first that
    holds is the cell's, else ``cycling``. about: goes to `uns` (study title, seed, version, wiring digest). units: of
    species, by id; copies where none is given. A species that a type does not have is 0 in its cells. X is int64 where
    every value is whole, else float64; CSR where at most half of it is above 0.

    Several read-outs of one well may be among them: a cell is then a row at each time, `time_h` distinguishes them.
    """
    from anndata import AnnData
    from scipy.sparse import csr_array

    species = _species(population)
    matrices, frames = [], []
    for place, reading in wells:
        matrices.append(_matrix(population, reading, list(species)))
        frames.append(_cells(population, place, reading, states))
    matrix = np.concatenate(matrices) if matrices else np.zeros((0, len(species)))
    whole = bool((matrix == np.rint(matrix)).all())
    counts: Any = matrix.astype(np.int64) if whole else matrix
    if matrix.size and np.count_nonzero(matrix) <= SPARSE * matrix.size:
        counts = csr_array(counts)
    obs = pd.concat(frames) if frames else _cells(population, Place("", 0), _nothing(population), states)
    for name in ("cell_type", "state", "lineage", "parent", "arm"):
        obs[name] = pd.Categorical(obs[name], categories=sorted(set(obs[name])))
    var = pd.DataFrame(
        {
            "compartment": pd.Categorical(list(species.values())),
            "unit": pd.Categorical([(units or {}).get(id, "copies") for id in species]),
        },
        index=pd.Index(list(species), name="species"),
    )
    pools = {
        f"{place.arm}|{place.donor}|{place.replicate}|{reading.time:g} h": reading.pools for place, reading in wells
    }
    uns = {"pool_species": np.array(population.pooled, dtype=object), "pools": pools, **(about or {})}
    return AnnData(X=counts, obs=obs, var=var, uns=uns)


def write(path: Path, cells: AnnData) -> None:
    """The .h5ad at `path`, whole or not at all; the same cells give the same bytes with the same HDF5 library."""
    with replacing(path) as temporary:
        cells.write_h5ad(temporary)


def _species(population: Population) -> dict[str, str]:
    """Species of cells -> their compartment, of all types, in the order they are met."""
    found: dict[str, str] = {}
    for type in population.types:
        slots, shared = type.network.slots, set(population.in_pool(type.network))
        for number, slot in enumerate(slots):
            if slot.kind == "species" and number not in shared:
                found.setdefault(slot.id, slots[slot.compartment].id)
    return found


def _matrix(population: Population, reading: Snapshot, species: Sequence[str]) -> Floats:
    matrix = np.zeros((len(reading), len(species)))
    for number, type in enumerate(population.types):
        mine = reading.type == number
        known = {slot.id: place for place, slot in enumerate(type.network.slots)}
        for column, id in enumerate(species):
            if id in known:
                matrix[mine, column] = reading.values[mine, known[id]]
    return matrix


def _cells(population: Population, place: Place, reading: Snapshot, states: Mapping[str, str]) -> pd.DataFrame:
    names = lineage_names(reading.key)
    index = [f"{place.arm}|{place.donor}|{place.replicate}|{reading.time:g}|{name}" for name in names]
    types = np.array([type.name for type in population.types], dtype=object)
    return pd.DataFrame(
        {
            "cell_type": types[reading.type], "state": _states(population, reading, states), "lineage": names,
            "parent": lineage_names(reading.parent), "born_h": reading.born, "arm": place.arm,
            "donor": np.int64(place.donor), "replicate": np.int64(place.replicate), "time_h": float(reading.time),
            "weight": reading.weight,
        },
        index=pd.Index(index, name="cell", dtype=object),
    )  # fmt: skip


def _states(population: Population, reading: Snapshot, states: Mapping[str, str]) -> Any:
    found = np.full(len(reading), CYCLING, dtype=object)
    for name, flag in reversed(list(states.items())):
        for number, type in enumerate(population.types):
            known = [slot.id for slot in type.network.slots]
            if flag in known:
                found[(reading.type == number) & (reading.values[:, known.index(flag)] > 0.5)] = name
    return found


def _nothing(population: Population) -> Snapshot:
    return replace(Snapshot.empty(population.width, len(population.pooled)), time=0.0)
