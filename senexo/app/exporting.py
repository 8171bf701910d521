"""`senexo export`: a study or a model as a COMBINE archive."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from senexo.base.errors import Fault, InvalidInput


def export_to(
    out: Path, what: str, *, end: float | None, points: int, method: Literal["ode", "ssa"], seed: int, overwrite: bool
) -> tuple[str, ...]:
    """Write the archive; what it cannot say, a sentence each."""
    from senexo.interchange.export import export_model, export_study
    from senexo.model.loading import load
    from senexo.study.read import read_study, shipped_studies

    if out.suffix != ".omex":
        raise InvalidInput([Fault("--out", str(out), "a file that ends in .omex")])
    if what.endswith(".toml") or what in shipped_studies():
        if end is not None:
            raise InvalidInput([Fault("--end", f"{end:g}, of a study", "none: a study has a duration of its own")])
        study = read_study(what)
        found = export_study(study, load(study.model.circuit or study.model.file or ""))
    elif end is None:
        raise InvalidInput([Fault("--end", "none", "the last time, in the time unit of the model")])
    else:
        found = export_model(load(what), end=end, points=points, method=method, seed=seed)
    found.write(out, overwrite=overwrite)
    return found.left_out
