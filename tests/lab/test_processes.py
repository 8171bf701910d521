"""Units in processes: one digest for any number of them and after killed ones, and no process that is left over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from senexo import workflow
from senexo.base import threads
from senexo.base.errors import SimulationError
from senexo.lab import units, worker
from senexo.lab.experiment import Unit
from senexo.lab.registry import experiment_of
from senexo.study.resolve import resolve

TINY = Path(__file__).parent.parent / "circuits" / "tiny"
STUDY: dict[str, Any] = {
    "title": "units", "seed": 7, "model": {"circuit": str(TINY)}, "cells": {"cell": {"n": 4}}, "donors": {"n": 5},
    "culture": {"duration": "2 d"}, "arms": {"mock": {}, "treated": {"set": {"K": 3}}},
    "readouts": {"times": ["0 h", "1 d", "2 d"], "names": ["x"]},
}  # fmt: skip


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are started however short the run is."""
    monkeypatch.setattr(units, "START_S", 0.0)


def unit(donor: int, arm: int = 0) -> Unit:
    return Unit(arm, donor, "", 0)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet waited for does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def ends(pid: int, seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.1)
    return not alive(pid)


def test_a_worker_keeps_to_its_group_and_helps_at_the_end() -> None:
    work = [unit(donor, arm) for donor in (1, 2) for arm in range(4)]
    schedule = units.Schedule(work, lambda unit: unit.donor)
    first, second, third = (schedule.take(worker) for worker in (0, 1, 0))
    assert (first, second, third) == (unit(1), unit(2), unit(1, 1))
    assert schedule.take(2) == unit(2, 1)  # three are left of donor 2, two of donor 1
    rest = [schedule.take(k % 3) for k in range(6)]
    assert Counter(u for u in (first, second, third, unit(2, 1), *rest) if u) == Counter(work)
    assert [schedule.take(k) for k in range(3)] == [None] * 3


@pytest.mark.usefixtures("at_once")
def test_one_digest_for_any_number_of_processes(tmp_path: Path) -> None:
    study = resolve(STUDY)
    digests = {workflow.run(study, out=tmp_path / str(n), workers=n).digest for n in (1, 2, 3)}
    assert len(digests) == 1


def test_a_killed_process_costs_its_unit_and_nothing_else() -> None:
    made = experiment_of(resolve(STUDY))
    made.compile()
    work = made.units()
    child = worker.Worker(made.study)
    try:
        first = child.simulate(work[0])
        assert child._process is not None
        os.kill(child._process.pid, signal.SIGKILL)
        child._process.wait()
        again = child.simulate(work[0])
    finally:
        child.close()
    here = made.simulate_unit(work[0], lambda: False)
    for arrays in (first, again):
        assert arrays.keys() == here.keys()
        assert all(arrays[name].tobytes() == here[name].tobytes() for name in here)


def test_a_unit_that_ends_every_process_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_BOOT", "import sys; sys.exit('no memory left')")
    child = worker.Worker(resolve(STUDY))
    with pytest.raises(SimulationError, match=r"3 processes ended .* arm001-donor0002: no memory left"):
        child.simulate(unit(2, 1))
    child.close()


@pytest.mark.usefixtures("at_once")
def test_a_failed_unit_ends_the_run_and_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    made, started = experiment_of(resolve(STUDY)), []
    made.compile()

    class Watched(worker.Worker):
        def _start(self) -> subprocess.Popen[bytes]:
            started.append(super()._start())
            return started[-1]

    monkeypatch.setattr(units, "Worker", Watched)
    kept: list[Unit] = []

    def keep(unit: Unit, arrays: object) -> None:
        kept.append(unit)
        if len(started) == 2:
            raise KeyboardInterrupt

    def slowly(unit: Unit, cancelled: object) -> dict[str, Any]:
        time.sleep(0.3)
        return {}

    monkeypatch.setattr(made, "simulate_unit", slowly)
    with pytest.raises(KeyboardInterrupt):
        units.simulate(made, made.units() * 100, keep, workers=3)
    assert kept
    assert all(ends(process.pid) for process in started)


def test_a_failure_in_a_process_is_an_error_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    study = resolve(STUDY)
    child = worker.Worker(study)
    with pytest.raises(SimulationError, match="IndexError"):
        child.simulate(unit(1, 77))  # there is no arm 77
    assert child.simulate(experiment_of(study).units()[0])  # it goes on
    child.close()


def test_a_process_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import time\nfrom senexo.lab.worker import Worker\nfrom senexo.study.resolve import resolve\n"
        f"child = Worker(resolve({STUDY!r}))\nprocess = child._process = child._start()\nprocess.stdin.flush()\n"
        "print(process.pid, flush=True)\ntime.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert ends(pid)


def test_a_script_without_a_main_guard_runs(tmp_path: Path) -> None:
    """What `multiprocessing` cannot do."""
    script = tmp_path / "script.py"
    script.write_text(
        "from senexo import workflow\nfrom senexo.lab import units\nfrom senexo.study.resolve import resolve\n"
        f"units.START_S = 0.0\nprint(len(workflow.run(resolve({STUDY!r}), out='out', workers=2).digest))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.split()[-1] == "64", done.stderr


def test_a_process_computes_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    here = threads.available()
    environment = threads.of_one()
    assert {environment[name] for name in (threads.VARIABLE, *threads.OF_LIBRARIES)} == {"1"}
    assert threads.available() == here  # this process is as it was
    monkeypatch.setenv(threads.VARIABLE, "1")
    assert threads.available() == 1
    monkeypatch.setenv(threads.VARIABLE, "many")
    assert threads.available() == here
