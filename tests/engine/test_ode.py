"""Deterministic runs against closed forms, and SBML's events against the specification.

Section numbers are those of SBML Level 3 Version 2 Core (doi 10.1515/jib-2017-0080).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from itertools import product
from math import exp, inf, log, nextafter, pi, sin, sqrt

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from shorthand import event, reaction, rules, system

from senexo.base.errors import SimulationError
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ode import stiff
from senexo.engine.ode.single import integrate
from senexo.model.network import Compartment, Network, Parameter, Species
from senexo.model.network import Event as SbmlEvent

Course = Mapping[str, np.ndarray]


def course(lowered: Lowered, times: Sequence[float] | np.ndarray, **options: object) -> Course:
    """Every quantity over the times, by id."""
    v0 = initial_values(lowered)
    values = integrate(lowered, v0, np.asarray(times, dtype=np.float64), **options)  # type: ignore[arg-type]
    return {info.id: values[:, slot] for slot, info in enumerate(lowered.slots)}


def close(found: np.ndarray, expected: object, tolerance: float = 1e-6) -> None:
    """The largest error, as a share of the largest value."""
    expected = np.asarray(expected, dtype=np.float64)
    assert np.max(np.abs(found - expected)) <= tolerance * np.max(np.abs(expected))


# ---- laws

TIMES = np.linspace(0.0, 10.0, 41)


@pytest.mark.parametrize("solver", ["LSODA", "BDF", "Radau"])
def test_decay(solver: str) -> None:
    found = course(system({"x": 5.0, "k": 0.7}, {"x": "-k*x"}), TIMES, solver=solver)
    np.testing.assert_allclose(found["x"], 5.0 * np.exp(-0.7 * TIMES), rtol=1e-5 if solver == "BDF" else 1e-6)
    assert np.all(found["k"] == 0.7)


def test_oscillator_keeps_its_energy() -> None:
    found = course(system({"x": 1.0, "y": 0.0, "e": 0.0}, {"x": "3*y", "y": "-3*x"}, {"e": "x*x + y*y"}), TIMES)
    close(found["x"], np.cos(3.0 * TIMES))
    close(found["y"], -np.sin(3.0 * TIMES))
    close(found["e"], np.ones(41))


def test_logistic_growth() -> None:
    found = course(system({"x": 0.01}, {"x": "2*x*(1 - x/3)"}), TIMES)
    close(found["x"], 3.0 / (1.0 + (3.0 / 0.01 - 1.0) * np.exp(-2.0 * TIMES)))


def test_time_in_the_law() -> None:
    close(course(system({"x": 0.0}, {"x": "sin(time)*time"}), TIMES)["x"], np.sin(TIMES) - TIMES * np.cos(TIMES))


def test_chain_of_decays() -> None:
    found = course(system({"a": 1.0, "b": 0.0, "c": 0.0}, {"a": "-2*a", "b": "2*a - b", "c": "b"}), TIMES)
    close(found["b"], 2.0 * (np.exp(-TIMES) - np.exp(-2.0 * TIMES)))
    close(found["c"], 1.0 - 2.0 * np.exp(-TIMES) + np.exp(-2.0 * TIMES))


def test_dilution_in_a_growing_volume() -> None:
    """A/V decays by dilution alone; B is eaten at a rate that goes with its concentration."""
    lowered = lower(
        Network(
            "m",
            compartments=(Compartment("v", 1.0, constant=False),),
            species=(Species("A", "v", initial_amount=8.0), Species("B", "v", initial_amount=8.0)),
            parameters=(Parameter("c", constant=False),),
            rules=(*rules("rate", v="1"), *rules("assignment", c="A")),
            reactions=(reaction("r", "0.5*B", "B"),),
        )
    )
    found = course(lowered, TIMES)
    close(found["c"], 8.0 / (1.0 + TIMES))
    close(found["B"], 8.0 / np.sqrt(1.0 + TIMES))  # dB/dt = -B / (2 (1 + t))


def test_robertson_to_the_published_digits() -> None:
    """Mazzia & Magherini, Test Set for Initial Value Problem Solvers 2.4, problem ROBER, at time 1e11."""
    robertson = system(
        {"a": 1.0, "b": 0.0, "c": 0.0},
        {"a": "-0.04*a + 1e4*b*c", "b": "0.04*a - 1e4*b*c - 3e7*b**2", "c": "3e7*b**2"},
    )
    found = course(robertson, [0.4, 40.0, 1e11], atol=1e-20)
    published = {"a": 0.2083340149701255e-07, "b": 0.8333360770334713e-13, "c": 0.9999999791665050}
    for id, digits in published.items():
        assert found[id][2] == pytest.approx(digits, rel=1e-4)
    # the usual short table (Hindmarsh, LSODE; five digits), at 0.4 and 40
    np.testing.assert_allclose(found["a"][:2], [9.8517e-1, 7.1583e-1], rtol=2e-5)
    np.testing.assert_allclose(found["b"][:2], [3.3864e-5, 9.1855e-6], rtol=2e-5)
    np.testing.assert_allclose(found["a"] + found["b"] + found["c"], 1.0, rtol=1e-7)


def test_outputs_are_where_they_were_asked_for() -> None:
    decay = system({"x": 1.0}, {"x": "-x"})
    close(course(decay, [3.0, 3.0, 4.0])["x"], [exp(-3.0), exp(-3.0), exp(-4.0)])
    assert course(decay, [0.0])["x"] == [1.0]
    assert course(decay, [0.0, 0.0])["x"].tolist() == [1.0, 1.0]
    assert len(course(decay, [])["x"]) == 0


def test_nothing_moves() -> None:
    found = course(system({"x": 1.0, "y": 0.0}, assigned={"y": "x + 2*time"}), [0.0, 1.0, 1e6])
    assert found["y"].tolist() == [1.0, 3.0, 2e6 + 1.0]


def test_quantities_of_very_different_size() -> None:
    found = course(system({"x": 1e-12, "y": 1e12}, {"x": "-x", "y": "-2*y"}), TIMES)
    np.testing.assert_allclose(found["x"], 1e-12 * np.exp(-TIMES), rtol=1e-5)
    np.testing.assert_allclose(found["y"], 1e12 * np.exp(-2.0 * TIMES), rtol=1e-4)


# ---- the moment of a trigger


@pytest.mark.parametrize("at", [0.7, 1 / 3, pi, 5.0, nextafter(5.0, inf)])
def test_triggers_of_time_fire_at_the_first_float_that_makes_them_true(at: float) -> None:
    start = {"x": 0.0, "first": -1.0, "after": -1.0, "y": 1.0}
    events = [event(f"time >= {at!r}", "e", first="time"), event(f"time > {at!r}", "f", after="time")]
    found = course(system(start, {"y": "-y"}, events=events), [0.0, 10.0])
    assert found["first"][-1] == at
    assert found["after"][-1] == nextafter(at, inf)


def test_triggers_of_state_fire_when_the_law_says() -> None:
    """x = e^-t falls below 2^-k at k ln 2; the value there is within a few last places of the threshold."""
    start = {"x": 1.0, **{f"t{k}": -1.0 for k in range(1, 5)}, **{f"x{k}": -1.0 for k in range(1, 5)}}
    events = [event(f"x < {0.5**k}", f"e{k}", **{f"t{k}": "time", f"x{k}": "x"}) for k in range(1, 5)]
    found = course(system(start, {"x": "-x"}, events=events), [0.0, 5.0], rtol=1e-10)
    for k in range(1, 5):
        assert found[f"t{k}"][-1] == pytest.approx(k * log(2.0), abs=1e-7)
        assert 0.0 < 0.5**k - found[f"x{k}"][-1] <= 1e-15  # the trigger is strict, and no time before makes it true


def test_a_trigger_that_is_true_for_a_moment_only_is_found() -> None:
    """sin t > 1 - 1e-9 holds for 9e-5 around each peak; the steps are many times as long, the height is kept."""
    found = course(system({"x": 0.0, "y": 1.0, "n": 0.0}, {"x": "y", "y": "-x"},
                          events=[event("x > 1 - 1e-9", n="n + 1")]), [0.0, 20.0], rtol=1e-12)  # fmt: skip
    assert found["n"][-1] == 3.0  # at pi/2, 5 pi/2, 9 pi/2


def test_ball_that_bounces() -> None:
    """Height h after n bounces with restitution r: period 2 v r^n / g; r = 0.5, v = 10, g = 10."""
    ball = system(
        {"h": 0.0, "v": 10.0, "n": 0.0, "last": 0.0},
        {"h": "v", "v": "-10"},
        events=[event("h < 0", v="-v*0.5", h="0", n="n + 1", last="time")],
    )
    found = course(ball, [2.0 - 1e-3, 2.5, 3.4, 3.6])
    assert found["n"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert found["last"][-1] == pytest.approx(2.0 + 1.0 + 0.5, abs=1e-6)
    assert found["h"][1] == pytest.approx(5.0 * 0.5 - 5.0 * 0.25, abs=1e-6)


# ---- trigger and execution (section 4.12)


def test_initial_value_of_a_trigger() -> None:
    start = {"a": 0.0, "b": 0.0, "x": 1.0}
    events = [event("x > 0", "e", initial=True, a="1"), event("x > 0", "f", initial=False, b="1")]
    found = course(system(start, {"x": "1"}, events=events), [0.0, 1.0])
    assert found["a"].tolist() == [0.0, 0.0]  # true before the start: no change from false to true
    assert found["b"].tolist() == [1.0, 1.0]


def test_an_event_fires_again_after_its_trigger_has_been_false() -> None:
    found = course(
        system({"n": 0.0, "x": 0.0, "y": 1.0}, {"x": "y", "y": "-x"}, events=[event("x > 0.5", n="n + 1")]), [0.0, 40.0]
    )
    assert found["n"][-1] == len([k for k in range(10) if pi / 6 + 2 * pi * k < 40.0])


def test_delay_counts_from_the_trigger() -> None:
    found = course(system({"x": 0.0, "d": 2.0}, events=[event("time >= 1", delay="d*1.5", x="time")]), [3.9, 4.0, 9.0])
    assert found["x"].tolist() == [0.0, 1.0, 1.0]  # the value is that of the trigger's time
    late = system({"x": 0.0}, events=[event("time >= 1", delay=3, from_trigger=False, x="time")])
    assert course(late, [3.9, 4.0, 9.0])["x"].tolist() == [0.0, 4.0, 4.0]


def test_values_from_trigger_time_are_those_of_that_time() -> None:
    start = {"x": 0.0, "y": 0.0, "z": 0.0}
    events = [
        event("time >= 1", "e", delay=2, from_trigger=True, y="x"),
        event("time >= 1", "f", delay=2, from_trigger=False, z="x"),
    ]
    found = course(system(start, {"x": "1"}, events=events), [5.0])
    close(found["y"], [1.0])
    close(found["z"], [3.0])


def test_assignments_of_one_event_read_the_values_before_it() -> None:
    found = course(system({"a": 1.0, "b": 2.0}, events=[event("time >= 1", a="b", b="a")]), [2.0])
    assert (found["a"][0], found["b"][0]) == (2.0, 1.0)


@pytest.mark.parametrize(("persistent", "expected"), [(True, 1.0), (False, 0.0)])
def test_persistence_of_a_delayed_event(persistent: bool, expected: float) -> None:
    """The trigger holds from 1 to 2 only, and the event is due at 3."""
    pulse = event("time >= 1 and time < 2", delay=2, persistent=persistent, x="1")
    assert course(system({"x": 0.0}, events=[pulse]), [4.0])["x"] == [expected]


def test_an_event_that_does_not_persist_executes_if_it_is_true_throughout() -> None:
    pulse = event("time >= 1 and time < 3.5", delay=2, persistent=False, x="1")
    assert course(system({"x": 0.0}, events=[pulse]), [2.9, 3.0])["x"].tolist() == [0.0, 1.0]


def test_each_triggering_of_a_delayed_event_is_executed() -> None:
    start = {"x": 0.0, "y": 1.0, "n": 0.0}
    oscillator = system(start, {"x": "y", "y": "-x"}, events=[event("x > 0", delay=10, from_trigger=False, n="n + 1")])
    # triggered just after 0 and at 2 pi, 4 pi: executed 10 later
    assert course(oscillator, [9.9, 10.1, 16.2, 16.4, 22.5, 22.7])["n"].tolist() == [0, 1, 1, 2, 2, 3]


def test_priorities_decide_the_order_of_one_instant() -> None:
    events = [
        event("time >= 1", "low", priority=1, x="10*x + 1"),
        event("time >= 1", "none", x="10*x + 2"),
        event("time >= 1", "high", priority=5, x="10*x + 3"),
        event("time >= 1", "minus", priority=-4, x="10*x + 4"),
    ]
    later = [SbmlEvent(e.id, e.trigger, e.assignments, None, e.priority, False) for e in events]
    assert course(system({"x": 0.0}, events=later), [2.0])["x"] == [3142.0]


def test_priorities_are_those_of_the_moment() -> None:
    """Once `a` has executed, `c` has overtaken `b`."""
    events = [
        event("time >= 1", "a", priority=10, from_trigger=False, x="10*x + 1", p="5"),
        event("time >= 1", "b", priority=3, from_trigger=False, x="10*x + 2"),
        event("time >= 1", "c", priority="p", from_trigger=False, x="10*x + 3"),
    ]
    assert course(system({"x": 0.0, "p": 1.0}, events=events), [2.0])["x"] == [132.0]


def test_an_event_can_cancel_another_at_its_own_instant() -> None:
    events = [
        event("time >= 1 and on > 0", "first", priority=2, persistent=False, x="x + 1", on="0"),
        event("time >= 1 and on > 0", "second", priority=1, persistent=False, x="x + 100"),
    ]
    assert course(system({"x": 0.0, "on": 1.0}, events=events), [2.0])["x"] == [1.0]
    kept = [events[0], event("time >= 1 and on > 0", "second", priority=1, from_trigger=False, x="x + 100")]
    assert course(system({"x": 0.0, "on": 1.0}, events=kept), [2.0])["x"] == [101.0]


def test_an_event_can_cause_another_at_its_own_instant() -> None:
    events = [event("time >= 1", "a", b="1"), event("b > 0", "b", c="time"), event("c > 0", "c", d="c")]
    found = course(system({"b": 0.0, "c": 0.0, "d": 0.0}, events=events), [1.0])
    assert found["d"] == [1.0]


def test_a_delayed_event_of_no_delay_comes_after_what_was_triggered_with_it() -> None:
    events = [event("time >= 1", "a", delay=0, from_trigger=False, x="10*x + 1"),
              event("time >= 1", "b", from_trigger=False, x="10*x + 2")]  # fmt: skip
    assert course(system({"x": 0.0}, events=events), [2.0])["x"] == [12.0]


def test_an_output_at_the_time_of_an_event_is_the_value_after_it() -> None:
    found = course(
        system({"x": 1.0}, {"x": "-x"}, events=[event("time >= 2", x="10")]), [nextafter(2.0, 0.0), 2.0, 3.0]
    )
    close(found["x"], [exp(-2.0), 10.0, 10.0 * exp(-1.0)])
    delayed = system({"x": 1.0}, {"x": "-x"}, events=[event("time >= 1", delay=1, x="10")])
    close(course(delayed, [nextafter(2.0, 0.0), 2.0, 3.0])["x"], [exp(-2.0), 10.0, 10.0 * exp(-1.0)])


def test_outputs_between_and_after_events_of_one_step() -> None:
    """A hundred doses of 1, one every 0.1, into an elimination of rate 1: geometric sums at every output."""
    dose = event("time >= next_", x="x + 1", next_="next_ + 0.1")
    times = np.arange(0.05, 10.0, 0.1)
    found = course(
        system(
            {"x": 0.0, "next_": 0.0},
            {"x": "-x"},
            events=[SbmlEvent("e", type(dose.trigger)(dose.trigger.math, False), dose.assignments)],
        ),
        times,
    )
    q = exp(-0.1)
    close(found["x"], [exp(-0.05) * (1 - q ** (n + 1)) / (1 - q) for n in range(len(times))])


def test_an_event_at_the_last_moment_is_seen() -> None:
    assert course(system({"x": 0.0}, events=[event("time >= 3", x="1")]), [3.0])["x"] == [1.0]


def test_an_event_moves_a_compartment_and_the_species_in_it() -> None:
    """Section 4.12.5: both assignments are made in the state before; the concentration is in the former size."""
    lowered = lower(
        Network(
            "m",
            compartments=(Compartment("v", 1.0, constant=False),),
            species=(Species("A", "v", initial_amount=6.0), Species("B", "v", initial_amount=6.0)),
            events=(event("time >= 1", v="2*v", A="A + 1"),),
        )
    )
    found = course(lowered, [2.0])
    assert (found["v"][0], found["A"][0], found["B"][0]) == (2.0, 7.0, 6.0)


def test_events_that_trigger_each_other_without_end_are_stopped() -> None:
    events = [
        event("time >= 1 and x < 1", "ping", x="1"),
        event("x > 0", "pong", x="0"),
    ]
    with pytest.raises(SimulationError, match=r"at time 1: event .* trigger each other without end"):
        course(system({"x": 0.0}, events=events), [2.0])


@pytest.mark.parametrize("delay", ["-1", "0/0"])
def test_a_delay_that_is_none_is_named(delay: str) -> None:
    with pytest.raises(SimulationError, match=r"event late at time 1: its delay is (-1|nan), not 0 or more"):
        course(system({"x": 0.0}, events=[event("time >= 1", "late", delay=delay, x="1")]), [2.0])


# ---- events of equal priority, in random order


def draws(n: int, seed: int) -> np.ndarray:
    """At each of n instants two events of equal priority, of which one disables the other: did `a` come first?"""
    events = [
        event("time >= next_", "a", priority=1, persistent=False, next_="next_ + 1", a="a + 1", code="2*code + 1"),
        event("time >= next_", "b", priority=1, persistent=False, next_="next_ + 1", b="b + 1", code="2*code"),
    ]
    lowered = system({"next_": 1.0, "a": 0.0, "b": 0.0, "code": 0.0}, events=events)
    found = course(lowered, np.arange(n + 1.0), ties=np.random.default_rng(seed))
    assert np.all(found["a"] + found["b"] == np.arange(n + 1.0))
    return np.diff(found["a"])


def test_equal_priorities_are_decided_at_random() -> None:
    """Binomial(2000, 1/2) stays within 4.5 sd but for 7e-6 of seeds; the number of runs of equal outcomes likewise."""
    outcomes = draws(2000, seed=11)
    assert abs(outcomes.sum() - 1000.0) <= 4.5 * sqrt(2000 / 4)
    changes = np.sum(outcomes[1:] != outcomes[:-1])
    assert abs(changes - 999.5) <= 4.5 * sqrt(1999 / 4)


def test_ties_are_broken_from_the_stream_that_is_given() -> None:
    assert np.array_equal(draws(60, seed=1), draws(60, seed=1))
    assert not np.array_equal(draws(60, seed=1), draws(60, seed=2))


def test_ties_are_fair_among_three() -> None:
    """Chi-square of the six orders of three events over 600 instants, 5 degrees of freedom: above 35 in 1.5e-6."""
    digits = {"a": 1, "b": 2, "c": 3}
    events = [
        event("time >= next_", id, priority=0, from_trigger=False, code=f"10*code + {digit}")
        for id, digit in digits.items()
    ]
    events += [event("time >= next_ + 0.5", "again", next_="next_ + 1", code="0")]
    found = course(
        system({"next_": 1.0, "code": 0.0}, events=events), np.arange(1.0, 601.0), ties=np.random.default_rng(4)
    )
    orders, counts = np.unique(found["code"], return_counts=True)
    assert orders.tolist() == [123, 132, 213, 231, 312, 321]
    assert np.sum((counts - 100.0) ** 2 / 100.0) <= 35.0


# ---- right-hand sides that jump


def test_a_law_that_jumps_in_time() -> None:
    """x' = 3 in the first quarter of every unit of time, else -1: exact integral, at every corner and between."""
    saw = system({"x": 0.0}, {"x": "piecewise(3, time - floor(time) < 0.25, -1)"})
    times = np.linspace(0.0, 20.0, 401)
    phase = times - np.floor(times)
    close(course(saw, times)["x"], np.where(phase < 0.25, 3.0 * phase, 1.0 - phase), 1e-9)


