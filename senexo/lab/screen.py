"""Screen: each miRNA of a network raised in turn in the same circuit, by the same number of active copies.

Claim C16 says that miR-34c-5p is central to senescence. Here a miRNA is its set of targets alone: every miRNA gets the
same copies, the same affinity, and per gene the same strength, so that their ranks differ by where in the circuit they
act. The null distribution is of sets of as many targets drawn at random: a miRNA with more known targets does more,
whatever they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, SimulationError
from senexo.base.streams import generator
from senexo.lab.ensemble import each
from senexo.lab.lone import fates
from senexo.lab.lone.simulator import CellSimulator
from senexo.model.circuit import Circuit, load_circuit
from senexo.study.doses import EXPECTED, MAX_DOSE, beyond_argonaute
from senexo.study.resolve import resolve

if TYPE_CHECKING:
    import pandas as pd

    from senexo.study.schema import Study

Floats = NDArray[np.float64]
Targets = frozenset[str]
AGENT = "other-miRNA"
RANDOM_SETS = 60  # per size, where there are more
BOOTSTRAPS = 1000
ARRESTED_H = 72.0
GRID_H = 2.0
QUANTILES = (0.025, 0.975)


@dataclass(frozen=True)
class Screen:
    """The result of a screen.

    Attributes
    ----------
    settings
        Circuit, copies, draws, seed, serum, and numbers of miRNAs and of sets of targets.
    mirnas
        One row per miRNA, by rank.
    sets
        One row per set of targets, those drawn at random included.
    sentences
        The result in words.
    """

    settings: Mapping[str, Any]
    mirnas: pd.DataFrame = field(repr=False)
    sets: pd.DataFrame = field(repr=False)
    sentences: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "settings": dict(self.settings), "sentences": list(self.sentences),
            "mirnas": self.mirnas.to_dict("records"), "sets": self.sets.to_dict("records"),
        }  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def screen(
    network: Mapping[str, Targets],
    *,
    circuit: str = "mir34c-rab27b",
    copies: float = 3000.0,
    draws: int = 200,
    seed: int = 1,
    serum: float = 20.0,
    watch: Sequence[str] = ("hsa-miR-34c-5p",),
    workers: int | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Screen:
    """Rank the miRNAs of a network by the senescence that they cause in one circuit, over draws of its parameters.

    Ranks and shares of draws have 95 % intervals (bootstrap over draws): they say how finely the parameter table was
    sampled, not how sure the biology is.

    Parameters
    ----------
    network
        miRNA -> targets (`senexo.targets.network.senescence_network`).
    circuit
        A shipped circuit or a circuit folder.
    copies
        Active copies per cell, dosed once.
    draws
        Parameter sets; those whose untreated cell is off already are left out.
    seed
        Of the draws, the random sets of targets and the bootstrap.
    serum
        Of the medium (percent).
    watch
        miRNAs that get a sentence.
    workers
        Threads, one per core by default; they change no number.
    progress
        Called with the share that is done.

    Returns
    -------
    Screen
        In `mirnas`, `senescent` is the probability that a cell is committed, and has not escaped, after 7 days;
        `arrested` the share of draws whose switch stays off for 72 h or more; `p_random` the share of random sets of as
        many targets that cause at least as much senescence.

    Raises
    ------
    InvalidInput
        For targets that the circuit has no edge for, or more copies than a cell can make use of.
    SimulationError
        When no draw has an untreated cell that divides.
    """
    if not 0 <= copies <= MAX_DOSE:
        raise InvalidInput([Fault("copies", f"{copies:,g}", EXPECTED)])
    loaded = load_circuit(circuit)
    random = _random_sets(network, _edges(loaded, network), seed)
    wanted = sorted({*network.values(), *random}, key=lambda targets: (len(targets), sorted(targets)))
    dish = _Dish(loaded, wanted, copies=copies, draws=draws, seed=seed, serum=serum)
    growing = dish.growing()
    if not growing.any():
        raise SimulationError("the untreated cell is off in all draws of the parameters: use more draws or more serum")
    senescent, arrested = np.empty((len(wanted), draws)), np.empty((len(wanted), draws))

    def keep(k: int, found: tuple[Floats, Floats]) -> None:
        senescent[k], arrested[k] = found
        done.append(k)
        progress(len(done) / len(wanted))

    done: list[int] = []
    each(range(len(wanted)), lambda k, _: dish.outcome(wanted[k]), keep, workers=workers or os.cpu_count() or 1)
    table = _Outcome(wanted, senescent[:, growing], arrested[:, growing], seed)
    settings = {
        "circuit": circuit, "circuit_digest": loaded.digest, "copies": copies, "draws": draws,
        "draws_left_out": int(draws - growing.sum()), "seed": seed, "serum_percent": serum,
        "n_mirnas": len(network), "n_target_sets": len(set(network.values())), "n_random_sets": len(random),
    }  # fmt: skip
    mirnas = table.mirnas(network, random)
    return Screen(settings, mirnas, table.sets(), tuple(_sentences(mirnas, settings, watch)))


def _edges(circuit: Circuit, network: Mapping[str, Targets]) -> Targets:
    """Every gene that the circuit can give the other miRNA as a target."""
    edges = [handle.ends for handle in circuit.handles if handle.kind == "edge" and handle.verb == "connect"]
    known = frozenset(target for source, target in edges if source == AGENT)
    if unknown := sorted(set().union(*network.values()) - known):
        expected = f"targets among {', '.join(sorted(known)) or '(none: this circuit has no such edge)'}"
        raise InvalidInput([Fault("network", ", ".join(unknown), expected)])
    return known


def _random_sets(network: Mapping[str, Targets], genes: Targets, seed: int) -> set[Targets]:
    """All sets of each size that occurs, or as many as `RANDOM_SETS` of them drawn without replacement."""
    found: set[Targets] = set()
    for size in sorted({len(targets) for targets in network.values()}):
        every = [frozenset(one) for one in combinations(sorted(genes), size)]
        rng = generator(seed, "random target sets", size)
        found.update(every[k] for k in rng.permutation(comb(len(genes), size))[:RANDOM_SETS])
    return found


class _Dish:
    """All draws of the parameters at once, one cell each, after the pre-equilibration."""

    def __init__(
        self, circuit: Circuit, wanted: Sequence[Targets], *, copies: float, draws: int, seed: int, serum: float
    ) -> None:
        names = [" + ".join(sorted(targets)) for targets in wanted]
        self.arm_of = dict(zip(wanted, names, strict=True))
        self.study = _study(circuit.name, self.arm_of, copies=copies, draws=draws, seed=seed, serum=serum)
        self.culture = CellSimulator(self.study, circuit.network, circuit)
        self.culture.compile()
        self.names = [fate.name for fate in circuit.fates]
        if self.culture.arrest is None or "commitment" not in self.names:
            raise InvalidInput(
                [Fault("circuit", circuit.name, "a circuit with an arrest rule and the fate commitment")]
            )
        self.settled = self.culture.settled_draws()

    def growing(self) -> NDArray[np.bool_]:
        """Which draws have an untreated cell whose switch is on after all that time."""
        assert self.culture.arrest is not None
        values = self.culture.followed(self.study.arms["untreated"], self.settled)
        return np.asarray(values[:, -1, self._switch] >= self.culture.arrest.below)

    @property
    def _switch(self) -> int:
        return len(self.culture.units)

    def outcome(self, targets: Targets) -> tuple[Floats, Floats]:
        """Probability of being senescent at the end, and whether the switch was off for 72 h, for every draw."""
        assert self.culture.arrest is not None
        values = self.culture.followed(self.study.arms[self.arm_of[targets]], self.settled)
        hazards = {name: values[:, :, self._switch + 1 + k] for k, name in enumerate(self.names)}
        times, end = self.culture.times, np.full(len(values), np.nan)
        off = fates.longest_below(times, values[:, :, self._switch], self.culture.arrest.below, end)
        return _committed(hazards), (off >= ARRESTED_H).astype(float)


def _committed(hazards: Mapping[str, Floats]) -> Floats:
    """Probability [n] of being committed and not escaped at the end, from the integrated hazards [n, k]."""
    commit = np.diff(hazards["commitment"], axis=1)
    escape = np.diff(hazards["escape"], axis=1) if "escape" in hazards else np.zeros_like(commit)
    share = np.zeros(len(commit))
    for k in range(commit.shape[1]):
        share = share * np.exp(-escape[:, k]) + (1.0 - share) * -np.expm1(-commit[:, k])
    return share


def _study(circuit: str, arms: Mapping[Targets, str], *, copies: float, draws: int, seed: int, serum: float) -> Study:
    """The screen as a study: an arm for each set of targets, every draw a donor with one cell."""
    dosed = {
        name: {
            "connect": [f"{AGENT} -| {gene}" for gene in sorted(targets)],
            "dose": {"what": AGENT, "amount": copies, "at": "0 h"},
        }
        for targets, name in arms.items()
    }
    return resolve({
        "title": "miRNA screen", "seed": seed, "model": {"circuit": circuit},
        "cells": {"cell": {"n": 1, "variation": {}}}, "donors": {"n": draws},
        "culture": {"duration": "7 d", "serum": f"{serum} %"},
        "arms": {"untreated": {}, **dosed}, "readouts": {"times": ["0 d", "7 d"], "grid": f"{GRID_H} h"}, "assays": [],
    }, where="screen")  # fmt: skip


@dataclass(frozen=True)
class _Outcome:
    """Senescence and arrest by every set of targets [sets, draws], and the tables of them."""

    wanted: Sequence[Targets]
    senescent: Floats
    arrested: Floats
    seed: int

    def sets(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({
            "targets": [" ".join(sorted(t)) for t in self.wanted], "n_targets": [len(t) for t in self.wanted],
            "senescent": self.senescent.mean(axis=1), "arrested": self.arrested.mean(axis=1),
        })  # fmt: skip

    def mirnas(self, network: Mapping[str, Targets], random: set[Targets]) -> pd.DataFrame:
        import pandas as pd

        place = {targets: k for k, targets in enumerate(self.wanted)}
        rows = np.array([place[targets] for targets in network.values()])
        rng = generator(self.seed, "bootstrap")
        n = self.senescent.shape[1]
        weights = rng.multinomial(n, np.full(n, 1 / n), size=BOOTSTRAPS).T / n  # [draws, bootstraps]
        again = self.senescent @ weights
        ranks = np.array([_ranks(again[rows, b]) for b in range(BOOTSTRAPS)])
        mean, arrested = self.senescent.mean(axis=1), self.arrested.mean(axis=1)
        low, high = np.quantile(again, QUANTILES, axis=1)
        rank_low, rank_high = np.quantile(ranks, QUANTILES, axis=0)
        table = pd.DataFrame({
            "mirna": list(network), "targets": [" ".join(sorted(t)) for t in network.values()],
            "n_targets": [len(t) for t in network.values()], "rank": _ranks(mean[rows]),
            "rank_low": rank_low, "rank_high": rank_high, "senescent": mean[rows], "senescent_low": low[rows],
            "senescent_high": high[rows], "arrested": arrested[rows],
            "p_random": [self._p_random(k, mean, random) for k in rows],
        })  # fmt: skip
        return table.sort_values(["rank", "mirna"], ignore_index=True)

    def _p_random(self, k: int, mean: Floats, random: set[Targets]) -> float:
        size = len(self.wanted[k])
        same = [mean[j] for j, targets in enumerate(self.wanted) if targets in random and len(targets) == size]
        return float(np.mean(np.array(same) >= mean[k]))


def _ranks(values: Floats) -> Floats:
    """1 for the largest; equal values share the mean of their ranks."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(-values), dtype=float)


