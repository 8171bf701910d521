"""Models made ready for `senexo.simulate` once: lowered, planned, and their compiled solvers.

A `Network` of tuples cannot change, so the same object means the same model; an equal one that was loaded again is
known by the digest of all it says. One with a list in it could change, and is made ready anew at every call.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.formula.unset import check_values
from senexo.lab.labelled import Labels
from senexo.model.network import Network

if TYPE_CHECKING:
    from senexo.engine.ode.ensemble import BatchODE
    from senexo.engine.ode.single import Translated
    from senexo.engine.ssa.plan import Plan
    from senexo.engine.ssa.sampler import Sampler

MOST_MODELS = 16
_MOST_OTHERS = 8  # rewritten forms of one model
_MOST_SAMPLERS = 8  # of one model, each for its own values at the start


class Prepared:
    """One model; any number of threads may use it."""

    def __init__(self, network: Network, digest: str, lowered: Lowered | None = None) -> None:
        self.network, self.digest = network, digest
        self.lowered = lower(network) if lowered is None else lowered
        self._others: OrderedDict[Hashable, Prepared] = OrderedDict()
        self._samplers: OrderedDict[bytes, Sampler] = OrderedDict()
        self._lock = RLock()

    def rewritten(self, key: Hashable, rewrite: Callable[[Lowered], Lowered]) -> Prepared:
        """The model with its lowered form rewritten (see `senexo.engine.formula.timeline`), kept under a key."""
        with self._lock:
            if key not in self._others:
                self._others[key] = Prepared(self.network, self.digest, rewrite(self.lowered))
                if len(self._others) > _MOST_OTHERS:
                    self._others.popitem(last=False)
            self._others.move_to_end(key)
            return self._others[key]

    def at_start(self) -> tuple[NDArray[np.float64], list[str]]:
        """The model's own values at time 0 [n_slots] and the cautions about them; a copy, worked out once."""
        values, cautions = self._at_start
        return values.copy(), list(cautions)

    @cached_property
    def _at_start(self) -> tuple[NDArray[np.float64], list[str]]:
        values = initial_values(self.lowered)
        return values, check_values(self.lowered, values)

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.network, self.lowered)

    @cached_property
    def plan(self) -> Plan:
        from senexo.engine.ssa.plan import Plan

        return Plan(self.lowered)

    @cached_property
    def batch(self) -> BatchODE:
        from senexo.engine.ode.ensemble import BatchODE

        return BatchODE(self.lowered)

    @cached_property
    def translated(self) -> Translated:
        from senexo.engine.ode.single import Translated

        return Translated(self.lowered)

    def sampler(self, v0: NDArray[np.float64]) -> Sampler:
        """For exact trajectories from these values [n_slots]."""
        from senexo.engine.ssa.sampler import Sampler

        key = v0.tobytes()
        with self._lock:
            if key not in self._samplers:
                self._samplers[key] = Sampler(self.lowered, v0.copy(), self.plan)
                if len(self._samplers) > _MOST_SAMPLERS:
                    self._samplers.popitem(last=False)
            self._samplers.move_to_end(key)
            return self._samplers[key]


_prepared: OrderedDict[str, Prepared] = OrderedDict()
_lock = RLock()


def prepared(network: Network) -> Prepared:
    """The model made ready: one of the last `MOST_MODELS`, or a new one."""
    with _lock:
        for digest, found in _prepared.items():
            if found.network is network:
                _prepared.move_to_end(digest)
                return found
    digest = hashlib.sha256(repr(network).encode()).hexdigest()
    try:
        hash(network)
    except TypeError:  # something in it can change
        return Prepared(network, digest)
    with _lock:
        if digest not in _prepared:
            _prepared[digest] = Prepared(network, digest)
            if len(_prepared) > MOST_MODELS:
                _prepared.popitem(last=False)
        _prepared[digest].network = network
        _prepared.move_to_end(digest)
        return _prepared[digest]
