"""Written quantities ("7 d", "20 %", "300 copies") converted to senexo's own units.

Inside senexo a time is in hours, an amount in molecules (copies), a share is a number from 0 to 1, serum is in percent.
A text must be a plain number and a plain unit before a library reads it; nothing is evaluated.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pint

NUMBER = r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,3})?"
UNIT = r"%|-?fold|[A-Za-zµμ]{1,16}"
_QUANTITY = re.compile(rf"\s*(?P<number>{NUMBER})\s*(?P<unit>{UNIT})?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kind:
    """Dimension and range of a quantity in the user's input.

    Parameters
    ----------
    unit
        Unit of the result.
    expected
        What messages say is allowed.
    low, high
        Inclusive bounds in that unit.
    bare
        Whether a number without a unit is allowed; it is then in `unit`.
    whole
        Whether only whole numbers are allowed.
    """

    unit: str
    expected: str
    low: float = 0.0
    high: float = math.inf
    bare: bool = False
    whole: bool = False


TIME = Kind("hour", 'a time with its unit, 0 or more, e.g. "7 d"', high=1e6)
SPAN = Kind("hour", 'a time above 0 with its unit, e.g. "7 d"', low=1e-3, high=1e6)
SHARE = Kind("dimensionless", 'a share from 0 to 100 %, e.g. "90 %"', high=1.0, bare=True)
PERCENT = Kind("percent", 'a percentage from 0 to 100 with its sign, e.g. "20 %"', high=100.0)
COPIES = Kind("copy", "a whole number of copies, e.g. 300", high=1e12, bare=True, whole=True)
FOLD = Kind("fold", 'a fold of 0 or more, e.g. "10-fold"', bare=True)
AMOUNT = Kind("dimensionless", "a number of 0 or more, e.g. 2.5", bare=True)
NUMBER_KIND = Kind("dimensionless", "a finite number, e.g. 2.5", low=-math.inf, bare=True)


def parse(value: object, kind: Kind, *, where: str = "quantity") -> float:
    """Convert a written quantity to a number in `kind.unit`.

    Parameters
    ----------
    value
        A text of one number and one unit, or (where `kind.bare`) a number.
    kind
        Dimension and range.
    where
        The place that messages name.

    Returns
    -------
    float

    Raises
    ------
    InvalidInput
        No such text or number, another dimension, or out of range.

    Examples
    --------
    >>> parse("7 d", TIME), parse("90 %", SHARE), parse("300 copies", COPIES), parse(30, COPIES)
    (168.0, 0.9, 300.0, 30.0)
    """
    number = _number(value, kind)
    if number is None or not kind.low <= number <= kind.high or (kind.whole and number != math.floor(number)):
        raise InvalidInput([Fault(where, shown(value), kind.expected)])
    return number


def shown(value: object) -> str:
    """A value as a message quotes it: as it is written in a file, shortened to 60 characters.

    >>> shown("lots"), shown(True), shown([1, 2])
    ('"lots"', 'true', 'a list')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        short = value if len(value) <= 60 else value[:57] + "..."
        return '"' + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short) + '"'
    if isinstance(value, int | float):
        return repr(value) if abs(value) < 1e30 else "a number beyond all bounds"
    return {list: "a list", tuple: "a list", dict: "a table", type(None): "nothing"}.get(type(value), "a date or time")


def _number(value: object, kind: Kind) -> float | None:
    """The value in the kind's unit; None when it is not such a quantity."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value) if kind.bare else None
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    number, unit = _finite(match["number"]), match["unit"]
    if number is None or unit is None:
        return number if kind.bare else None
    ratio = _ratio(unit, kind.unit)
    return None if ratio is None else _finite(number * ratio[0] / ratio[1])


def _finite(number: str | float) -> float | None:
    try:
        converted = float(number)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


@functools.lru_cache(maxsize=256)
def _ratio(unit: str, wanted: str) -> tuple[float, float] | None:
    """(a, b) such that one `unit` is a/b `wanted`; None for an unknown unit or another dimension.

    57 % is 57/100 = 0.57, while 57 x 0.01 is not: a ratio of whole numbers is kept as one.
    """
    import pint

    units = _registry()
    try:
        factor = float(
            units.Quantity(1.0, units.Unit("percent" if unit == "%" else unit.removeprefix("-"))).to(wanted).magnitude
        )
    except (pint.errors.PintError, AttributeError, ValueError, TypeError):
        return None
    if factor < 1 and math.isclose(1 / factor, round(1 / factor), rel_tol=1e-12):
        return 1.0, float(round(1 / factor))
    return (float(round(factor)) if math.isclose(factor, round(factor), rel_tol=1e-12) else factor), 1.0


@functools.cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    registry.define("copy = [molecules] = _ = copies = molecule = molecules")
    registry.define("cell = [cells] = _ = cells")
    registry.define("fold = [folds]")
    return registry
