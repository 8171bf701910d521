"""Names of the last version that this version still accepts, each with a warning that says the new one.

Keywords of Python functions warn with DeprecationWarning; keys of files and options of the command line, which people
who write no Python meet, with FutureWarning. The policy: docs/why/compatibility.md.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from senexo.base.errors import UnsupportedFeature

Function = TypeVar("Function", bound=Callable[..., Any])


def renamed_text(old: str, new: str) -> str:
    """The message of all renamed names."""
    return f"{old} is called {new} now; the old name is accepted in this version only"


def warn_renamed(old: str, new: str) -> None:
    """Warn whoever wrote a file or a command line with a name of the last version."""
    warnings.warn(renamed_text(old, new), FutureWarning, stacklevel=3)


def former_keywords(
    renamed: Mapping[str, str] | None = None, *, dropped: Mapping[str, tuple[Any, str]] | None = None
) -> Callable[[Function], Function]:
    """Let a function accept keywords of the last version.

    renamed: old keyword -> new one; "pilot.arm" is the entry `arm` of the mapping `pilot`. dropped: old keyword -> (the
    only value it could have, what is done now); any other value raises UnsupportedFeature.
    """
    names, gone = dict(renamed or {}), dict(dropped or {})

    def decorated(function: Function) -> Function:
        known = inspect.signature(function).parameters

        @functools.wraps(function)
        def accepting(*args: Any, **given: Any) -> Any:
            for old in [name for name in given if name in names and name not in known]:
                _rename(function.__name__, given, old, names[old])
            for old in [name for name in given if name in gone]:
                value, now = given.pop(old), gone[old]
                if value != now[0]:
                    raise UnsupportedFeature(f"{old} = {value!r}", now[1])
                text = f"{function.__name__}(): the keyword {old} is gone, and without effect: {now[1]}"
                warnings.warn(text, DeprecationWarning, stacklevel=2)
            return function(*args, **given)

        return accepting  # type: ignore[return-value]

    return decorated


def _rename(function: str, given: dict[str, Any], old: str, new: str) -> None:
    """Move one value to its new keyword, or raise TypeError where both are given."""
    name, _, entry = new.partition(".")
    value = given.pop(old)
    shown = f'{name}={{"{entry}": ...}}' if entry else name
    if (name in given and not entry) or (entry and entry in (given.get(name) or {})):
        raise TypeError(f"{function}() got both {old} and {shown}, its new name")
    given[name] = {**(given.get(name) or {}), entry: value} if entry else value
    warnings.warn(f"{function}(): {renamed_text(old, shown)}", DeprecationWarning, stacklevel=3)