def _sentences(mirnas: pd.DataFrame, settings: Mapping[str, Any], watch: Sequence[str]) -> list[str]:
    first = mirnas.iloc[0]
    n = settings["draws"] - settings["draws_left_out"]
    out = [
        f"{settings['n_mirnas']} miRNAs ({settings['n_target_sets']} different sets of targets), "
        f"{settings['copies']:,.0f} active copies each, {n} draws of the parameters "
        f"({settings['draws_left_out']} left out: off without treatment).",
        f"First: {first['mirna']} ({first['targets']}), senescent {first['senescent']:.1%}.",
    ]
    for name in watch:
        row = mirnas[mirnas["mirna"] == name]
        if row.empty:
            out.append(f"{name} is not in this network.")
            continue
        one = row.iloc[0]
        out.append(
            f"{name} ranks {one['rank']:g} of {len(mirnas)} (95 % interval {one['rank_low']:g}-{one['rank_high']:g}): "
            f"senescent {one['senescent']:.1%} ({one['senescent_low']:.1%}-{one['senescent_high']:.1%}), arrested for "
            f"72 h in {one['arrested']:.0%} of draws; of random sets of {one['n_targets']} targets "
            f"{one['p_random']:.0%} do at least as much."
        )
    out += [caution] if (caution := beyond_argonaute("each miRNA", settings["copies"])) else []
    out.append(
        "The circuit has the genes on which miR-34 was studied: effects of a miRNA on other genes are not in it, so a "
        "high rank is about this circuit, not about the cell."
    )
    return out
