"""The answer of a study in one sentence, how sure it is, what it assumes, and what to measure next.

Everything is read off the tables `claim`, `claim_draws`, `next_steps` and `assay_..._differences_...`, and off
findings.json. A study with a claim is answered by its verdict; any other by the first comparison that it requests, at
all doses of the same two families, or by that of survival where there is no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.report.drawing import dose

if TYPE_CHECKING:
    import pandas as pd

    from senexo.report.folder import ResultFolder

YES, NO, UNDECIDED, LOWER, NO_QUESTION = "Yes", "No", "Undecided", "Lower", "No answer"
LONGER, SHORTER = "Longer survival", "Shorter survival"
OF_CLAIM = {"holds": YES, "does not hold": NO, "not decided": UNDECIDED}
UNTESTED, NOT_TESTED = "not tested", "Not tested"
A_WORLD = "A world is one draw of all parameters."
SHOWN = ("large", "moderate", "small")
NEXT_OF_CLAIM = ("About ", "More donors", "A narrower range", "To test it")
FEW_DONORS = 6  # below it the spread between donors, and so a number of donors, is known roughly
READOUTS = {"senescent": "SA-β-gal positive cells", "arrested": "arrested cells"}
ASSAYS = {"qpcr": "qPCR"}
MOST_STEPS = 3


@dataclass(frozen=True)
class Reply:
    """What the first screen says.

    Attributes
    ----------
    verdict
        "Yes", "No", "Undecided", "Lower" (an effect downwards), "Longer survival", "Shorter survival", "In 14 % of
        worlds", "Not tested" or "No answer".
    sentence
        The answer with its numbers.
    sure, assumed
        One line each.
    steps, note
        What to measure next, the most useful first, and what their numbers of donors mean.
    arms
        Arms that the answer compares.
    """

    verdict: str
    sentence: str
    sure: str
    assumed: str
    steps: list[str]
    arms: tuple[str, ...] = ()
    note: str = ""


def reply(folder: ResultFolder) -> Reply:
    """The answer of a result folder."""
    steps = folder.table("next_steps") if folder.has("next_steps") else None
    if "claim" in folder.found:
        return _of_claim(folder, steps)
    if steps is None or not (steps["kind"] == "donors").any():
        if ratio := _hazard_ratio(folder):
            return _of_survival(folder, ratio)
        return Reply(
            NO_QUESTION, "The study compares no arms and makes no claim, so it shows courses only.",
            f"{_donors(folder)}.", assumed(folder),
            ["Name two arms in an assay's `compare`, or add a `[claim]`."],
        )  # fmt: skip
    return _of_comparison(folder, steps[steps["kind"] == "donors"])


def _hazard_ratio(folder: ResultFolder) -> Mapping[str, Any] | None:
    """The first comparison of survival; of its models the last, which holds most constant."""
    found = [one for one in folder.found["findings"] if one["assay"] == "survival" and ":hazard_ratio:" in one["id"]]
    pairs = [one["id"].rpartition(":")[2] for one in found]
    return next((one for one, pair in zip(reversed(found), reversed(pairs), strict=True) if pair == pairs[0]), None)


def _of_survival(folder: ResultFolder, found: Mapping[str, Any]) -> Reply:
    """The answer of a study whose only comparison is one of survival."""
    shown = found["verdict"] in SHOWN
    verdict = UNDECIDED if not shown else LONGER if found["estimate"] < 1.0 else SHORTER
    sentence = f"Survival: {found['sentence'].removeprefix('arm, ')}"
    steps = [] if shown else ["More mice and samples; `senexo assay power --assay survival` says how many."]
    return Reply(verdict, sentence, f"{_donors(folder)}.", assumed(folder), steps)


def assumed(folder: ResultFolder) -> str:
    """How much of the answer is assumption, in one line."""
    run = folder.run
    return (
        f"{run['n_assumed']} of {run['n_parameters']} parameters are assumed: no measurement was found for them. "
        "No real cell was measured."
    )


def _of_claim(folder: ResultFolder, steps: pd.DataFrame | None) -> Reply:
    claim, table = folder.found["claim"], folder.table("claim")
    over_worlds = claim.get("worlds")
    verdict, sentence, sure = _over_worlds(folder, over_worlds) if over_worlds else _over_donors(folder, table)
    reason = str(claim["sentences"][0]).partition(": ")[2]
    if reason:
        sentence += f" {reason[0].upper()}{reason[1:]}"
    listed = [
        *_parameter_steps(steps),
        *_hinge(folder, table),
        *(text for text in claim["sentences"] if text.startswith(NEXT_OF_CLAIM)),
    ]
    unranked = [text for text in claim["sentences"] if "too few to rank" in text]
    return Reply(verdict, sentence, sure, assumed(folder), (listed + unranked)[:MOST_STEPS])


def _over_worlds(folder: ResultFolder, shares: Mapping[str, Any]) -> tuple[str, str, str]:
    """Answer, sentence and certainty of a claim over draws of a prior: shares of worlds."""
    tested = folder.found["claim"]["verdict"] != UNTESTED
    true, possible, where = shares["true"], shares["possible"], shares["true_where_possible"]
    if not true["n"]:
        return NOT_TESTED, f"None of {folder.study['donors']['n']:,} worlds could show it.", A_WORLD
    sentence = f"The claim is true in {_percent(true['share'])} of {true['n']:,} worlds."
    if possible:
        sentence += f" It could be true in {_percent(possible['share'])} of them"
        sentence += f", and is in {_percent(where['share'])} of those." if possible["n"] and possible["k"] else "."
    sure = f"{A_WORLD} 95 % interval of the share: {_percents(true)}. "
    if shares["null"]["n"]:
        sure += f"With what the claim rests on cut, it is true in {_percent(shares['null']['share'])} of them; "
        sure += f"here and not there, in {_percent(shares['beyond_null']['share'])}. "
    if not possible:
        sure += "No positive control: in how many it could be true is not known."
    return f"In {_percent(true['share'])} of worlds" if tested else NOT_TESTED, sentence, sure.strip()


def _over_donors(folder: ResultFolder, table: pd.DataFrame) -> tuple[str, str, str]:
    """Answer, sentence and certainty of a claim over donors of one world, whose mean decides."""
    whole = table[table["comparison"] == "the whole claim"].set_index("world")
    own, null = whole.loc["claim"], whole.loc["null world"]
    donors, n, true = folder.study["donors"]["n"], int(own["n_donors"]), _whole(own["n_true"])
    verdict = OF_CLAIM[folder.found["claim"]["verdict"]]
    if not n:
        return verdict, f"None of {donors:,} donors could show it.", "No donor has a value."
    sentence = (
        f"The claim is true in {_percent(true / n)} of the donors that could show it ({true} of {n}); "
        f"{_percent(n / donors)} of {donors:,} donors could."
    )
    sure = (
        f"95 % interval of that share: {100 * own['share_low']:.0f} to {100 * own['share_high']:.0f} %. "
        "With what the claim rests on cut, it is true in "
        f"{_whole(null['n_true'])} of {_whole(null['n_donors'])} donors."
    )
    return verdict, sentence, sure


def _percent(share: float) -> str:
    """A share in percent; below 10 % with one digit behind the point.

    >>> _percent(0.142), _percent(0.014)
    ('14 %', '1.4 %')
    """
    return f"{100 * share:.{0 if share >= 0.0995 or share == 0 else 1}f} %"


def _percents(share: Mapping[str, Any]) -> str:
    return f"{_percent(share['low'])} to {_percent(share['high'])}"


def _hinge(folder: ResultFolder, table: pd.DataFrame) -> Iterator[str]:
    """The comparison of a claim that fewest worlds or donors meet, with the dose of its arms."""
    parts = table[(table["world"] == "claim") & (table["comparison"] != "the whole claim")].dropna(subset="share")
    if parts.empty:
        return
    row = parts.loc[[parts["share"].idxmin()]].iloc[0]
    text = str(row["comparison"])
    doses = folder.arms.loc[[arm in text for arm in folder.arms["arm"]], "dose_copies"].dropna()
    at = f" at {dose(doses.max())} active copies per cell" if len(doses) else ""
    what = "worlds" if folder.found["claim"].get("worlds") else "donors"
    few = f" It is what fewest {what} meet" if len(parts) > 1 else f" Share of {what} in which it is true"
    yield f"Measure {text}{at}.{few}: {100 * row['share']:.0f} %."


def _parameter_steps(steps: pd.DataFrame | None) -> Iterator[str]:
    if steps is None:
        return
    for row in steps[steps["kind"] == "parameter"].to_dict("records"):
        unit = "" if row["unit"] in ("1", "") else f" {row['unit']}"
        note = f" ({row['note']})" if row["note"] else ""
        yield (
            f"Measure {row['parameter']}{note}: it decides the claim most (rank correlation {row['rho']:+.2f}). "
            f"Its range is {row['range_low']:g} to {row['range_high']:g}{unit}."
        )


def _of_comparison(folder: ResultFolder, steps: pd.DataFrame) -> Reply:
    import numpy as np

    families = dict(zip(folder.arms["arm"], folder.arms["family"], strict=True))
    pairs = [(families.get(arm, arm), families.get(control, control)) for arm, control in
             zip(steps["arm"], steps["control"], strict=True)]  # fmt: skip
    first = steps.iloc[0]
    same = [
        pair == pairs[0] and request == first["request"] and readout == first["readout"]
        for pair, request, readout in zip(pairs, steps["request"], steps["readout"], strict=True)
    ]
    asked = steps[same]
    shown = asked[asked["verdict"].isin(SHOWN)]
    among = shown if len(shown) else asked
    row = among.iloc[int(np.argmax(among["estimate"].abs().fillna(-1.0)))]
    if len(shown):
        verdict = YES if _upwards(row) else LOWER
    else:
        verdict = NO if asked["verdict"].eq("absent").all() else UNDECIDED
    listed = list(_donor_steps(folder, row, steps, verdict))
    n = int(row["n_donors"])
    note = "Donors: enough to show a difference as large as the one found in 80 % of experiments"
    note += f"; a rough number, as their spread is known from {n}." if n < FEW_DONORS else "."
    arms = tuple(dict.fromkeys([*asked["arm"], *asked["control"]]))
    note = note if any("donors" in step for step in listed) else ""
    return Reply(verdict, _sentence(folder, row, verdict), _sure(folder, row), assumed(folder), listed, arms, note)


def _upwards(row: pd.Series) -> bool:
    """Whether the arm has more than its control; a ddCt is lower where there is more RNA."""
    return bool(row["estimate"] < 0) if row["assay"] == "qpcr" else bool(row["estimate"] > 0)


def _sentence(folder: ResultFolder, row: pd.Series, verdict: str) -> str:
    what = READOUTS.get(str(row["readout"]), str(row["readout"]))
    copies = dose(row["dose_copies"])
    arm, control = _names(folder, row)
    where = f"With {arm}" + (f" at {copies} active copies per cell" if copies else "")
    if row["assay"] == "qpcr":
        fold, ends = 2.0 ** -row["estimate"], sorted((2.0 ** -row["low"], 2.0 ** -row["high"]))
        interval = f"(95 % interval {ends[0]:.3g} to {ends[1]:.3g})" if row["n_donors"] > 1 else "in one donor"
        said = f"{where}, {what} is {fold:.3g} times that of {control} {interval}."
    else:
        shares = _shares(folder, row, what, control)
        said = f"{where}, {shares}: {_points(row['estimate'], 1)} points"
        if row["low"] == row["low"]:
            said += f" (95 % interval {_points(row['low'], 0)} to {_points(row['high'], 0)})"
        said += "."
    match verdict:
        case "Undecided":
            tail = " This does not show an effect, and does not exclude one."
        case "No":
            tail = " A relevant effect is excluded at every dose compared."
        case _:
            tail = ""
    return said + tail


def _points(share: float, digits: int) -> str:
    return f"{100 * share:+.{digits}f}".replace("-", "−")


def _shares(folder: ResultFolder, row: pd.Series, what: str, control_name: str) -> str:
    """Both shares in words, of the table that the comparison stands in."""
    from_fates = row["assay"] == "fates"
    stem = "fates" if from_fates else str(row["readout"])
    table = folder.table(f"assay_{stem}_differences_{int(row['request'])}")
    own = table[(table["arm"] == row["arm"]) & (table["control"] == row["control"])]
    if from_fates:
        own = own[own["fate"] == row["readout"]]
    value, control = ("incidence", "incidence_control") if from_fates else ("share", "share_control")
    one = own.iloc[0]
    return f"{one[value]:.1%} {what}, against {one[control]:.1%} with {control_name}".replace("%", " %")


def _names(folder: ResultFolder, row: pd.Series) -> tuple[str, str]:
    """Arm and control; the family of an arm whose dose is said anyway."""
    arms = folder.arms.set_index("arm")
    names = []
    for name in (str(row["arm"]), str(row["control"])):
        same_dose = name in arms.index and arms.loc[name, "dose_copies"] == row["dose_copies"]
        names.append(str(arms.loc[name, "family"]) if same_dose else name)
    return (names[0], names[1]) if names[0] != names[1] else (str(row["arm"]), str(row["control"]))


def _sure(folder: ResultFolder, row: pd.Series) -> str:
    finding = _finding(folder, row)
    p = finding.get("p_value")
    said = _donors(folder)
    if p is None:
        return f"{said}: too few for a test."
    value = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    return f"{said}; {value} after Holm's correction for all comparisons of this kind."


def _finding(folder: ResultFolder, row: pd.Series) -> Mapping[str, Any]:
    """The finding of a comparison, by its request, arms and estimate's kind."""
    ends = (f"difference:{row['arm']}:{row['control']}", f"difference:{row['readout']}:{row['arm']}:{row['control']}")
    for finding in folder.found["findings"]:
        own = finding["request"] == row["request"] and finding["assay"] == row["assay"]
        named = str(row["readout"]) in finding["id"] and finding["id"].endswith(ends)
        fold = f":{row['readout']}:{row['arm']}:{row['control']}:" in f"{finding['id']}:"
        if own and (named or fold):
            return dict(finding)
    return {}


