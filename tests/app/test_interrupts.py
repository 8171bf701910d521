"""Ctrl-C is answered at once whatever is computed: status 130, one line."""

from __future__ import annotations

import gc
import importlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from senexo.app import cli

CIRCUITS = Path(__file__).parents[1] / "circuits"
SECONDS = 10.0  # a second on a quiet machine; what does not listen goes on for minutes
OSCILLATOR = "model m\n  x = 1; y = 0; x' = y; y' = -x;\nend\n"
BIRTHS = "model m\n  compartment c = 1; species x in c; x = 0; k = 1e7; B: => x; k; D: x => ; x;\nend\n"
# of events alone: 1e-8 between two of them
CHATTER = (
    "model m\n  compartment c = 1; species x in c; x = 1; J: => x; 0;\n"
    "  E1: at (x > 0.5), t0=false : x = 0;\n  E2: at 1e-8 after (x < 0.5) : x = 1;\nend\n"
)
MOVING = "model m\n  compartment c = 1; species x in c; x = 0; k := 1e4*(1 + sin(time)); B: => x; k;\nend\n"
SWITCH = f"""
title = "many cells"
[model]
circuit = "{CIRCUITS / "switch"}"
[cells.A]
n = 4000
[donors]
n = 2
[culture]
duration = "10 d"
method = "METHOD"
[arms.mock]
[readouts]
times = ["0 h", "10 d"]
"""
WORLDS = f"""
title = "worlds"
[model]
circuit = "{CIRCUITS / "tiny"}"
[cells.cell]
n = 2000
[donors]
n = 40
[culture]
duration = "5 d"
serum = "20 %"
[arms.mock]
[arms.dose]
dose = {{ what = "x", amount = 3000, at = "0 h" }}
[readouts]
times = ["0 d", "5 d"]
[claim]
id = "T1"
holds_when = "arrested(dose, 5 d) - arrested(mock, 5 d) > 5 %"
possible_when = "arrested(dose, 5 d) > 5 %"
null = {{ set = {{ K = 1e9 }} }}
[worlds.other]
says = "x never turns the switch off"
draws = {{ K = 1e6 }}
"""
POWER = "assay power --assay senescence --effect 0.01 --n 200 --sets 10000"
SSA = "simulate m.ant --end 1e6 --points 3 --method ssa --out x.csv"
# what is computed -> (file, its text, the command, the function in which the long part begins)
CASES = {
    "ode": ("m.ant", OSCILLATOR, "simulate m.ant --end 1e8 --points 3", "senexo.engine.ode.single:_Run.values"),
    "ssa": ("m.ant", BIRTHS, SSA, "senexo.engine.ssa.sampler:Job.in_threads"),
    "ssa, events alone": ("m.ant", CHATTER, SSA, "senexo.engine.ssa.sampler:Job.in_threads"),
    "ssa, rates that move": ("m.ant", MOVING, SSA, "senexo.engine.ssa.sampler:Job.in_threads"),
    "power": ("", "", POWER, "senexo.assays._power.assay:_simulator"),
    "cells, split": (
        "s.toml", SWITCH.replace("METHOD", "split"), "run s.toml --out out --workers 1",
        "senexo.engine.population.stepper:SplitStepper.run",
    ),
    "cells, hybrid": (
        "s.toml", SWITCH.replace("METHOD", "hybrid"), "run s.toml --out out --workers 1",
        "senexo.engine.population.stepper:SplitStepper.run",
    ),
    "worlds": ("s.toml", WORLDS, "worlds s.toml --out out --workers 1", "senexo.lab.batches:Batches.simulate"),
}  # fmt: skip


def announced(function: Callable[..., Any], write: int) -> Callable[..., Any]:
    def begun(*arguments: Any, **options: Any) -> Any:
        os.write(write, b"b")
        return function(*arguments, **options)

    return begun


def command(words: list[str], place: str, write: int, said: int) -> None:
    """In a fork: the command line, which announces when its long part begins."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.callbacks.clear()  # an exception in one is lost, and so it is in a finalizer: none of the parent's runs here
    gc.freeze()
    os.dup2(said, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    name, _, path = place.partition(":")
    *owners, attribute = path.split(".")
    owner: Any = importlib.import_module(name)
    for each in owners:
        owner = getattr(owner, each)
    setattr(owner, attribute, announced(getattr(owner, attribute), write))
    sys.argv = ["senexo", *words]
    try:
        cli.main()
    except SystemExit as leaving:
        sys.stderr.flush()
        os._exit(int(leaving.code or 0))


@pytest.mark.parametrize("case", CASES)
def test_an_interrupt_is_answered_at_once(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, text, words, place = CASES[case]
    monkeypatch.chdir(tmp_path)
    if file:
        Path(file).write_text(text)
    read, write = os.pipe()
    with Path("said").open("wb") as said:
        child = os.fork()
        if child == 0:
            try:
                command(words.split(), place, write, said.fileno())
            finally:
                os._exit(99)
    os.close(write)
    assert os.read(read, 1) == b"b", Path("said").read_text()
    os.close(read)
    time.sleep(0.3)
    assert os.waitpid(child, os.WNOHANG) == (0, 0), Path("said").read_text()
    asked = time.monotonic()
    os.kill(child, signal.SIGINT)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    took = time.monotonic() - asked
    message = Path("said").read_text().splitlines()
    assert status == 130, message
    assert took < SECONDS
    assert "Traceback" not in "".join(message)
    assert message[-1].startswith("senexo: stopped")
    assert {path.name for path in tmp_path.iterdir()} <= {"said", "out", file}  # no part of a result
    if words.startswith(("run", "worlds")):
        advice = shlex.split(message[-1].partition("go on with: ")[2])
        assert advice == ["senexo", *words.split(), "--resume"]