def test_a_short_pulse_is_not_stepped_over() -> None:
    pulse = system({"x": 0.0}, {"x": "piecewise(1000, time >= 70 and time < 70.001, 0)"})
    assert course(pulse, [69.0, 100.0])["x"][-1] == pytest.approx(1.0, rel=1e-9)


def test_a_law_that_jumps_with_the_state() -> None:
    """A thermostat without hysteresis on one side: x' = 1 up to 2, from there -(x - 5): known on both sides."""
    found = course(system({"x": 0.0}, {"x": "piecewise(1, x < 2, 5 - x)"}), TIMES)["x"]
    close(found, np.where(TIMES < 2.0, TIMES, 5.0 - 3.0 * np.exp(-(TIMES - 2.0))))


def test_remainders_and_quotients_jump_as_well() -> None:
    found = course(system({"x": 0.0, "n": 0.0}, {"x": "rem(time, 2)", "n": "quotient(time, 2)"}), [7.0])
    assert found["x"][0] == pytest.approx(3 * 2.0 + 0.5, rel=1e-6)
    assert found["n"][0] == pytest.approx(0.0 + 2.0 + 4.0 + 3.0, rel=1e-6)


def test_a_switch_that_chatters_slides() -> None:
    """x' = -sign(x) + 0.5 cos t pushes x onto 0 from both sides; it has to stay there (Filippov), and in good time."""
    found = course(system({"x": 1.0}, {"x": "piecewise(-1, x > 0, 1) + 0.5*cos(time)"}), [0.5, 5.0, 10.0])["x"]
    assert found[0] == pytest.approx(0.5 + 0.5 * sin(0.5), abs=1e-6)
    assert np.all(np.abs(found[1:]) < 1e-3)


