"""Every stochastic kernel against the reference implementation: the same events at the same times, to the last bit."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reference.ssa import Run
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ssa.plan import Plan
from senexo.engine.ssa.sampler import Sampler, sample
from senexo.model.expression import Call, Number, Time
from senexo.model.loading import load

REFERENCE = Path(__file__).resolve().parents[2] / "bench" / "reference.ant"

STEADY = {
    "dimer": """
        substanceOnly species P = 301, D = 0; k1 = 0.001; k2 = 0.01;
        2 P => D; k1*P*(P-1)/2;  D => 2 P; k2*D;""",
    "assignment rule": """
        compartment c = 1; species A in c = 40, B in c = 3; substanceOnly species X = 7;
        total := A + B; k = 0.3;
        A => B; k*A*sqrt(total);  B => A; k*B*exp(-total/50);
        => X; piecewise(total, X < 30, 1);  3 X => ; k*X*(X-1)*(X-2);
        """,
    "compartment of size 3": """
        compartment c = 3; species A in c = 10, B in c = 0; k = 0.2;
        A + A => B; c*k*A*(A - 1/3);  B => A + A; k*B*c;""",
    "one reaction": "substanceOnly species X = 5; X => ; 0.1*X;",
}
EVENTFUL = {
    "timed doses": """
        substanceOnly species X = 10; => X; 3; X => ; 0.2*X;
        at time >= 2: X = X + 20;  at time > 4.5: X = 5;  at X > 27: X = 20;""",
    "delays and kept values": """
        substanceOnly species X = 10, Y = 0; => X; 5; X => Y; 0.3*X; Y => ; 0.1*Y;
        E1: at 0.7 after X > 14: Y = Y + X;
        E2: at 0.4 after Y > 20, fromTrigger=false: X = 2;
        E3: at 1.1 after X > 16, persistent=false: Y = 0;""",
    "priorities and lots": """
        substanceOnly species X = 0, A = 0, B = 0; => X; 9;
        E1: at X > 5, priority=1, t0=false: A = A + 1, X = X - 5;
        E2: at X > 5, priority=1, t0=false, persistent=false: B = B + 1, X = X - 5;
        E3: at X > 4, priority=X: A = 2*A;""",
    "rates that jump": """
        substanceOnly species X = 0; day := piecewise(1, time < 1.5, 0, time < 3, 1);
        => X; 20*day + 1; X => ; 0.2*X*piecewise(1, time >= 2.25, 3);""",
    "volume changed by an event": """
        compartment c = 2; species A in c = 20, B in c = 4; k = 0.05;
        A + B => B; c*k*A*B; => B; 2; B => ; 0.3*B*c;
        at time >= 1.5: c = 4;  at time >= 2.5: c = 1, A = 30;""",
}


def _load(text: str, folder: Path) -> Lowered:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    return lower(load(path).network)


def _compare(lowered: Lowered, methods: tuple[str | None, ...], end: float, seed: int, run: int = 0) -> None:
    v0 = initial_values(lowered)
    pilot = Run(lowered, list(v0), seed, run)
    pilot.until([end])
    events = [time for time, _ in pilot.fired if time < end]
    assert len(events) > 10 or len(lowered.reactions) == 1
    # just before and at every event: the kernel shows when it happened and what it did
    times = np.array(sorted({0.0, end, *events, *(math.nextafter(time, 0.0) for time in events)}))
    expected = np.array(Run(lowered, list(v0), seed, run).until(times.tolist()))
    for backend in methods:
        found = sample(lowered, v0, times, runs=run + 1, seed=seed, backend=backend)[run]
        assert np.array_equal(found, expected, equal_nan=True), backend


@pytest.mark.parametrize("name", STEADY)
def test_steady_networks(name: str, tmp_path: Path) -> None:
    _compare(_load(STEADY[name], tmp_path), ("tables", "flat", "lanes"), 3.0, seed=11, run=2)


@pytest.mark.parametrize("name", EVENTFUL)
@pytest.mark.parametrize("seed", [1, 2])
def test_events_and_jumps(name: str, seed: int, tmp_path: Path) -> None:
    _compare(_load(EVENTFUL[name], tmp_path), ("tables",), 6.0, seed=seed)


def test_reference_network() -> None:
    _compare(lower(load(REFERENCE).network), ("tables", "flat", "lanes"), 0.3, seed=5)


@pytest.mark.parametrize("name", ["188", "287"])
def test_published_models_with_timed_events(name: str, shared_data: Path) -> None:
    """BioModels 188 and 287, the radiation brought forward so that the twin gets through it."""
    lowered = lower(load(shared_data / "biomodels" / f"BIOMD0000000{name}.xml").network)
    early = [Call("geq", (Time(), Number(60.0 + 30.0 * k))) for k in range(len(lowered.events))]
    events = tuple(replace(event, trigger=trigger) for event, trigger in zip(lowered.events, early, strict=True))
    _compare(replace(lowered, events=events), ("tables",), 180.0, seed=6)


@pytest.mark.parametrize("backend", ["tables", "flat", "lanes"])
def test_a_run_is_its_own_whatever_its_company(backend: str, tmp_path: Path) -> None:
    """The same integers for any number of threads and runs, with more runs than lanes and lanes that finish early."""
    lowered = _load(STEADY["dimer"], tmp_path)
    v0, times = initial_values(lowered), np.linspace(0.0, 30.0, 7)
    alone = sample(lowered, v0, times, runs=90, seed=3, backend="tables", threads=1)
    for runs, threads in ((90, 1), (90, 2), (90, 4), (37, 3), (1, 2)):
        found = sample(lowered, v0, times, runs=runs, seed=3, backend=backend, threads=threads)
        assert np.array_equal(found, alone[:runs])
    other = sample(lowered, v0, times, runs=90, seed=4, backend=backend)
    assert not np.array_equal(other, alone)


def test_the_choice_of_kernel_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sample` pilots the first run by tables and goes on with generated code where that pays."""
    from senexo.engine.ssa import choice
    from senexo.engine.ssa import sampler as ssa

    lowered = lower(load(REFERENCE).network)
    v0, times = initial_values(lowered), np.linspace(0.0, 1.0, 5)
    expected = sample(lowered, v0, times, runs=20, seed=8, backend="tables")
    assert np.array_equal(sample(lowered, v0, times, runs=20, seed=8), expected)
    monkeypatch.setattr(choice, "COMPILE", {"flat": 0, "lanes": 0})
    assert np.array_equal(sample(lowered, v0, times, runs=20, seed=8), expected)
    assert np.array_equal(sample(lowered, v0, times, runs=3, seed=8), expected[:3])
    monkeypatch.setattr(ssa, "_PILOT", 100)
    assert np.array_equal(sample(lowered, v0, times, runs=20, seed=8), expected)


