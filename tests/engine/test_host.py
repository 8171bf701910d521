"""The leukaemia of a host against laws; statistical tests have fixed seeds and state their false-alarm rates."""

import numpy as np
import pytest
from scipy.linalg import expm

from senexo.base.errors import InvalidInput
from senexo.engine.branching.counts import follow, keys_of, simulate
from senexo.engine.branching.extinction import extinction, log_extinction, mean
from senexo.engine.branching.process import Event, Process
from senexo.engine.branching.splitting import rare_extinction
from senexo.engine.host.kinetics import kinetics
from senexo.engine.host.leukaemia import STEM, Treatment, leukaemia

DAY = 24.0
RUNS = 100_000


def rates(**changed):
    """The intermediate class: division 1/d, net growth 0.058/d (a doubling in 12 d), half of the stem cells at rest."""
    own = {
        "division": 1.0 / DAY, "growth": 0.058 / DAY, "resting": 0.5, "wake": 0.02 / DAY, "stem_share": 1e-5,
        "transit_division": 1.5 / DAY, "loss": 0.1 / DAY, "egress": 0.05 / DAY, "blood_loss": 1.0 / DAY,
    }  # fmt: skip
    return kinetics(**{**own, **changed})


def undisturbed(days=112.0):
    return Treatment(np.array([0.0, days * DAY]))


def agrees(share, p, runs):
    """Within 4.5 standard deviations: a false alarm in 7 of 1e6."""
    return abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / runs)


def stem_only(process):
    """The stem cells of a process alone: blasts are of no account to them where room is not limited."""
    n = len(STEM)
    own = process.parent < n
    events = [
        Event(STEM[process.parent[e]], dict(zip(STEM, process.offspring[e, :n].tolist(), strict=True)),
              process.hazards[:, e], bool(process.limited[e]))
        for e in np.flatnonzero(own)
    ]  # fmt: skip
    return Process.of(STEM, events, process.edges)


# ---- room ------------------------------------------------------------------------------------------------------


def logistic(birth, capacity, until, death=0.0):
    return Process.of(
        ["cell"], [Event("cell", {"cell": 2}, birth, needs_room=True), Event("cell", {}, death)], [0.0, until],
        capacity=capacity,
    )  # fmt: skip


def test_the_twin_in_limited_room_is_verhulsts_curve():
    process = logistic(0.8, 1000.0, 20.0)
    times = np.array([1.0, 5.0, 12.0])
    exact = 1000.0 / (1.0 + 99.0 * np.exp(-0.8 * times))
    assert mean(process, np.array([10]), times)[:, 0] == pytest.approx(exact, rel=1e-8)


def test_few_cells_in_limited_room_have_the_distribution_of_the_master_equation():
    """All states 0 to 12 by the exponential of the generator; every state within 4.5 standard deviations (1e-4)."""
    capacity, birth, death, t = 12, 1.0, 0.2, 3.0
    generator = np.zeros((capacity + 1, capacity + 1))
    for n in range(capacity + 1):
        up, down = birth * n * (1 - n / capacity), death * n
        generator[n, n] -= up + down
        if n < capacity:
            generator[n + 1, n] += up
        if n > 0:
            generator[n - 1, n] += down
    exact = expm(generator * t)[:, 3]
    process = logistic(birth, capacity, t, death)
    x = simulate(process, np.array([3]), [t], runs=RUNS, seed=11)[:, 0, 0]
    for n in range(capacity + 1):
        assert agrees((x == n).mean(), exact[n], RUNS), n


def test_leaps_in_limited_room_follow_the_twin_to_second_order():
    process = logistic(0.8, 1e12, 30.0, 0.1)
    exact = mean(process, np.array([1e10]), [6.0, 30.0])[:, 0]
    start = np.array([10**10])
    errors = [
        np.abs(simulate(process, start, [6.0, 30.0], runs=1, seed=1, share=s)[0, :, 0] / exact - 1).max()
        for s in (0.2, 0.1, 0.05)
    ]
    assert errors[2] < 4e-3
    assert 3.2 < errors[0] / errors[1] < 5.2
    assert 3.2 < errors[1] / errors[2] < 5.2


def test_cells_that_share_room_are_not_independent_and_in_a_known_room_they_are():
    process = logistic(0.8, 50.0, 10.0, 0.3)
    with pytest.raises(InvalidInput, match=r"limited room.*in_room"):
        log_extinction(process, 10.0)
    known = process.in_room([0.0, 4.0, 10.0], [0.5, 0.25])
    by_hand = Process.of(["cell"], [Event("cell", {"cell": 2}, [0.4, 0.2]), Event("cell", {}, 0.3)], [0.0, 4.0, 10.0])
    assert log_extinction(known, 9.0)[0] == pytest.approx(log_extinction(by_hand, 9.0)[0], rel=1e-10)


