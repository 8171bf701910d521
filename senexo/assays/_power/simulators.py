"""Made-up tables for power: one row of this table per assay, each read back by the assay's own public function.

A simulator knows what an effect is, what must be assumed, how to draw a table of n units, and which p-value answers.
Donors, mice and patients differ as the assay's own statistics suppose them to; nothing here computes power.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from senexo import assays
from senexo.assays._power import tables as made_up
from senexo.base.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from senexo.assays.result import AssayResult

Rng = np.random.Generator
Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that power rests on; whole numbers are counts."""

    name: str
    value: float
    says: str
    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Simulator:
    """What power needs of one assay.

    unit: what n counts; effect: (what it is, lowest, highest, value without effect); claim: the effect in words;
    draw: a table of n units; options: the assay's keyword arguments for it; answer: the id of the finding that holds
    the p-value.
    """

    unit: str
    effect: str
    low: float
    high: float
    none: float
    smallest: int
    assumptions: tuple[Assumption, ...]
    claim: Callable[[float, Numbers], str]
    draw: Callable[[Rng, int, float, Numbers, bool], pd.DataFrame]
    options: Callable[[Numbers, str], dict[str, Any]]
    answer: str
    designs: bool = False

    def p_value(self, assay: str, rng: Rng, n: int, effect: float, numbers: Numbers, design: str) -> float:
        """p-value of one made-up table of n units; nan where the assay says that nothing is testable."""
        table = self.draw(rng, n, effect, numbers, design == "paired")
        try:
            result: AssayResult = getattr(assays, assay)(table, **self.options(numbers, design))
        except InvalidInput:  # nobody died, everybody responded: a table that the assay refuses shows nothing
            return math.nan
        found = next(finding for finding in result.findings if finding.id == self.answer)
        return math.nan if found.p_value is None else found.p_value