def test_kept_kernels_are_used_for_one_run_and_others_when_they_pay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing kept: tables for a short call, until tables have cost what a compilation does; kept: at once."""
    from senexo.engine.ssa import choice, sampler

    monkeypatch.setenv("SENEXO_CACHE", str(tmp_path / "cache"))
    text = "substanceOnly species X = 0, Y = 0; => X; 20.125; X => Y; 0.5*X; Y => ; 0.25*Y;"
    lowered = _load(text, tmp_path)
    v0, times = initial_values(lowered), np.linspace(0.0, 40.0, 3)
    one = sampler.Sampler(lowered, v0)

    def chosen(of: sampler.Sampler, runs: int) -> str:
        job = sampler.Job(of, times, runs, 1, sampler.MOST_EVENTS, 1)
        backend, done = job.choose()
        assert done < 2
        return backend

    assert chosen(one, 1) == chosen(one, 200) == "tables"
    assert one.shape.tabled > 0.0
    one.shape.tabled = 2.0 * one.shape.compilation(one.steady, "flat")  # type: ignore[arg-type]
    assert chosen(one, 2) != "tables"
    expected = one.run(times, runs=40, seed=1, backend="tables")
    for backend in ("flat", "lanes"):
        assert np.array_equal(one.run(times, runs=40, seed=1, backend=backend), expected)  # type: ignore[arg-type]
    other = sampler.Sampler(lowered, v0)
    assert chosen(other, 1) == "flat"
    assert chosen(other, 500) == "lanes"
    assert other.shape.tabled == 0.0
    monkeypatch.setattr(choice, "MOST_REACTIONS", 2)
    assert chosen(sampler.Sampler(lowered, v0), 1) == "tables"


def test_one_plan_serves_many_starts(tmp_path: Path) -> None:
    """Starts that differ in signs, in counts and in which sizes are 1 get what they would get alone."""
    text = "compartment c = 1; species X in c = 10; k = 1; d = 0.1\nb: => X; (k + 2)*c; X => ; d*X*c; X => ; 0.01*X*c;"
    lowered = _load(text, tmp_path)
    plan, times = Plan(lowered), np.linspace(0.0, 3.0, 4)
    slots = {id: lowered.slot(id) for id in ("c", "X", "k")}
    for given in ({}, {"k": -1.0}, {"c": 2.0}, {"X": 3.0}, {}, {"k": 4.0, "c": 0.5}):
        v0 = initial_values(lowered, {slots[id]: value for id, value in given.items()})
        together, alone = Sampler(lowered, v0, plan), Sampler(lowered, v0)
        for backend in ("tables", "flat", "lanes"):
            found = together.run(times, runs=3, seed=2, backend=backend)
            assert np.array_equal(found, alone.run(times, runs=3, seed=2, backend="tables"))