def test_faults_of_room():
    with pytest.raises(InvalidInput, match=r"takes_room.*\n.*capacity"):
        Process.of(["a"], [Event("a", {}, 1.0)], [0.0, 1.0], capacity=0.0, takes_room=["b"])


# ---- rates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("division", "growth", "resting"), [(0.2, 0.0069, 0.9), (1.0, 0.058, 0.5), (1.0, 0.058, 0.94), (2.0, 0.30, 0.8)]
)
def test_the_twin_grows_as_measured_with_the_resting_share_and_the_composition_of_balanced_growth(
    division, growth, resting
):
    """The three classes of Banck and Goerlich: doubling in 100, 12 and 2.3 d."""
    found = rates(division=division / DAY, growth=growth / DAY, resting=resting)
    process = leukaemia(found, undisturbed(60.0))
    start = np.zeros(len(process.types))
    start[[0, 1]], start[5:] = found.composition[:2], found.composition[2:]
    assert found.composition[0] == pytest.approx(1.0 - resting, rel=1e-9)
    grown = mean(process, start, [50.0 * DAY])[0]
    assert grown == pytest.approx(start * np.exp(50.0 * growth), rel=1e-7)
    assert 1e-5 / 1.45 < found.stem_share < 1e-5 * 1.45


def test_rates_that_cannot_be_are_refused_together():
    with pytest.raises(InvalidInput, match=r"division.*\n.*loss.*\n.*stem_share"):
        rates(division=0.0, loss=-1.0, stem_share=2.0)
    with pytest.raises(InvalidInput, match=r"resting.*0 to 0\.942"):
        rates(resting=0.99)
    with pytest.raises(InvalidInput, match=r"resting_share.*\n.*cycling"):
        leukaemia(rates(), Treatment(np.array([0.0, 1.0]), resting_share=1.5, cycling=np.array([2.0])))


# ---- one host ----------------------------------------------------------------------------------------------------


def test_every_cell_is_accounted_for_and_none_is_negative():
    """Cells = start + events x what each makes; divisions less deaths is the change of all, in leaps and one by one."""
    treatment = Treatment(
        np.array([0.0, 20.0, 30.0, 60.0]) * DAY, commit=np.array([0.0, 0.01, 0.0]), escape=np.full(3, 2e-4),
        kill=np.array([0.0, 0.0, 0.03]), resting_share=0.05, clear=np.full(3, 1e-4),
    )  # fmt: skip
    process = leukaemia(rates(), treatment, capacity=2.5e8)
    start = process.start({"L_a": 300, "L_q": 50, "M": 100_000})
    found = follow(process, start, np.array([1.0, 20.0, 40.0, 60.0]) * DAY, keys=keys_of(2, range(3), "host"))
    assert (found.cells >= 0).all()
    assert (found.cells == start + found.fired @ process.change).all()
    made = process.offspring.sum(axis=1)
    divided, died = found.fired[..., made == 2].sum(axis=-1), found.fired[..., made == 0].sum(axis=-1)
    assert (found.cells.sum(axis=-1) == start.sum() + divided - died).all()
    assert set(made.tolist()) == {0, 1, 2}
    left = process.parent == process.types.index("M")
    moved = found.fired[..., left & (made == 1)].sum(axis=-1)
    lost = found.fired[..., process.parent == process.types.index("W")].sum(axis=-1)
    assert (found.cells[..., process.types.index("W")] == moved - lost).all()


def test_numbers_of_a_full_mouse_follow_the_twin():
    """From 1,000 stem cells on, whose chance is 1 to 2 %: within 8 % at 4 to 12 weeks, and below the capacity."""
    process = leukaemia(rates(stem_share=1e-4), undisturbed(84.0), capacity=2.5e8)
    start = process.start({"L_a": 5_000, "L_q": 5_000})
    times = np.array([4.0, 8.0, 12.0]) * 7 * DAY
    twin = mean(process, start, times).sum(axis=1)
    runs = simulate(process, start, times, runs=4, seed=3).sum(axis=2)
    assert np.abs(runs.mean(axis=0) / twin - 1).max() < 0.08
    assert 1e7 < twin[-1] < 2.5e8
    assert (runs < 2.5e8).all()


def test_one_stem_cell_dies_out_as_galton_and_watson_say_whatever_its_quiescence():
    """A daughter stays with p, so a line ends with the smaller root of q = (p q + 1 - p)^2: ((1 - p) / p)^2."""
    for resting in (0.0, 0.5, 0.9):
        found = rates(resting=resting)
        process = leukaemia(found, undisturbed(3000.0))
        gone = np.exp(log_extinction(process, 3000.0 * DAY, counted=STEM)[0])
        assert gone == pytest.approx(((1 - found.renewal) / found.renewal) ** 2, rel=1e-4)


