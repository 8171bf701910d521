"""The text of an option on the command line as the keyword of an assay's function, and back."""

from __future__ import annotations

import csv
import math
import re
import shlex
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from senexo.assays.spec import Option, Spec, flag
from senexo.base.errors import Fault, InvalidInput


def on_command_line(spec: Spec) -> tuple[Option, ...]:
    """The options that are this assay's own on the command line."""
    return tuple(option for option in spec.options if not option.everywhere)


def keywords(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of the assay's function from the texts on the command line; what was not given is left out.

    An option under an earlier name is accepted with a warning. InvalidInput lists what is needed and missing, and what
    is no number.
    """
    found: dict[str, Any] = {}
    faults = []
    for option in on_command_line(spec):
        name, text = _given(option, given)
        if text in (None, []):
            if option.needed:
                faults.append(Fault(option.flag, "nothing", option.says))
            continue
        try:
            value = _read(option, text)
        except ValueError as error:
            faults.append(Fault(flag(name), f"'{error}'", f"{option.metavar} ({option.says})"))
            continue
        if option.part_of:
            found.setdefault(option.part_of, {})[option.name] = value
        else:
            found[option.name] = value
    if faults:
        raise InvalidInput(faults)
    return found


def _given(option: Option, given: Mapping[str, Any]) -> tuple[str, Any]:
    """The name under which an option was given, and its text."""
    for name in option.was:
        if given.get(name) not in (None, []):
            message = f"{flag(name)} is called {option.flag} now; the old name is accepted in this version only"
            warnings.warn(message, FutureWarning, stacklevel=2)
            return name, given[name]
    return option.name, given.get(option.name)


def arguments(spec: Spec, options: Mapping[str, Any]) -> str:
    """The other way round: keywords as one would type them.

    >>> from senexo.assays.specs import SPECS
    >>> arguments(SPECS["senescence"], {"compare": [("mimic 3000", "mock")], "time_h": 72.0})
    "--compare 'mimic 3000,mock' --time-h 72"
    """
    words = []
    for option in on_command_line(spec):
        values = options.get(option.part_of, {}) if option.part_of else options
        if option.name in values:
            for text in _texts(option, values[option.name]):
                words += [option.flag, shlex.quote(text)]
    return " ".join(words)


def _read(option: Option, text: Any) -> Any:
    """One option's value; ValueError names the text that cannot be one."""
    match option.kind:
        case "column" | "formula" | "name" | "formulas":
            if not all(part.strip() for part in ([text] if isinstance(text, str) else text)):
                raise ValueError("")
            return text
        case "number":
            return _number(text)
        case "columns" | "names":
            return [name for line in text for name in _split(line)]
        case "numbers":
            return [_number(name) for line in text for name in _split(line)]
        case "pairs":
            return [_pair(line) for line in text]
        case "factors":
            return _factors(text)


def _split(line: str) -> list[str]:
    """Names between commas; a name with a comma stands in quotation marks."""
    names = [name.strip() for name in next(csv.reader([line], skipinitialspace=True), [])]
    if not all(names):
        raise ValueError(line)
    return names


def _pair(line: str) -> tuple[str, str]:
    names = _split(line)
    if len(names) != 2:
        raise ValueError(line)
    return names[0], names[1]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if re.fullmatch(r"[+-]?\d{1,15}", text) else number


def _factors(texts: Sequence[str]) -> float | dict[str, float]:
    """One number for all, or NAME=NUMBER for each of several."""
    if len(texts) == 1 and "=" not in texts[0]:
        return _number(texts[0])
    named = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        if not equals or not name.strip():
            raise ValueError(text)
        named[name.strip()] = _number(number)
    return named


def _texts(option: Option, value: Any) -> Iterable[str]:
    """How often the option is typed, and with what."""
    if option.kind == "pairs":
        return [_joined(pair) for pair in ([value] if isinstance(value[0], str) else value)]
    if isinstance(value, Mapping):
        return [f"{name}={number:g}" for name, number in value.items()]
    if option.kind in ("columns", "names", "numbers") and not isinstance(value, str | int | float):
        return [_joined(value)]
    if option.kind == "formulas" and not isinstance(value, str):
        return list(value)
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def _joined(values: Iterable[Any]) -> str:
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ",".join('"' + text.replace('"', '""') + '"' if re.search('[,"]', text) else text for text in texts)
