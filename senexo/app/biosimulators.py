"""`biosimulators-senexo -i ARCHIVE -o DIR`: the command line that BioSimulators asks of a simulator."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import warnings
from pathlib import Path

from senexo import SenexoError, __version__

MOST_SHOWN = 20  # errors


def main() -> None:
    """Carry out an archive; exit status 0: all of it succeeded, 1: a part failed, 2: all of it."""
    parser = argparse.ArgumentParser(
        prog="biosimulators-senexo",
        description="Carry out the SED-ML experiments of a COMBINE/OMEX archive; writes reports.h5 and log.yml.",
    )
    parser.add_argument("-i", "--archive", type=Path, required=True, help="COMBINE/OMEX archive, or a SED-ML file")
    parser.add_argument("-o", "--out-dir", type=Path, default=Path("."), help="folder for reports.h5 and log.yml")
    parser.add_argument("-q", "--quiet", action="store_true", help="only errors")
    parser.add_argument("-d", "--debug", action="store_true", help="show the traceback of a fault of senexo itself")
    parser.add_argument("-v", "--version", action="version", version=_versions())
    given = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    os.environ["MPLBACKEND"] = "agg"
    try:
        sys.exit(execute(given.archive, given.out_dir, quiet=given.quiet))
    except SenexoError as error:
        sys.exit(_said(str(error), 2))
    except MemoryError:
        sys.exit(_said("not enough memory: fewer steps or iterations", 2))
    except Exception as error:
        if given.debug:
            raise
        what = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
        sys.exit(_said(f"a fault of senexo itself ({what}); --debug shows where", 70))


def execute(archive: Path, out: Path, *, quiet: bool, max_seconds: float | None = None) -> int:
    """Carry out an archive and print what was written; the exit status."""
    from senexo.interchange.archive_run import LOG, REPORTS, run_archive
    from senexo.lab.ensemble import aside

    done = aside(
        lambda: run_archive(archive, out, max_seconds=max_seconds)
    )  # aside: Ctrl-C is answered while a solver is at work
    for error in done.errors[:MOST_SHOWN]:
        _said(error, 1)
    if (more := len(done.errors) - MOST_SHOWN) > 0:
        _said(f"... and {more} more", 1)
    if not quiet:
        for note in done.notes:
            print(note, file=sys.stderr)  # noqa: T201
        print(f"{out / REPORTS}\n{out / LOG}")  # noqa: T201
    return 0 if done.succeeded else 1 if done.partly else 2


def _said(message: str, status: int) -> int:
    print(f"senexo: {message}", file=sys.stderr)  # noqa: T201
    return status


def _versions() -> str:
    return f"senexo {__version__}\nPython {platform.python_version()}\n{platform.system()} {platform.machine()}"
