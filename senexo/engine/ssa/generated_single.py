"""The generated kernel for single trajectories: every reaction has its own piece of code.

Algorithm and order of operations are those of `senexo.engine.ssa.kernel`, so that the same stream gives the same
events. A reaction's piece changes its species, computes the propensities it made stale, and mends the running sums
from the first of them on. Which reaction comes next is guessed two reactions ahead, from the sums of then and the
choice that is already drawn; the guess is checked with the sums of now, and found anew where it fails. So the processor
need not wait for the sums before it goes on with the next piece: twice as fast, and the same reactions.
"""

from __future__ import annotations

from collections.abc import Callable

from senexo.engine.formula.codegen import indented, print_nodes
from senexo.engine.rng import AHEAD
from senexo.engine.ssa.steady import Steady

_GUESSED = 2  # reactions ahead; of the next draws at most AHEAD (a power of 2) are known


class _Layout:
    """Places in the one array of a run: amounts, propensities, running sums inside blocks (after a 0) and of blocks.

    Reaction k of block b lies between the sums at `before + b` plus those at `below(k)` and, one further, at `upto(k)`.
    """

    def __init__(self, net: Steady) -> None:
        self.block = net.block
        self.rate = len(net.counted)
        self.within = self.rate + net.block * net.n_blocks
        self.before = self.within + (net.block + 1) * net.n_blocks
        self.size = self.before + net.n_blocks + 1

    def below(self, k: int) -> int:
        return self.within + k + k // self.block

    def upto(self, k: int) -> int:
        return self.below(k) + 1


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
        *(f"m[{layout.within + b * (net.block + 1)}] = 0.0" for b in range(net.n_blocks)),
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
        *(f"        block{k}, i{k} = 0, 0" for k in range(1, _GUESSED + 1)),
        "        draw(key0, key1, 0, waits, choices, 0)",
        *indented(start, 8),
        "        while True:",
        f"            total = m[{layout.before + net.n_blocks}]",
        # a whole set before they are needed: the processor works on them while it waits for the sums
        f"            if n & {AHEAD - 1} == 0:",
        f"                draw(key0, key1, n + {AHEAD}, waits, choices, (n + {AHEAD}) & {2 * AHEAD - 1})",
        "                if n >= most or stop[0] or failed or not total < np.inf:",
        "                    return r",
        f"            due = time + waits[n & {2 * AHEAD - 1}] / total",
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
        f"            target = choices[n & {2 * AHEAD - 1}] * total",
        *(f"            block{k}, i{k} = block{k + 1}, i{k + 1}" for k in range(_GUESSED)),
        "            block, i = block0, i0",
        f"            base = m[{layout.before} + block]",
        f"            place = {layout.within} + block + i",
        "            if not (base + m[place] <= target and target < base + m[place + 1]):",
        *indented(_search(net, layout, "target", "block", "i"), 16),
        f"            ahead = choices[(n + {_GUESSED}) & {2 * AHEAD - 1}] * total",
        *indented(_search(net, layout, "ahead", f"block{_GUESSED}", f"i{_GUESSED}"), 12),
        "            time = due",
        "            if n < len(trace):",
        "                trace[n, 0] = time",
        "                trace[n, 1] = i",
        "            n += 1",
        *indented(pieces, 12),
        "    return -1",
        "",
    ])  # fmt: skip


def _search(net: Steady, layout: _Layout, target: str, block: str, i: str) -> list[str]:
    """The first reaction whose running sum lies above the target: whole blocks are counted, then inside one."""
    return [
        f"{block} = 0",
        *(f"{block} += 1 if m[{layout.before + k}] <= {target} else 0" for k in range(1, net.n_blocks)),
        f"base = m[{layout.before} + {block}]",
        f"first = {layout.within + 1} + {block} * {net.block + 1}",
        f"{i} = {block} * {net.block}",
        *(f"{i} += 1 if base + m[first + {k}] <= {target} else 0" for k in range(net.block - 1)),
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
        lines.append(f"s = m[{layout.below(first)}]")
        for k in range(first, min((block + 1) * net.block, len(net.rates))):
            lines.append(f"s += a{k}" if k in stale else f"s += m[{layout.rate + k}]")
            lines.append(f"m[{layout.upto(k)}] = s")
        lines.append(f"s{block} = s")
    if dirty:
        lines.append(f"s = m[{layout.before + dirty[0]}]")
        for block in range(dirty[0], net.n_blocks):
            last = min((block + 1) * net.block, len(net.rates)) - 1
            lines.append(f"s += s{block}" if block in dirty else f"s += m[{layout.upto(last)}]")
            lines.append(f"m[{layout.before + block + 1}] = s")
    return lines
