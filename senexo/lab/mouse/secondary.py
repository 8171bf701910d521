"""Secondary transplantation: pooled marrow of living mice, in a ladder of doses, read once by a threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import derive, generator
from senexo.engine.host.leukaemia import Treatment, leukaemia
from senexo.lab.mouse.mice import one_by_one

if TYPE_CHECKING:
    from senexo.lab.experiment import Unit
    from senexo.lab.mouse.sample import Sample
    from senexo.study.schema import Secondary

Counts = NDArray[np.int64]


def harvest(cells: Counts, living: NDArray[np.bool_]) -> Counts:
    """[types] human cells in the pooled marrow of the living mice, of which `cells` [mice, types] are as they were
    taken."""
    pooled = cells[living].sum(axis=0)
    pooled[-1] = 0  # blood is not taken
    return np.asarray(pooled)


def transplanted(
    pool: Counts, own: Sample, secondary: Secondary, *, escape: float, seed: int, unit: Unit,
    cancelled: Callable[[], bool] = lambda: False,
) -> Counts:  # fmt: skip
    """[doses, 3] dose, mice injected and mice engrafted.

    Cells of a dose are drawn from the pool without replacement, mouse by mouse and from the lowest dose on; mice for
    which too few are left are not injected. Each cell of it homes with the probability `seeding`.

    Parameters
    ----------
    pool
        [types] cells there are.
    escape
        Hazard per hour with which senescent stem cells come back.
    """
    plate = np.array([(dose, 0, 0) for dose in sorted(secondary.cells)], np.int64)
    left, values = pool.copy(), own.values
    homed: list[Counts] = []
    for row in plate:
        for mouse in range(1, secondary.mice + 1):
            if left.sum() < row[0]:
                break
            rng = generator(seed, *stream(unit, int(row[0]), mouse, "dose"))
            taken = drawn_from(left, int(row[0]), rng)
            left -= taken
            homed.append(rng.binomial(taken, values["seeding"]).astype(np.int64))
            row[1] += 1
    if not homed:
        return plate
    times = np.array([secondary.read_h])
    clear = np.array([values["clearance"] / 24.0])
    treatment = Treatment(np.array([0.0, secondary.read_h]), escape=np.array([escape]), clear=clear)
    process = leukaemia(own.rates, treatment, capacity=values["capacity"])
    labels = [(int(dose), mouse) for dose, n, _ in plate for mouse in range(1, n + 1)]
    keys = np.array([derive(seed, *stream(unit, dose, mouse, "course")) for dose, mouse in labels], np.uint64)
    cells = one_by_one(process, np.array(homed), times, keys, cancelled)
    share = cells[:, 0, :-1].sum(axis=1) / values["capacity"]
    for (dose, _), one in zip(labels, share, strict=True):
        plate[plate[:, 0] == dose, 2] += int(one >= secondary.threshold)
    return plate


def stream(unit: Unit, dose: int, mouse: int, what: str) -> tuple[int | str, ...]:
    """The words of a secondary mouse's stream."""
    return ("secondary mouse", unit.donor, unit.treatment_digest, unit.occurrence, dose, mouse, what)


def drawn_from(pool: Counts, n: int, rng: np.random.Generator) -> Counts:
    """[types] the types of n cells drawn from a pool without replacement.

    Type by type a hypergeometric number; by the binomial of its mean where the pool is beyond numpy's bounds (1e9).
    """
    found, rest, total = np.zeros_like(pool), n, int(pool.sum())
    for kind, there in enumerate(pool.tolist()):
        if rest == 0:
            break
        others = total - there
        if total < 1_000_000_000:
            taken = int(rng.hypergeometric(there, others, rest)) if there else 0
        else:
            taken = int(np.clip(rng.binomial(rest, there / total), rest - others, min(there, rest)))
        found[kind], rest, total = taken, rest - taken, others
    return found
