"""Run every check in this folder (or the ones named), print its rows and keep them in docs/verification.md."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
import traceback

import verify
from verify import Check, not_run
from verify._record import ROOT, Record, Section, cpu, now, written_by


def names() -> list[str]:
    """All checks, in order."""
    return sorted(m.name for m in pkgutil.iter_modules(verify.__path__) if not m.name.startswith("_"))


def main(arguments: list[str] | None = None) -> int:
    """0 where every row passed; 1 where one failed or could not be run; 2 for a name that is no check."""
    asked = _arguments(arguments)
    record = Record.read()
    if asked.list:
        for name in names():
            print(f"{name:<24}{record.cost(name)}")
        return 0
    if unknown := sorted(set(asked.names) - set(names())):
        print(f"found no check {', '.join(unknown)}, expected some of: {', '.join(names())}", file=sys.stderr)
        return 2
    chosen = asked.names or names()
    if asked.under is not None:
        chosen = [name for name in chosen if record.seconds(name) <= asked.under]
    wrong = 0
    for name in chosen:
        section = run(name)
        print(section.text(), flush=True)
        wrong += section.wrong
        if not asked.no_record:
            record.keep(section, names())  # after each, so that an interrupted run keeps what it has found
    print(f"{wrong} rows of {len(chosen)} checks failed or were not run")
    return 1 if wrong else 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m verify", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="checks to run; all of them without a name")
    parser.add_argument("--list", action="store_true", help="print the checks and how long each took last, run nothing")
    parser.add_argument("--under", type=float, metavar="SECONDS", help="only checks whose last run took at most this")
    parser.add_argument("--no-record", action="store_true", help="leave docs/verification.md as it is")
    return parser.parse_args(arguments)


def run(name: str) -> Section:
    """One check. Whatever goes wrong in it is a row of it, never the end of the others."""
    begun, used, about = time.perf_counter(), cpu(), name
    rows: list[Check] = []
    try:
        module = importlib.import_module(f"verify.{name}")
        about = (module.__doc__ or name).strip().splitlines()[0]
        rows += module.main()
    except Exception as error:  # an error of a check is a finding, and the others still run
        rows.append(_missing(error) or _broken(error))
    if not rows:
        rows.append(Check("rows", 0, 1, False, "the check yielded nothing", ">="))
    return Section(name, about, tuple(rows), time.perf_counter() - begun, cpu() - used, now(), *written_by())


def _missing(error: Exception) -> Check | None:
    """A check that wants a file of ../shared/data, where that folder, which is not distributed, is not there."""
    shared = ROOT.parent / "shared"
    if str(shared) not in str(error) or (shared / "data").is_dir():
        return None
    return not_run("input", "../shared/data is not beside this checkout")


def _broken(error: Exception) -> Check:
    traceback.print_exception(error)
    return Check("ran to its end", 0, 1, False, f"{type(error).__name__}: {error}"[:300], "==")


if __name__ == "__main__":
    sys.exit(main())
