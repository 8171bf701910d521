"""Stochastic runs: refused models, limits, and invariances."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from senexo.base.errors import SimulationError, UnsupportedFeature
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ssa.sampler import sample
from senexo.model.loading import load

Found = np.ndarray


def _run(text: str, folder: Path, end: float = 10.0, **options: object) -> tuple[Found, object]:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    lowered = lower(load(path).network)
    times = np.linspace(0.0, end, 11)
    return sample(lowered, initial_values(lowered), times, **{"runs": 40, "seed": 1, **options}), lowered


REFUSED = {
    "amount": ("substanceOnly species X = 1.5; X => ; X;", "amount that is not a whole number", "X"),
    "negative amount": ("substanceOnly species X = -2; => X; 1;", "amount that is not a whole number", "X"),
    "concentration": (
        "compartment c = 1.5; species X in c = 1; X => ; X;", "amount that is not a whole number", "X",
    ),
    "event": (
        "substanceOnly species X = 1; => X; 1; at time >= 2: X = 2.5;", "amount that is not a whole number", "time 2",
    ),
    "stoichiometry": ("substanceOnly species X = 8; 1.5 X => ; X;", "stoichiometry that is not whole", "X"),
    "stoichiometry by a rule": (
        "substanceOnly species X = 8; n = 1; n' = 1; => n X; X;", "stoichiometry that changes in time", "X",
    ),
    "negative law": ("substanceOnly species X = 3; r1: => X; 4.5 - X;", "kinetic law that goes negative", "r1"),
    "negative in time": (
        "substanceOnly species A = 3; r2: => A; 1 - time/5;", "kinetic law that goes negative", "r2",
    ),
    "too few reactants": (
        "substanceOnly species A = 5; r3: 2 A => ; A;", "kinetic law that fires without enough reactant", "r3",
    ),
    "no reactant in the law": (
        "substanceOnly species A = 5; r4: A => ; 2;", "kinetic law that fires without enough reactant", "r4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name: str, tmp_path: Path) -> None:
    text, feature, where = REFUSED[name]
    with pytest.raises(UnsupportedFeature, match=where) as caught:
        _run(text, tmp_path)
    assert feature in caught.value.feature


@pytest.mark.parametrize("backend", ["tables", "flat", "lanes"])
@pytest.mark.parametrize("name", ["negative law", "too few reactants", "no reactant in the law"])
def test_every_kernel_refuses(name: str, backend: str, tmp_path: Path) -> None:
    text, feature, where = REFUSED[name]
    with pytest.raises(UnsupportedFeature, match=where) as caught:
        _run(text, tmp_path, backend=backend)
    assert feature in caught.value.feature


@pytest.mark.parametrize("backend", ["tables", "flat", "lanes"])
def test_law_without_a_value(backend: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="reaction r1 is not a finite number"):
        _run("substanceOnly species A = 5; r1: A => ; A/(A - 3);", tmp_path, backend=backend)


@pytest.mark.parametrize("backend", ["tables", "flat", "lanes"])
def test_runs_without_end_are_given_up(backend: str, tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="more than 200000 reaction events"):
        _run("substanceOnly species A = 5; => A; 10*A;", tmp_path, backend=backend, most_events=200_000, runs=2)


def test_event_cascades_are_given_up(tmp_path: Path) -> None:
    text = "substanceOnly species A = 5; => A; 1; x = 0; y = 1; at x < y, t0=false: x = y + 1; at y < x: y = x + 1;"
    with pytest.raises(SimulationError, match="trigger each other without end"):
        _run(text, tmp_path)


def test_negative_delay(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"event late.*delay"):
        _run("substanceOnly species A = 5; => A; 1; late: at -1 after time >= 3: A = 0;", tmp_path)


@pytest.mark.parametrize("backend", ["tables", "flat", "lanes"])
def test_nothing_left_to_happen(backend: str, tmp_path: Path) -> None:
    found, lowered = _run("substanceOnly species A = 3; A => ; 50*A;", tmp_path, backend=backend)
    amounts = found[:, :, lowered.slot("A")]
    assert np.all(amounts[:, 0] == 3)
    assert np.all(amounts[:, -1] == 0)
    assert np.all(np.diff(amounts, axis=1) <= 0)


def test_no_reactions_at_all(tmp_path: Path) -> None:
    found, lowered = _run("x = 1; x' = 2; y := x + time; at time >= 5: x = 0;", tmp_path, runs=2)
    times = np.linspace(0.0, 10.0, 11)
    expected = np.where(times < 5, 1 + 2 * times, 2 * (times - 5))
    assert found[0, :, lowered.slot("x")] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found[1, :, lowered.slot("y")] == pytest.approx(expected + times, rel=1e-9, abs=1e-9)


def test_amounts_close_to_whole_numbers_are_whole(tmp_path: Path) -> None:
    """0.1 x 3 x 10 is not 3 in binary; 3.0000000000000004 molecules are meant as 3."""
    found, lowered = _run("compartment c = 0.1; species X in c = 30; X => ; X*c;", tmp_path)
    amounts = found[:, :, lowered.slot("X")]
    assert np.array_equal(amounts, np.rint(amounts))


def test_no_runs_and_no_times(tmp_path: Path) -> None:
    path = tmp_path / "model.ant"
    path.write_text("model m()\nsubstanceOnly species X = 1; X => ; X;\nend\n")
    lowered = lower(load(path).network)
    v0 = initial_values(lowered)
    assert sample(lowered, v0, np.array([0.0]), runs=0, seed=1).shape == (0, 1, len(v0))
    assert sample(lowered, v0, np.array([]), runs=3, seed=1).shape == (3, 0, len(v0))


def test_a_late_first_output(tmp_path: Path) -> None:
    """Outputs that begin late show the same run."""
    path = tmp_path / "model.ant"
    path.write_text("model m()\nsubstanceOnly species X = 0; => X; 20;\nend\n")
    lowered = lower(load(path).network)
    v0 = initial_values(lowered)
    whole = sample(lowered, v0, np.array([0.0, 1.0, 2.0, 2.0]), runs=5, seed=1)
    assert np.array_equal(sample(lowered, v0, np.array([2.0]), runs=5, seed=1)[:, 0], whole[:, 2])
    assert np.array_equal(whole[:, 2], whole[:, 3])


@pytest.mark.parametrize("backend", ["tables", "flat", "lanes"])
def test_an_interrupt_ends_the_work(backend: str, tmp_path: Path) -> None:
    """The stop sign is what an interrupt sets; kernels answer within a moment."""
    from senexo.engine.ssa.sampler import Job, Sampler

    path = tmp_path / "model.ant"
    path.write_text("model m()\nsubstanceOnly species X = 0; => X; 1e9; X => ; 1e6*X;\nend\n")
    lowered = lower(load(path).network)
    job = Job(Sampler(lowered, initial_values(lowered)), np.array([0.0, 1e6]), 2, 1, 10**15, 2)
    timer = threading.Timer(1.0, lambda: job.stop.__setitem__(0, True))
    timer.start()
    job.run(backend)  # would take an hour
    timer.join()


# ---- counts that floating point cannot tell apart

NEARLY = 9007199254740990  # 2^53 - 2: Antimony keeps 15 digits
TOO_MANY = {
    "at the start": ("substanceOnly species X = 9.1e15, Y = 0; X => Y; 1e-15*X;", "X in run 0 at time 0"),
    "a product at the start": ("substanceOnly species X = 5, Y = 1e20; X => Y; X;", "Y in run 0 at time 0"),
    "by a reaction": (f"substanceOnly species X = {NEARLY}; => X; 5;", "X in run 0 at time [0-9.]+"),
    "by a large step": ("substanceOnly species X = 0; => 1e15 X; 50;", "X in run 0 at time [0-9.]+"),
    "by an event": ("substanceOnly species X = 0; => X; 5; at time >= 2: X = 1e17;", "X in run 0 at time 2"),
    "while rates move": (
        f"substanceOnly species X = {NEARLY}; => X; 5 + sin(time);", "X in run 0 at time [0-9.]+",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_MANY)
def test_counts_of_2_to_the_53_are_refused(name: str, tmp_path: Path) -> None:
    text, where = TOO_MANY[name]
    with pytest.raises(UnsupportedFeature, match=where) as caught:
        _run(text, tmp_path, runs=1)
    assert caught.value.feature == "2^53 or more molecules"
    assert "method 'ode'" in str(caught.value)


def test_counts_below_2_to_the_53_keep_every_molecule(tmp_path: Path) -> None:
    found, lowered = _run(f"substanceOnly species X = {NEARLY}, Y = 0; X => Y; 1e-14*X;", tmp_path, runs=5)
    x, y = found[:, :, lowered.slot("X")], found[:, :, lowered.slot("Y")]
    assert np.all(y[:, -1] > 0)  # Poisson with mean 900
    assert [int(a) + int(b) for a, b in zip(x.ravel(), y.ravel(), strict=True)] == [NEARLY] * x.size
