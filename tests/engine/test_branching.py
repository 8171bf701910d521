"""Branching processes against closed forms; statistical tests have fixed seeds and state their false-alarm rates."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from senexo.base.errors import InvalidInput, SimulationError
from senexo.engine.branching.counts import simulate
from senexo.engine.branching.extinction import log_extinction, mean
from senexo.engine.branching.process import Event, Process
from senexo.engine.branching.splitting import levels_of, rare_extinction

RUNS = 100_000


def birth_death(birth, death, edges=(0.0, 10.0)):
    return Process.of(["cell"], [Event("cell", {"cell": 2}, birth), Event("cell", {}, death)], edges)


def with_rest(until=400.0):
    """Division 0.3, death 0.1, rest 0.2, waking 0.05 per day; a resting cell does not die."""
    events = [
        Event("active", {"active": 2}, 0.3),
        Event("active", {}, 0.1),
        Event("active", {"quiescent": 1}, 0.2),
        Event("quiescent", {"active": 1}, 0.05),
    ]
    return Process.of(["active", "quiescent"], events, [0.0, until])


def closed(birth, death, t):
    """Kendall 1948: extinction of a linear birth-death process by time t."""
    grown = np.exp((birth - death) * t)
    return death * (grown - 1) / (birth * grown - death)


def agrees(share, p, runs=RUNS):
    """Within 4.5 standard deviations: a false alarm in 7 of 1e6."""
    return abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / runs)


@pytest.mark.parametrize(
    ("birth", "death", "t"), [(1.0, 0.5, 0.3), (1.0, 0.5, 10.0), (0.2, 0.9, 10.0), (1.0, 1e-6, 3.0)]
)
def test_extinction_of_birth_and_death_is_kendalls(birth, death, t):
    found = np.exp(log_extinction(birth_death(birth, death), t)[0])
    assert found == pytest.approx(closed(birth, death, t), rel=1e-8)


def test_extinction_with_changing_hazards_is_kendalls_integral():
    process = birth_death([1.0, 0.2], [0.3, 0.7], [0.0, 1.0, 4.0])
    # P = J / (1 + J), J = int_0^t death exp(int_0^u (death - birth)) du
    j = 0.3 * (1 - np.exp(-0.7)) / 0.7 + 0.7 * np.exp(-0.7) * (np.exp(1.5) - 1) / 0.5
    assert np.exp(log_extinction(process, 4.0)[0]) == pytest.approx(j / (1 + j), rel=1e-8)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_extinction_does_not_depend_on_where_edges_are(scale):
    """One long interval in which a state starts at its bounds, against the same cut into pieces, and scipy's DOP853."""
    events = [
        Event("active", {"active": 2}, 0.01),
        Event("active", {"active": 1, "senescent": 1}, 0.02),
        Event("active", {"quiescent": 1}, 0.02),
        Event("active", {}, 0.1),
        Event("quiescent", {"active": 1}, 0.001),
        Event("senescent", {"active": 1}, 1e-4),
    ]
    types = ["active", "quiescent", "senescent"]
    found, cut = (
        log_extinction(Process.of(types, events, edges), 84.0 * scale)
        for edges in ([0.0, 84.0 * scale], np.linspace(0.0, 84.0 * scale, 9))
    )
    np.testing.assert_allclose(found, cut, rtol=1e-10)
    process = Process.of(types, events, [0.0, 84.0 * scale])

    def slope(_, f):
        rate = np.zeros(3)
        np.add.at(rate, process.parent, process.hazards[0] * ((f**process.offspring).prod(1) - f[process.parent]))
        return rate

    method = "DOP853" if scale == 1.0 else "Radau"
    other = solve_ivp(slope, (0.0, 84.0 * scale), np.zeros(3), method=method, rtol=1e-11, atol=1e-14).y[:, -1]
    np.testing.assert_allclose(np.exp(found), other, rtol=1e-9)


def test_intervals_of_equal_hazards_are_one_but_for_the_times_that_are_read():
    process = birth_death([1.0, 1.0, 0.2, 0.2], [0.3, 0.3, 0.7, 0.7], [0.0, 1.0, 2.0, 3.0, 4.0])
    plain = birth_death([1.0, 0.2], [0.3, 0.7], [0.0, 2.0, 4.0])
    times = [1.5, 3.0, 4.0]
    for since in (0.0, 0.5):
        several = log_extinction(process, times, since=since)[:, 0]
        alone = [log_extinction(plain, time, since=since)[0] for time in times]
        np.testing.assert_allclose(several, alone, rtol=1e-10)
    assert log_extinction(process, 2.0, since=2.0)[0] == -np.inf


def test_survival_too_rare_for_one_minus_extinction():
    t = 60.0  # survival about 5e-19
    exact = (0.9 - 0.2) * np.exp(-0.7 * t) / (0.9 - 0.2 * np.exp(-0.7 * t))
    found = -log_extinction(birth_death(0.2, 0.9, (0.0, 60.0)), t)[0]
    assert found == pytest.approx(exact, rel=1e-7)


def test_quiescence_delays_extinction_and_does_not_change_it():
    """The embedded Galton-Watson process: a cell divides with 0.75 or dies, so it dies out with 1/3."""
    found = np.exp(log_extinction(with_rest(2000.0), 2000.0))
    assert found == pytest.approx([1 / 3, 1 / 3], rel=1e-6)
    active, resting = np.exp(log_extinction(with_rest(), 5.0))
    assert 0 < resting < (1 - np.exp(-0.25)) * active  # a resting cell has to wake first


