"""Interrupted runs end at the digest of the unbroken run: SIGKILL, full disk, two at once, other user, version, clock.

Every kill lands while cells are computed: after the first unit was begun and before the last was kept; one that came
too late is not counted. After each kill the run is resumed to its end and compared. A full disk is a tmpfs in a mount
namespace (`unshare`), of 50 sizes up to what the whole run needs; where that is not allowed, the row says so.
Runs are forks of one process that has compiled; tables are written, figures are not drawn (that is judged elsewhere).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from senexo import workflow
from senexo.base.verification import verify as verified
from verify import Check, not_run
from verify._interrupted import STUDIES, drawn, ended_while_computing, prepared, refusal, resumed

KILLS = 50  # of each study x 2 ways of running
SIZES = 50  # of the disk, for each study
SEED = 20261201
NOBODY = 65534


def main() -> list[Check]:
    with tempfile.TemporaryDirectory() as name, mock.patch("senexo.report.page.render", drawn):
        folder = Path(name)
        folder.chmod(0o755)
        whole = {study: prepared(study, folder / f"whole-{number}") for number, study in enumerate(STUDIES)}
        checks = [
            _killed(study, folder, whole[study], workers) for study in STUDIES for workers in (1, 3)
        ]  # fmt: skip
        return [*checks, _full(), _two_at_once(folder), *_refused(folder, whole), _clock(folder, whole)]


def _killed(study: str, folder: Path, digest: str, workers: int) -> Check:
    """Runs killed while they compute, each resumed to its end."""
    moments, kills, tries, wrong, left = random.Random(f"{SEED} {study} {workers}"), 0, 0, 0, 0
    while kills < KILLS and tries < 4 * KILLS:
        out, tries = folder / f"killed-{STUDIES.index(study)}-{workers}-{tries}", tries + 1
        kept = ended_while_computing(study, out, workers, moments)
        if kept is None:
            continue
        kills, left = kills + 1, left + kept
        wrong += resumed(study, out) != digest
    way = "threads" if workers == 1 else "processes"
    return Check(
        f"{study}, {way}: {kills} SIGKILLs, resumed to another digest", wrong, 0, wrong == 0 and kills == KILLS,
        f"{left / max(kills, 1):.1f} units kept at a kill in the mean; {tries - kills} kills came after the last unit",
    )  # fmt: skip


def _full() -> Check:
    """`verify._full_disk` in a mount namespace of its own."""
    command = ["unshare", "--mount", "--map-root-user", sys.executable, "-m", "verify._full_disk", str(SIZES)]
    name = f"a disk that is full at {SIZES} sizes: lost or wrong results"
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    except (OSError, subprocess.CalledProcessError) as error:
        return not_run(name, f"no tmpfs in a mount namespace: {getattr(error, 'stderr', error)}"[:200])
    said = json.loads(found.stdout.splitlines()[-1])
    full = f"{said['full']} runs met the full disk, each with one message; {said['fitted']} fitted"
    detail = f"{full}; largest disk {said['largest']} KiB. {' | '.join(said['wrong'][:3])}"
    return Check(name, len(said["wrong"]), 0, not said["wrong"] and said["full"] >= SIZES // 2, detail)


def _two_at_once(folder: Path) -> Check:
    """Two first runs with one cache of kernels, empty: both compile, and neither is harmed by the other."""
    script = (
        "import sys; from unittest import mock; from senexo import workflow; from verify._interrupted import *\n"
        "with mock.patch('senexo.report.page.render', drawn):\n"
        "    print(run(sys.argv[1], Path(sys.argv[2]), workers=1))\n"
    )
    faults = 0
    for number, study in enumerate(STUDIES):
        cache = folder / f"cache-{number}"
        environment = {**os.environ, "SENEXO_CACHE": str(cache)}
        running = [
            subprocess.Popen(
                [sys.executable, "-c", script, study, str(folder / f"at-once-{number}-{k}")],
                stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[1],
            )
            for k in (1, 2)
        ]  # fmt: skip
        said = [process.communicate()[0].strip() for process in running]
        faults += sum(process.returncode != 0 for process in running) + (len(set(said)) != 1)
    return Check("two first runs on an empty cache of kernels: failed or other digests", faults, 0, faults == 0)


def _refused(folder: Path, whole: dict[str, str]) -> list[Check]:
    """Folders that a run may not write to or continue: one message with the reason, and nothing changed."""
    study = next(iter(STUDIES))
    closed = folder / "closed"
    closed.mkdir(mode=0o555)
    user = refusal(study, closed / "out", user=NOBODY if os.geteuid() == 0 else None)
    out = folder / "whole-0"
    other = refusal(study, out, version="99.9", resume=True)
    sound = verified(out)
    unharmed = sound.digest == whole[study] and not sound.faults and sound.finished
    right = "cannot write" in user and "Permission denied" in user and not list(closed.iterdir())
    return [
        Check("a read-only folder, as another user: not refused", 1 - right, 0, right, _shown(user)),
        Check("a resume by another version: not refused, or harmed", 1 - ("99.9" in other and unharmed), 0,
              "senexo version: there" in other and "99.9" in other and unharmed, _shown(other)),
    ]  # fmt: skip


def _shown(message: str) -> str:
    """Without the folders of this run, as one line."""
    return " ".join(Path(word).name if word.startswith("/") else word for word in message.split())[:160]


def _clock(folder: Path, whole: dict[str, str]) -> Check:
    """The clock set back by ten years between a kill and its resume: what is kept lies in the future."""
    wrong = 0
    for number, (study, digest) in enumerate(whole.items()):
        out, moments = folder / f"clock-{number}", random.Random(SEED)
        while ended_while_computing(study, out, 1, moments) is None:
            out = out.with_name(f"{out.name}x")
        future = 10 * 366 * 86_400
        for path in out.rglob("*"):
            state = path.stat()
            os.utime(path, (state.st_atime + future, state.st_mtime + future))
        wrong += resumed(study, out) != digest
        with mock.patch("time.time", return_value=1.0):
            wrong += bool(verified(out).faults) or workflow.open_results(out).digest != digest
    return Check("the clock set back by ten years: other digests", wrong, 0, wrong == 0)
