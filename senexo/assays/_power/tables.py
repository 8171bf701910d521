"""Tables that a simulated experiment would bring to the bench, with an effect of known size in them.

Every function here draws one table: (rng, n units, effect, assumptions, paired?) -> table, in the columns that the
assay reads. The laws are those that the assay supposes: donors with their own level and their own effect (normal on the
log or log-odds scale), binomial counts, wells with technical noise, exponential survival, single hits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Rng = np.random.Generator
Numbers = Mapping[str, float]
_MEDIUM = 1e9  # particles per mL that a typical control donor releases; only its ratio to the blank matters


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


def counts(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """senescence: logit shares of donors, each with its own effect, binomial counts."""
    level = rng.normal(0.0, x["donor_sd"], n)
    other = level if paired else rng.normal(0.0, x["donor_sd"], n)
    treated = _logit(x["share"] + effect) + level + rng.normal(0.0, x["sd"], n)
    shares = np.concatenate([_expit(treated), _expit(_logit(x["share"]) + other)])
    return _frame({
        "arm": ["treated"] * n + ["control"] * n,
        "donor": _donors(n, "treated", paired) + _donors(n, "control", paired),
        "n_positive": rng.binomial(int(x["cells"]), shares), "n_total": int(x["cells"]),
    })  # fmt: skip


def cycles(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """qpcr: log2 levels of donors, each with its own fold, wells with technical noise and a cut-off."""
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


def readings(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """particles: lognormal rates of donors, each with its own ratio, on top of what the medium holds already."""
    import pandas as pd

    runs, parts = int(x["readings"]), []
    level = rng.normal(0.0, x["donor_sd"], n)
    for arm, shift in (("treated", math.log(effect)), ("control", 0.0)):
        own = level if paired else rng.normal(0.0, x["donor_sd"], n)
        spread = rng.normal(0.0, x["sd"], n) if arm == "treated" else 0.0
        held = _MEDIUM * (np.exp(own + shift + spread) + x["blank"])
        parts.append(_frame({
            "arm": arm, "donor": np.repeat(_donors(n, arm, paired), runs), "replicate": np.tile(np.arange(runs), n),
            "particles_per_ml": np.repeat(held, runs) * rng.lognormal(0.0, x["reading_sd"], n * runs),
            "n_cells": 2e6, "hours": 48.0,
        }))  # fmt: skip
    if x["blank"]:
        medium = _MEDIUM * x["blank"] * rng.lognormal(0.0, x["reading_sd"], int(x["blanks"]))
        parts.append(_frame({
            "arm": "medium", "donor": "", "replicate": np.arange(len(medium)), "particles_per_ml": medium,
            "n_cells": math.nan, "hours": math.nan,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True).assign(dilution=1.0, volume_ml=5.0)


def intensities(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """expression: log2 intensities of many RNAs of which one, `target`, differs; variances differ between RNAs."""
    rnas = int(x["rnas"])
    spread = x["sd"] * (np.sqrt(x["prior_df"] / rng.chisquare(x["prior_df"], rnas)) if x["prior_df"] < 1000 else 1.0)
    level = rng.normal(8.0, 2.0, rnas) + np.zeros((n, rnas))
    donors = rng.normal(0.0, x["donor_sd"], (n, rnas)) if paired else np.zeros((n, rnas))
    groups = [level + donors + rng.normal(0.0, 1.0, (n, rnas)) * spread for _ in range(2)]
    groups[0][:, 0] += math.log2(effect)
    table = _frame(
        dict(zip(["target", *(f"RNA {i}" for i in range(2, rnas + 1))], np.concatenate(groups).T, strict=True))
    )
    return table.assign(
        cell=["treated"] * n + ["control"] * n, who=_donors(n, "treated", paired) + _donors(n, "control", paired)
    )


def patients(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """survival: exponential times, the hazard of the exposed times `effect`, cut at the end of follow-up."""
    exposed = np.arange(n) < round(n * x["share"])
    times = rng.exponential(x["median"] / math.log(2.0), n) / np.where(exposed, effect, 1.0)
    end = x["follow_up"] + x["accrual"] * rng.random(n)
    return _frame({
        "time": np.maximum(np.minimum(times, end), 1e-9), "event": (times <= end).astype(int),
        "group": np.where(exposed, "exposed", "control"),
    })  # fmt: skip


def plates(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """dilution: n mice or wells at each dose and arm, positive with probability 1 - exp(-dose x frequency)."""
    doses = x["dose"] * x["step"] ** np.arange(int(x["doses"]))
    rows = [
        (arm, dose, n, int(rng.binomial(n, -math.expm1(-dose * frequency))))
        for arm, frequency in (("treated", effect / x["one_in"]), ("control", 1.0 / x["one_in"]))
        for dose in doses
    ]
    return _frame(dict(zip(("arm", "dose", "tested", "response"), zip(*rows, strict=True), strict=True)))


def responders(rng: Rng, n: int, effect: float, x: Numbers, paired: bool) -> pd.DataFrame:
    """response: the odds of a response times `effect` for each standard deviation of a normal level."""
    level = rng.normal(0.0, 1.0, n)
    share = _expit(_logit(x["rate"]) + math.log(effect) * level)
    return _frame({"level": level, "response": (rng.random(n) < share).astype(int)})