def test_simulated_grafts_die_out_as_often_as_their_generating_function_says():
    found = rates()
    whole = leukaemia(found, undisturbed())
    process = stem_only(whole)
    for cells in ({"L_a": 1}, {"L_a": 2, "L_q": 1}):
        x = simulate(process, process.start(cells), [8 * 7 * DAY], runs=RUNS, seed=5)[:, 0].sum(axis=1)
        gone = extinction(whole, whole.start(cells), 8 * 7 * DAY, counted=STEM)
        assert agrees((x == 0).mean(), gone, RUNS)


def test_a_whole_mouse_loses_its_stem_cells_as_often_as_in_the_known_room_of_its_twin():
    """1,000 mice with blasts and limited room, against the branching process in the twin's room (4.5 SD, 7e-6)."""
    process = leukaemia(rates(stem_share=1e-3), undisturbed(56.0), capacity=1e5)
    start, until = process.start({"L_a": 2, "L_q": 2, "M": 20_000}), 56.0 * DAY
    edges = np.linspace(0.0, until, 113)
    room = process.room(mean(process, start, 0.5 * (edges[1:] + edges[:-1])))
    gone = extinction(process.in_room(edges, room), start, until, counted=STEM)
    x = simulate(process, start, [until], runs=1_000, seed=8)[:, 0, : len(STEM)].sum(axis=1)
    assert agrees((x == 0).mean(), gone, 1_000)


def test_splitting_on_the_whole_mouse_reaches_one_in_a_million():
    """The interval of 99.9 % misses in about 1 of 1,000 seeds."""
    treatment = Treatment(np.array([0.0, 10.0, 40.0]) * DAY, kill=np.array([0.045, 0.0]), resting_share=0.05)
    process = leukaemia(rates(stem_share=1e-2, resting=0.3), treatment)
    start = process.start({"L_a": 40, "L_q": 25})
    exact = extinction(process, start, 40.0 * DAY, counted=STEM)
    assert 1e-7 < exact < 1e-4
    found = rare_extinction(process, start, 40.0 * DAY, seed=6, counted=STEM, effort=100, repeats=20, confidence=0.999)
    assert found.low < exact < found.high


# ---- treatment ---------------------------------------------------------------------------------------------------


def still(**treatment):
    """A week in which stem cells neither divide nor rest: what a treatment does is a plain exponential."""
    given = {name: np.array([value]) if name != "resting_share" else value for name, value in treatment.items()}
    frozen = rates(resting=0.0, wake=0.0)
    return leukaemia(frozen, Treatment(np.array([0.0, 168.0]), cycling=np.zeros(1), **given))


def test_chemotherapy_spares_quiescent_cells_but_for_their_share():
    process = still(kill=0.02, resting_share=0.05)
    twin = mean(process, process.start({"L_a": 1000, "L_q": 1000}), [168.0])[0]
    assert twin[0] == pytest.approx(1000 * np.exp(-0.02 * 168), rel=1e-9)
    assert twin[1] == pytest.approx(1000 * np.exp(-0.05 * 0.02 * 168), rel=1e-9)


def test_senescent_cells_come_back_by_escape_alone():
    """Committing at c, escaping at e, and committing again: senescent c / (c + e) (1 - exp(-(c + e) t))."""
    commit, escape, t = 0.01, 0.002, 168.0
    process = still(commit=commit, escape=escape)
    twin = mean(process, process.start({"L_a": 1000}), [t])[0]
    waiting = commit / (commit + escape) * (1.0 - np.exp(-(commit + escape) * t))
    assert twin[2] == pytest.approx(1000 * waiting, rel=1e-9)
    once = dict(zip(process.types, twin, strict=True))
    first, again = np.exp(-commit * t), once["E_a"]
    assert once["L_a"] == pytest.approx(1000 * first, rel=1e-9)
    assert again == pytest.approx(1000 * (1 - first - waiting), rel=1e-9)


def test_escape_raises_the_odds_of_renewal():
    found = rates(stemness=1.5)
    odds = [p / (1 - p) for p in (found.renewal, found.renewal_escaped)]
    assert odds[1] == pytest.approx(1.5 * odds[0])
    grown = {}
    for stemness in (1.0, 1.5):
        process = leukaemia(rates(stemness=stemness), undisturbed())
        grown[stemness] = mean(process, process.start({"E_a": 1}), [56 * DAY])[0].sum()
    assert grown[1.5] > 10 * grown[1.0]