SIMULATORS: dict[str, Simulator] = {
    "senescence": Simulator(
        unit="donors", effect="a difference of shares of positive cells", low=-1.0, high=1.0, none=0.0, smallest=3,
        assumptions=(
            Assumption("share", 0.05, "share of positive cells in the control arm", 1e-4, 1.0 - 1e-4),
            Assumption("sd", 0.5, "SD between donors of their own effect (log odds ratio)", 0.0, 5.0),
            Assumption("donor_sd", 0.6, "SD between donors of their level (log odds)", 0.0, 5.0),
            Assumption("cells", 200, "cells counted per donor and arm", 1, 1e6, whole=True),
        ),
        claim=lambda effect, x: f"{100 * effect:+.3g} points of positive cells over {100 * x['share']:.2g} %",
        draw=made_up.counts,
        options=lambda x, design: {"compare": ("treated", "control"), "design": design},
        answer="senescent:difference:treated:control", designs=True,
    ),
    "qpcr": Simulator(
        unit="donors", effect="a fold change", low=1e-4, high=1e4, none=1.0, smallest=3,
        assumptions=(
            Assumption("sd", 0.6, "SD between donors of their own log2 fold change", 0.0, 10.0),
            Assumption("donor_sd", 1.0, "SD between donors of their level (log2)", 0.0, 10.0),
            Assumption("technical_sd", 0.25, "SD of technical replicates (cycles)", 0.0, 5.0),
            Assumption("wells", 2, "technical replicates", 1, 96, whole=True),
            Assumption("ct", 30.0, "mean Ct of the target in the control arm", 1.0, 60.0),
            Assumption("cutoff", 40.0, "Ct beyond which nothing is detected", 1.0, 60.0),
        ),
        claim=lambda effect, x: f"a {effect:g}-fold change",
        draw=made_up.cycles,
        options=lambda x, design: {
            "target": "target", "reference": "reference", "control": "control", "cutoff": x["cutoff"], "design": design,
        },
        answer="fold:target:treated:control", designs=True,
    ),
    "expression": Simulator(
        unit="donors", effect="a fold change of one RNA", low=1e-4, high=1e4, none=1.0, smallest=2,
        assumptions=(
            Assumption("sd", 0.7, "typical SD between donors within a group (log2)", 1e-3, 10.0),
            Assumption("prior_df", 5.0, "how alike SDs of RNAs are (degrees of freedom; 1000: equal)", 2.0, 1000.0),
            Assumption("donor_sd", 0.7, "SD between donors of what both groups share (log2)", 0.0, 10.0),
            Assumption("rnas", 200, "RNAs measured, of which one differs", 10, 20_000, whole=True),
        ),
        claim=lambda effect, x: f"a {effect:g}-fold change of an RNA named in advance, among {x['rnas']:g}",
        draw=made_up.intensities,
        options=lambda x, design: {
            "group": "cell", "control": "control", "donor": "who", "design": design, "kind": "intensities",
            "target": "target",
        },
        answer="fold:target:treated:control", designs=True,
    ),
    "particles": Simulator(
        unit="donors", effect="a ratio of rates of release", low=1e-4, high=1e4, none=1.0, smallest=2,
        assumptions=(
            Assumption("sd", 0.25, "SD between donors of their own log ratio", 0.0, 5.0),
            Assumption("donor_sd", 0.5, "SD between donors of their log rate", 0.0, 5.0),
            Assumption("reading_sd", 0.15, "SD of the log of a reading", 0.0, 2.0),
            Assumption("readings", 3, "readings of a sample", 1, 100, whole=True),
            Assumption("blank", 0.1, "particles of the medium over those of a typical control sample", 0.0, 10.0),
            Assumption("blanks", 4, "readings of the blank", 2, 100, whole=True),
        ),
        claim=lambda effect, x: f"a release {effect:g} times that of the control",
        draw=made_up.readings,
        options=lambda x, design: {
            "compare": ("treated", "control"), "blank": "medium" if x["blank"] else None, "design": design,
        },
        answer="ratio:treated:control", designs=True,
    ),
    "survival": Simulator(
        unit="patients", effect="a hazard ratio", low=1e-3, high=1e3, none=1.0, smallest=10,
        assumptions=(
            Assumption("median", 12.0, "median survival of the control group (in any unit of time)", 1e-6, 1e6),
            Assumption("follow_up", 24.0, "time from the last patient to the analysis", 1e-6, 1e6),
            Assumption("accrual", 12.0, "time over which patients enter", 0.0, 1e6),
            Assumption("share", 0.5, "share of patients in the exposed group", 0.02, 0.98),
        ),
        claim=lambda effect, x: f"a hazard ratio of {effect:g} ({100 * x['share']:g} % of patients exposed)",
        draw=made_up.patients,
        options=lambda x, design: {"time": "time", "event": "event", "group": "group"},
        answer="logrank:group",
    ),
    "dilution": Simulator(
        unit="mice per dose and arm", effect="a ratio of frequencies", low=1e-6, high=1e6, none=1.0, smallest=2,
        assumptions=(
            Assumption("one_in", 1000.0, "cells among which one is active in the control arm", 1.0, 1e12),
            Assumption("dose", 100.0, "lowest dose (cells)", 1e-3, 1e12),
            Assumption("step", 5.0, "each dose over the one below", 1.01, 1e4),
            Assumption("doses", 4, "doses in each arm", 1, 50, whole=True),
        ),
        claim=lambda effect, x: f"a frequency {effect:g} times that of 1 in {x['one_in']:,.6g} cells",
        draw=made_up.plates,
        options=lambda x, design: {"dose": "dose", "tested": "tested", "response": "response", "group": "arm"},
        answer="fold:treated:control",
    ),
    "response": Simulator(
        unit="patients", effect="an odds ratio for one SD of the level", low=1e-3, high=1e3, none=1.0, smallest=10,
        assumptions=(Assumption("rate", 0.6, "share of patients at the mean level who respond", 1e-3, 1.0 - 1e-3),),
        claim=lambda effect, x: f"an odds ratio of {effect:g} per SD of the level ({100 * x['rate']:g} % respond)",
        draw=made_up.responders,
        options=lambda x, design: {"response": "response", "value": "level"},
        answer="odds_ratio:alone:level",
    ),
}  # fmt: skip
