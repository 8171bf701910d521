"""The columns of all tables of `survival`, and the words and round times that several of its files share."""

from __future__ import annotations

import math
from typing import Any

ALL = "all"
SMALL, LARGE = 1.25, 2.0  # hazard ratios (of a level: per standard deviation): below small, from there large
SEARCHED = "searched cut"
CAUSE_SPECIFIC, SUBDISTRIBUTION = "cox", "subdistribution"  # the two tables of hazard ratios

_RATIOS = (
    "value", "model", "estimand", "outcome", "term", "role", "n", "n_events", "hazard_ratio", "low", "high",
    "coefficient", "std_error", "p_value", "p_holm", "p_bh", "sd", "hazard_ratio_sd", "low_sd", "high_sd", "method",
    "problem", "verdict",
)  # fmt: skip
COLUMNS: dict[str, tuple[str, ...]] = {
    "cox": _RATIOS,
    "groups": (
        "value", "group", "estimand", "n", "n_events", "n_expected", "median", "median_low", "median_high", "until",
        "mean", "mean_low", "mean_high", "follow_up",
    ),
    "logrank": (
        "value", "test", "estimand", "outcome", "chi_square", "degrees_of_freedom", "p_value", "p_holm", "p_bh",
        "verdict",
    ),
    "means": (
        "value", "group", "control", "estimand", "until", "difference", "low", "high", "p_value", "p_holm", "verdict",
    ),
    "models": (
        "value", "model", "estimand", "outcome", "n", "n_events", "method", "log_likelihood", "null_log_likelihood",
        "chi_square", "degrees_of_freedom", "p_value", "concordance", "concordance_low", "concordance_high",
        "concordance_error",
    ),
    "proportional": (
        "value", "model", "estimand", "outcome", "term", "chi_square", "degrees_of_freedom", "p_value", "p_holm",
    ),
    "cuts": ("value", "how", "cut", "n_low", "n_high", "statistic", "p_value"),
    "detection": ("value", "n", "n_zero", "n_detected", "share_detected", "min_reads", "depth", "verdict"),
    "curves": (
        "value", "group", "time", "n_at_risk", "n_events", "n_censored", "survival", "std_error", "low", "high",
    ),
    "at_risk": ("value", "group", "time", "n_at_risk", "n_events"),
}  # fmt: skip
COMPETING_COLUMNS: dict[str, tuple[str, ...]] = {
    "subdistribution": _RATIOS,
    "incidence": ("value", "group", "outcome", "n", "n_events", "time", "incidence", "std_error", "low", "high"),
    "gray": (
        "value", "outcome", "estimand", "chi_square", "degrees_of_freedom", "p_value", "p_holm", "p_bh", "verdict",
    ),
    "incidence_curves": (
        "value", "group", "outcome", "time", "n_at_risk", "n_events", "incidence", "std_error", "low", "high",
    ),
}  # fmt: skip
FURTHER_COLUMNS: dict[str, tuple[str, ...]] = {  # tables that are there where they have rows
    "fixed_times": (
        "value",
        "group",
        "estimand",
        "time",
        "n_at_risk",
        "n_events",
        "survival",
        "low",
        "high",
    ),
    "fixed_differences": (
        "value",
        "group",
        "control",
        "estimand",
        "time",
        "difference",
        "low",
        "high",
        "p_value",
        "p_holm",
        "verdict",
    ),
    "pairwise": (
        "value",
        "group",
        "control",
        "estimand",
        "outcome",
        "chi_square",
        "degrees_of_freedom",
        "p_value",
        "p_holm",
        "verdict",
    ),
    "trend": (
        "value",
        "order",
        "estimand",
        "outcome",
        "chi_square",
        "degrees_of_freedom",
        "p_value",
        "direction",
        "verdict",
    ),
}
Rows = dict[str, list[dict[str, Any]]]


def estimand(model: str, adjust: tuple[str, ...] | list[str], strata: tuple[str, ...] | list[str]) -> str:
    """What a model holds constant, in words."""
    adjusted, stratified = f"adjusted for {', '.join(adjust)}", f"stratified by {', '.join(strata)}"
    match model:
        case "alone":
            return "unadjusted"
        case "stratified":
            return stratified
        case "adjusted":
            return f"{adjusted}, {stratified}" if strata else adjusted
    raise AssertionError(model)


def risk_times(end: float, unit: str) -> list[float]:
    """Up to eight round times, 0 first; months by quarters and whole years."""
    steps = [base * 10.0**k for k in range(-6, 9) for base in (1.0, 2.0, 2.5, 5.0)]
    if unit == "months" and end > 6.0:
        steps = [3.0, 6.0, *(12.0 * years for years in (1, 2, 5, 10, 20))]
    step = min((step for step in steps if end / step <= 7.0), default=end)
    return [at for at in (step * k for k in range(math.floor(end / step) + 1)) if at <= end]
