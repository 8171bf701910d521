"""States of all cells over time as one Zarr tree (version 2 of the format), which xarray and zarr open at its root.

A group per arm, in it a group per well ("mimic[3000]/donor 3"), since each has its own number of cells at each time:
the rows of all read-outs of the well one after the other ("contiguous ragged array", CF conventions 9.3.3). In a name,
every character but letters, digits, spaces and _ . - ~ + [ ] ( ) , = is percent-encoded as in a URL ("[1/2]" is
"[1%2F2]"; `urllib.parse.unquote` gives it back); the attribute `arm` has the name as it is.

    value     (row, slot)    values of a cell, nan for a slot its type does not have
    time      (row)          h; type (row): place in the attribute `types`; born (row): h
    weight    (row)          how many cells of the well the cell represents
    lineage   (row, word)    the 128-bit key as two unsigned words; parent (row, word)
    read_out  (reading)      h; row_size (reading): cells then, 0 where none lives
    pool      (reading, pooled)  copies
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from senexo.base.atomic import replacing_folder, write_file
from senexo.lab.coupled.readings import Place, Snapshot

if TYPE_CHECKING:
    from senexo.engine.population.model import Population

_PLAIN = " +[](),="  # beside letters, digits and _.-~


def group(place: Place) -> str:
    """The group of a well in the tree.

    >>> group(Place("kd[1/2]", 3))
    'kd[1%2F2]/donor 3'
    """
    well = f"donor {place.donor}" if place.replicate == 1 else f"donor {place.donor} replicate {place.replicate}"
    return f"{quote(place.arm, safe=_PLAIN)}/{well}"


def put(folder: Path, population: Population, place: Place, readings: Sequence[Snapshot]) -> None:
    """Write one well's states as a group of the tree in `folder`, whole or not at all.

    Open all of it with ``xarray.open_datatree(folder, engine="zarr", consolidated=False)``, one well with
    ``xarray.open_zarr(folder, group="mimic[3000]/donor 3", consolidated=False)``.
    """
    import xarray as xr

    ids = list(dict.fromkeys(slot.id for type in population.types for slot in type.network.slots))
    values = [_values(population, reading, ids) for reading in readings]
    sizes = [len(reading) for reading in readings]
    rows = {
        name: np.concatenate([getattr(r, name) for r in readings])
        for name in ("type", "born", "key", "parent", "weight")
    }
    data = xr.Dataset(
        {
            "value": (("row", "slot"), np.concatenate(values)),
            "time": ("row", np.repeat([reading.time for reading in readings], sizes), {"unit": "h"}),
            "type": ("row", rows["type"]),
            "born": ("row", rows["born"], {"unit": "h"}),
            "weight": ("row", rows["weight"], {"unit": "cells"}),
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
    path = folder / group(place)
    for above in (folder, path.parent):
        write_file(above / ".zgroup", b'{"zarr_format": 2}')
    write_file(path.parent / ".zattrs", json.dumps({"arm": place.arm}).encode())
    with replacing_folder(path) as temporary:
        data.to_zarr(temporary, mode="w", zarr_format=2, consolidated=False)


def wells(folder: Path) -> frozenset[str]:
    """The groups of the wells whose states are in the tree."""
    found = (path.parent for path in folder.glob("[!.]*/[!.]*/.zgroup"))
    return frozenset(path.relative_to(folder).as_posix() for path in found)


def _values(population: Population, reading: Snapshot, ids: Sequence[str]) -> np.ndarray:
    found, column = np.full((len(reading), len(ids)), np.nan), {id: k for k, id in enumerate(ids)}
    for number, type in enumerate(population.types):
        mine = np.flatnonzero(reading.type == number)
        columns = np.array([column[slot.id] for slot in type.network.slots])
        found[np.ix_(mine, columns)] = reading.values[mine, : len(columns)]
    return found