def test_a_slide_between_equal_forces_rests_on_the_switch_itself() -> None:
    """-sign(x), then a slow tide that pulls x through the middle of the band and back."""
    pulled = system({"x": 1.0}, {"x": "piecewise(-1, x > 0, 1) + piecewise(0, time < 50, 0.1*sin(5*time))"})
    assert np.all(np.abs(course(pulled, np.linspace(2.0, 100.0, 99))["x"]) < 1e-6)


def test_a_slide_ends_when_the_forces_do() -> None:
    """-sign(x) + 0.3 holds x on 0 from 0.5/0.7 on; a force of 1.5 from time 4 on tears it away at 0.5 per time."""
    found = course(
        system({"x": 0.5}, {"x": "piecewise(-1, x > 0, 1) + piecewise(0.3, time < 4, 1.5)"}), [2.0, 4.0, 10.0]
    )
    np.testing.assert_allclose(found["x"], [0.0, 0.0, 3.0], atol=1e-6)


def test_two_switches_may_chatter_at_once() -> None:
    """Both variables are held on their own surface; what they are held by shows in z, the mean of the first sign."""
    rates = {"x": "piecewise(-1, x > 0, 1) + 0.2", "y": "piecewise(-2, y > 1, 2) + 0.5", "z": "piecewise(1, x > 0, -1)"}
    found = course(system({"x": 0.5, "y": 3.0, "z": 0.0}, rates), [10.0])
    np.testing.assert_allclose([found["x"][0], found["y"][0]], [0.0, 1.0], atol=1e-6)
    reached = 0.5 / 0.8  # from there on the mean sign is 0.2
    assert found["z"][0] == pytest.approx(reached + 0.2 * (10.0 - reached), rel=1e-6)