def _donor_steps(folder: ResultFolder, row: pd.Series, steps: pd.DataFrame, verdict: str) -> Iterator[str]:
    """The comparison that answers the question with enough donors; then other undecided ones, the cheapest first."""
    match verdict:
        case "Undecided":
            yield _step(folder, row)
        case "No":
            yield f"A higher dose or a later time than this: {_what(folder, row)}."
        case _:
            yield f"In patients' cells: {_step(folder, row)}"
    others = steps[steps["verdict"].isin(["not shown", "not decided"]) & steps["n_needed"].notna()]
    others = others[(others["assay"] != row["assay"]) | (others["readout"] != row["readout"])]
    families = dict(zip(folder.arms["arm"], folder.arms["family"], strict=True))
    elsewhere = others["arm"].map(families).fillna(others["arm"]) != families.get(row["arm"], row["arm"])
    others = others.assign(elsewhere=elsewhere).sort_values(["elsewhere", "n_needed"], kind="stable")
    others = others.drop_duplicates(["assay", "readout"])
    for _, other in others.head(MOST_STEPS - 1).iterrows():
        yield _step(folder, other)


def _step(folder: ResultFolder, row: pd.Series) -> str:
    """Assay, arms, dose and donors."""
    if row["n_needed"] == row["n_needed"]:
        return f"{_what(folder, row)}: {int(row['n_needed'])} donors."
    return f"{_what(folder, row)}: more than 2,000 donors for a difference as small as the one found."


def _what(folder: ResultFolder, row: pd.Series) -> str:
    readout = READOUTS.get(str(row["readout"]), str(row["readout"]))
    assay = {"senescent": "SA-β-gal staining", "arrested": "arrested cells"}.get(str(row["readout"]))
    named = assay or f"{readout} ({ASSAYS.get(row['assay'], row['assay'])})"
    amount = f" at {dose(row['dose_copies'])} active copies per cell" if dose(row["dose_copies"]) else ""
    arm, control = _names(folder, row)
    first = named[0] if named.startswith("miR") else named[0].upper()
    return f"{first}{named[1:]}, {arm} against {control}{amount}"


def _whole(value: object) -> int:
    return int(float(value)) if value == value else 0  # type: ignore[arg-type]


def _donors(folder: ResultFolder) -> str:
    n = folder.study["donors"]["n"]
    return f"{n} virtual donor{'s' if n != 1 else ''}"
