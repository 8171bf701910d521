"""What `survival` writes in a methods section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from senexo.assays.stats.cutpoint import SHUFFLES

_KAPLAN_MEIER = (
    "Survival was estimated by Kaplan and Meier's method with 95 % intervals on the log scale (Greenwood), medians "
    "with the intervals that follow from them"
)
_STANDARDISED = (
    "; the curves of groups were standardised to the mix of {strata} among all patients (weighted means of the curves "
    "within strata)"
)
_GROUPS = (
    ", and compared by the log-rank test{strata}; restricted mean survival within the time that all groups were "
    "followed was compared by Welch's t test from Greenwood variances"
)
_SEARCHED = (
    ", and compared by the largest standardised log-rank statistic over all cuts that leave a tenth of the patients on "
    "either side, its p-value from {shuffles:,} permutations (which counts the search)"
)
_INCIDENCE = (
    "Cumulative incidences of {event} and of {competing}, which precludes it, were estimated by Aalen and Johansen's "
    "method, with errors by the infinitesimal jackknife and 95 % intervals on the log(-log) scale"
)
_GRAY = (
    ", and compared by Gray's test{strata}, the hazards of {event} by the log-rank test{strata} (patients with "
    "{competing} leave the risk set)"
)
_PAIRS = (
    " Of three or more groups every two were compared by the log-rank test{strata}, corrected by Holm's method for all "
    "pairs{trend}."
)
_TREND = ", and all by the log-rank test for trend (Tarone's, scores 0, 1, 2, ...)"
_FIXED = " Survival at {times}{unit} has 95 % intervals on the log(-log) scale{compared}."
_DIFFERENCES = (
    "; differences were tested on that scale (Klein et al. 2007) and have intervals that combine those of both groups "
    "(Zou and Donner)"
)
_ENTRY = " Patients count as at risk from their entry on (left truncation)."
_COX = (
    " Hazard ratios are from Cox's proportional hazards model (Efron's ties){models}, with Firth's penalised "
    "likelihood where a ratio would be infinite; proportional hazards were checked by the score test of an interaction "
    "with 1 - S(t) (Schoenfeld residuals), discrimination by Harrell's C."
)
_FINE_GRAY = (
    " Hazard ratios of {event} and of {competing} are cause-specific; subdistribution hazard ratios are from Fine and "
    "Gray's model (Breslow's ties, variance with the estimated censoring distribution)."
)
_HOLM = " P-values of several levels were corrected by Holm's method."


def method(settings: Mapping[str, Any]) -> str:
    """The text for the options of one call."""
    strata = f", stratified by {', '.join(settings['strata'])}" if settings["strata"] else ""
    compared = settings["group"] is not None or settings["cut"] is not None
    if settings["competing"] is None:
        text = _KAPLAN_MEIER
        if settings["cut"] == "optimal":
            text += _SEARCHED.format(shuffles=SHUFFLES)
        elif compared:
            text += _GROUPS.format(strata=strata)
            text += _STANDARDISED.format(strata=", ".join(settings["strata"])) if strata else ""
    else:
        names = {"event": settings["outcomes"][0], "competing": settings["outcomes"][1]}
        text = _INCIDENCE.format(**names) + (_GRAY.format(strata=strata, **names) if compared else "")
    text += "." + (_ENTRY if settings["entry"] is not None else "")
    if settings["group"] is not None:
        text += _PAIRS.format(strata=strata, trend=_TREND if settings["order"] else "")
    if settings["at"]:
        times, unit = ", ".join(f"{one:g}" for one in settings["at"]), settings["unit"]
        text += _FIXED.format(times=times, unit=f" {unit}" if unit else "", compared=_DIFFERENCES if compared else "")
    if settings["group"] is None and not settings["value"]:
        return text
    text += _COX.format(models=_models(settings))
    if settings["competing"] is not None:
        text += _FINE_GRAY.format(**names)
    return text + _HOLM


def _models(settings: Mapping[str, Any]) -> str:
    """Which models were fitted: ", unadjusted, stratified by centre and adjusted for age"."""
    if not (settings["strata"] or settings["adjust"]):
        return ""
    within = f"stratified by {', '.join(settings['strata'])}"
    kinds = ["unadjusted"]
    if settings["strata"]:
        kinds.append(within)
    if settings["adjust"]:
        kinds.append(f"adjusted for {', '.join(settings['adjust'])}" + (f" and {within}" if settings["strata"] else ""))
    return f", {', '.join(kinds[:-1])} and {kinds[-1]}"
