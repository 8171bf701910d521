"""The `senexo` command: every sub-command is a few lines around one function of the package.

Whatever a user may have done wrong ends here as one message on standard error and exit status 2, Ctrl-C as 130.
Packages are imported inside the commands, so that `senexo --help` does not wait for them.
"""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

from senexo import SenexoError, __version__
from senexo.app import assay
from senexo.base.errors import LimitReached, Notice
from senexo.study.agents import Agent, BodyName, DoseUnit


class _Interrupted(Exception):
    """Ctrl-C; a name that typer does not know, so that the status is 130 and no thread is waited for."""


class _Commands(TyperGroup):
    """The group of all commands, out of which an interrupt comes as `_Interrupted`."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _Interrupted from None


app = typer.Typer(
    cls=_Commands,
    help="In-silico laboratory for miRNA therapies of tumour stem cells.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(assay.app, name="assay")
LIMITED = 4  # exit status: a limit that the user set was reached; what was computed is kept
UNFORESEEN = 70  # exit status of a fault of senexo itself (EX_SOFTWARE)
_debugging = False  # --debug was given
Study = Annotated[str, typer.Argument(help="a study file (.toml) or the name of a shipped study", show_default=False)]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="change one value of the study")]
Folder = Annotated[Path, typer.Argument(help="a result folder", show_default=False)]


def main() -> None:
    """Entry point: run the command line and turn what went wrong into a message and an exit status."""
    warnings.showwarning = _show_warning
    os.environ["MPLBACKEND"] = "agg"  # figures go to files; the caller's may be of a notebook, or not exist here
    try:
        app()
    except _Interrupted:
        print("senexo: stopped", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(130)  # not sys.exit, which would wait for kernels at work
    except SenexoError as error:
        _leave(str(error), 2)
    except OSError as error:
        _leave(f"{error.filename or 'input/output'}: {error.strerror or error}", 2)
    except MemoryError:
        _leave("not enough memory: use fewer cells, runs or times, or fewer --workers", 2)
    except Exception as error:
        if _debugging:
            raise
        _leave(_unforeseen(error), UNFORESEEN)


def _unforeseen(error: Exception) -> str:
    """One line for what no message was written for: a fault of senexo, whatever the input was."""
    what = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    again = shlex.join(["senexo", "--debug", *sys.argv[1:]])
    return f"a fault of senexo itself ({what}). Please report it as an issue, with what this prints: {again}"


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """What whoever runs the command should know, as one line; anything else as Python shows it."""
    if issubclass(category, FutureWarning | Notice):
        print(f"senexo: {message}", file=sys.stderr)  # noqa: T201
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), file=sys.stderr, end="")  # noqa: T201


def _leave(message: str, status: int) -> NoReturn:
    print(f"senexo: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(status)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"senexo {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault of senexo itself.")] = False,
) -> None:
    global _debugging
    _debugging = debug


@app.command()
def run(
    study: Study,
    out: Annotated[Path | None, typer.Option(help="result folder (default: results/NAME)")] = None,
    seed: Annotated[int | None, typer.Option(help="another seed than the study's")] = None,
    donors: Annotated[int | None, typer.Option(help="another number of donors than the study's", min=1)] = None,
    workers: Annotated[int | None, typer.Option(help="processes (default: one per core)", min=1)] = None,
    set_: Sets = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an unfinished run")] = False,
    max_seconds: Annotated[float | None, typer.Option(help="simulate no more cells after this time (s)")] = None,
    max_events: Annotated[int | None, typer.Option(help="give up a well with so many events", min=1)] = None,
    max_cells: Annotated[int | None, typer.Option(help="give up a well with so many living cells", min=1)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no summary; only errors")] = False,
) -> None:
    """Run a study and write its results and report."""
    from senexo import workflow
    from senexo.app.progress import shown

    folder = out or workflow.default_folder(study, resume=resume)
    again = _resuming("run", [study], folder, seed=seed, donors=donors, workers=workers, changes=set_ or ())
    try:
        with shown(quiet=quiet) as progress:
            results = workflow.run(
                study, out=folder, seed=seed, donors=donors, workers=workers, resume=resume, progress=progress,
                set=set_ or (), max_seconds=max_seconds, max_events=max_events, max_cells=max_cells,
            )  # fmt: skip
    except LimitReached as limit:
        _leave(f"{limit}; go on with: {again}", LIMITED)
    except KeyboardInterrupt:
        _stopped(again)
    if not quiet:
        typer.echo(repr(results))
    typer.echo(results.folder / "report.html")


@app.command()
def worlds(
    studies: Annotated[
        list[str], typer.Argument(help="studies with a claim: files (.toml) or shipped names", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(help="result folder (default: results/NAME-worlds)")] = None,
    donors: Annotated[int | None, typer.Option(help="another number of draws than the studies'", min=1)] = None,
    workers: Annotated[int | None, typer.Option(help="processes (default: one per core)", min=1)] = None,
    set_: Sets = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an unfinished run")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no table; only errors")] = False,
) -> None:
    """Judge claims in every named world of their studies: the table claim x world."""
    from senexo import workflow
    from senexo.app.progress import shown

    folder = out or workflow.folder_of_worlds(studies, resume=resume)
    again = _resuming("worlds", studies, folder, donors=donors, workers=workers, changes=set_ or ())
    try:
        with shown(quiet=quiet) as progress:
            results = workflow.worlds(
                studies, out=folder, donors=donors, workers=workers, resume=resume, progress=progress, set=set_ or ()
            )
    except KeyboardInterrupt:
        _stopped(again)
    if not quiet:
        typer.echo(workflow.table_of_worlds(results))
    typer.echo(results.folder / "report.html")


def _stopped(again: str) -> NoReturn:
    print(f"senexo: stopped; go on with: {again}", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(130)  # not sys.exit, which would wait for kernels at work; everything kept is already on disk


def _resuming(
    command: str, studies: Sequence[str], out: Path, *, seed: int | None = None, donors: int | None,
    workers: int | None, changes: Sequence[str],
) -> str:  # fmt: skip
    """The command that continues a run: with everything that its results depend on, quoted for a shell."""
    numbers = {"--seed": seed, "--donors": donors, "--workers": workers}
    given = [word for flag, value in numbers.items() if value is not None for word in (flag, str(value))]
    sets = [word for change in changes for word in ("--set", change)]
    return shlex.join(["senexo", command, *studies, "--out", str(out), *given, *sets, "--resume"])


@app.command()
def check(study: Study, set_: Sets = None) -> None:
    """Say what a run of a study would do, before it does it."""
    from senexo import workflow

    typer.echo(workflow.check(study, set=set_ or ()))


@app.command()
def studies() -> None:
    """List the shipped studies."""
    from senexo.study.read import read_study, shipped_studies

    for name in shipped_studies():
        typer.echo(f"{name:<24} {read_study(name).title}")


@app.command()
def claims(
    claim: Annotated[str | None, typer.Argument(help="one claim, e.g. C5 [default: all]", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help=".csv, .parquet or .html (default: text to standard output)")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file of --out")] = False,
) -> None:
    """The claims of the founding paper: what tests each, and in how many worlds it is true."""
    from senexo.app.claiming import claims_of

    typer.echo(claims_of(claim, out, overwrite=overwrite))


@app.command()
def simulate(
    model: Annotated[str, typer.Argument(help="an SBML or Antimony file, or a shipped circuit", show_default=False)],
    end: Annotated[float | None, typer.Option(help="last time, in the model's time unit")] = None,
    points: Annotated[int, typer.Option(help="number of output times from the start to the end", min=2)] = 101,
    start: Annotated[
        str | None, typer.Option(metavar="TIME|FILE.zarr", help="time of the start, or a former result to continue")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option(metavar="TIME:ID=VALUE", help="set a number or a formula at a time (repeatable)")
    ] = None,
    steady_state: Annotated[
        bool, typer.Option("--steady-state", help="the state of rest, instead of a course")
    ] = False,
    method: Annotated[Literal["ode", "ssa"], typer.Option(help="deterministic or exact stochastic")] = "ode",
    runs: Annotated[int, typer.Option(help="number of runs", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="seed of the random numbers")] = 0,
    max_step: Annotated[float | None, typer.Option(help="longest step, in the model's time unit")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="ID=NUMBER, a value (repeatable)")] = None,
    scan: Annotated[
        list[str] | None,
        typer.Option(help="ID=FIRST:LAST:lin|log:N or ID=VALUE,VALUE,...; a run for each combination (repeatable)"),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help=".csv, .tsv or .parquet: a column for each id, a row for each run")
    ] = None,
    out: Annotated[Path | None, typer.Option(help=".csv, .parquet or .zarr (default: CSV to standard output)")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file or the store of --out")] = False,
    max_events: Annotated[int | None, typer.Option(help="end a run with so many events", min=1)] = None,
    max_seconds: Annotated[float | None, typer.Option(help="end all runs after this time (s)")] = None,
) -> None:
    """Simulate a model and write its time courses (exit status 4: a limit was reached, the courses end there)."""
    from senexo.app.simulating import simulate_to

    complete = simulate_to(
        out, model, end=end, points=points, method=method, runs=runs, seed=seed, max_step=max_step, overwrite=overwrite,
        sets=set_ or (), scans=scan or (), table=table, start=start, changes=change or (), steady_state=steady_state,
        max_events=max_events, max_seconds=max_seconds,
    )  # fmt: skip
    if not complete:
        raise typer.Exit(LIMITED)


@app.command()
def execute(
    archive: Annotated[Path, typer.Argument(help="a COMBINE archive (.omex) or a SED-ML file", show_default=False)],
    out: Annotated[Path, typer.Option(help="folder for reports.h5 and log.yml", show_default=False)],
    max_seconds: Annotated[
        float | None, typer.Option(help="wall time (s) of a document after which its simulations end", min=0)
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="only errors")] = False,
) -> None:
    """Carry out the SED-ML experiments of a COMBINE archive (as biosimulators-senexo does)."""
    from senexo.app import biosimulators

    raise typer.Exit(biosimulators.execute(archive, out, quiet=quiet, max_seconds=max_seconds))


@app.command()
def export(
    what: Annotated[
        str, typer.Argument(help="a study (.toml or shipped), or a model (file or shipped circuit)", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="the archive (.omex)", show_default=False)],
    end: Annotated[float | None, typer.Option(help="of a model: last time, in its time unit")] = None,
    points: Annotated[int, typer.Option(help="of a model: number of output times", min=2)] = 101,
    method: Annotated[Literal["ode", "ssa"], typer.Option(help="of a model: deterministic or exact")] = "ode",
    seed: Annotated[int, typer.Option(help="of a model: seed of exact runs", min=0)] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file of --out")] = False,
) -> None:
    """Write a study or a model as a COMBINE archive: SBML, SED-ML, and a list of what they cannot say."""
    from senexo.app.exporting import export_to

    for sentence in export_to(out, what, end=end, points=points, method=method, seed=seed, overwrite=overwrite):
        print(f"senexo: not in the archive: {sentence}", file=sys.stderr)  # noqa: T201
    typer.echo(out)


@app.command()
def exposure(
    events: Annotated[
        Path, typer.Argument(help="doses in NONMEM's words: TIME, AMT, RATE, II, ADDL, ...", show_default=False)
    ],
    agent: Annotated[Agent, typer.Option(help="what is given")],
    body: Annotated[BodyName, typer.Option(help="to whom")] = "patient",
    unit: Annotated[DoseUnit, typer.Option(help="of AMT, and with /h of RATE")] = "mg",
    end: Annotated[float | None, typer.Option(help="last time (h)")] = None,
    points: Annotated[int, typer.Option(help="number of times", min=2)] = 201,
    draws: Annotated[int, typer.Option(help="hosts with the agent's numbers drawn from their ranges", min=0)] = 200,
    seed: Annotated[int, typer.Option(help="of these draws", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="new folder for the course as a table")] = None,
) -> None:
    """Concentration, area and effect of doses given to a mouse or a patient."""
    from senexo.app.exposing import exposure_of

    typer.echo(exposure_of(events, agent, body, unit, end=end, points=points, draws=draws, seed=seed, out=out), nl=True)


@app.command()
def fit(
    problem: Annotated[Path, typer.Argument(help="a PEtab problem (.yaml)", show_default=False)],
    starts: Annotated[int, typer.Option(help="searches; 0: only the likelihood at the nominal values", min=0)] = 20,
    seed: Annotated[int, typer.Option(help="seed of the starts", min=0)] = 0,
    level: Annotated[float, typer.Option(help="of the intervals")] = 0.95,
    intervals: Annotated[bool, typer.Option("--intervals/--no-intervals", help="profile likelihoods")] = True,
    draws: Annotated[int, typer.Option(help="draws of the posterior that each of four chains keeps", min=0)] = 0,
    max_seconds: Annotated[float | None, typer.Option(help="begin no search after this time (s)")] = None,
    out: Annotated[Path | None, typer.Option(help="new folder for tables, figures and JSON")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object instead of sentences")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Fit a model to measurements (PEtab) and say what they determine."""
    from senexo.app.fitting import fit_of

    typer.echo(
        fit_of(
            problem, starts=starts, seed=seed, level=level, intervals=intervals, draws=draws, max_seconds=max_seconds,
            out=out, as_json=json, quiet=quiet,
        )
    )  # fmt: skip


