"""What `balance` says in words: what donor cells lose, what recipients gain, and whether that is transfer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from senexo.assays._balance.tables import LOSS, TRANSFER
from senexo.assays.result import Finding, p_text
from senexo.assays.stats.estimate import ALPHA, Estimate, significant

if TYPE_CHECKING:
    pass


def transfer_finding(row: Mapping[str, Any], min_recovery: float) -> Finding:
    index = Estimate(row["index"], row["index_low"], row["index_high"])
    title = f"{row['arm']} against {row['control']}: "
    n = f"{row['n_donors']} donor{'' if row['n_donors'] == 1 else 's'}"
    if row["verdict"] == "not testable":
        words = f"not testable, {n} with donor cells and recipients in both arms; two are needed."
    else:
        words = f"{_change(row, 'loss', 'donor cells lose')}, {_change(row, 'gain', 'recipients gain')} ({n}): "
        words += _conclusion(row, min_recovery)
    return Finding.of(
        "balance", f"transfer:{row['arm']}:{row['control']}", title + words, index, unit="gain / loss",
        p_holm=row["p_gain_holm"], verdict=row["verdict"],
    )  # fmt: skip


def _change(row: Mapping[str, Any], name: str, words: str) -> str:
    ends = f"95 % CI {significant(row[f'{name}_low'])} to {significant(row[f'{name}_high'])}"
    return f"{words} {significant(row[name])} copies per well ({ends}; {p_text(row[f'p_{name}_holm'])})"


def _conclusion(row: Mapping[str, Any], min_recovery: float) -> str:
    closed = math.isfinite(row["index_low"]) and math.isfinite(row["index_high"])
    ends = f" (95 % CI {significant(row['index_low'])} to {significant(row['index_high'])})" if closed else ""
    index = f"index {significant(row['index'])}{ends}"
    if row["verdict"] == TRANSFER:
        return f"transfer; {index}."
    if row["verdict"] == LOSS:
        return f"loss without transfer; {index}, {min_recovery:g} is excluded."
    gains, loses = (row[f"p_{name}_holm"] < ALPHA and row[name] > 0.0 for name in ("gain", "loss"))
    if gains and loses:
        return f"not decided; {index}, recipients gain more than donor cells lose, so they have another source."
    if gains:
        return "not decided; recipients gain, but no loss of donor cells is shown: they may have another source."
    if loses:
        return f"not decided; {index}: neither a gain nor its absence is shown."
    return "not decided; neither a loss nor a gain is shown."
