"""How many copies of an oligo a dose can mean: a limit, and a caution above the number of Argonaute proteins.

A dose of a miRNA, a mimic or a control oligo is in active copies: those that are loaded into Argonaute (AGO). A cell
has some 150,000 AGO proteins, so more copies than that cannot all be active at once: a caution. Of transfected copies
at least 0.1 % become active, so that 300 million of them would load every AGO protein of any cell: the limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from senexo.model.circuit import Circuit
    from senexo.study.schema import Study

# Argonaute proteins per cell, mammalian cell lines: Wang 2012, Janas 2012; unverified (cited from memory, the abstracts
# that were read give no number)
AGO_PER_CELL, AGO_LOW, AGO_HIGH = 150_000.0, 50_000.0, 300_000.0
ACTIVE_SHARE_LOW = 0.001  # of a transfected mimic, the low end of `active_share` in dose_conversions.csv
CAPACITY = "ago"  # the parameter of a circuit in which loading is limited
MAX_DOSE = AGO_HIGH / ACTIVE_SHARE_LOW  # copies per cell; derived
EXPECTED = (
    f"at most {MAX_DOSE:,.0f} copies per cell (even {ACTIVE_SHARE_LOW:.1%} of them would load all {AGO_HIGH:,.0f} "
    "Argonaute proteins of a cell)"
)


def beyond_argonaute(agent: str, copies: float, *, limited: bool = False) -> str | None:
    """The caution for a dose of more copies than a cell has Argonaute proteins; None for a smaller one.

    limited: whether the circuit itself loads no more than there are Argonaute proteins.
    """
    if copies <= AGO_PER_CELL:
        return None
    return (
        f"{copies:,.0f} copies of {agent} are given, and a cell has about {AGO_PER_CELL:,.0f} Argonaute proteins "
        f"({AGO_LOW:,.0f} to {AGO_HIGH:,.0f}; unverified: Wang 2012, Janas 2012). More copies than that cannot act at "
        f"once; {'the rest waits and is diluted' if limited else 'the circuit has no such limit'}."
    )


def cautions(study: Study, circuit: Circuit | None) -> Iterator[str]:
    """One caution per agent of which an arm gets more copies than a cell has Argonaute proteins, for its largest dose.

    Only of circuits with a miRNA: elsewhere copies are of other molecules.
    """
    if circuit is None or circuit.mirna is None:
        return
    ago = study.donors.draws.get(CAPACITY)
    limited = ago is not None and ago.high <= MAX_DOSE
    largest: dict[str, float] = {}
    for arm in study.arms.values():
        total: dict[tuple[str, str], float] = defaultdict(
            float
        )  # (agent, target): a dose may act on several quantities
        for action in (*arm.schedule, *(arm.insert.schedule if arm.insert else ())):
            if action.verb == "dose":
                total[action.of, action.target] += action.value
        for (agent, _), copies in total.items():
            largest[agent] = max(largest.get(agent, 0.0), copies)
        if arm.body_doses and arm.agent and arm.dose_copies:  # doses into a body: the central value of the copies
            largest[arm.agent] = max(largest.get(arm.agent, 0.0), arm.dose_copies)
    for agent, copies in largest.items():
        caution = beyond_argonaute(agent, copies, limited=limited)
        if caution:
            yield caution
