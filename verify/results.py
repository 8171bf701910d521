"""Results that can be trusted: one digest whatever the workers, SIGKILL at random moments, one cell computed alone.

The real circuit, a few donors. Every child is a fork of one compiled process, killed after a random time.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from pathlib import Path

import pandas as pd

from senexo import workflow
from senexo.base.store import verify as verified
from verify import Check

KILLS = 200  # reliability bar R13
SEED = 20260101
SMALL = ("donors.n=3", "cells.LSC.n=3")
REPLAYED = 60


def main() -> list[Check]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.monotonic()
        whole = workflow.run("mir34c-exvivo", out=folder / "one", workers=1, set=SMALL)
        seconds = time.monotonic() - begun
        digests = {workflow.run("mir34c-exvivo", out=folder / f"w{n}", workers=n, set=SMALL).digest for n in (2, 3, 4)}
        return [
            Check("digests of 1, 2, 3, 4 workers", len(digests | {whole.digest}), 1, digests == {whole.digest}),
            *_killed(folder, whole, seconds),
            _replayed(whole),
        ]


def _killed(folder: Path, whole: workflow.Results, seconds: float) -> list[Check]:
    """Runs begun and killed after a random share of a whole run's time; each that ends is compared and begun anew."""
    moments, left, finished, wrong, run = random.Random(SEED), KILLS, 0, 0, 0
    while left or not finished:
        out = folder / f"k{run}"
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            workflow.run("mir34c-exvivo", out=out, workers=2, resume=True, set=SMALL)
            os._exit(0)
        if left:
            time.sleep(moments.uniform(0, 0.5 * seconds))
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        left -= status == -signal.SIGKILL
        if status == 0:
            finished, run = finished + 1, run + 1
            verdict = verified(out)
            wrong += verdict.digest != whole.digest or bool(verdict.faults) or not verdict.finished
        elif status != -signal.SIGKILL:
            wrong, left = wrong + 1, 0
    return [
        Check(
            f"{KILLS} SIGKILLs: runs with a wrong digest", wrong, 0, wrong == 0, f"{finished} runs resumed to their end"
        )
    ]


def _replayed(whole: workflow.Results) -> Check:
    cells = whole.table("cells").sample(REPLAYED, random_state=SEED)
    other = 0
    for row in pd.DataFrame(cells).itertuples():
        other += not workflow.replay(whole.folder, arm=str(row.arm), donor=int(row.donor), cell=int(row.cell)).same_bits  # type: ignore[arg-type]
    return Check(f"{REPLAYED} cells computed alone: other bits", other, 0, other == 0)
