"""The generated kernel for windows: many cells in lockstep, one per lane of the processor's vector units.

As in `senexo.engine.ssa.generated_lanes`: every step computes all propensities of every lane and fires by comparing
with the running sums, without a branch. A lane whose next event lies beyond the window, or is a fate, stands still,
is written back and takes the next cell. A cell's stream is its own and the operations are those of
`senexo.engine.population.window_kernel`, so nothing depends on lane, thread or company. Fates, and whatever goes
wrong, are left to that module's tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from senexo.engine.formula.codegen import compile_function, indented, print_nodes
from senexo.engine.formula.graph import Node
from senexo.engine.population.kernel import EVENTS, TEXT
from senexo.engine.population.lockstep import Lockstep, constants, slots_read
from senexo.engine.population.window_kernel import DONE
from senexo.engine.rng import REACTIONS, exponential, threefry, unit, widest_vectors

_FIRED = 16  # steps whose reactions are counted at once
# Of a lane: time of the last draw or cut, when its hazard may have changed, what is left of the exponential, the
# choice of the next event, the total hazard, and what the last step was.
_ROWS = ("since", "from", "left", "choice", "total", "what")
_GOES, _ENDS, _FATE, _FAULTY = 0.0, 1.0, 2.0, 3.0
_NAMES = {
    "threefry": threefry, "exponential": exponential, "unit": unit, "widest_vectors": widest_vectors,
    "REACTIONS": REACTIONS, "EVENTS": EVENTS, "TEXT": TEXT,
}  # fmt: skip


def window_kernel(net: Lockstep) -> Callable[..., Any]:
    """See `window_source`."""
    return compile_function(window_source(net), _NAMES)


def uptake_kernel(net: Lockstep) -> Callable[..., Any]:
    """See `uptake_source`."""
    return compile_function(uptake_source(net), _NAMES)


def window_source(net: Lockstep) -> str:
    """Source of `kernel(rows, flag, span, first, last, place, levels, fates, fired)`, which runs the cells of rows
    first .. last - 1 whose kind has a place, to the end of the span.

    flag: DONE for a cell that is at the end, also beforehand; the tables finish all others.
    place [kinds]: row of `fates` [places, fates] and of `fired` [places, levels, reactions + 1], or -1. `fired` counts
    events by the level of the cell, the power of two that is its `weight`; its last column is of no meaning. Returns
    False where the stop sign was set, and then what is written is not whole.
    """
    lanes = _lanes(net)
    slots, formulas = constants(net, net.rates)
    n_state, n_fates = len(net.counted), net.weights.shape[1] if net.weighted else 0
    cells = iter(range(n_state + len(slots) + len(formulas) + n_fates + len(_ROWS)))
    state = [f"s[{next(cells) * lanes} + l]" for _ in net.counted]
    fixed = [f"s[{next(cells) * lanes} + l]" for _ in (*slots, *formulas)]
    weight = [f"s[{next(cells) * lanes} + l]" for _ in range(n_fates)]
    row = {name: f"s[{next(cells) * lanes} + l]" for name in _ROWS}
    key0, key1, counter = (f"u[{k * lanes} + l]" for k in range(3))
    names = {slot: f"v{slot}" for slot in slots_read(net, net.rates)} | {
        slot: f"pools[{pool}]" for slot, pool in net.pool_of.items()
    }
    lines, values = print_nodes(net.graph, formulas, names.__getitem__, prefix="h")
    sure = [f"v{slot} >= 0.0" for slot in slots_read(net, net.rates)]
    load = [
        *(f"v{slot} = values[row, {slot}]" for slot in slots_read(net, net.rates)),
        *([f"if not ({' and '.join(sure)}):", "    continue"] if sure else []),
        *lines,
        *(f"{cell} = {value}" for cell, value in zip(fixed, [*(names[slot] for slot in slots), *values], strict=True)),
        *(f"{cell} = fates[at, {fate}]" for fate, cell in enumerate(weight)),
        *(f"{cell} = values[row, {slot}]" for cell, slot in zip(state, net.counted, strict=True)),
        "k0, k1 = threefry(key[row, 0], key[row, 1], EVENTS, TEXT)",
        "x, y = threefry(k0, k1, np.uint64(draws[row]), REACTIONS)",
        f"{key0} = k0",
        f"{key1} = k1",
        f"{counter} = np.uint64(draws[row])",
        "new = wait[row, 1] < 0.0",
        f"{row['since']} = begin if new else wait[row, 0]",
        f"{row['from']} = begin",
        f"{row['left']} = exponential(x) if new else wait[row, 1]",
        f"{row['choice']} = unit(y)",
        f"{row['total']} = 0.0 if new else wait[row, 2]",
        "level = 0",
        "while (1 << level) < weight[row]:",
        "    level += 1",
        f"count[l] = (at * levels + level) * {net.n_reactions + 1}",
    ]
    back = [
        *(f"values[row, {slot}] = {cell}" for cell, slot in zip(state, net.counted, strict=True)),
        f"wait[row, 0] = {row['since']}",
        f"wait[row, 1] = {row['left']}",
        f"wait[row, 2] = {row['total']}",
        f"draws[row] = np.int64({counter})",
    ]
    idle = [f"{row['since']} = np.inf", f"{row['from']} = np.inf", f"{row['total']} = 0.0"]
    return "\n".join([
        "def kernel(rows, flag, span, first, last, place, levels, fates, fired):",
        "    widest_vectors()",
        "    kind, key, draws, wait = rows.kind, rows.key, rows.draws, rows.wait",
        "    values, weight, pools, stop = rows.values, rows.weight, span.pools, span.stop",
        "    begin, end = span.begin, span.end",
        f"    s = np.zeros({(n_state + len(fixed) + n_fates + len(_ROWS)) * lanes})",
        f"    u = np.zeros({3 * lanes}, np.uint64)",
        f"    cell = np.full({lanes}, -1)",
        f"    count = np.zeros({lanes}, np.int64)",
        f"    many = np.zeros({_FIRED * lanes}, np.int64)",
        f"    for l in range({lanes}):",
        *indented(idle, 8),
        f"    still = {lanes}",
        "    resting = 0",
        "    steps = 0",
        "    while True:",
        "        if still > resting:",
        "            resting = 0",
        f"            for l in range({lanes}):",
        "                row = cell[l]",
        "                if row >= 0:",
        f"                    what = {row['what']}",
        f"                    if what == {_GOES}:",
        "                        continue",
        f"                    if what != {_FAULTY}:",
        *indented(back, 24),
        f"                    if what == {_ENDS}:",
        f"                        flag[row] = {DONE}",
        "                    cell[l] = -1",
        "                while cell[l] < 0 and first < last:",
        "                    row = first",
        "                    first += 1",
        f"                    if kind[row] < 0 or flag[row] == {DONE}:",
        "                        continue",
        "                    at = place[kind[row]]",
        "                    if at < 0:",
        "                        continue",
        *indented(load, 20),
        "                    cell[l] = row",
        "                if cell[l] < 0:",
        "                    resting += 1",
        *indented(idle, 20),
        f"            if resting == {lanes}:",
        "                break",
        "        still = 0",
        f"        shift = steps % {_FIRED} * {lanes}",
        f"        for l in range({lanes}):",
        *indented(_step(net, lanes, row, state, fixed, weight, (key0, key1, counter)), 12),
        "        steps += 1",
        f"        if steps % {_FIRED} == 0:",
        f"            for q in range({_FIRED * lanes}):",
        "                fired[many[q]] += 1",
        "            if steps % 8192 == 0 and stop[0]:",
        "                return False",
        f"    for q in range(steps % {_FIRED} * {lanes}):",
        "        fired[many[q]] += 1",
        "    return True",
        "",
    ])  # fmt: skip


def _step(
    net: Lockstep, lanes: int, row: dict[str, str], state: list[str], fixed: list[str], weight: list[str],
    stream: Sequence[str],
) -> list[str]:  # fmt: skip
    """One step of one lane, without a branch: what the compiler spreads over the vector units."""
    slots, formulas = constants(net, net.rates)
    names = {slot: f"p{k}" for k, slot in enumerate(slots)}
    names |= {slot: f"y{k}" for k, slot in enumerate(net.counted)}
    ready = {node: f"p{len(slots) + k}" for k, node in enumerate(formulas)}
    shared, rates = print_nodes(net.graph, net.rates, names.__getitem__, ready=ready)
    n = net.n_reactions
    lines = [f"y{k} = {cell}" for k, cell in enumerate(state)]
    lines += [f"p{k} = {cell}" for k, cell in enumerate(fixed)]
    lines += shared
    for k, formula in enumerate(rates):  # c: the running sum
        lines.append(f"a{k} = {f'{weight[k - n]} * ' if k >= n and weight else ''}{formula}")
        lines.append(f"c{k} = a{k}" if k == 0 else f"c{k} = c{k - 1} + a{k}")
    lines += [
        f"total = c{len(rates) - 1}",
        # a hazard that has changed since the draw cuts the wait; since a lane's own event nothing has passed
        f"cut = {row['left']} - ({row['from']} - {row['since']}) * {row['total']}",
        "cut = cut if cut > 0.0 else 0.0",
        f"moved = total != {row['total']}",
        f"left = cut if moved else {row['left']}",
        f"since = {row['from']} if moved else {row['since']}",
        "due = since + left / total",
        f"target = {row['choice']} * total",
        "hit = due <= end",
        f"go = hit and total < np.inf and c{n - 1} > target",
        "target = target if go else np.inf",
        f"x, y = threefry({stream[0]}, {stream[1]}, {stream[2]} + np.uint64(1), REACTIONS)",
        "i = count[l]",
    ]
    for k in range(n):  # f: 1 for the reaction that fires
        lines.append(f"g{k} = 1.0 if c{k} > target else 0.0")
        lines.append(f"i += 0 if c{k} > target else 1")
        lines.append(f"f{k} = g{k}" if k == 0 else f"f{k} = g{k} - g{k - 1}")
    lines.append("many[shift + l] = i")
    for k, cell in enumerate(state):
        terms = [
            f"{'+' if amount > 0.0 else '-'} {abs(amount)!r} * f{reaction}"
            for reaction, group in enumerate(net.changes)
            for number, amount in group
            if number == k
        ]
        lines += [f"z{k} = y{k} {' '.join(terms)}", f"{cell} = z{k}"]
    lines.append("low = 0.0")
    watched = [f"a{k}" for k, negative in enumerate(net.may_be_negative) if negative]
    watched += [f"z{k}" for k, runs_out in enumerate(net.may_run_out) if runs_out]
    lines += [f"low = {name} if {name} < low else low" for name in watched]
    return [
        *lines,
        f"what = {_FATE} if hit else {_ENDS}",
        f"what = {_GOES} if go else what",
        f"what = what if total < np.inf and low >= 0.0 else {_FAULTY}",
        f"{row['what']} = what",
        f"{row['total']} = total",
        f"{row['left']} = exponential(x) if go else left",
        f"{row['choice']} = unit(y) if go else {row['choice']}",
        f"{row['since']} = due if go else since",
        f"{row['from']} = due if go else {row['from']}",
        f"{stream[2]} += np.uint64(1) if go else np.uint64(0)",
        f"still += 0 if what == {_GOES} else 1",
    ]


def _lanes(net: Lockstep) -> int:
    return 16


def uptake_source(net: Lockstep) -> str:
    """Source of `kernel(rows, leaves, first, last, place, pools)`: propensities of what takes from pools.

    For leaves first .. last - 1 whose kind has a place.
    """
    slots = sorted({*slots_read(net, net.uptake), *_states_read(net, net.uptake)})
    names = {slot: f"v{slot}" for slot in slots} | {slot: f"pools[{pool}]" for slot, pool in net.pool_of.items()}
    lines, values = print_nodes(net.graph, net.uptake, names.__getitem__)
    return "\n".join([
        "def kernel(rows, leaves, first, last, place, pools):",
        "    kind, values, index, rates = rows.kind, rows.values, leaves.row, leaves.rates",
        "    for j in range(first, last):",
        "        row = index[j]",
        "        if place[kind[row]] < 0:",
        "            continue",
        *indented((f"v{slot} = values[row, {slot}]" for slot in slots), 8),
        *indented(lines, 8),
        *indented((f"rates[j, {t}] = {value}" for t, value in enumerate(values)), 8),
        "",
    ])  # fmt: skip


def _states_read(net: Lockstep, roots: list[Node]) -> list[int]:
    graph = net.graph
    found = {int(graph.keys[node][1]) for node in graph.reachable(roots) if graph.operator(node) == "slot"}
    return sorted(found & set(net.counted))
