"""A run from the study file to the report: experiment, simulated units, tables, assays, claim, report.

This is the only module that sees every package; it decides the order of steps and nothing else.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.base.errors import Fault, InvalidInput, LimitReached, StoreError
from senexo.base.plotting import require_matplotlib
from senexo.base.store import Store, read_chunk, read_ledger, read_recorded, require_unchanged
from senexo.lab.limits import well_limits
from senexo.study.read import read_study, read_worlds
from senexo.study.schema import Study

if TYPE_CHECKING:
    import pandas as pd

    from senexo.lab.estimate import RunEstimate
    from senexo.lab.experiment import Unit
    from senexo.lab.replay import Replay
    from senexo.report.page import Written

Progress = Callable[[str, int, int], None]
STRONG = (
    "holds",
    "does not hold",
    "not decided",
    "share of worlds",
    "not tested",
    "large",
    "estimated",
)  # verdicts that printed results show


@dataclass(frozen=True, slots=True)
class Results:
    """A finished run. Printing it shows the largest of its findings.

    Attributes
    ----------
    folder
        The result folder (docs/results.md).
    digest
        SHA-256 of the results, equal for equal studies, versions and seeds.
    findings
        What assays and the claim found, as in `findings.json`.

    Examples
    --------
    >>> from senexo import open_results
    >>> open_results("results/mir34c-exvivo").table("senescence")   # doctest: +SKIP
    """

    folder: Path
    digest: str
    findings: tuple[dict[str, Any], ...]

    def table(self, name: str) -> pd.DataFrame:
        """One table of the folder.

        Parameters
        ----------
        name
            Of the table, as in docs/results.md.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        StoreError
            There is no such table (the message names those there are), or it has changed since the run wrote it.
        """
        import pandas as pd

        path = self.folder / "tables" / f"{name}.parquet"
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in path.parent.glob("*.parquet")))
            raise StoreError(f"{self.folder} has no table {name!r}; it has {known}")
        return pd.read_parquet(io.BytesIO(read_recorded(self.folder, f"tables/{name}.parquet")))

    def __repr__(self) -> str:
        strong = [finding["sentence"] for finding in self.findings if finding["verdict"] in STRONG]
        lines = [f"{self.folder}: {len(self.findings)} findings, digest {self.digest[:16]}", *strong[:10]]
        more = [f"... and {len(strong) - 10} more as strong as these"] if len(strong) > 10 else []
        return "\n  ".join(lines + more)


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    donors: int | None = None,
    workers: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    set: Sequence[str] = (),
    max_seconds: float | None = None,
    max_events: int | None = None,
    max_cells: int | None = None,
) -> Results:
    """Run a study to its report.

    Parameters
    ----------
    study
        A resolved study, a study file or the name of a shipped study.
    out
        The result folder; `results/NAME` by default. One that holds results is refused, unless `resume` is set.
    seed, donors
        In place of those of the study.
    workers
        Processes, each with one thread; one per core by default. Results do not depend on it.
    resume
        Continue the run that is in `out`.
    progress
        Called as progress(what, done, total).
    set
        Changes of the study, as "path=value".
    max_seconds
        Wall time (s) after which no more cells are simulated. Compiling counts, and so does what came before it; the
        tables and the report of a run that is through in time do not.
    max_events, max_cells
        A well of coupled cells with so many events (reactions and fates), or so many cells living at once, is given
        up; all others are simulated and kept.

    Returns
    -------
    Results

    Raises
    ------
    InvalidInput
        Faults of the study, all in one message.
    StoreError
        A full disk, or a folder that holds other results.
    LimitReached
        Wells are left, after `max_seconds` or because they reached a limit.

    Notes
    -----
    What was computed before an error, a limit or Ctrl-C is kept, and a later run with `resume` continues from it.

    Examples
    --------
    >>> results = run("mir34c-exvivo", donors=2)   # doctest: +SKIP
    >>> results.table("senescence").head()         # doctest: +SKIP
    """
    began = time.monotonic()
    if max_seconds is not None and not 0.0 < max_seconds < inf:
        raise InvalidInput([Fault("max_seconds", repr(max_seconds), "a time above 0 s")])
    limits = well_limits(max_events, max_cells)
    say = progress or (lambda what, done, total: None)
    workers = workers or os.cpu_count() or 1
    resolved = _resolved(study, seed=seed, donors=donors, set=set)
    folder = Path(out) if out is not None else default_folder(study, resume=resume)
    require_matplotlib()

    from senexo.lab import ensemble, estimate, provenance
    from senexo.lab.claim import null
    from senexo.lab.registry import experiment_of
    from senexo.lab.results import as_json, write_results
    from senexo.lab.units import simulate as simulate_units
    from senexo.report.page import render

    experiment = experiment_of(resolved)
    experiment.limit(limits)
    estimate.affordable(estimate.estimate(experiment, workers))
    units = experiment.units()
    work = [*units, *null.units(experiment)]
    with Store(folder, provenance.identity(resolved), resume=resume) as store:
        store.write("study.resolved.toml", resolved.to_toml().encode())
        say("compiling the model", 0, 0)
        ensemble.aside(experiment.compile)
        done = store.chunks()
        count = len(done)

        def keep(unit: Unit, arrays: dict[str, Any]) -> None:
            nonlocal count
            store.put(unit.chunk, arrays)
            count += 1
            say("simulating cells", count, len(work))

        todo = [unit for unit in work if unit.chunk not in done]
        try:
            left = inf if max_seconds is None else began + max_seconds - time.monotonic()
            simulate_units(experiment, todo, keep, workers=workers, seconds=left, limits=limits)
        except LimitReached as limit:
            over = max_seconds is not None and time.monotonic() - began >= max_seconds
            reached = f"the limit of {max_seconds:g} s was reached" if over else f"a limit was reached ({limit})"
            raise LimitReached(f"{reached}: {count} of {len(work)} wells are in {folder}") from limit
        say("judging and writing tables", 0, 0)
        tables = write_results(experiment, units, store)
        seconds = time.monotonic() - began
        record = provenance.record(
            experiment, store.digest(), seconds=seconds, workers=workers, cautions=experiment.cautions(tables)
        )
        store.write("run.json", as_json(record))
        say("drawing the report", 0, 0)
        with store.adopting("report.html"):
            render(folder)
        store.seal()
    return open_results(folder)


def worlds(
    studies: Sequence[Study | str | Path] | Study | str | Path,
    *,
    out: str | Path | None = None,
    donors: int | None = None,
    workers: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    set: Sequence[str] = (),
) -> Results:
    """Judge the claim of one study, or of several, in every named world of it, on the same keyed draws.

    Parameters
    ----------
    studies
        Studies with a claim; each is judged as it stands and in its `[worlds]`. Several are joined draw by draw, in
        worlds of one name that draw alike (same seed, donors and prior).
    out
        The result folder; `results/NAME-worlds` by default.
    donors, workers, resume, progress, set
        As in `run`.

    Returns
    -------
    Results
        With the tables `worlds` (claim x world), `worlds_draws`, `worlds_parameters`, `worlds_together`,
        `worlds_conditions`, `worlds_ranks`, `worlds_experiments` and `worlds_total_order`.

    Raises
    ------
    InvalidInput
        Faults of a study; one without a claim; donors that are patients; one claim twice.
    StoreError
        A full disk, or a folder that holds other results.

    Examples
    --------
    >>> worlds("c05", donors=20).table("worlds")   # doctest: +SKIP
    """
    from senexo.lab import provenance, total
    from senexo.lab import worlds as lab
    from senexo.lab.results import as_json, write_tables
    from senexo.lab.scenario import conditions
    from senexo.report import worlds as page

    began = time.monotonic()
    workers = workers or os.cpu_count() or 1
    several = [studies] if isinstance(studies, Study | str | os.PathLike) else list(studies)
    changes = [*set, *([] if donors is None else [f"donors.n={donors}"])]
    names = _names(several)
    said = {name: read_worlds(study, set=changes) for name, study in zip(names, several, strict=True)}
    lab.check(said)
    require_matplotlib()
    folder = Path(out) if out is not None else folder_of_worlds(several, resume=resume)
    with Store(folder, lab.identity(said), resume=resume) as store:
        for name, (study, *_) in zip(names, (list(there.values()) for there in said.values()), strict=True):
            store.write(f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}.resolved.toml", study.to_toml().encode())
        judged = lab.judge(said, store, workers=workers, say=progress or (lambda what, done, total: None))
        together, boxes, totals = lab.joint(judged), lab.conditions(judged), total.table(judged)
        tables = {
            "worlds": lab.table(judged), "worlds_draws": lab.draws(judged), "worlds_parameters": lab.parameters(judged),
            "worlds_together": together, "worlds_conditions": conditions.table(boxes),
            "worlds_ranks": lab.ranks(judged), "worlds_experiments": lab.experiments(judged),
            "worlds_total_order": totals,
        }  # fmt: skip
        write_tables(store, {name: table for name, table in tables.items() if len(table)})
        findings = [*lab.sentences(judged, together, boxes), *total.findings(totals)]
        store.write("findings.json", as_json({"findings": findings}))
        record = provenance.of_worlds(
            [one.resolved for one in judged], store.digest(), n_units=sum(one.n_wells for one in judged),
            seconds=time.monotonic() - began, workers=workers,
        )  # fmt: skip
        store.write("run.json", as_json(record))
        with store.adopting("report.html"):
            page.render(folder)
        store.seal()
    return open_results(folder)


def _names(studies: Sequence[Study | str | Path]) -> list[str]:
    return [study.title if isinstance(study, Study) else Path(study).stem for study in studies]


def folder_of_worlds(studies: Sequence[Study | str | Path], *, resume: bool) -> Path:
    """The result folder of `worlds` where none is named."""
    return default_folder(Path(f"{'-'.join(_names(studies))}-worlds"), resume=resume)


def table_of_worlds(results: Results) -> str:
    """The table claim x world of `worlds` as text, with claims together where several were judged on the same draws."""
    from senexo.report.worlds import text

    several = (results.folder / "tables" / "worlds_together.parquet").is_file()
    said = [
        f["sentence"]
        for f in results.findings
        if f["assay"] in ("experiments", "total order") or (f["assay"], f["verdict"]) == ("conditions", "shown")
    ]
    return "\n".join([text(results.table("worlds"), results.table("worlds_together") if several else None), *said])


def open_results(folder: str | Path) -> Results:
    """The results of a finished run.

    Parameters
    ----------
    folder
        The result folder.

    Returns
    -------
    Results

    Raises
    ------
    InvalidInput
        `folder` is no path.
    StoreError
        The folder holds no finished run, or files that changed after the run.

    Examples
    --------
    >>> open_results("results/mir34c-exvivo").digest   # doctest: +SKIP
    """
    if not isinstance(folder, str | os.PathLike):
        raise InvalidInput([Fault("folder", repr(folder)[:80], "the path of a result folder")])
    path = Path(folder)
    try:
        digest = json.loads(read_recorded(path, "run.json"))["digest"]
        findings = json.loads(read_recorded(path, "findings.json"))["findings"]
    except (OSError, ValueError, KeyError, sqlite3.Error) as error:
        raise StoreError(f"{path} holds no finished run ({error}); look at it with: senexo verify {path}") from error
    return Results(path, digest, tuple(findings))


def check(study: Study | str | Path, *, set: Sequence[str] = (), workers: int | None = None) -> RunEstimate:
    """The size of a run (wells, cells, memory, disk, time) and what it assumes; printing it says so in words.

    Parameters
    ----------
    study
        A resolved study, a study file or the name of a shipped study.
    set
        Changes of the study, as "path=value".
    workers
        Processes of the run; one per core by default.

    Returns
    -------
    RunEstimate
        Its time comes from a trial: some units of the study are simulated and tabulated in a temporary directory of the
        system, which is removed again.

    Raises
    ------
    InvalidInput
        For a faulty study, and, before any trial, for one that needs more memory than there is.
    """
    resolved = _resolved(study, set=set)

    from senexo.lab import estimate
    from senexo.lab.registry import experiment_of
    from senexo.report.page import render

    experiment = experiment_of(resolved)
    found = estimate.estimate(experiment, workers or os.cpu_count() or 1)
    estimate.affordable(found)
    return estimate.with_time(found, experiment, render=render)


def report(folder: str | Path, *, out: str | Path | None = None, figures: bool = True) -> Written:
    """Write the report of a result folder again, with its figures as files.

    Parameters
    ----------
    folder
        A result folder; what the run wrote in it is left as it is.
    out
        Where `report.html` and `figures/` are written; `report` in the result folder by default.
    figures
        Whether every figure is written as SVG, PDF and PNG, with its numbers as CSV.

    Returns
    -------
    Written
        The paths of the page and of the figures' files.

    Raises
    ------
    StoreError
        When a file that the page needs is missing, unreadable or changed since the run wrote it;
        when `out` is the result folder itself.
    """
    from senexo.report.page import Written, render_to

    source = Path(folder)
    place = Path(out) if out is not None else source / "report"
    if place.resolve() == source.resolve():
        raise StoreError(
            f"{place}: is the result folder, whose files the ledger records; choose another folder for --out"
        )
    require_unchanged(source, lambda path: path.endswith((".json", ".toml", ".parquet")))  # all that the page reads
    place.mkdir(parents=True, exist_ok=True)
    if (source / "tables" / "worlds.parquet").is_file():
        from senexo.report import worlds as of_worlds

        page, *files = of_worlds.render(source, out=place, figures=figures)
        return Written(page, tuple(files))
    return render_to(source, place, figures=figures)


def replay(folder: str | Path, *, arm: str, donor: int, cell: int) -> Replay:
    """Simulate one cell of a run again, alone, and compare it with what is stored; printing it shows the cell.

    Raises
    ------
    InvalidInput
        For an arm, donor or cell that is not there.
    UnsupportedFeature
        For cells that share a medium: none of them can be simulated alone.
    StoreError
        For a folder that cannot be trusted.
    """
    path = Path(folder)
    with read_ledger(path) as ledger:
        from senexo.lab.registry import experiment_of

        experiment = experiment_of(read_study(path / "study.resolved.toml"))
        return experiment.replay(partial(read_chunk, path, ledger), arm=arm, donor=donor, cell=cell)


def default_folder(study: Study | str | Path, *, resume: bool = False) -> Path:
    """results/NAME, or the first of results/NAME-2, -3, ... that is free; to resume, the last one that is there."""
    name = re.sub(r"[^\w-]+", "-", study.title).strip("-")[:60] if isinstance(study, Study) else Path(study).stem
    folder, following = Path("results", name), Path("results", name)
    for number in itertools.count(2):
        if not following.exists():
            return folder if resume else following
        folder, following = following, Path("results", f"{name}-{number}")
    raise AssertionError


def _resolved(
    study: Study | str | Path, *, seed: int | None = None, donors: int | None = None, set: Sequence[str] = ()
) -> Study:
    numbers = {"seed": seed, "donors.n": donors}
    return read_study(study, set=[*set, *(f"{path}={value}" for path, value in numbers.items() if value is not None)])
