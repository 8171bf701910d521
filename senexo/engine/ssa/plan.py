"""What exact trajectories of one network need, whatever its values at the start: made once, used by every call.

Tables and the form for generated kernels depend on the network and on which compartments have the constant size 1;
a kernel depends, beside that, on coefficients and signs of constants (`senexo.engine.ssa.steady.Steady`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.network import Assigned, Lowered
from senexo.engine.formula.two_ways import in_two_ways
from senexo.model.expression import Call, Expression, Slot, rewrite

if TYPE_CHECKING:
    from senexo.engine.ssa.choice import Generated
    from senexo.engine.ssa.steady import Form, Steady
    from senexo.engine.ssa.tables import Tables

Values = NDArray[np.float64]
Kernel = Callable[..., Any]

_MOST_KERNELS = 16  # of one network


class Plan:
    """The shapes of one network (see `Shape`); any number of threads may use one plan."""

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = in_two_ways(lowered)
        self._sizes = [k for k, info in enumerate(lowered.slots) if info.kind == "compartment" and not info.changes]
        self._shapes: dict[frozenset[int], Shape] = {}
        self._lock = RLock()

    def shape(self, v0: Values) -> Shape:
        unit = frozenset(slot for slot in self._sizes if v0[slot] == 1.0)
        with self._lock:
            if unit not in self._shapes:
                self._shapes[unit] = Shape(_without_sizes(self.lowered, unit))
            return self._shapes[unit]


class Shape:
    """A network in which divisions by compartments of constant size 1 are left out: no value changes by that.

    `tabled` counts the nanoseconds that runs by tables took which generated kernels could have done.
    """

    def __init__(self, simple: Lowered) -> None:
        self.simple = simple
        self.tabled = 0.0
        self._kernels: OrderedDict[tuple[Any, ...], Kernel] = OrderedDict()
        self._compilation: dict[Generated, float] = {}
        self._lock = RLock()

    @cached_property
    def tables(self) -> Tables:
        from senexo.engine.ssa.tables import tables

        return tables(self.simple)

    @cached_property
    def form(self) -> Form | None:
        from senexo.engine.ssa.steady import form

        return form(self.simple)

    def compilation(self, net: Steady, backend: Generated) -> float:
        """Nanoseconds that the compilation of a kernel takes, see `senexo.engine.ssa.choice`."""
        from senexo.engine.ssa.choice import compilation

        if backend not in self._compilation:
            self._compilation[backend] = compilation(backend, net)
        return self._compilation[backend]

    def kernel(self, net: Steady, backend: Generated) -> Kernel:
        """The generated kernel; it is compiled at its first call, or loaded where its machine code is kept."""
        from senexo.engine.ssa.generated import compiled

        signs = (*net.may_be_negative, *net.may_run_out)
        key = (backend, signs, tuple(tuple(group) for group in net.changes))
        with self._lock:
            if key not in self._kernels:
                self._kernels[key] = compiled(net, backend)
                if len(self._kernels) > _MOST_KERNELS:
                    self._kernels.popitem(last=False)
            self._kernels.move_to_end(key)
            return self._kernels[key]


def _without_sizes(lowered: Lowered, unit: frozenset[int]) -> Lowered:
    """The network without divisions by these slots."""

    def simpler(node: Expression) -> Expression:
        match node:
            case Call("divide", (x, Slot(slot))) if slot in unit:
                return x
        return node

    def change(item: Assigned) -> Assigned:
        return replace(item, math=rewrite(item.math, simpler))

    if not unit:
        return lowered
    return replace(
        lowered,
        assignments=tuple(change(item) for item in lowered.assignments),
        rate_rules=tuple(change(item) for item in lowered.rate_rules),
        reactions=tuple(replace(r, rate=rewrite(r.rate, simpler)) for r in lowered.reactions),
        events=tuple(
            replace(
                event,
                trigger=rewrite(event.trigger, simpler),
                assignments=tuple(change(item) for item in event.assignments),
            )
            for event in lowered.events
        ),
    )