def test_triggers_still_see_a_softened_switch() -> None:
    """x slides on 0 until time 4 and is then torn away: the event that asks for x > 1e-3 fires 1e-3/0.5 later."""
    rates = {"x": "piecewise(-1, x > 0, 1) + piecewise(0.3, time < 4, 1.5)"}
    found = course(system({"x": 0.5, "t": 0.0}, rates, events=[event("x > 0.001 and time > 2", t="time")]), [10.0])
    assert found["t"][0] == pytest.approx(4.002, abs=1e-6)


def test_a_ball_that_comes_to_rest_is_not_bounced_for_ever() -> None:
    """Infinitely many bounces before time 4 (Zeno): no course exists beyond, and this is said."""
    ball = system({"h": 0.0, "v": 10.0}, {"h": "v", "v": "-10"}, events=[event("h < 0", v="-v*0.5", h="0")])
    said: list[str] = []
    try:  # rounding decides whether the ball goes through the floor or is held on it
        course(ball, [10.0], cautions=said)
    except SimulationError as error:
        said.append(str(error))
    assert re.search(
        r"at time (4|3\.9999\d*) events or switches follow each other without end|until time (4|3\.9999\d*), a Zeno",
        said[0],
    )


def test_an_event_that_chatters_counts_its_steps_and_ends() -> None:
    """Every touch of 0 throws x back by 1/1024: known times, known number."""
    found = course(
        system({"x": 1.0, "n": 0.0}, {"x": "-1"}, events=[event("x <= 0", x="x + 1/1024", n="n + 1")]), [2.0]
    )
    assert found["n"][0] in (1024.0, 1025.0)


