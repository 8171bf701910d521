"""The generated kernel for single trajectories: every reaction has its own piece of code.

Algorithm and order of operations are those of `senexo.engine.ssa.kernel`, so that the same stream gives the same
events. A reaction's piece changes its species, computes the propensities it made stale, and mends the running sums
from the first of them on; the search looks at whole blocks, then inside one, without a branch.
"""

from __future__ import annotations

from collections.abc import Callable

from senexo.engine.formula.codegen import indented, print_nodes
from senexo.engine.rng import AHEAD
from senexo.engine.ssa.steady import Steady


class _Layout:
    """Places in the one array of a run: amounts, propensities, running sums inside blocks and of blocks."""

    def __init__(self, net: Steady) -> None:
        filled = net.block * net.n_blocks
        self.rate = len(net.counted)
        self.within = self.rate + filled
        self.before = self.within + filled
        self.size = self.before + net.n_blocks + 1


def flat_source(net: Steady) -> str:
    """Source of `kernel(v, k0, k1, first_run, times, most, out, trace, stop)`, one trajectory after another.

    Returns -1, or the number (in `out`) of a run that failed; the table kernel repeats that one to say why.
    """
    layout = _Layout(net)
    names = {slot: f"p{k}" for k, slot in enumerate(net.constants)}
    names |= {slot: f"m[{k}]" for k, slot in enumerate(net.counted)}
    name = names.__getitem__
    start = [
        "m[:] = np.inf",  # what fills up the last block is never chosen
        f"m[{layout.before}] = 0.0",
        *(f"m[{k}] = v[{slot}]" for k, slot in enumerate(net.counted)),
        *_propensities(net, layout, name, list(range(len(net.rates)))),
    ]
    pieces: list[str] = []
    for reaction in range(len(net.rates)):
        pieces.append(f"{'if' if reaction == 0 else 'elif'} i == {reaction}:")
        piece: list[str] = []
        for state, amount in net.changes[reaction]:
            piece += [f"x = m[{state}] + {amount!r}", f"m[{state}] = x"]
            if amount < 0.0 and net.may_run_out[state]:
                piece += ["if x < 0.0:", "    failed = True"]
        piece += _propensities(net, layout, name, net.stale(reaction))
        pieces += indented(piece or ["pass"], 4)
    return "\n".join([
        "def kernel(v, k0, k1, first_run, times, most, out, trace, stop):",
        f"    m = np.empty({layout.size})",
        f"    waits = np.empty({2 * AHEAD})",
        f"    choices = np.empty({2 * AHEAD})",
        *indented((f"{names[slot]} = v[{slot}]" for slot in net.constants), 4),
        "    for r in range(out.shape[0]):",
        "        key0, key1 = threefry(k0, k1, np.uint64(first_run + r), RUN)",
        "        n = 0",
        "        n_out = 0",
        "        time = 0.0",
        "        next_out = times[0]",
        "        failed = False",
        "        draw(key0, key1, 0, waits, choices, 0)",
        *indented(start, 8),
        "        while True:",
        f"            total = m[{layout.before + net.n_blocks}]",
        # a whole set before they are needed: the processor works on them while it waits for the sums
        f"            if n % {AHEAD} == 0:",
        f"                draw(key0, key1, n + {AHEAD}, waits, choices, (n + {AHEAD}) % {2 * AHEAD})",
        "                if n >= most or stop[0] or failed or not total < np.inf:",
        "                    return r",
        f"            due = time + waits[n % {2 * AHEAD}] / total",
        "            if not due <= next_out:",
        "                if failed or not total < np.inf:",
        "                    return r",
        "                if total == 0.0:",
        "                    due = np.inf",
        "                while n_out < len(times) and times[n_out] < due:",
        *indented((f"out[r, n_out, {slot}] = m[{k}]" for k, slot in enumerate(net.counted)), 20),
        "                    n_out += 1",
        "                if n_out == len(times):",
        "                    break",
        "                next_out = times[n_out]",
        *indented(_search(net, layout), 12),
        "            time = due",
        "            if n < len(trace):",
        "                trace[n, 0] = time",
        "                trace[n, 1] = i",
        "            n += 1",
        *indented(pieces, 12),
        "    return -1",
        "",
    ])  # fmt: skip


def _search(net: Steady, layout: _Layout) -> list[str]:
    return [
        f"target = choices[n % {2 * AHEAD}] * total",
        "b = 0",
        *(f"b += 1 if m[{layout.before + k}] <= target else 0" for k in range(1, net.n_blocks)),
        f"base = m[{layout.before} + b]",
        f"first = {layout.within} + b * {net.block}",
        f"i = b * {net.block}",
        *(f"i += 1 if base + m[first + {k}] <= target else 0" for k in range(net.block - 1)),
    ]


def _propensities(net: Steady, layout: _Layout, name: Callable[[int], str], stale: list[int]) -> list[str]:
    """Compute these propensities, and the running sums from the first of them in each block on."""
    lines, formulas = print_nodes(net.graph, [net.rates[k] for k in stale], name)
    for k, formula in zip(stale, formulas, strict=True):
        lines += [f"a{k} = {formula}", f"m[{layout.rate + k}] = a{k}"]
        if net.may_be_negative[k]:
            lines += [f"if a{k} < 0.0:", "    failed = True"]
    dirty = sorted({k // net.block for k in stale})
    for block in dirty:
        first = min(k for k in stale if k // net.block == block)
        lines.append("s = 0.0" if first % net.block == 0 else f"s = m[{layout.within + first - 1}]")
        for k in range(first, min((block + 1) * net.block, len(net.rates))):
            lines.append(f"s += a{k}" if k in stale else f"s += m[{layout.rate + k}]")
            lines.append(f"m[{layout.within + k}] = s")
        lines.append(f"s{block} = s")
    if dirty:
        lines.append(f"s = m[{layout.before + dirty[0]}]")
        for block in range(dirty[0], net.n_blocks):
            last = layout.within + min((block + 1) * net.block, len(net.rates)) - 1
            lines.append(f"s += s{block}" if block in dirty else f"s += m[{last}]")
            lines.append(f"m[{layout.before + block + 1}] = s")
    return lines