@app.command()
def targets(
    utr: Annotated[Path, typer.Argument(help="FASTA file of 3'UTRs (.gz too)", show_default=False)],
    mirna: Annotated[str, typer.Option(help="name (hsa-miR-34c-5p) or mature sequence", show_default=False)],
    panel: Annotated[Path | None, typer.Option(help="FASTA file of further genes to compare with")] = None,
    level: Annotated[
        Literal["transfected", "endogenous", "endogenous-high", "copies"] | None,
        typer.Option(help="free AGO-miRNA [default: transfected; copies where --copies is given]"),
    ] = None,
    copies: Annotated[
        float | None, typer.Option(help="loaded copies per cell, instead of a level in words", min=0)
    ] = None,
    reading: Annotated[Literal["relative", "tight"], typer.Option(help="reading of affinity")] = "relative",
    mutate: Annotated[list[str] | None, typer.Option(metavar="NAME:POS:BASE", help="exchange one base")] = None,
    mirbase: Annotated[Path | None, typer.Option(help="miRBase's mature.fa, for other names")] = None,
    kd_table: Annotated[Path | None, typer.Option(help="table of 12-mers: columns 12mer, log_kd")] = None,
    seed: Annotated[int, typer.Option(help="seed of the draws of KD")] = 0,
    out: Annotated[Path | None, typer.Option(help="new folder for tables, figure and JSON")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object instead of sentences")] = False,
) -> None:
    """Find a miRNA's sites in 3'UTRs and predict the repression, with 95 % intervals."""
    from senexo.app.targeting import targets_of

    typer.echo(
        targets_of(
            utr, mirna, panel=panel, mirbase=mirbase, level=level, copies=copies, reading=reading, kd_table=kd_table,
            mutate=mutate or (), seed=seed, out=out, as_json=json,
        )
    )  # fmt: skip


@app.command()
def screen(
    network: Annotated[
        Path | None, typer.Option(help="CSV with the columns mirna, gene [default: the shipped]")
    ] = None,
    circuit: Annotated[str, typer.Option(help="a shipped circuit or a circuit folder")] = "mir34c-rab27b",
    copies: Annotated[float, typer.Option(help="active copies per cell", min=0)] = 3000.0,
    draws: Annotated[int, typer.Option(help="draws of the parameters", min=2, max=10_000)] = 200,
    serum: Annotated[float, typer.Option(help="serum in percent", min=0, max=100)] = 20.0,
    watch: Annotated[
        list[str] | None, typer.Option(help="miRNA that gets a sentence [default: hsa-miR-34c-5p]")
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of the draws", min=0)] = 1,
    workers: Annotated[int | None, typer.Option(help="threads [default: one per core]", min=1)] = None,
    out: Annotated[Path | None, typer.Option(help="new folder for tables and JSON")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object instead of sentences")] = False,
) -> None:
    """Raise each miRNA in turn in one circuit and rank them by the senescence they cause."""
    from senexo.app.targeting import screen_of

    typer.echo(
        screen_of(
            network, circuit=circuit, copies=copies, draws=draws, serum=serum, watch=watch or ("hsa-miR-34c-5p",),
            seed=seed, workers=workers, out=out, as_json=json,
        )
    )  # fmt: skip


@app.command()
def verify(folder: Folder) -> None:
    """Check every byte of a result folder against its ledger (exit status 1: something changed, 3: unfinished)."""
    from senexo.base.verification import verify as verified

    verdict = verified(folder)
    for fault in verdict.faults:
        typer.echo(fault, err=True)
    state = "finished" if verdict.finished else "unfinished (go on with `senexo run ... --resume`)"
    typer.echo(f"{folder}: {verdict.files} files, {len(verdict.faults)} faults, {state}\ndigest {verdict.digest}")
    raise typer.Exit(1 if verdict.faults else 0 if verdict.finished else 3)


@app.command()
def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="new folder [default: report in the result folder]")] = None,
    page_only: Annotated[bool, typer.Option("--page-only", help="no files of figures")] = False,
) -> None:
    """Write the report of a result folder again, with its figures as files."""
    from senexo import workflow

    written = workflow.report(folder, out=out, figures=not page_only)
    typer.echo(written.page)
    if written.figures:
        typer.echo(f"{len(written.figures)} files in {written.figures[0].parent}")


@app.command()
def crate(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="a new .zip", show_default=False)],
    author: Annotated[
        list[str] | None, typer.Option(help="name, or ORCID URL and name (repeatable)", show_default=False)
    ] = None,
    license: Annotated[str | None, typer.Option(help="URL of a licence")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file of --out")] = False,
) -> None:
    """Write a finished result folder as a zipped RO-Crate."""
    from senexo.interchange.ro_crate import write_crate

    n = write_crate(folder, out, authors=author or (), license=license, overwrite=overwrite)
    typer.echo(f"{out}: {n} files and ro-crate-metadata.json")


@app.command()
def replay(
    folder: Folder,
    arm: Annotated[str, typer.Option(help="arm, as the tables name it")],
    donor: Annotated[int, typer.Option(help="donor, from 1", min=1)],
    cell: Annotated[int, typer.Option(help="cell, from 1", min=1)],
) -> None:
    """Compute one cell of a finished run again, alone, and compare it with what is stored, bit for bit."""
    from senexo import workflow

    again = workflow.replay(folder, arm=arm, donor=donor, cell=cell)
    typer.echo(repr(again))
    raise typer.Exit(0 if again.same_bits else 1)
