"""How many donors, mice or patients an effect needs: simulated tables through the assay's own code.

There is no formula: a table with the effect is made up, the assay judges it as it would judge the real one, and power
is the share of tables in which its p-value is below alpha. What cannot be tested counts as not shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from senexo.assays._power.curve import Tries, around, fitted, needed
from senexo.assays._power.simulator import Simulator
from senexo.assays._power.simulators import SIMULATORS, read_pilot
from senexo.assays._power.spec import SPEC
from senexo.assays.result import AssayResult, Finding, records
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.base.deprecation import former_keywords
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST = 2000  # units that are tried
SEED = 1
ROLES = tuple(option.name for option in SPEC.options if option.part_of == "pilot")

_METHOD = (
    "Power is the share of simulated tables of this size in which the assay {assay}, by its public function, gives "
    "p < {alpha:g}, with Clopper and Pearson's interval of that share; tables in which nothing was testable count "
    "as not shown. The number needed was sought along a probit curve in the square root of n, fitted to all tables "
    "simulated. {numbers}"
)


@dataclass(frozen=True)
class PowerResult(AssayResult):
    """Tables: curve (power at every n that was simulated), assumptions. Columns: docs/assays/power.md."""

    def figure(self) -> Figure:
        from senexo.assays._power.figure import power_curve

        return power_curve(self.tables["curve"], self.settings)


@former_keywords({role: f"pilot.{role}" for role in ROLES})
def power(
    table: pd.DataFrame | None = None,
    *,
    assay: str,
    effect: float,
    n: int | Sequence[int] | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    design: str | None = None,
    given: Mapping[str, float] | None = None,
    sets: int = 400,
    seed: int = SEED,
    pilot: Mapping[str, Any] | None = None,
    where: str = "table",
) -> PowerResult:
    """Find the number of donors, mice or patients that shows an effect with a given power; or the power of numbers.

    Tables that hold the effect are simulated, the assay judges each of them, and power is the share of tables in which
    its p-value is below `alpha`.

    Parameters
    ----------
    table : pandas.DataFrame, optional
        A pilot table of this assay, from which variability is estimated.
    assay : str
        The assay that is to show the effect.
    effect : float
        Size of the effect in the assay's own unit (docs/assays/power.md).
    n : int or sequence of int, optional
        The number or numbers to judge; without it the smallest number with the wanted `power` is sought, up to 2,000.
    power : float, default 0.8
        The power wanted.
    alpha : float, default 0.05
        Level of the two-sided test.
    design : {"paired", "unpaired"}, optional
        Where the assay knows both; by default paired.
    given : mapping of str to float, optional
        Assumptions by name, such as ``{"sd": 0.4}``. The others come from the pilot table, or are the defaults; the
        table `assumptions` says which.
    sets : int, default 400
        Simulated tables at each number that is reported.
    seed : int, default 1
        Of the random streams of the simulated tables.
    pilot : mapping of str to str, optional
        What the pilot table calls its parts: its arms ``arm``, ``control`` and ``blank``, its RNAs ``target`` and
        ``reference``, its columns ``time``, ``event``, ``dose``, ``tested``, ``response``, ``value`` and ``group``, as
        far as the assay knows them.
    where : str, default "table"
        What messages call the table.

    Returns
    -------
    PowerResult
        Tables curve and assumptions. An effect that 2,000 units do not show has the verdict ``not reached``.

    Raises
    ------
    InvalidInput
        What is unknown, impossible, or missing in the pilot, together.

    Examples
    --------
    >>> result = power(assay="qpcr", effect=4.0, n=4, sets=40)
    >>> result.findings[0].unit, len(result.table)
    ('power', 1)
    """
    simulator = _simulator(assay, where)
    design = design or ("paired" if simulator.designs else "")
    roles = dict(pilot or {})
    numbers_n = [n] if isinstance(n, int | float) else list(n or [])
    _check(simulator, assay, effect, numbers_n, power, alpha, design, given or {}, sets, where)
    read, notes = read_pilot(assay, table, roles, design, where)
    found = {one.name: min(max(read[one.name], one.low), one.high) for one in simulator.assumptions if one.name in read}
    numbers = {one.name: one.value for one in simulator.assumptions} | found | dict(given or {})
    if expected := simulator.impossible(effect, numbers):
        raise InvalidInput([Fault(f"{where}: effect", f"{effect:g}", expected)])
    tries = Tries(lambda rng, size: simulator.p_value(rng, size, effect, numbers, design), seed, alpha)
    if numbers_n:
        for size in numbers_n:
            tries.run(size, sets)
        answer = None
    else:
        answer = needed(tries, power, simulator.smallest, MOST, sets)
        around(tries, answer or MOST, simulator.smallest, MOST, sets)
    curve = _curve(tries)
    settings = {
        "assay": assay, "effect": effect, "effect_is": simulator.effect, "claim": simulator.claim(effect, numbers),
        "n": numbers_n or answer, "unit": _unit(simulator, design), "power": power, "alpha": alpha,
        "design": design, "sets": sets, "seed": seed, "pilot": roles, "level": LEVEL,
        "given": numbers,
    }  # fmt: skip
    findings = _findings(curve, settings, asked=numbers_n, most=MOST)
    assumptions = _assumptions(simulator, numbers, found, given or {})
    method = _METHOD.format(assay=assay, alpha=alpha, numbers=_assumed(assumptions))
    tables = {"curve": curve, "assumptions": assumptions}
    return PowerResult("power", method, settings, tuple(findings), tables, tuple(notes))


def _simulator(assay: str, where: str) -> Simulator:
    if assay not in SIMULATORS:
        raise InvalidInput([Fault(f"{where}: assay", f"'{assay}'", f"one of {', '.join(SIMULATORS)}")])
    return SIMULATORS[assay]


def _check(
    simulator: Simulator, assay: str, effect: float, n: Sequence[int], power: float, alpha: float, design: str,
    given: Mapping[str, float], sets: int, where: str,
) -> None:  # fmt: skip
    """All that is impossible, at once."""
    faults = []

    def need(name: str, good: bool, found: object, expected: str) -> None:
        if not good:
            faults.append(Fault(f"{where}: {name}", f"{found}", expected))

    between = f"{simulator.effect} between {simulator.low:g} and {simulator.high:g}, not {simulator.none:g}"
    need("effect", simulator.low < effect < simulator.high and effect != simulator.none, f"{effect:g}", between)
    for size in n:
        need(
            "n",
            simulator.smallest <= size <= MOST and size == int(size),
            size,
            f"a whole number from {simulator.smallest} to {MOST}",
        )
    need("power", 0.05 < power < 1.0, f"{power:g}", "a number above 0.05 and below 1")
    need("alpha", 0.0 < alpha < 0.5, f"{alpha:g}", "a number above 0 and below 0.5")
    need("sets", 20 <= sets <= 100_000 and sets == int(sets), sets, "a whole number from 20 to 100000")
    designs = ("paired", "unpaired") if simulator.designs else ("",)
    need("design", design in designs, f"'{design}'", f"{assay} has {' or '.join(designs) if designs[0] else 'none'}")
    known = {one.name: one for one in simulator.assumptions}
    for name, value in given.items():
        if name not in known:
            need(f"given, {name}", False, f"{value:g}", f"one of {', '.join(known)}")
            continue
        one = known[name]
        good = one.low <= value <= one.high and (not one.whole or value == int(value))
        kind = "a whole number" if one.whole else "a number"
        need(f"given, {name}", good, f"{value:g}", f"{kind} from {one.low:g} to {one.high:g} ({one.says})")
    if faults:
        raise InvalidInput(faults)


def _unit(simulator: Simulator, design: str) -> str:
    return f"{simulator.unit} per arm" if design == "unpaired" else simulator.unit


def _curve(tries: Tries) -> pd.DataFrame:
    import pandas as pd
    from scipy.special import ndtr

    curve = pd.DataFrame([tries.row(size) for size in sorted(tries.p_values)])
    a, b = fitted(tries) if len(curve) > 1 else (math.nan, math.nan)
    return curve.assign(fitted=ndtr(a + b * curve["n"] ** 0.5))


def _assumptions(
    simulator: Simulator, numbers: Mapping[str, float], pilot: Mapping[str, float], given: Mapping[str, float]
) -> pd.DataFrame:
    import pandas as pd

    rows = [
        (one.name, numbers[one.name], "given" if one.name in given else "pilot" if one.name in pilot else "assumed",
         one.says)
        for one in simulator.assumptions
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["name", "value", "source", "says"])


def _assumed(assumptions: pd.DataFrame) -> str:
    rows = records(assumptions)
    return "Assumed: " + "; ".join(f"{row['says']} {row['value']:.3g} ({row['source']})" for row in rows) + "."


def _findings(curve: pd.DataFrame, settings: Mapping[str, Any], *, asked: Sequence[int], most: int) -> list[Finding]:
    rows = {int(row["n"]): row for row in records(curve)}
    claim, unit = settings["claim"], settings["unit"]
    level = f"(two-sided, alpha {settings['alpha']:g})"
    if asked:
        return [_power_finding(rows[size], settings, f"{claim} {level}") for size in dict.fromkeys(asked)]
    name = f"n:{settings['assay']}"
    if settings["n"] is None:
        last = rows[max(rows)]
        words = f"{most:,} {unit} give only {_percent(last)} power to show {claim} {level}: more than that are needed."
        nothing = Estimate(math.nan, float(most), math.inf)
        return [_finding(name, f"{settings['assay']}: {words}", nothing, unit, "not reached")]
    row = rows[settings["n"]]
    words = f"{settings['n']:,} {unit} give {_percent(row)} power to show {claim} {level}."
    found = Estimate(float(settings["n"]), math.nan, math.nan)
    return [_finding(name, f"{settings['assay']}: {words}", found, unit, "estimated")]


def _power_finding(row: Mapping[str, Any], settings: Mapping[str, Any], claim: str) -> Finding:
    wanted, size = settings["power"], int(row["n"])
    verdict = "enough" if row["low"] >= wanted else "not enough" if row["high"] < wanted else "about enough"
    words = f"{size:,} {settings['unit']} give {_percent(row)} power to show {claim}: {verdict} for {100 * wanted:g} %."
    estimate = Estimate(row["power"], row["low"], row["high"])
    return _finding(f"power:{settings['assay']}:{size}", f"{settings['assay']}: {words}", estimate, "power", verdict)


def _finding(name: str, sentence: str, estimate: Estimate, unit: str, verdict: str) -> Finding:
    return Finding.of("power", name, sentence, estimate, unit=unit, p_holm=math.nan, verdict=verdict)


def _percent(row: Mapping[str, Any]) -> str:
    """Power with its Monte-Carlo interval: "83 % (80 to 86, 600 simulated tables)"."""
    power, low, high = (f"{100 * row[name]:.0f}" for name in ("power", "low", "high"))
    return f"{power} % (Monte-Carlo interval {low} to {high} %, {int(row['sets']):,} tables)"
