"""Limits of `senexo.simulate`: a run that reaches one ends there, says so, and leaves the others as they were."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import senexo
from senexo.base.errors import InvalidInput
from senexo.engine.limits import Limits
from senexo.engine.ssa.sampler import Sampler
from senexo.lab.prepared import prepared

BIRTHS = "model m\n  compartment c = 1; species x in c; x = 0; k = 5; B: => x; k;\nend\n"
TICKS = "model m\n  n = 0; next = 0.1; at time >= next: n = n + 1, next = next + 0.1;\nend\n"
ZENO = "model m\n  n = 0; next = 0.5; gap = 1e-7; at time >= next: n = n + 1, next = next + gap;\nend\n"
GROWTH = "model m\n  compartment c = 1; species x in c; x = 10; G: x => 2 x; 3 * x;\nend\n"


def load(text: str, folder: Path) -> Any:
    path = folder / "m.ant"
    path.write_text(text)
    return senexo.load(path)


def test_a_stochastic_run_ends_at_its_limit_of_events(tmp_path: Path) -> None:
    """Births alone: x counts the reactions, so x < 20 at every time that was reached; the others are unchanged."""
    model, times = load(BIRTHS, tmp_path), np.linspace(0, 4, 41)
    whole = senexo.simulate(model, times, method="ssa", runs=60, seed=1)
    for threads in (1, 2):
        data = senexo.simulate(model, times, method="ssa", runs=60, seed=1, max_events=20, threads=threads)
        x, all_of = data["x"].to_numpy(), whole["x"].to_numpy()
        reached = all_of < 20
        np.testing.assert_array_equal(x[reached], all_of[reached])
        assert np.isnan(x[~reached]).all()
        ended = ~reached.all(axis=1)
        assert 0 < ended.sum() < 60
        status = data["status"].to_numpy()
        assert (status[~ended] == "complete").all()
        assert all(text.startswith("the limit of 20 events was reached at time ") for text in status[ended])
        assert data.attrs["status"] == f"{ended.sum()} of 60 runs ended at a limit"
        assert float(data["k"]) == 5.0
        assert data.attrs["max_events"] == 20


def test_rows_have_their_own_status(tmp_path: Path) -> None:
    model = load(BIRTHS, tmp_path)
    data = senexo.simulate(
        model, [0, 1, 2], method="ssa", runs=2, parameters={"k": [0.0, 1000.0]}, max_events=100, seed=2
    )
    status = data["status"].to_numpy()
    assert list(status[:2]) == ["complete", "complete"]
    assert all("the limit of 100 events" in text for text in status[2:])
    np.testing.assert_array_equal(data["k"], [0, 0, 1000, 1000])
    np.testing.assert_array_equal(np.isnan(data["x"]).sum(axis=1), [0, 0, 2, 2])


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_events_of_the_model_are_counted(tmp_path: Path, method: Any) -> None:
    """One event each 0.1: the limit of 5 ends the run at 0.5."""
    model = load(TICKS, tmp_path)
    data = senexo.simulate(model, np.linspace(0, 1, 21) + 0.01, method=method, max_events=5)
    n = data["n"].to_numpy()[0]
    known = ~np.isnan(n)
    assert 8 <= known.sum() <= 12
    np.testing.assert_array_equal(n[known], np.floor((data["time"].to_numpy()[known] + 1e-9) / 0.1))
    assert "the limit of 5 events was reached at time 0." in str(data["status"].to_numpy()[0])


@pytest.mark.parametrize("method", ["ode", "ssa"])
def test_time_ends_a_run_that_would_take_for_ever(tmp_path: Path, method: Any) -> None:
    model = load(ZENO, tmp_path)
    senexo.simulate(model, [0, 0.1], method=method)  # compiled
    began = time.monotonic()
    data = senexo.simulate(model, [0, 0.4, 10], method=method, runs=3, max_seconds=0.3)
    assert time.monotonic() - began < 5
    assert data.attrs["status"].startswith("3 of 3 runs ended at a limit")
    n = data["n"].to_numpy()
    assert (n[0, :2] == 0).all()
    assert np.isnan(n[:, 2]).all()
    assert str(data["status"].to_numpy()[0]).startswith("the limit of 0.3 s was reached at time 0.")


@pytest.mark.parametrize("backend", ["tables", "flat", "lanes"])
def test_every_kernel_ends_with_the_time(tmp_path: Path, backend: Any) -> None:
    """x grows by a factor of 20 in each unit of time: a run is a prefix of itself, and later ones are not begun."""
    ready = prepared(load(GROWTH, tmp_path).network)
    v0, times, x = ready.lowered.values.copy(), np.linspace(0, 20, 201), ready.lowered.slot("x")
    sampler = Sampler(ready.lowered, v0, ready.plan)
    short = sampler.run(times[:5], runs=40, seed=3, backend=backend, threads=1)
    limits = Limits(seconds=0.5)
    found = sampler.run(times, runs=40, seed=3, backend=backend, threads=1, limits=limits)
    assert set(limits.ended) == set(range(40))
    begun = [run for run, why in limits.ended.items() if not why.startswith("not begun")]
    assert begun
    np.testing.assert_array_equal(found[begun, :5, x], short[begun, :, x])
    for run in begun:
        known = ~np.isnan(found[run, :, x])
        assert known[: known.sum()].all()
        assert f"at time {times[known.sum() - 1]:g}" in limits.ended[run]
    assert len(begun) < 40
    assert np.isnan(found[[run for run in range(40) if run not in begun], :, x]).all()


def test_a_batch_ends_with_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("senexo.lab.rows.ROWS_AT_ONCE", 40)
    model = load("model m\n compartment c = 1; species x in c; x = 1; k = 1; D: x => ; k*x;\nend\n", tmp_path)
    rows, times = np.linspace(0.1, 1, 120), [0.0, 1.0]
    whole = senexo.simulate(model, times, parameters={"k": rows})
    real, calls = type(prepared(model.network).batch).solve, [0]

    def slow(self: Any, v: Any, times: Any, **options: Any) -> Any:
        if len(v) > 1:
            calls[0] += 1
            time.sleep(0.4)
        return real(self, v, times, **options)

    monkeypatch.setattr(type(prepared(model.network).batch), "solve", slow)
    data = senexo.simulate(model, times, parameters={"k": rows}, max_seconds=0.5)
    assert calls[0] == 2
    np.testing.assert_array_equal(data["x"][:80], whole["x"][:80])
    assert np.isnan(data["x"][80:]).all()
    assert list(data["status"].to_numpy()) == ["complete"] * 80 + ["not begun: the limit of 0.5 s was reached"] * 40
    np.testing.assert_array_equal(data["k"], rows)


def test_limits_that_are_none_are_refused(tmp_path: Path) -> None:
    model = load(BIRTHS, tmp_path)
    with pytest.raises(InvalidInput) as refusal:
        senexo.simulate(model, [0, 1], max_events=0, max_seconds=float("nan"))
    assert [fault.where for fault in refusal.value.faults] == ["max_events", "max_seconds"]
