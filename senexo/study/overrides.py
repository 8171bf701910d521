"""Changes from the command line: ``--set path=value`` put over the tables of a study file."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.base.toml_text import MOST_DEPTH, loads
from senexo.base.units import shown
from senexo.study.form.table import Table

_STEP = re.compile(r'(?:^|\.)(?:(?P<bare>[A-Za-z0-9_-]+)|"(?P<quoted>[^"\\]+)")|\[(?P<index>[0-9]{1,6})\]', re.ASCII)
EXAMPLE = "path=value, e.g. culture.duration='3 d'"


def apply_overrides(raw: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """A copy of a study's tables with the changes made.

    Parameters
    ----------
    raw
        The nested tables of a study file.
    changes
        "path=value". A path is keys joined by dots (a key with other signs in double quotes) and list indices in
        brackets. A value is TOML, or a text without quotes.

    Raises
    ------
    InvalidInput
        With every change that cannot be made.

    Examples
    --------
    >>> apply_overrides({"culture": {"duration": "7 d"}}, ["culture.duration=3 d", "donors.n=5"])
    {'culture': {'duration': '3 d'}, 'donors': {'n': 5}}
    """
    changed = copy.deepcopy(dict(raw))
    faults: list[Fault] = []
    for change in changes:
        path, equals, value = change.partition("=")
        steps = _steps(path.strip())
        if not equals or not 0 < len(steps) <= MOST_DEPTH or isinstance(steps[0], int):
            faults.append(Fault("--set", shown(change), EXAMPLE))
            continue
        problem = _put(changed, steps, _value(value.strip()))
        if problem:
            faults.append(Fault(f"--set {path.strip()}", problem, "a path into the study"))
    if faults:
        raise InvalidInput(faults)
    return changed


def _steps(path: str) -> list[str | int]:
    """The keys and indices of a path; nothing when it is no path."""
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return []
        steps.append(int(match["index"]) if match["index"] else match["bare"] or match["quoted"])
        position = match.end()
    return steps


def _value(text: str) -> Any:
    """A TOML value; a text that is no TOML stands for itself."""
    try:
        parsed = loads(f"value = {text}")
    except ValueError:
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text


def _put(tree: Any, steps: list[str | int], value: Any) -> str:
    """Set one value, making the tables on the way; what is in the way, if anything, is returned in words."""
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            if not isinstance(tree, list) or step >= len(tree):
                return f"no element [{step}] there"
        elif not isinstance(tree, dict):
            return f"no table that could hold {shown(step)}"
        if following is None:
            if isinstance(step, str) and isinstance(tree, dict):
                tree.pop(former_names().get(step, ""), None)  # a former name stands for the key of this version
            tree[step] = value
            return ""
        tree = tree[step] if isinstance(step, int) else tree.setdefault(step, {})
    return ""


@functools.cache
def former_names() -> Mapping[str, str]:
    """Keys of study files of the last version -> keys of this one, of all tables together."""
    from senexo.study.form.file import StudyFile  # noqa: F401  (its tables are then all known)

    found: dict[str, str] = {}
    ahead = [Table]
    while ahead:
        table = ahead.pop()
        found |= table.renamed()
        ahead += table.__subclasses__()
    return found
