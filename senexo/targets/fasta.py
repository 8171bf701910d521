"""FASTA files, streamed: a whole transcriptome's 3'UTRs are never held at once."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from senexo.base.errors import Fault, InvalidInput
from senexo.base.files import no_plain_file
from senexo.targets.rna import MIR34, Mirna, rna

LONGEST_SEQUENCE = 20_000_000  # nucleotides; the longest human 3'UTRs have some 30,000
LONGEST_FILE = 4 * 2**30  # bytes unpacked: a .gz of a few MB can unpack to any size
PROTEIN = frozenset("EFILPQZefilpqz")  # letters that no nucleic acid has
BLOCK = 2**20


def read_fasta(path: str | Path) -> Iterator[tuple[str, str]]:
    """Read a FASTA file as a stream.

    Parameters
    ----------
    path
        The file, .gz too; DNA or RNA letters in either case, lines of any length.

    Yields
    ------
    (name, sequence)
        The first word after ">", and the sequence in RNA letters; ambiguous IUPAC codes become N.

    Raises
    ------
    InvalidInput
        With file, record and position: no file, no records, a record without letters, a name that occurs twice, letters
        of proteins, gaps.
    """
    file, seen = Path(path), set[str]()
    for number, (name, text) in enumerate(_records(file), start=1):
        where = f"{file.name}, record {number}" + (f" ({name})" if name else "")
        if not name:
            raise InvalidInput([Fault(where, "no name after '>'", "a name, for example >RAB27B")])
        if name in seen:
            raise InvalidInput([Fault(where, "a name that came before", "each name once")])
        if not text:
            raise InvalidInput([Fault(where, "no letters", "a sequence of A, C, G, U or T under its name")])
        if protein := PROTEIN.intersection(text):
            found = f"the letter {min(protein)!r}, as in a protein"
            raise InvalidInput([Fault(where, found, "nucleotides: A, C, G, U or T")])
        seen.add(name)
        yield name, rna(text, where=where)
    if not seen:
        raise InvalidInput([Fault(file.name, "no record", "at least one, which begins with '>NAME'")])


def read_mirbase(path: str | Path, name: str) -> Mirna:
    """One mature miRNA by its name or accession from a FASTA file as miRBase gives it.

    InvalidInput names the nearest names where it is not there.
    """
    import difflib

    file, known = Path(path), list[str]()
    for header, text in _headers(file):
        words = header.split()
        if not words:
            where = f"{file.name}, record {len(known) + 1}"
            raise InvalidInput([Fault(where, "no name after '>'", "a name, for example >hsa-miR-34c-5p")])
        accession = words[1] if len(words) > 1 else ""
        if name in (words[0], accession):
            return Mirna(words[0], rna(text, where=f"{file.name} ({words[0]})"), accession)
        known.append(words[0])
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    raise InvalidInput([Fault(file.name, f"no miRNA {name}", f"one of {', '.join(near)}" if near else "its name")])


def find_mirna(text: str, mirbase: str | Path | None = None) -> Mirna:
    """A miRNA by its name or its sequence.

    Parameters
    ----------
    text
        A name of the miR-34 family, a name or accession in `mirbase`, or a mature sequence of 16 to 30 nt.
    mirbase
        FASTA file of mature miRNAs as miRBase distributes it.

    Raises
    ------
    InvalidInput
        With the nearest names for one that is not there.

    Examples
    --------
    >>> find_mirna("hsa-miR-34c-5p").seed
    'GGCAGUG'
    """
    for mirna in MIR34:
        if text in (mirna.name, mirna.accession):
            return mirna
    if mirbase is not None and not set(text.upper()) <= set("ACGUT"):
        return read_mirbase(mirbase, text)
    if set(text.upper()) <= set("ACGUT"):
        return Mirna("miRNA", text)
    names = ", ".join(mirna.name for mirna in MIR34)
    expected = f"a mature sequence, one of {names}, or a name together with a miRBase file (--mirbase mature.fa)"
    raise InvalidInput([Fault("miRNA", repr(text), expected)])


def _records(file: Path) -> Iterator[tuple[str, str]]:
    for header, text in _headers(file):
        words = header.split()
        yield (words[0] if words else ""), text


def _headers(file: Path) -> Iterator[tuple[str, str]]:
    """Header line without '>' and the letters below it, joined; blank lines and comments (;) are passed over."""
    header: str | None = None
    parts, size = list[str](), 0
    for line in text_lines(file):
        if line.startswith(">"):
            if header is not None:
                yield header, "".join(parts)
            header, parts, size = line[1:].strip(), [], 0
        elif (text := line.strip()) and not text.startswith(";"):
            if header is None:
                raise InvalidInput([Fault(file.name, f"{text[:20]!r} before any name", "a line '>NAME' first")])
            size += len(text)
            if size > LONGEST_SEQUENCE:
                expected = f"at most {LONGEST_SEQUENCE:,} letters"
                raise InvalidInput([Fault(f"{file.name} ({header[:60]})", "a longer sequence", expected)])
            parts.append(text)
    if header is not None:
        yield header, "".join(parts)


@contextmanager
def unpacked(path: str | Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked if it is a .gz; what goes wrong becomes InvalidInput."""
    file = Path(path)
    try:
        if kind := no_plain_file(file):
            raise InvalidInput([Fault(str(file), kind, "a file to read")])
        with file.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                with gzip.open(raw) as stream:
                    yield cast(BinaryIO, stream)
            else:
                yield raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidInput([Fault(file.name, f"a broken gzip file ({error})", "a whole .gz file")]) from None
    except OSError as error:
        raise InvalidInput([Fault(str(file), (error.strerror or str(error)).lower(), "a file to read")]) from None


def text_lines(path: str | Path) -> Iterator[str]:
    """Lines of a text file without their ends, .gz too; lines longer than a megabyte in pieces."""
    with unpacked(path) as stream:
        yield from _pieces(Path(path), stream)


def _pieces(file: Path, stream: BinaryIO) -> Iterator[str]:
    total, within = 0, False  # within: this piece goes on with a line that was cut
    while piece := stream.readline(BLOCK):
        total += len(piece)
        if total > LONGEST_FILE:
            raise InvalidInput([Fault(file.name, "more than 4 GiB", "a smaller file")])
        try:
            text = piece.decode("ascii").rstrip("\r\n")
        except UnicodeDecodeError:
            name_line = piece.startswith(b">")
            if not name_line:
                found = "bytes that are no letters"
                raise InvalidInput([Fault(file.name, found, "a FASTA file in plain text")]) from None
            text = piece.decode("utf-8", "replace").rstrip("\r\n")
        if within and text.startswith(">"):
            raise InvalidInput([Fault(file.name, "'>' inside a line", "'>' at the beginning of a line only")])
        within = not piece.endswith(b"\n")
        yield text