# ---- failures


def test_a_derivative_that_is_not_a_number_is_named() -> None:
    with pytest.raises(SimulationError, match="at time 0, x is -1 and its rate of change nan"):
        course(system({"y": 1.0, "x": -1.0}, {"y": "1", "x": "ln(x)"}), [1.0])
    with pytest.raises(SimulationError, match="at time 0, x is nan"):
        course(lower(Network("m", parameters=(Parameter("x", constant=False),), rules=rules("rate", x="1"))), [1.0])


def test_a_derivative_that_an_event_makes_undefined_is_named_with_its_time() -> None:
    with pytest.raises(SimulationError, match="at time 2, x is -1 and its rate of change nan"):
        course(system({"x": 1.0}, {"x": "ln(x)"}, events=[event("time >= 2", x="-1")]), [3.0])


def test_a_solution_that_explodes_is_named_with_its_time() -> None:
    with pytest.raises(SimulationError, match=r"no solver gets on from time (0\.99|1).*LSODA.*BDF.*Radau"):
        course(system({"x": 1.0}, {"x": "x*x"}), [2.0])


def test_a_law_without_a_value_just_ahead_is_named() -> None:
    """x' = -sqrt(x) reaches 0 at time 2, and the root of a negative number is none."""
    with pytest.raises(SimulationError) as raised:
        course(system({"x": 1.0}, {"x": "-root(2, x)"}), [3.0])
    message = str(raised.value)
    assert re.match(r"no solver gets on from time (2|1\.99\d*): just ahead the rate of change of x is no", message)
    assert "convergence" not in message  # no sentence of a solver's
    assert "(" not in message


