"""Faults in the kernels of populations, each with the test that has to find it; see `verify.population_faults`."""

from __future__ import annotations

from dataclasses import dataclass

_ENGINE, _EXACT, _SPLIT = "senexo/engine/", "tests/engine/test_cells_exact.py::", "tests/engine/test_cells_split.py::"
_LANES, _HYBRID = "tests/engine/test_cells_lanes.py::", "tests/engine/test_cells_hybrid.py::"
_LAWS, _LEDGER = "tests/engine/test_cells_laws.py::", "tests/engine/test_cells_ledger.py::"
_CONTROL = "tests/engine/test_cells_control.py::"
_SEEN, _LAB = "tests/engine/test_cells_seen.py::", "tests/lab/test_coupled.py::"


@dataclass(frozen=True, slots=True)
class Planted:
    """`old`, which stands exactly once in `file`, is replaced by `new`; then `test` (a pytest node) must fail."""

    name: str
    file: str
    old: str
    new: str
    test: str


FAULTS = (
    Planted(
        "stale propensity after division (exact)",
        _ENGINE + "population/exact.py",
        "due[i] = redraw(wait[i], stream[i], 0, time, total)",
        "due[i] = redraw(wait[i], stream[i], 0, time, wait[row, 2])",
        _EXACT + "test_every_event_is_that_of_the_slow_twin[1]",
    ),
    Planted(
        "stale propensity after division (windows)",
        _ENGINE + "population/window_kernel.py",
        "due = redraw(waiting, stream, used, time, total)",
        "due = redraw(waiting, stream, used, time, waiting[2])",
        _SPLIT + "test_without_pools_windows_change_nothing",
    ),
    Planted(
        "partition p = 0.51",
        _ENGINE + "population/model.py",
        "    p: float = 0.5\n",
        "    p: float = 0.51\n",
        _LAWS + "test_partition[binomial]",
    ),
    Planted(
        "pool read before it is written (exact)",
        _ENGINE + "population/kernel.py",
        "        if pool < 0 or not frozen:\n",
        "        if pool < 0:\n",
        _EXACT + "test_every_event_is_that_of_the_slow_twin[1]",
    ),
    Planted(
        "pool settled before releases are in it",
        _ENGINE + "population/stepper.py",
        "            found = self.inside.run(self, end)\n"
        "        if found.code == OK:\n"
        "            self.state.time = end\n"
        "            found = self.settle(1, 0.5 * (end - begin))\n",
        "            early = self.state.pools.copy()\n"
        "            found = self.inside.run(self, end)\n"
        "        if found.code == OK:\n"
        "            late, self.state.pools = self.state.pools - early, early\n"
        "            self.state.time = end\n"
        "            found = self.settle(1, 0.5 * (end - begin))\n"
        "            self.state.pools = self.state.pools + late\n",
        _LANES + "test_every_window_is_that_of_the_slow_twin",
    ),
    Planted(
        "pool not frozen in a window",
        _ENGINE + "population/window_kernel.py",
        "                released[changes[c, 2]] += weight * changes[c, 1]\n",
        "                released[changes[c, 2]] += weight * changes[c, 1]\n"
        "                memory[changes[c, 0]] += changes[c, 1]\n",
        _SEEN + "test_windows_of_cells_that_only_look_at_a_pool[tables]",
    ),
    Planted(
        "molecules of a pool shared out evenly",
        _ENGINE + "population/exchange.py",
        "counts[i], heap[2 * i] / heap[i], many)",
        "counts[i], 0.5, many)",
        _LANES + "test_molecules_are_shared_out_by_the_takers_propensities[weights0]",
    ),
    Planted(
        "uptake not counted",
        _ENGINE + "population/exchange.py",
        "fired[channel] += copies",
        "fired[channel] += 1",
        _LEDGER + "test_mass_balances_close[split]",
    ),
    Planted(
        "loss counted twice",
        _ENGINE + "population/mass_balance.py",
        "lost + max(-copies, 0)",
        "lost + 2 * max(-copies, 0)",
        _LEDGER + "test_mass_balances_close[exact]",
    ),
    Planted(
        "both daughters have one stream (exact)",
        _ENGINE + "population/fates.py",
        "derived(daughters, np.uint64(1), RUN)",
        "derived(daughters, np.uint64(0), RUN)",
        _EXACT + "test_copies_are_conserved",
    ),
    Planted(
        "both daughters have one stream (windows)",
        _ENGINE + "population/fates.py",
        "derived(daughters, np.uint64(1), RUN)",
        "derived(daughters, np.uint64(0), RUN)",
        _LEDGER + "test_every_cell_is_a_first_one_or_was_born",
    ),
    Planted(
        "events and partition share a stream",
        _ENGINE + "population/kernel.py",
        '_word("events"), _word("partition")',
        '_word("events"), _word("events")',
        _EXACT + "test_every_event_is_that_of_the_slow_twin[1]",
    ),
    Planted(
        "the second daughter gets the first one's copies",
        _ENGINE + "population/fates.py",
        "share[slot] = mother[slot] - share[slot]",
        "share[slot] += 0.0",
        _EXACT + "test_copies_are_conserved",
    ),
    Planted(
        "age not reset at birth",
        _ENGINE + "population/fates.py",
        "= tables.effects[effect, TO + 1], time, weight",
        "= tables.effects[effect, TO + 1], rows.born[row], weight",
        _SPLIT + "test_without_pools_windows_change_nothing",
    ),
    Planted(
        "`sets` of a division left out for the second daughter",
        _ENGINE + "population/tables.py",
        "(effect.second, (*effect.sets, *two))",
        "(effect.second, two)",
        _SEEN + "test_both_daughters_are_set",
    ),
    Planted(
        "hazard used up from the wrong time (exact)",
        _ENGINE + "population/kernel.py",
        "wait[0], wait[2] = time, total",
        "wait[2] = total",
        _LAWS + "test_cells_that_share_a_pool[2]",
    ),
    Planted(
        "hazard used up from the wrong time (lanes)",
        _ENGINE + "population/lanes.py",
        "since = {row['from']} if moved else {row['since']}",
        "since = {row['since']}",
        _LANES + "test_every_window_is_that_of_the_slow_twin",
    ),
    Planted(
        "a dead cell is woken by the pool (exact)",
        _ENGINE + "population/fates.py",
        "        rows.kind[row] = -1\n",
        "",
        _EXACT + "test_copies_are_conserved",
    ),
    Planted(
        "a dead cell goes on (windows)",
        _ENGINE + "population/fates.py",
        "        rows.kind[row] = -1\n",
        "",
        _SPLIT + "test_copies_are_conserved",
    ),
    Planted(
        "a resumed run draws its waits again (exact)",
        _ENGINE + "population/exact.py",
        "clocks.due[i] = meet(rows.wait[i], clocks.stream[i], rows.draws[i], time, total)",
        "clocks.due[i] = redraw(rows.wait[i], clocks.stream[i], rows.draws[i], time, total)",
        _EXACT + "test_a_run_in_parts_is_the_whole_run",
    ),
    Planted(
        "a resumed run forgets the waits of the pools",
        _ENGINE + "population/state.py",
        "pool_wait=self.rows.wait[:media].copy()",
        "pool_wait=origin.pool_wait",
        _SPLIT + "test_a_run_cut_after_every_window_is_the_whole_run",
    ),
    Planted(
        "the last part of a window is left out",
        _ENGINE + "population/stepper.py",
        "            while self.state.time < until and not why:\n",
        "            while self.state.time + window <= until and not why:\n",
        _SPLIT + "test_without_pools_windows_change_nothing",
    ),
    Planted(
        "hybrid: hazard that was used up is forgotten",
        _ENGINE + "population/hybrid.py",
        "= begin, left, hazard[row]",
        "= begin, wait[row, 1], hazard[row]",
        _HYBRID + "test_close_to_the_exact_process",
    ),
    Planted(
        "hybrid: twice the noise",
        _ENGINE + "population/langevin.py",
        'graph.node("times", graph.node("sqrt", variance), draw)',
        'graph.node("times", graph.node("times", graph.number(2.0), graph.node("sqrt", variance)), draw)',
        _HYBRID + "test_stiff_and_scarce_stays_at_zero_or_above",
    ),
    Planted(
        "hybrid: the flow's last half step left out",
        _ENGINE + "population/hybrid.py",
        "        self.flow(stepper, 2 * n, end - flown)\n",
        "",
        _HYBRID + "test_close_to_the_exact_process",
    ),
    Planted(
        "hybrid: releases counted twice",
        _ENGINE + "population/hybrid.py",
        "        stepper.state.pools += released\n",
        "        stepper.state.pools += 2 * released\n",
        _HYBRID + "test_copies_in_pools_are_booked",
    ),
    Planted(
        "dose doubled",
        "senexo/lab/coupled/handling.py",
        'if action.operation == "multiply" else value + action.value',
        'if action.operation == "multiply" else value + 2.0 * action.value',
        _LAB + "test_a_dose_is_whole_molecules_with_the_asked_mean",
    ),
    Planted(
        "a subculture keeps all of the medium",
        "senexo/lab/coupled/handling.py",
        "fewer.pools = chance.binomial(cells.pools, share).astype(np.int64)",
        "fewer.pools = chance.binomial(cells.pools, 1.0).astype(np.int64)",
        _LAB + "test_a_subculture_keeps_expectations",
    ),
    Planted(
        "control: a rare type is merged away",
        _ENGINE + "population/control.py",
        "floor = np.minimum(n, rare)",
        "floor = np.minimum(n, 1)",
        _CONTROL + "test_a_resting_type_beside_a_growing_one_stays_whole",
    ),
    Planted(
        "control: the first of a pair always stays",
        _ENGINE + "population/control.py",
        "stays = uniforms(cells.key[first], *words) < 0.5",
        "stays = uniforms(cells.key[first], *words) < 2.0",
        _CONTROL + "test_a_merge_is_a_fair_coin",
    ),
    Planted(
        "control: the survivor keeps its weight",
        _ENGINE + "population/control.py",
        "weight[np.where(stays, first, second)] *= 2",
        "weight[np.where(stays, first, second)] *= 1",
        _CONTROL + "test_control_keeps_the_weight_of_every_type[0]",
    ),
    Planted(
        "control: a clone has the stream of its origin",
        _ENGINE + "population/control.py",
        'keyed(origin, "clone", repr(cells.time), number)',
        "origin",
        _CONTROL + "test_clones_go_their_own_ways",
    ),
    Planted(
        "weights: a release counts once",
        _ENGINE + "population/window_kernel.py",
        "released[changes[c, 2]] += weight * changes[c, 1]",
        "released[changes[c, 2]] += changes[c, 1]",
        _LANES + "test_every_window_of_weighted_cells_is_that_of_the_slow_twin",
    ),
    Planted(
        "weights: a cell gets what all it represents took up",
        _ENGINE + "population/exchange.py",
        "own = _binomial(k0, k1, used, copies, 1.0 / weight[row], many)",
        "own = copies",
        _LANES + "test_every_window_of_weighted_cells_is_that_of_the_slow_twin",
    ),
    Planted(
        "weights: uptake of one cell for all it represents",
        _ENGINE + "population/exchange.py",
        "            rates[j, t] *= weight[row]\n",
        "",
        _LANES + "test_every_window_of_weighted_cells_is_that_of_the_slow_twin",
    ),
    Planted(
        "weights: counted releases of one cell for all it represents",
        _ENGINE + "population/langevin.py",
        "found[c, 0] += weight[who] * events",
        "found[c, 0] += events",
        _HYBRID + "test_weighted_cells_release_for_all_they_represent",
    ),
)