def test_simulated_extinction_with_quiescence():
    process = with_rest(60.0)
    for cells in ({"active": 1}, {"active": 1, "quiescent": 1}):
        start = process.start(cells)
        runs = simulate(process, start, [12.0], runs=RUNS, seed=3)
        assert agrees((runs[:, 0].sum(axis=1) == 0).mean(), np.exp(start @ log_extinction(process, 12.0)))


def test_counted_types_alone():
    """A cell of type a matures at 1 per day: it is gone by t with 1 - exp(-t), whatever its progeny does."""
    process = Process.of(["a", "b"], [Event("a", {"b": 1}, 1.0), Event("b", {"b": 2}, 1.0)], [0.0, 5.0])
    assert np.exp(log_extinction(process, 2.0, counted=["a"])[0]) == pytest.approx(1 - np.exp(-2), rel=1e-9)
    assert log_extinction(process, 2.0)[0] == -np.inf
    with pytest.raises(InvalidInput, match="a, left out"):
        log_extinction(process, 2.0, counted=["b"])


@pytest.mark.parametrize(("start", "few"), [(20, 200), (20_000, 200), (300, 0)])
def test_mean_and_variance_of_birth_and_death(start, few):
    """One by one, in leaps, and in leaps from few cells on; 4.5 standard errors, and 2 % for the error of leaps."""
    birth, death, t, runs = 0.6, 0.3, 4.0, 20_000 if start == 20 else 2_000
    process = birth_death(birth, death)
    x = simulate(process, process.start({"cell": start}), [t], runs=runs, seed=5, few=few)[:, 0, 0]
    grown = np.exp((birth - death) * t)
    variance = start * (birth + death) / (birth - death) * grown * (grown - 1)
    assert mean(process, process.start({"cell": start}), [t])[0, 0] == pytest.approx(start * grown, rel=1e-12)
    assert abs(x.mean() - start * grown) < 4.5 * np.sqrt(variance / runs) + 1e-3 * start * grown
    assert abs(x.var() / variance - 1) < 4.5 * np.sqrt(2.5 / runs) + 0.02


def test_leaps_follow_the_twin_to_second_order():
    """Numbers so large that chance is below 1e-6: halving the leap divides the error by four."""
    process = with_rest(20.0)
    start = process.start({"active": 10**12, "quiescent": 10**12})
    exact = mean(process, start, [20.0])[0]
    errors = [
        np.abs(simulate(process, start, [20.0], runs=1, seed=1, share=s)[0, 0] / exact - 1).max()
        for s in (0.2, 0.1, 0.05)
    ]
    assert errors[2] < 1e-3
    assert 3.2 < errors[0] / errors[1] < 5.2
    assert 3.2 < errors[1] / errors[2] < 5.2


def test_every_cell_is_accounted_for_and_none_is_negative():
    """Cells only change their type: their number stays, in leaps and one by one."""
    names = ["a", "b", "c"]
    events = [
        Event(x, {y: 1}, rate) for x, y, rate in [("a", "b", 2.0), ("b", "c", 5.0), ("c", "a", 0.1), ("a", "c", 1.0)]
    ]
    process = Process.of(names, events, [0.0, 30.0])
    found = simulate(process, process.start({"a": 100_003, "b": 150}), [1.0, 10.0, 30.0], runs=20, seed=2, share=0.5)
    assert (found.sum(axis=2) == 100_153).all()
    assert (found >= 0).all()


def test_a_run_has_the_same_numbers_whichever_are_beside_it():
    process = with_rest(30.0)
    start = process.start({"active": 50})
    together = simulate(process, start, [10.0, 30.0], runs=6, seed=9)
    apart = [simulate(process, start, [10.0, 30.0], runs=2, first=first, seed=9) for first in (0, 2, 4)]
    assert (together == np.concatenate(apart)).all()


def test_splitting_at_one_in_a_million():
    """The interval of 99.9 % misses the generating function in about 1 of 1,000 seeds."""
    process = with_rest(20.0)
    start = process.start({"active": 8, "quiescent": 1})
    exact = np.exp(start @ log_extinction(process, 20.0))
    assert 2e-7 < exact < 5e-6
    found = rare_extinction(process, start, 20.0, seed=4, effort=100, repeats=20, confidence=0.999)
    assert found.low < exact < found.high


def test_what_was_never_reached_is_unknown():
    process = birth_death(0.5, 0.0)
    found = rare_extinction(process, process.start({"cell": 3}), 5.0, seed=1, effort=10, repeats=10)
    assert (found.probability, found.low, found.high) == (0.0, 0.0, 1.0)


def test_levels_fall_to_none():
    assert levels_of(6) == [4, 3, 2, 1, 0]
    assert levels_of(0) == []


def test_all_faults_at_once():
    with pytest.raises(InvalidInput) as caught:
        Process.of(["a", "a"], [Event("b", {"a": -1}, -2.0), Event("a", {}, [1.0, 2.0])], [0.0, 0.0])
    assert len(caught.value.faults) == 6
    process = birth_death(1.0, 1.0)
    with pytest.raises(InvalidInput, match="0 to 10"):
        log_extinction(process, 11.0)
    with pytest.raises(InvalidInput, match=r"few.*\n.*share.*\n.*rising"):
        simulate(process, process.start({"cell": 1}), [2.0, 1.0], runs=1, seed=1, few=-1, share=2.0)
    with pytest.raises(InvalidInput, match="one of cell"):
        process.start({"blast": 1})


def test_too_many_cells_end_a_run():
    process = birth_death(5.0, 0.0)
    with pytest.raises(SimulationError, match="1e\\+15"):
        simulate(process, process.start({"cell": 10}), [10.0], runs=1, seed=1)
