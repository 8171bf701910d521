"""Where did the copies go: a mass balance that tells transfer (recipients gain) from mere loss, by donor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senexo.assays._balance.sentences import transfer_finding
from senexo.assays._balance.tables import MIN_RECOVERY, changes_of, lost_donors, transfers_of, wells_of
from senexo.assays.comparisons import pairs_of
from senexo.assays.result import AssayResult, records
from senexo.assays.stats.estimate import LEVEL
from senexo.base.deprecation import former_keywords
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


_METHOD = (
    "Copies per well were averaged by donor. Loss of donor cells and gain of recipients were taken as differences to a "
    "control in which transfer is prevented, within donors, and tested by Student's t over donors (the error of "
    "measuring as a floor). The transfer index is the ratio of the mean gain to the mean loss with Fieller's interval. "
    "P-values are corrected by Holm. Transfer is claimed where recipients gain, and by no more than donor cells lose; "
    "loss without transfer where donor cells lose and an index of {min_recovery:g} is excluded."
)


@dataclass(frozen=True)
class BalanceResult(AssayResult):
    """Tables: transfers, changes (of every donor), wells. Columns: docs/assays/balance.md."""

    def figure(self) -> Figure:
        from senexo.assays._balance.figure import balance_figure

        return balance_figure(self.tables)


@former_keywords({"least": "min_recovery"})
def balance(
    table: pd.DataFrame,
    *,
    compare: Sequence[str] | Sequence[Sequence[str]],
    time_h: float | None = None,
    min_recovery: float = MIN_RECOVERY,
    where: str = "table",
) -> BalanceResult:
    """Decide whether recipients gain the copies that donor cells lose (transfer), or whether they are merely lost.

    loss = donor cells of the control - of the arm, gain = recipients of the arm - of the control, within each donor;
    transfer index = mean gain / mean loss.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per well and time: arm, donor, copies in donor_cells and recipient_cells; where there are any replicate,
        time_h (hours), vesicular and free (copies in the medium), degraded, made, and the standard errors of measuring
        donor_cells_sd and recipient_cells_sd. Empty recipient_cells: a well without recipients. Other columns are
        ignored.
    compare : pair of str or sequence of pairs
        (arm, control), or several such pairs; in the control the same cells are kept from transfer (apart, or with an
        inhibitor).
    time_h : float, optional
        The time judged in hours; by default the last.
    min_recovery : float, default 0.1
        Transfer index below which a loss is no transfer.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    BalanceResult
        Tables transfers, changes, wells. Fewer than two donors: ``not testable``.

    Raises
    ------
    InvalidInput
        Every fault of the table (row, column) and unknown arms, together.

    References
    ----------
    Fieller EC, J R Stat Soc B 1954;16:175-185, doi 10.1111/j.2517-6161.1954.tb00159.x.

    Examples
    --------
    >>> from senexo.assays.specs import example
    >>> table, options = example("balance")
    >>> balance(table, **options).findings[0].verdict
    'transfer'
    """
    if not 0.0 < min_recovery < 1.0:
        raise InvalidInput([Fault(f"{where}: min_recovery", f"{min_recovery:g}", "a share between 0 and 1")])
    wells, notes = wells_of(table, time_h, where)
    compared = pairs_of(wells["arm"], compare, where)
    if not compared:
        raise InvalidInput([Fault(f"{where}: compare", "nothing", "an arm and its control without transfer")])
    changes = changes_of(wells, compared)
    transfers = transfers_of(changes, compared, min_recovery)
    notes += lost_donors(wells, changes, compared)
    settings = {
        "compare": compared, "time_h": None if wells["time_h"].isna().all() else float(wells["time_h"].iloc[0]),
        "min_recovery": min_recovery, "level": LEVEL,
    }  # fmt: skip
    tables = {"transfers": transfers, "changes": changes, "wells": wells}
    findings = tuple(transfer_finding(row, min_recovery) for row in records(transfers))
    return BalanceResult("balance", _METHOD.format(min_recovery=min_recovery), settings, findings, tables, tuple(notes))
