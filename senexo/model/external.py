"""The external files of a model made of models: only from the model's own folder, each scanned, all of them bounded."""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.base.sandbox import MOST_BYTES, as_utf8, check_size, scan_xml

MOST_FILES = 100
_COMP = re.compile(r"http://www\.sbml\.org/sbml/level3/version\d+/comp/version\d+\|(?:source)\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def gather(main: bytes, folder: Path) -> dict[str, str]:
    """Texts of all files that a model in UTF-8 uses, by their path relative to `folder`.

    Raises `UnsupportedFeature` for addresses on a network, and `InvalidModel` for files outside the folder (by a
    symbolic link too), for what is no readable file, for more than 100 files or 20 MiB in all.
    """
    found: dict[str, str] = {}
    ahead, size = [("", main)], len(main)
    home = folder.resolve()
    while ahead:
        here, data = ahead.pop()
        for source in _sources(data):
            place = _place(source, here)
            if place in found:
                continue
            if len(found) == MOST_FILES:
                raise InvalidModel(f"it uses more than {MOST_FILES} external files")
            other = _read(home, place, source)
            size += len(other)
            if size > MOST_BYTES:
                raise InvalidModel(f"its external files hold more than {MOST_BYTES // 2**20} MiB together")
            found[place] = other.decode()
            ahead.append((place, other))
    return found


def _place(source: str, here: str) -> str:
    if _SCHEME.match(source) or source.startswith("//"):
        raise UnsupportedFeature(
            "external model by its address",
            f"{source[:80]}: give a file of the model's own folder by its relative path",
        )
    from posixpath import dirname, join, normpath

    return normpath(join(dirname(here), source))


def _read(home: Path, place: str, source: str) -> bytes:
    where = f"external file {source[:80]!r}"
    try:
        path = (home / place).resolve()
        if not path.is_relative_to(home) or Path(place).is_absolute():
            raise InvalidModel(f"{where} is outside of the model's folder; put it beside the model")
        if not path.is_file():
            raise InvalidModel(f"{where} is not there, or no file")
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        check_size(data)
        return as_utf8(data, scan_xml(data).encoding)
    except (OSError, ValueError) as error:
        raise InvalidModel(f"{where} cannot be read ({error})") from None
    except InvalidModel as error:
        raise InvalidModel(str(error) if where in str(error) else f"{where}: {error}") from None


def _sources(data: bytes) -> list[str]:
    """What the external model definitions of a file name, in their order."""
    found: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition("|")[2] == "externalModelDefinition":
            found.extend(value for key, value in attributes.items() if _COMP.match(key))

    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartElementHandler = start
    parser.Parse(data, True)
    return found
