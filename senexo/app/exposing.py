"""`senexo exposure`: a table of doses in, the course of an agent in a body out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from senexo.base.atomic import replacing_folder
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from senexo.study.agents import Agent, BodyName, DoseUnit


def exposure_of(
    events: Path, agent: Agent, body: BodyName, unit: DoseUnit, *, end: float | None, points: int, draws: int,
    seed: int, out: Path | None,
) -> str:  # fmt: skip
    """Compute, write the table of `--out`, and return the text to print."""
    import numpy as np

    from senexo.base.table import write_table
    from senexo.lab.exposure import exposure, usual_times
    from senexo.study.event_table import read_events

    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput([Fault("--out", f"{out}, which is there already", "a new or an empty folder")])
    subjects = read_events(events, n=1)
    if len(subjects) > 1:
        raise InvalidInput([Fault(f"{events}: column ID", f"{len(subjects)} subjects", "one; take the others out")])
    records = next(iter(subjects.values()))
    times = usual_times(records, agent, body, points)
    if end is not None:
        if not end > records[0].time:
            raise InvalidInput([Fault("--end", f"{end:g}", f"a time after the first record ({records[0].time:g} h)")])
        times = np.linspace(records[0].time, end, points)
    found = exposure(records, agent=agent, body=body, unit=unit, times=times, draws=draws, seed=seed)
    if out is not None:
        with replacing_folder(out, exclusive=True) as new:
            write_table(found.table, new / "exposure")
    return str(found)
