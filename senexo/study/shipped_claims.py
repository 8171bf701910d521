"""The claims of the founding paper, what tests each, and the latest shipped results: two shipped tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senexo.base.errors import Fault, InvalidInput
from senexo.study.read import SHIPPED

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("simulated", "measured data", "definition", "ranking", "not tested")
SHARES = ("true", "possible", "true_where_possible", "null")
NUMBERS = tuple(f"{share}{end}" for share in SHARES for end in ("", "_low", "_high"))


def claims(only: str | None = None) -> pd.DataFrame:
    """All claims of the founding paper with their shipped results.

    Parameters
    ----------
    only
        One claim (``"C5"``); all by default.

    Returns
    -------
    pandas.DataFrame
        One row per claim, study, named world and part of the claim; of a claim without a study, one without a share.

        ``claim``, ``sentence`` (in our words), ``kind`` (of ``KINDS``; ``simulated`` and ``measured data`` are
        evidence), ``study``, ``world`` (empty: the study as it stands), ``part`` (empty: the whole claim), ``draws``;
        shares of worlds from 0 to 1 with 95 % intervals in ``_low`` and ``_high``: ``true``, ``possible`` (by the
        positive control), ``true_where_possible``, ``null`` (with what the claim rests on cut); ``decides`` (parameters
        with their rank correlations), ``note``, ``rests_on``, ``settled_by``. What does not exist is nan or empty.

    Raises
    ------
    InvalidInput
        For a claim that is not there.

    Examples
    --------
    >>> found = claims("C16")
    >>> found["kind"].to_list()
    ['ranking']
    """
    import pandas as pd

    said = pd.read_csv(SHIPPED / "claims.csv", keep_default_na=False)
    results = pd.read_csv(
        SHIPPED / "claim_results.csv", keep_default_na=False, na_values=dict.fromkeys((*NUMBERS, "draws"), "")
    )
    if only is not None and only not in set(said["claim"]):
        raise InvalidInput([Fault("claim", repr(only), f"one of {', '.join(said['claim'])}")])
    table = said[["claim", "sentence", "kind"]].merge(results, on="claim", how="left")
    table = table.merge(said[["claim", "rests_on", "settled_by"]], on="claim")
    table[list(NUMBERS)] /= 100.0  # percent in the file, as they are printed elsewhere
    words = ["study", "world", "part", "decides", "note"]
    table[words] = table[words].fillna("")
    return table if only is None else table[table["claim"] == only].reset_index(drop=True)
