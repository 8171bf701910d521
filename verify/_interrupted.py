"""Small studies that are run in forks of this process, ended while they compute, and resumed."""

from __future__ import annotations

import os
import random
import signal
import time
import tomllib
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

from senexo import workflow
from senexo.base.errors import SenexoError
from senexo.base.store import Store, read_ledger
from senexo.base.verification import verify as verified
from senexo.lab import units
from senexo.study.resolve import resolve
from senexo.study.schema import Study

CIRCUITS = Path(__file__).parents[1] / "tests" / "circuits"
_SWITCH = {
    "title": "A switch", "seed": 3, "cells": {"A": {"n": 8}, "A_G0": {"n": 2}}, "donors": {"n": 8},
    "culture": {"duration": "1 d", "method": "hybrid", "window_check_wells": 0},
    "arms": {"mock": {}, "off": {"actions": [{"target": "on", "operation": "set", "value": 0, "at": "6 h"}]}},
    "readouts": {"times": ["0 h", "12 h", "1 d"], "grid": "6 h"},
}  # fmt: skip
_MICE = {
    "title": "Mice", "seed": 4, "model": {"circuit": "mir34c-rab27b"}, "cells": {"LSC": {"n": 4}}, "donors": {"n": 4},
    "culture": {"duration": "7 d"}, "readouts": {"grid": "6 h"},
    "arms": {"mock": {}, "mimic": {"dose": {"what": "miR-34c-5p", "amount": ["5 mg/kg", "500 mg/kg"]}}},
    "mouse": {
        "cells": 1e5, "mice": 3, "treated_from": "28 d", "bleeds": ["4 weeks"], "end": "8 weeks", "splitting": 1,
        "draws": {"no_engraftment": 0.0},
    },
    "secondary": {"cells": [1e3, 1e4], "mice": 2, "read": "6 weeks"},
}  # fmt: skip
STUDIES = ("independent cells", "cells that share a medium", "mice")
BEGUN, KEPT, OVER = b"b", b"k", b"o"  # what a run writes: the first unit begins, one was kept, all were
_made: dict[str, Study] = {}
_SPAN: dict[str, float] = {}  # seconds of one unit


def study_of(name: str) -> Study:
    """A study by name; it takes a second or two."""
    if name not in _made:
        if name == STUDIES[0]:
            raw: dict[str, Any] = tomllib.loads((CIRCUITS / "tiny.toml").read_text(encoding="utf-8"))
            raw["model"]["circuit"], raw["cells"]["cell"]["n"] = str(CIRCUITS / "tiny"), 30
            raw["assays"] = []
        elif name == STUDIES[1]:
            raw = _SWITCH | {"model": {"circuit": str(CIRCUITS / "switch")}}
        else:
            assert name == STUDIES[2], name
            raw = _MICE
        _made[name] = resolve(raw)
    return _made[name]


def drawn(folder: Path) -> Path:
    """In place of the report."""
    (folder / "report.html").write_text("drawn")
    return folder / "report.html"


def run(name: str, out: Path, *, workers: int, resume: bool = False, progress: workflow.Progress | None = None) -> str:
    """The digest of a run."""
    return workflow.run(study_of(name), out=out, workers=workers, resume=resume, progress=progress).digest


def prepared(name: str, out: Path) -> str:
    """The digest of the unbroken run, which compiles what all others use."""
    run(name, out.with_name(f"{out.name}-first"), workers=1)
    began = time.monotonic()
    digest = run(name, out, workers=1)
    study = study_of(name)
    _SPAN[name] = (time.monotonic() - began) / (len(study.arms) * study.donors.n)
    return digest


def ended_while_computing(name: str, out: Path, workers: int, moments: random.Random) -> int | None:
    """SIGKILL at a random moment while units are computed: how many were kept, or None where it came too late."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            _run_and_report(name, out, workers, write)
        finally:
            os._exit(1)
    os.close(write)
    study = study_of(name)
    first = 1 if workers == 1 else 2  # other processes compute once they have given a unit back
    awaited, said = moments.randrange(first, max(2, len(study.arms) * study.donors.n // 2)), b""
    while len(said) < awaited and (more := os.read(read, 1)):
        said += more
    time.sleep(moments.uniform(0.0, _SPAN[name] / 2))
    os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    while more := os.read(read, 64):
        said += more
    os.close(read)
    if status != -signal.SIGKILL or BEGUN not in said or OVER in said:
        return None
    with read_ledger(out) as ledger:
        return int(ledger.execute("SELECT count(*) FROM files WHERE chunk IS NOT NULL").fetchone()[0])


def _run_and_report(name: str, out: Path, workers: int, write: int) -> None:
    os.set_inheritable(write, False)

    def progress(what: str, done: int, total: int) -> None:
        del done, total
        if what == "simulating cells":
            os.write(write, KEPT)
        elif what.startswith("judging"):
            os.write(write, OVER)

    simulate = units.simulate

    def begun(*arguments: Any, **options: Any) -> None:
        os.write(write, BEGUN)
        simulate(*arguments, **options)

    with mock.patch.object(units, "simulate", begun), mock.patch.object(units, "START_S", 0.0):
        if workers > 1:  # this process computes nothing itself, so that the kill lands while others do
            mock.patch.object(units._Run, "here").start()
        run(name, out, workers=workers, progress=progress)


def resumed(name: str, out: Path) -> str:
    """The digest of a run that is resumed to its end in a fork; a fault in words where the folder is not sound."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            run(name, out, workers=1, resume=True)
            status = 0
        finally:
            os._exit(status)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        return "the resumed run failed"
    found = verified(out)
    return found.digest if found.finished and not found.faults else f"unsound: {found.faults}"


def refusal(name: str, out: Path, *, user: int | None = None, version: str | None = None, resume: bool = False) -> str:
    """What a run that may not be says, in a fork, as another user or by another version."""
    read, write = os.pipe()
    study_of(name)
    child = os.fork()
    if child == 0:
        said = "no refusal"
        try:
            if user is not None:  # who may not read the interpreter, perhaps: the store alone
                os.setuid(user)
                Store(out, {"seed": "1"}, resume=False)
            else:
                with mock.patch("senexo.lab.provenance.__version__", version) if version else nullcontext():
                    run(name, out, workers=1, resume=resume)
        except SenexoError as error:
            said = str(error)
        except BaseException as error:
            said = f"no message, but {type(error).__name__}: {error}"
        finally:
            os.write(write, said.encode()[:4000])
            os._exit(0)
    os.close(write)
    with open(read, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    return said
