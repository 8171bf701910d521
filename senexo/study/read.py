"""A study from a TOML file or by its shipped name."""

from __future__ import annotations

import os
import tomllib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.base.files import no_plain_file
from senexo.base.toml_text import refusal
from senexo.base.units import shown
from senexo.study.overrides import apply_overrides
from senexo.study.resolve import resolve, resolve_worlds
from senexo.study.schema import Study

SHIPPED = Path(__file__).parent.parent / "studies"
MAX_BYTES = 2**20
READABLE = "a study file (TOML text of at most 1 MiB)"


def shipped_studies() -> tuple[str, ...]:
    """The names of the studies that come with senexo.

    >>> "mir34c-exvivo" in shipped_studies()
    True
    """
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def read_study(study: Study | str | os.PathLike[str], *, set: Sequence[str] = ()) -> Study:
    """The resolved study of a file, a shipped name, or a study already resolved, with changes put over it.

    Parameters
    ----------
    study
        A path, the name of a shipped study, or a study.
    set
        Changes as "path=value", for example ``"culture.duration=3 d"`` or ``"arms.mimic.dose.amount=[30, 100]"``.

    Returns
    -------
    Study
        Complete and frozen; `study.to_toml()` writes it as a study file.

    Raises
    ------
    InvalidInput
        With every fault of the file or of the changes.

    Warns
    -----
    FutureWarning
        For each key or word of the last version that the file still has (docs/why/compatibility.md).

    Examples
    --------
    >>> read_study("mir34c-exvivo", set=["donors.n=2"]).donors.n
    2
    """
    if isinstance(study, Study) and not set:
        return study
    raw, where, folder = _tables(study)
    found = resolve(apply_overrides(raw, set), where=where, folder=folder)
    for notice in found.notices:
        warnings.warn(notice, FutureWarning, stacklevel=2)
    return found


def read_worlds(study: Study | str | os.PathLike[str], *, set: Sequence[str] = ()) -> dict[str, Study]:
    """The resolved study as it stands (the first entry) and in each of its named worlds.

    Parameters and errors are those of `read_study`.

    Examples
    --------
    >>> list(read_worlds("c05-senescence"))
    ['as it stands']
    """
    raw, where, folder = _tables(study)
    found = resolve_worlds(apply_overrides(raw, set), where=where, folder=folder)
    for notice in next(iter(found.values())).notices:
        warnings.warn(notice, FutureWarning, stacklevel=2)
    return found


def _tables(study: Study | str | os.PathLike[str]) -> tuple[dict[str, Any], str, Path]:
    """The tables of a study file, what messages call it, and the folder that its paths are relative to."""
    if isinstance(study, Study):
        return study.to_dict(), "study", Path()
    path = _path(study)
    return read_raw(path), path.name, path.parent


def read_raw(path: Path) -> dict[str, Any]:
    """The nested tables of a study file, not yet checked."""
    try:
        if kind := no_plain_file(path):
            raise _unreadable(path, kind)
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, f"no readable file ({error.strerror or error})") from None
    if len(data) > MAX_BYTES:
        raise _unreadable(path, "more than 1 MiB")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        if beyond := refusal(text):
            raise InvalidInput([Fault(str(path), *beyond)])
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"a byte that is no UTF-8 text at position {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput([Fault(str(path), f"no TOML: {error}", "TOML text, e.g. [arms.mock]")]) from None
    except (RecursionError, ValueError):  # thousands of nested brackets; a number of thousands of digits
        raise _unreadable(path, "TOML beyond all bounds (nesting, or digits of a number)") from None


def _path(study: str | os.PathLike[str]) -> Path:
    """The file behind a name: an existing path, or a shipped study."""
    if not isinstance(study, str | os.PathLike):
        expected = "a study, the path of a study file or the name of a shipped study"
        raise InvalidInput([Fault("study", shown(study), expected)])
    path = Path(study)
    if path.exists() or path.is_symlink():
        return path
    if str(study) in shipped_studies():
        return SHIPPED / f"{study}.toml"
    expected = f"a file, or a shipped study ({', '.join(shipped_studies())})"
    raise InvalidInput([Fault("study", f"{shown(str(study))}, which does not exist", expected)])


def _unreadable(path: Path, found: str) -> InvalidInput:
    return InvalidInput([Fault(str(path), found, READABLE)])
