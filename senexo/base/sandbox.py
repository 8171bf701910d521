"""Isolation of foreign model files: a scan of XML, and parsing in a child process with limited resources.

The libraries that parse SBML and Antimony are C++ and crash on hostile input (deep nesting ends in SIGSEGV),
so they run in a child with limits on memory, time and files. The child returns JSON, never a pickle, and the
caller checks it before use.
"""

from __future__ import annotations

import codecs
import json
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.base.parser_child import BOOT, MEMORY_BYTES, has_limits
from senexo.base.parser_host import HostedChild, start

MOST_BYTES = 20 * 2**20
MOST_DEPTH = 256
MOST_ELEMENTS = 500_000
SECONDS = 25  # of the processor: what a model costs, however busy the machine is
MOST_WAITING = 600  # seconds by the clock, for a child that does nothing at all
MOST_REPLY_BYTES = 512 * 2**20

_DECLARATION = re.compile(r"\A<\?xml\b.*?\?>", re.DOTALL)


@dataclass
class Scan:
    """What `scan_xml` found: encoding, root element, its attributes (``namespace|name``), elements and their depth."""

    encoding: str = "UTF-8"
    root: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    elements: int = 0
    depth: int = 0


def scan_xml(data: bytes) -> Scan:
    """Refuse hostile or broken XML before a library builds a tree of it.

    Parameters
    ----------
    data
        The bytes of the file.

    Returns
    -------
    Scan

    Raises
    ------
    InvalidModel
        With the line: a DOCTYPE (which could define entities), nesting above 256, more than 500,000 elements, more than
        20 MiB, no well-formed XML. The scan stops at the first fault.

    Examples
    --------
    >>> scan_xml(b'<sbml xmlns="urn:x" level="3"/>').root
    'urn:x|sbml'
    """
    check_size(data)
    scan = Scan()
    open_now = 0
    parser = expat.ParserCreate(namespace_separator="|")

    def refuse(why: str) -> InvalidModel:
        return InvalidModel(f"line {parser.CurrentLineNumber}: {why}")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal open_now
        open_now += 1
        scan.elements += 1
        scan.depth = max(scan.depth, open_now)
        if open_now > MOST_DEPTH:
            raise refuse(f"elements are nested more than {MOST_DEPTH} deep")
        if scan.elements > MOST_ELEMENTS:
            raise refuse(f"more than {MOST_ELEMENTS:,} elements")
        if scan.elements == 1:
            scan.root, scan.attributes = name, attributes

    def end(name: str) -> None:
        nonlocal open_now
        open_now -= 1

    def doctype(*_: object) -> None:
        raise refuse("a DOCTYPE is not allowed (it can define entities that grow without bound or read files)")

    def declaration(version: str, encoding: str | None, standalone: int) -> None:
        scan.encoding = encoding or scan.encoding

    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        scan.encoding = "UTF-16"
    parser.XmlDeclHandler = declaration
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InvalidModel(f"line {error.lineno}: not well-formed XML ({expat.ErrorString(error.code)})") from None
    except (ValueError, LookupError) as error:
        raise InvalidModel(f"line {parser.CurrentLineNumber}: cannot be decoded ({error})") from None
    return scan


def as_utf8(data: bytes, encoding: str) -> bytes:
    """XML re-encoded in UTF-8, its declaration included.

    Examples
    --------
    >>> as_utf8("<a>\xb5</a>".encode("latin-1"), "ISO-8859-1").decode()
    '<?xml version="1.0" encoding="UTF-8"?><a>\xb5</a>'
    """
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except (UnicodeError, LookupError) as error:
        raise InvalidModel(f"cannot be decoded as {encoding} ({error})") from None
    return ('<?xml version="1.0" encoding="UTF-8"?>' + _DECLARATION.sub("", text, count=1)).encode()


def check_size(data: bytes) -> None:
    """Refuse files that are empty, too large, or compressed."""
    if len(data) > MOST_BYTES:
        raise InvalidModel(f"the file is larger than {MOST_BYTES // 2**20} MiB")
    if not data.strip():
        raise InvalidModel("the file is empty")
    if data.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")):
        raise InvalidModel("the file is compressed; unpack it first")


def call(task: str, payload: bytes, *arguments: str, hosted: bool = True) -> Any:
    """Run a function in a child process with limited resources.

    The child may use 2 GiB of memory and 25 s of processor time. Once it has loaded its libraries it can neither open
    nor write a file nor start a process. Where the platform has no `resource` module, it may take 25 s by the clock.

    Parameters
    ----------
    task
        ``module:function``; it is called as ``function(payload, *arguments)``.
    payload
        The bytes of the foreign file.
    *arguments
        Further texts.
    hosted
        Whether the child may be forked by a process that has loaded the libraries of other tasks too.

    Returns
    -------
    object
        The function's result, sent as JSON.

    Raises
    ------
    InvalidModel, UnsupportedFeature
        As raised in the child; InvalidModel also where the child dies.
    """
    process = _started(task, arguments, hosted=hosted)
    timer = threading.Timer(MOST_WAITING if has_limits() else SECONDS, process.kill)
    timer.start()
    try:
        reply = _exchange(process, payload)
    finally:
        timer.cancel()
        process.kill()
        status = process.wait()
    if not reply:
        raise InvalidModel(f"cannot be read: {_death(status)}")
    return _opened(reply)


def _started(task: str, arguments: tuple[str, ...], *, hosted: bool) -> subprocess.Popen[bytes] | HostedChild:
    """The child: forked by a process that has loaded the libraries, or a process that loads them first."""
    path = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
    command = [sys.executable, "-I", "-S", "-c", BOOT, json.dumps(path), task, str(SECONDS), *arguments]
    pipe = subprocess.PIPE
    try:
        forked = start(path, task, SECONDS, arguments) if hosted else None
        return forked or subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise InvalidModel(f"cannot be read: the parser's process does not start ({error.strerror})") from None


def _exchange(process: subprocess.Popen[bytes] | HostedChild, payload: bytes) -> bytes:
    """Send everything, then read everything: the child answers only after it has read its whole input."""
    assert process.stdin is not None
    assert process.stdout is not None
    # A child that dies early breaks the pipe: at the write, or when closing writes what was left.
    with suppress(BrokenPipeError), process.stdin:
        process.stdin.write(payload)
    with process.stdout:
        reply = process.stdout.read(MOST_REPLY_BYTES + 1)
    if len(reply) > MOST_REPLY_BYTES:
        raise InvalidModel("cannot be read: what it unfolds to is too large")
    process.wait()
    return reply


def _death(code: int) -> str:
    limits = f"it needs more than {MEMORY_BYTES // 2**30} GiB of memory or {SECONDS} s, or breaks the parser"
    if -code == getattr(signal, "SIGXCPU", None):
        return f"it needs more than {SECONDS} s of processor time"
    if code >= 0:
        return f"the parser ended without an answer ({limits})"
    return f"the parser was stopped by {signal.Signals(-code).name} ({limits})"


def _opened(reply: bytes) -> Any:
    try:
        message = json.loads(reply)
        kind, content = message["kind"], message["content"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise InvalidModel("cannot be read: the parser's answer is garbled") from None
    if kind == "result":
        return content
    if kind == "unsupported":
        raise UnsupportedFeature(str(content[0]), str(content[1]))
    raise InvalidModel(str(content))
