"""Reproducibility of results: one digest for any number of workers, SIGKILL at random moments, replay of one cell.

The real circuit, a few donors. Every child is a fork of one compiled process, killed after a random time.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from pathlib import Path
from unittest import mock

import pandas as pd

from senexo import workflow
from senexo.base.verification import verify as verified
from verify import Check

KILLS = 200  # reliability bar R13
KILLS_PER_RUN = 8
LONGEST = 2.0  # seconds a run has before it is killed
SEED = 20260101
SMALL = ("donors.n=3", "cells.LSC.n=2")
REPLAYED = 20


def main() -> list[Check]:
    # drawing takes longer than all the rest, and is judged elsewhere
    with tempfile.TemporaryDirectory() as name, mock.patch("senexo.report.page.render", _drawn):
        folder = Path(name)
        whole = workflow.run("mir34c-lone", out=folder / "one", workers=1, set=SMALL)
        digests = {workflow.run("mir34c-lone", out=folder / f"w{n}", workers=n, set=SMALL).digest for n in (2, 3, 4)}
        return [
            Check(
                "digests of 1, 2, 3, 4 workers", len(digests | {whole.digest}), 1, digests == {whole.digest}, "", "=="
            ),
            _killed(folder, whole),
            _replayed(whole),
        ]


def _drawn(folder: Path) -> Path:
    (folder / "report.html").write_text("drawn")
    return folder / "report.html"


def _killed(folder: Path, whole: workflow.Results) -> Check:
    """Runs killed again and again after a random time, then let go to their end, compared, and begun anew."""
    moments, kills, finished, wrong = random.Random(SEED), 0, 0, 0
    while kills < KILLS and not wrong:
        out, left = folder / f"k{finished}", KILLS_PER_RUN
        while (status := _child(out, moments.uniform(0, LONGEST) if left else None)) == -signal.SIGKILL:
            kills, left = kills + 1, left - 1
        verdict = verified(out)
        wrong += status != 0 or verdict.digest != whole.digest or bool(verdict.faults) or not verdict.finished
        finished += 1
    told = f"{finished} runs resumed to their end"
    return Check(f"{kills} SIGKILLs: runs with a wrong digest", wrong, 0, wrong == 0 and kills >= KILLS, told)


def _child(out: Path, killed_after: float | None) -> int:
    """The exit status of a run in a fork, which has some seconds, or the time it needs."""
    child = os.fork()
    if child == 0:
        try:
            workflow.run("mir34c-lone", out=out, workers=2, resume=True, set=SMALL)
            os._exit(0)
        finally:
            os._exit(1)  # an error must not go on in this copy of the caller
    if killed_after is not None:
        time.sleep(killed_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _replayed(whole: workflow.Results) -> Check:
    cells = whole.table("cells").sample(REPLAYED, random_state=SEED)
    other = 0
    for row in pd.DataFrame(cells).itertuples():
        other += not workflow.replay(whole.folder, arm=str(row.arm), donor=int(row.donor), cell=int(row.cell)).same_bits  # type: ignore[arg-type]
    return Check(f"{REPLAYED} cells computed alone: other bits", other, 0, other == 0)
