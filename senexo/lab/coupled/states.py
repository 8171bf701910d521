"""States of all cells over time as a Zarr store (version 2 of the format), which xarray opens group by group.

One group per chunk of work (a well), since each has its own number of cells at each time: the rows of all read-outs of
the well one after the other ("contiguous ragged array", CF conventions 9.3.3).

    value     (row, slot)    values of a cell, nan for a slot its type does not have
    time      (row)          h; type (row): place in the attribute `types`; born (row): h
    lineage   (row, word)    the 128-bit key as two unsigned words; parent (row, word)
    read_out  (reading)      h; row_size (reading): cells then, 0 where none lives
    pool      (reading, pooled)  copies
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from senexo.base.store import replacing_folder
from senexo.lab.coupled.readings import Place, Reading

if TYPE_CHECKING:
    from senexo.engine.population.model import Population


def put(folder: Path, chunk: str, population: Population, place: Place, readings: Sequence[Reading]) -> None:
    """Write one well's states as the group `chunk`; whole or not at all, so a run goes on with what `chunks` lacks.

    Open it with ``xarray.open_zarr(folder / chunk, consolidated=False)``.
    """
    import xarray as xr

    ids = list(dict.fromkeys(slot.id for type in population.types for slot in type.network.slots))
    values = [_values(population, reading, ids) for reading in readings]
    sizes = [len(reading) for reading in readings]
    rows = {name: np.concatenate([getattr(r, name) for r in readings]) for name in ("type", "born", "key", "parent")}
    data = xr.Dataset(
        {
            "value": (("row", "slot"), np.concatenate(values)),
            "time": ("row", np.repeat([reading.time for reading in readings], sizes), {"unit": "h"}),
            "type": ("row", rows["type"]),
            "born": ("row", rows["born"], {"unit": "h"}),
            "lineage": (("row", "word"), rows["key"]),
            "parent": (("row", "word"), rows["parent"]),
            "row_size": ("reading", np.array(sizes)),
            "pool": (("reading", "pooled"), np.stack([reading.pools for reading in readings])),
        },
        coords={
            "slot": ids, "pooled": list(population.pooled),
            "read_out": ("reading", np.array([reading.time for reading in readings], dtype=float), {"unit": "h"}),
        },
        attrs={
            "arm": place.arm, "donor": place.donor, "replicate": place.replicate,
            "types": [type.name for type in population.types],
        },
    )  # fmt: skip
    with replacing_folder(folder / chunk) as temporary:
        data.to_zarr(temporary, mode="w", zarr_format=2, consolidated=False)


def chunks(folder: Path) -> frozenset[str]:
    """The wells whose states are in the store."""
    return frozenset(path.name for path in folder.glob("[!.]*") if (path / ".zgroup").is_file())


def _values(population: Population, reading: Reading, ids: Sequence[str]) -> np.ndarray:
    found = np.full((len(reading), len(ids)), np.nan)
    for number, type in enumerate(population.types):
        mine = np.flatnonzero(reading.type == number)
        columns = np.array([ids.index(slot.id) for slot in type.network.slots])
        found[np.ix_(mine, columns)] = reading.values[mine, : len(columns)]
    return found
