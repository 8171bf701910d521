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
    draw: a table of n units; ask: the assay's answer to it; answer: the id of the finding that holds the p-value.
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
    ask: Callable[[pd.DataFrame, Numbers, str], AssayResult]
    answer: str
    designs: bool = False

    def p_value(self, rng: Rng, n: int, effect: float, numbers: Numbers, design: str) -> float:
        """p-value of one made-up table of n units; nan where the assay says that nothing is testable."""
        result = self.ask(self.draw(rng, n, effect, numbers, design == "paired"), numbers, design)
        found = next(finding for finding in result.findings if finding.id.startswith(self.answer))
        return math.nan if found.p_value is None else found.p_value


def _expit(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))


def _frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)


def _donors(n: int, arm: str, paired: bool) -> list[str]:
    """Names of donors; unpaired arms have donors of their own."""
    return [f"{i}" if paired else f"{arm} {i}" for i in range(n)]


# ---- senescence: logit shares of donors, each with its own effect, binomial counts --------------------------------


def _counts(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    level = rng.normal(0.0, x["donor_sd"], n)
    other = level if paired else rng.normal(0.0, x["donor_sd"], n)
    treated = _logit(x["share"] + effect) + level + rng.normal(0.0, x["sd"], n)
    shares = np.concatenate([_expit(treated), _expit(_logit(x["share"]) + other)])
    return _frame({
        "arm": ["treated"] * n + ["control"] * n,
        "donor": _donors(n, "treated", paired) + _donors(n, "control", paired),
        "n_positive": rng.binomial(int(x["cells"]), shares), "n_total": int(x["cells"]),
    })  # fmt: skip


def _ask_counts(table: pd.DataFrame, x: Numbers, design: str) -> AssayResult:
    from senexo.assays.staining import senescence

    return senescence(table, compare=("treated", "control"), design=design)


# ---- qpcr: normal log2 levels of donors, each with its own fold, wells with technical noise ------------------------


def _cycles(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    import pandas as pd

    wells, parts = int(x["wells"]), []
    level = rng.normal(0.0, x["donor_sd"], n)
    for arm, shift in (("treated", math.log2(effect)), ("control", 0.0)):
        own = level if paired else rng.normal(0.0, x["donor_sd"], n)
        fold = shift + (rng.normal(0.0, x["sd"], n) if arm == "treated" else 0.0)
        for target, middle in (("target", x["ct"] - own - fold), ("reference", np.full(n, 20.0))):
            ct = np.repeat(middle, wells) + rng.normal(0.0, x["technical_sd"], n * wells)
            parts.append(_frame({
                "arm": arm, "donor": np.repeat(_donors(n, arm, paired), wells), "target": target,
                "replicate": np.tile(np.arange(wells), n), "ct": np.where(ct <= x["cutoff"], ct, np.nan),
            }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _ask_cycles(table: pd.DataFrame, x: Numbers, design: str) -> AssayResult:
    from senexo.assays.pcr import qpcr

    return qpcr(table, target="target", reference="reference", control="control", cutoff=x["cutoff"], design=design)


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
        draw=_counts, ask=_ask_counts, answer="senescent:difference:", designs=True,
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
        draw=_cycles, ask=_ask_cycles, answer="fold:", designs=True,
    ),
}  # fmt: skip
