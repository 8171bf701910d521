"""COMBINE archives (OMEX): a zip with manifest.xml; read with limits, into memory, never unpacked onto the disk.

Source: OMEX Version 1, doi 10.1186/s12859-014-0369-z.
"""

from __future__ import annotations

import io
import posixpath
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from senexo.base.errors import InvalidModel
from senexo.base.files import no_plain_file
from senexo.base.sandbox import scan_xml

MOST_ARCHIVE = 512 * 2**20  # bytes, packed and unpacked
MOST_ENTRIES = 10_000
MOST_NAME = 1_000
MANIFEST = "manifest.xml"
_NAMESPACE = "http://identifiers.org/combine.specifications/omex-manifest"
FORMATS = {
    "omex": "http://identifiers.org/combine.specifications/omex",
    "manifest": _NAMESPACE,
    "sbml": "http://identifiers.org/combine.specifications/sbml",
    "sed-ml": "http://identifiers.org/combine.specifications/sed-ml",
    "md": "http://purl.org/NET/mediatypes/text/markdown",
    "json": "http://purl.org/NET/mediatypes/application/json",
    "toml": "http://purl.org/NET/mediatypes/application/toml",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A file of an archive: its place, its format (a URI), and whether it is where to begin."""

    location: str
    format: str
    master: bool = False


class Archive:
    """A COMBINE archive, open for reading.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InvalidModel
        No zip; entries that leave the archive, are links, encrypted or twice there; more than 512 MiB or 10,000
        entries; no manifest, or one that is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if kind := no_plain_file(path):
                raise InvalidModel(f"{path}: found {kind}, expected a COMBINE archive")
            if path.stat().st_size > MOST_ARCHIVE:
                raise InvalidModel(f"{path}: larger than {MOST_ARCHIVE // 2**20} MiB")
            self.zip = zipfile.ZipFile(path)
            self.entries = dict(_checked(path, self.zip.infolist()))
        except OSError as error:
            raise InvalidModel(f"{path}: cannot be read ({error.strerror or error})") from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise InvalidModel(f"{path}: not a COMBINE archive, which is a zip file ({error})") from None
        self.contents = tuple(_manifest(path, self.read(MANIFEST)))

    def read(self, location: str) -> bytes:
        """The bytes of a file; raises `InvalidModel` where it is not there or does not unpack to its stated size."""
        if location not in self.entries:
            near = ", ".join(sorted(self.entries)[:5])
            raise InvalidModel(f"{self.path}: there is no {location[:200]!r} in it (there are {near}, ...)")
        entry = self.entries[location]
        try:
            with self.zip.open(entry) as stream:
                data = stream.read(entry.file_size + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            ValueError,
            OSError,
            RuntimeError,
        ) as error:
            raise InvalidModel(f"{self.path}: {location[:200]!r} cannot be unpacked ({error})") from None
        if len(data) != entry.file_size:
            raise InvalidModel(f"{self.path}: {location[:200]!r} is not of the size that is stated")
        return data

    def experiments(self) -> list[str]:
        """Places of the SED-ML documents: those marked as where to begin, or else all."""
        sedml = [one for one in self.contents if "sed-ml" in one.format.lower()]
        return [one.location for one in sedml if one.master] or [one.location for one in sedml]

    def close(self) -> None:
        self.zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checked(path: Path, entries: list[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    if len(entries) > MOST_ENTRIES:
        raise InvalidModel(f"{path}: {len(entries):,} entries, at most {MOST_ENTRIES:,}")
    total, seen = 0, set[str]()
    for entry in entries:
        if entry.is_dir():
            continue
        name = entry.filename
        where = f"{path}: entry {name[:200]!r}"
        if place_of(name) != name:
            raise InvalidModel(f"{where}: its name leaves the archive, or is not one of a plain file")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InvalidModel(f"{where}: a link")
        if entry.flag_bits & 1:
            raise InvalidModel(f"{where}: encrypted")
        if name in seen:
            raise InvalidModel(f"{where}: twice there")
        seen.add(name)
        total += entry.file_size
        if total > MOST_ARCHIVE:
            raise InvalidModel(f"{path}: unpacks to more than {MOST_ARCHIVE // 2**20} MiB")
        yield name, entry


def place_of(location: str) -> str | None:
    """A location in an archive as the name of an entry; None for what is not inside it.

    >>> place_of("./a/b.xml"), place_of("../b.xml"), place_of("/etc/passwd")
    ('a/b.xml', None, None)
    """
    if len(location) > MOST_NAME or location.startswith("/") or any(c in location for c in "\\:\0"):
        return None
    place = posixpath.normpath(location)
    return None if place in (".", "..") or place.startswith("../") else place


def _manifest(path: Path, data: bytes) -> Iterator[Content]:
    try:
        scan_xml(data)
    except InvalidModel as error:
        raise InvalidModel(f"{path}, {MANIFEST}: {error}") from None
    root = ElementTree.fromstring(data)
    if root.tag.rpartition("}")[2] != "omexManifest":
        raise InvalidModel(f"{path}, {MANIFEST}: its first element is not omexManifest")
    for element in root:
        if not isinstance(element.tag, str) or element.tag.rpartition("}")[2] != "content":
            continue
        location, format = element.get("location", ""), element.get("format", "")
        place = place_of(location)
        if location in (".", "./") or place == MANIFEST:
            continue
        if place is None:
            raise InvalidModel(f"{path}, {MANIFEST}: the location {location[:200]!r} is not inside the archive")
        yield Content(place, format, element.get("master", "false").strip().lower() in ("true", "1"))


def archive_bytes(files: Mapping[str, tuple[bytes, str]], *, master: str | None = None) -> bytes:
    """A COMBINE archive; the same files give the same bytes.

    Parameters
    ----------
    files
        Place -> bytes and format, a key of `FORMATS` or a URI.
    master
        The file with which to begin.
    """
    root = ElementTree.Element("omexManifest", xmlns=_NAMESPACE)
    ElementTree.SubElement(root, "content", location=".", format=FORMATS["omex"])
    ElementTree.SubElement(root, "content", location=f"./{MANIFEST}", format=FORMATS["manifest"])
    for place, (_, format) in files.items():
        element = ElementTree.SubElement(root, "content", location=f"./{place}", format=FORMATS.get(format, format))
        if place == master:
            element.set("master", "true")
    ElementTree.indent(root)
    manifest = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, data in [(MANIFEST, manifest), *((place, data) for place, (data, _) in files.items())]:
            entry = zipfile.ZipInfo(place, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return stream.getvalue()
