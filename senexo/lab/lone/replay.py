"""One cell of a finished run simulated again, alone, and compared with what was stored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.lab.experiment import Arrays, Unit
from senexo.lab.lone import measure
from senexo.lab.lone.simulator import CellSimulator
from senexo.lab.replay import Replay

if TYPE_CHECKING:
    from senexo.study.schema import Study

Floats = NDArray[np.float64]


def first_key(treatment_digest: str, occurrence: int) -> int:
    """The number before those of a well's cells where wells are independent: of what is done there, not of its name."""
    digest = hashlib.sha256(f"{treatment_digest} {occurrence}".encode()).hexdigest()
    return (1 + int(digest[:8], 16)) << 20


def replay(simulator: CellSimulator, stored: Arrays, *, arm: str, donor: int, cell: int, key: int) -> Replay:
    """Simulate one cell alone and compare its read-outs and fates with the stored arrays of its unit.

    key: the number that keys the cell's random numbers.
    """
    alone = simulator.grow(simulator.study.arms[arm], donor, (key,))
    values, fates = measure.readings(simulator, alone), measure.fates_of(alone)
    same = _bits(values[0], stored["readouts"][cell - 1]) and _bits(fates[0], stored["fates"][cell - 1])
    names = (*measure.FATES, "longest arrest")
    return Replay(
        arm, donor, cell, simulator.readout_times, tuple(simulator.study.readouts.names), values[0],
        dict(zip(names, fates[0].tolist(), strict=True)), same,
    )  # fmt: skip


def chunk_of(study: Study, *, arm: str, donor: int, cell: int) -> str:
    """The name of the chunk that holds a cell; InvalidInput says what there is when there is no such cell."""
    (kind,) = study.cells.values()
    faults = []
    if arm not in study.arms:
        faults.append(Fault("--arm", repr(arm), f"one of {', '.join(study.arms)}"))
    if not 1 <= donor <= study.donors.n:
        faults.append(Fault("--donor", str(donor), f"1 to {study.donors.n}"))
    if not 1 <= cell <= kind.n:
        faults.append(Fault("--cell", str(cell), f"1 to {kind.n}"))
    if faults:
        raise InvalidInput(faults)
    return Unit(list(study.arms).index(arm), donor, "", 0).chunk


def _bits(a: Floats, b: Floats) -> bool:
    return a.shape == b.shape and a.tobytes() == b.tobytes()
