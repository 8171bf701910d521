"""The generated kernel for ensembles: many trajectories in lockstep, one per lane of the processor's vector units.

Every step computes all propensities of every lane and fires by comparing with the running sums, without a branch.
A lane whose next reaction lies beyond its next output stands still in that step, is written out, and draws the same
numbers again in the next one; a lane that has finished takes the next run. A run's stream is its own, so the result
depends on neither lane, thread nor the other runs; the operations are those of `senexo.engine.ssa.kernel`.
"""

from __future__ import annotations

from senexo.engine.formula.codegen import indented, print_nodes
from senexo.engine.ssa.steady import Steady

# Eight doubles fill the widest registers; four such groups hide one another's latency.
LANES = 32

_ROWS = ("time", "next", "due", "total", "low")
_EMPTY, _DONE = -1, -2  # what a lane's run number says before its first and after its last run


def lanes_source(net: Steady) -> str:
    """Source of `kernel(v, k0, k1, first_run, times, most, out, trace, stop)`; `trace` is not written.

    `s` holds, row by row, the state of all lanes, then what `_ROWS` lists; `u` their keys and counters.
    Returns -1, or the number (in `out`) of a run that failed; the table kernel repeats that one to say why.
    """
    n_state = len(net.counted)
    row = {name: f"s[{(n_state + k) * LANES} + l]" for k, name in enumerate(_ROWS)}
    state = [f"s[{k * LANES} + l]" for k in range(n_state)]
    key0, key1, counter = (f"u[{k * LANES} + l]" for k in range(3))
    load = [f"{state[k]} = v[{slot}]" for k, slot in enumerate(net.counted)]
    record = [f"out[run[l], n_out[l], {slot}] = {state[k]}" for k, slot in enumerate(net.counted)]
    return "\n".join([
        "def kernel(v, k0, k1, first_run, times, most, out, trace, stop):",
        "    widest_vectors()",
        f"    s = np.zeros({(n_state + len(_ROWS)) * LANES})",
        f"    u = np.zeros({3 * LANES}, np.uint64)",
        f"    run = np.full({LANES}, {_EMPTY})",
        f"    n_out = np.full({LANES}, len(times))",
        *indented((f"p{k} = v[{slot}]" for k, slot in enumerate(net.constants)), 4),
        f"    for l in range({LANES}):",
        *indented(load, 8),
        f"    still = {LANES}",
        "    resting = 0",
        "    next_run = 0",
        "    steps = 0",
        "    while True:",
        "        if still > resting:",
        "            resting = 0",
        f"            for l in range({LANES}):",
        f"                if run[l] == {_DONE}:",
        "                    resting += 1",
        "                    continue",
        f"                if run[l] != {_EMPTY}:",
        f"                    due = {row['due']}",
        f"                    if due <= {row['next']} and {row['total']} < np.inf:",
        "                        continue",
        f"                    if not {row['total']} < np.inf:",
        "                        return run[l]",
        f"                    if {row['total']} == 0.0:",
        "                        due = np.inf",
        "                    while n_out[l] < len(times) and times[n_out[l]] < due:",
        *indented(record, 24),
        "                        n_out[l] += 1",
        "                if n_out[l] < len(times):",
        f"                    {row['next']} = times[n_out[l]]",
        "                elif next_run < out.shape[0]:",
        "                    run[l] = next_run",
        "                    next_run += 1",
        f"                    {key0}, {key1} = threefry(k0, k1, np.uint64(first_run + run[l]), RUN)",
        f"                    {counter} = np.uint64(0)",
        "                    n_out[l] = 0",
        f"                    {row['time']} = 0.0",
        f"                    {row['next']} = times[0]",
        *indented(load, 20),
        "                else:",
        f"                    run[l] = {_DONE}",
        f"                    {row['next']} = -1.0",  # nothing is ever due before that: the lane stands still
        "                    resting += 1",
        f"            if resting == {LANES}:",
        "                return -1",
        "        still = 0",
        "        bad = 0",
        f"        for l in range({LANES}):",
        *indented(_step(net, row, state, (key0, key1, counter)), 12),
        "        if bad > 0:",
        f"            for l in range({LANES}):",
        f"                if run[l] >= 0 and {row['low']} < 0.0:",
        "                    return run[l]",
        "        steps += 1",
        "        if steps % 65536 == 0:",
        f"            for l in range({LANES}):",
        f"                if run[l] >= 0 and (stop[0] or {counter} >= np.uint64(most)):",
        "                    return run[l]",
        "",
    ])  # fmt: skip


def _step(net: Steady, row: dict[str, str], state: list[str], stream: tuple[str, str, str]) -> list[str]:
    """One step of one lane, without a branch: what the compiler spreads over the vector units."""
    names = {slot: f"p{k}" for k, slot in enumerate(net.constants)}
    names |= {slot: f"y{k}" for k, slot in enumerate(net.counted)}
    shared, formulas = print_nodes(net.graph, net.rates, names.__getitem__)
    lines = [f"y{k} = {cell}" for k, cell in enumerate(state)] + shared
    for k, formula in enumerate(formulas):  # c: B_b + w_i, the sum up to and with reaction k
        block, place = divmod(k, net.block)
        lines.append(f"a{k} = {formula}")
        lines.append(f"w{k} = a{k}" if place == 0 else f"w{k} = w{k - 1} + a{k}")
        lines.append(f"c{k} = w{k}" if block == 0 else f"c{k} = c{block * net.block - 1} + w{k}")
    lines += [
        f"total = c{len(net.rates) - 1}",
        f"x, y = threefry({', '.join(stream)}, REACTIONS)",
        f"due = {row['time']} + exponential(x) / total",
        f"go = due <= {row['next']} and total < np.inf",
        "target = unit(y) * total if go else np.inf",
    ]
    for k in range(len(net.rates)):  # f: 1 for the reaction that fires
        lines.append(f"g{k} = 1.0 if c{k} > target else 0.0")
        lines.append(f"f{k} = g{k}" if k == 0 else f"f{k} = g{k} - g{k - 1}")
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
        f"{row['low']} = low",
        f"{row['due']} = due",
        f"{row['total']} = total",
        f"{row['time']} = due if go else {row['time']}",
        f"{stream[2]} += np.uint64(1) if go else np.uint64(0)",
        "still += 0 if go else 1",
        "bad += 1 if low < 0.0 else 0",
    ]