@pytest.mark.parametrize(
    ("law", "solver"),
    [*product(["x*x", "x*exp(x)", "1e300*x*x"], ["LSODA", "BDF"]), ("1e300*x*x", "Radau")],  # Radau: seconds for others
)
def test_a_failing_solver_neither_warns_nor_touches_the_filters_of_warnings(
    law: str, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filters belong to the process: a thread that changes them changes what another one sees."""

    def forbidden(*arguments: object, **options: object) -> None:
        raise AssertionError(arguments)

    lowered = system({"x": 1.0}, {"x": law})
    with monkeypatch.context() as patched:
        for name in ("catch_warnings", "simplefilter", "filterwarnings", "warn"):
            patched.setattr(warnings, name, forbidden)
        with pytest.raises(SimulationError, match="no solver gets on"):
            course(lowered, [2.0], solver=solver, rtol=1e-15)


def test_a_singular_matrix_is_a_solution_that_is_not_finite() -> None:
    with np.errstate(all="ignore"):
        solution = scipy.linalg.lu_solve(stiff._factored(np.zeros((2, 2))), np.ones(2))
    assert not np.isfinite(solution).any()
    regular = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert np.array_equal(scipy.linalg.lu_solve(stiff._factored(regular.copy()), [1.0, 2.0]),
                          scipy.linalg.lu_solve(scipy.linalg.lu_factor(regular), [1.0, 2.0]))  # fmt: skip


def test_the_course_before_an_explosion_is_right() -> None:
    times = np.array([0.0, 0.5, 0.9, 0.99])
    np.testing.assert_allclose(course(system({"x": 1.0}, {"x": "x*x"}), times)["x"], 1.0 / (1.0 - times), rtol=1e-4)


def test_another_solver_goes_on_where_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []

    class Lame(scipy.integrate.LSODA):
        def step(self) -> str | None:
            if self.t > 1.0:
                self.status = "failed"
                return "Gave up (perhaps wrong Dfun type)"
            return super().step()

    class Noted(scipy.integrate.BDF):
        def __init__(self, fun: object, t0: float, *rest: object, **options: object) -> None:
            used.append(t0)
            super().__init__(fun, t0, *rest, **options)

    monkeypatch.setattr(scipy.integrate, "LSODA", Lame)
    monkeypatch.setattr(scipy.integrate, "BDF", Noted)
    found = course(system({"x": 1.0}, {"x": "-x"}), TIMES, solver="LSODA")
    np.testing.assert_allclose(found["x"], np.exp(-TIMES), rtol=1e-4)
    assert len(used) == 1
    assert 1.0 < used[0] < 2.0


def test_all_solvers_failing_says_what_each_one_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LSODA", "BDF", "Radau"):
        kind = getattr(scipy.integrate, name)

        def step(self: object) -> str:
            self.status = "failed"  # type: ignore[attr-defined]
            return "Gave up (perhaps wrong Dfun type)"

        monkeypatch.setattr(scipy.integrate, name, type(name, (kind,), {"step": step}))
    with pytest.raises(SimulationError, match=r"from time 0 \(Radau: (.*); LSODA: \1; BDF: \1\)"):
        course(system({"x": 1.0}, {"x": "-x"}), [1.0], solver="Radau")


# ---- the start


def test_a_run_does_not_touch_its_start() -> None:
    lowered = system({"x": 1.0}, {"x": "-x"}, events=[event("time >= 1", x="5")])
    v0 = initial_values(lowered)
    first = integrate(lowered, v0, np.array([0.0, 2.0]))
    assert v0.tolist() == [1.0]
    assert integrate(lowered, v0, np.array([0.0, 2.0])).tobytes() == first.tobytes()


def test_formulas_of_the_trigger_may_read_rules() -> None:
    events = [event("w > 0.5", t="time")]
    found = course(system({"w": 0.0, "t": 0.0, "x": 0.0}, {"x": "1"}, {"w": "sin(x)"}, events), [3.0])
    assert found["t"][0] == pytest.approx(pi / 6, abs=1e-7)
