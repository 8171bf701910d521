"""The Rb-E2F switch of the circuit is Yao's and turns off and on where his equations do.

The thresholds were computed apart from this project from BIOMD0000000318 with all miR-34c target rates scaled
by r and the kinase terms divided by 1 + p21 (docs/why/circuit.md). They are checked from both sides.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from senexo.model.circuit import load_circuit
from senexo.model.loading import load
from verify._cell import Own, Wish, do

MYC, E2F, CYCD, CYCE = ("kM",), ("kkEF", "kkb"), ("kkCDS", "kkCD"), ("kkCE",)
ALL = (*MYC, *E2F, *CYCD, *CYCE)
BARE: list[Wish] = [("cut", "miR-34c-5p -| *"), ("knock_out", "p21")]  # nothing acts on the switch but what we set


class Switch:
    """The circuit's switch alone, settled ON in its serum (or OFF in 0.1 % and then fed), then given p21 at once.

    It matters where one starts: after a sudden change the state may fall on either side of the watershed.
    """

    def __init__(self, serum: float, p21: float = 0.0, *, on: bool = True) -> None:
        circuit = load_circuit("mir34c-rab27b")
        self.table = {p.name: p.value for p in circuit.parameters}
        self.cell = Own(circuit, {"wK6": 0.0})  # without CDK6's share: the source has no CDK6
        do(self.cell, circuit, [*BARE, ("change", "serum", serum if on else 0.1)])
        self.is_on(1000.0)
        do(self.cell, circuit, [("express", "p21", p21), ("change", "serum", serum)])
        self.cell.set("u", p21)

    def scaled(self, r: float, rates: tuple[str, ...] = ALL) -> Switch:
        for rate in rates:
            self.cell.set(rate, r * self.table[rate])
        return self

    def is_on(self, hours: float = 3000.0) -> bool:
        return bool(self.cell.run(np.array([0.0, hours]), ["EF"])[-1, 0] > 0.1)


@pytest.mark.parametrize(
    ("p21", "r", "on"),
    [(0, 0.7, True), (0, 0.6, False), (0.5, 0.9, True), (0.5, 0.85, False), (1, 1.0, False), (0, 0.53, False)],
)
def test_the_table_of_states(p21: float, r: float, on: bool) -> None:
    assert Switch(20.0, p21).scaled(r).is_on() is on


@pytest.mark.parametrize(
    ("serum", "p21", "rates", "threshold"),
    [
        (20, 0, ALL, 0.619),
        (1, 0, ALL, 0.744),
        (20, 0.5, ALL, 0.858),
        (20, 0, (*CYCD, *CYCE), 0.551),
        (20, 0, MYC, 0.04),
        (20, 0, E2F, 0.28),
        (20, 0, CYCD, 0.33),
    ],
)
def test_the_edge_in_r(serum: float, p21: float, rates: tuple[str, ...], threshold: float) -> None:
    """One unit of the last digit on either side."""
    step = 0.001 if threshold > 0.5 else 0.01
    assert not Switch(serum, p21).scaled(threshold - step, rates).is_on()
    assert Switch(serum, p21).scaled(threshold + step, rates).is_on()


def test_cyclin_e_alone_never_turns_it_off() -> None:
    assert Switch(20).scaled(0.0, CYCE).is_on()


@pytest.mark.parametrize(("serum", "p21"), [(20.0, 0.798), (1.0, 0.443)])
def test_p21_alone(serum: float, p21: float) -> None:
    """Computed to 0.001 with the source's own file; the printed edges are 0.80 and 0.44."""
    assert Switch(serum, p21 - 0.001).is_on()
    assert not Switch(serum, p21 + 0.001).is_on()


@pytest.mark.parametrize(("low", "high", "from_on"), [(0.22, 0.24, True), (1.04, 1.06, False)])
def test_bistable_between_0_23_and_1_05_percent_serum(low: float, high: float, from_on: bool) -> None:
    assert not Switch(low, on=from_on).is_on()
    assert Switch(high, on=from_on).is_on()


@pytest.mark.parametrize(("serum", "back_h"), [(20.0, 38), (2.0, 101)])
def test_wash_out_in_culture_restores_e2f(serum: float, back_h: float) -> None:
    """Seven days at r = 0.53, then r = 1: free E2F is back (above 0.5 uM) after this many hours."""
    switch = Switch(serum).scaled(0.53)
    assert not switch.is_on(168.0)
    times = np.arange(0.0, 200.0, 0.5)
    free = switch.scaled(1.0).cell.run(times, ["EF"])[:, 0]
    assert times[np.argmax(free > 0.5)] == pytest.approx(back_h, abs=1)


@pytest.mark.parametrize(("pulse_h", "stays_off"), [(48, False), (96, True)])
def test_at_one_percent_a_long_pulse_is_remembered(pulse_h: float, stays_off: bool) -> None:
    switch = Switch(1.0).scaled(0.53)
    switch.is_on(float(pulse_h))
    assert switch.scaled(1.0).is_on(1000.0) is not stays_off


def test_the_constants_are_the_sources(shared_data: Path) -> None:
    """BIOMD0000000318 itself: every kinetic constant in it, by name (its KD and KE are our KDE)."""
    source = load(shared_data / "biomodels" / "BIOMD0000000318.xml").network
    table = {p.name: p.value for p in load_circuit("mir34c-rab27b").parameters}
    laws = [reaction.kinetic_law for reaction in source.reactions if reaction.kinetic_law]
    constants = {p.id: p.value for law in laws for p in law.local_parameters}
    assert len(constants) == 25
    for name, value in constants.items():
        assert table["KDE" if name in ("KD", "KE") else name] == value
