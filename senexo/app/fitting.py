"""`senexo fit`: a PEtab problem fitted, its answer in sentences or JSON, its files in a folder."""

from __future__ import annotations

from pathlib import Path

from senexo.base.errors import Fault, InvalidInput


def fit_of(
    problem: Path, *, starts: int, seed: int, level: float, intervals: bool, draws: int, max_seconds: float | None,
    out: Path | None, as_json: bool, quiet: bool,
) -> str:  # fmt: skip
    """Fit, write the files of `--out`, and return the text to print."""
    from senexo.app.progress import shown
    from senexo.fitting.fit import fit

    if problem.suffix.lower() not in (".yaml", ".yml"):
        raise InvalidInput([Fault("PROBLEM", str(problem), "the YAML file of a PEtab problem (.yaml)")])
    if out is not None and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InvalidInput([Fault("--out", f"{out}, which exists", "a new folder")])
    with shown(quiet=quiet) as progress:
        found = fit(
            problem, starts=starts, seed=seed, level=level, intervals=intervals, draws=draws, max_seconds=max_seconds,
            progress=progress,
        )  # fmt: skip
    if out is not None:
        found.write(out)
    return found.to_json() if as_json else repr(found)
