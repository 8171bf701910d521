"""The pages of the project and what stands in them: fenced blocks with their directives, code spans, links.

A directive is an HTML comment on a line of its own directly above a block:

    <!-- not run: REASON -->                  the block is not run
    <!-- not run: `COMMAND`: REASON -->       one command of it is not run
    <!-- run with: OPTIONS -->                its one command is run with these options behind it
    <!-- run with: `COMMAND` OPTIONS -->      one of its commands is
    <!-- part of a study on: CIRCUIT -->      the TOML block completes a short study on this circuit
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "spec", "examples", ".github")
LANGUAGES = ("bash", "console", "python", "toml", "text")
DIRECTIVES = ("not run", "run with", "part of a study on")


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is typed, and the options that a test appends to shorten it."""

    typed: str
    more: str = ""
    shown: tuple[str, ...] = ()  # what a console block shows below it
    skipped: str = ""  # why it is not run

    @property
    def words(self) -> list[str]:
        return [*shlex.split(self.typed, comments=True), *shlex.split(self.more)]


@dataclass(slots=True)
class Block:
    """One fenced block: page, line of its fence, language, text, directives as (name, text)."""

    page: str
    line: int
    language: str
    text: str
    directives: list[tuple[str, str]] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    def of(self, name: str) -> list[str]:
        return [text for known, text in self.directives if known == name]

    @property
    def skipped(self) -> str:
        """Why the whole block is not run; empty where it is."""
        return next((text for text in self.of("not run") if not text.startswith("`")), "")

    def commands(self) -> list[Command]:
        """The commands of a bash or console block, each with its own directives."""
        typed = _console(self.text) if self.language == "console" else [(line, ()) for line in _lines(self.text)]
        more, skipped = dict[str, str](), dict[str, str]()
        for text in self.of("run with"):
            command, options = _quoted(text) if text.startswith("`") else (typed[0][0], text)
            more[_plain(command)] = options
        for text in self.of("not run"):
            if text.startswith("`"):
                command, reason = _quoted(text)
                skipped[_plain(command)] = reason.lstrip(": ")
        left = {*more, *skipped} - {_plain(line) for line, _ in typed}
        assert not left, f"{self.place}: a directive names {left}, which the block does not hold"
        return [
            Command(line, more.get(_plain(line), ""), shown, skipped.get(_plain(line), "")) for line, shown in typed
        ]


def _plain(command: str) -> str:
    return shlex.join(shlex.split(command, comments=True))


def _quoted(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"`([^`]+)`:? *(.*)", text)
    assert found, f"expected `COMMAND` and text, found {text!r}"
    return found[1], found[2]


def _lines(text: str) -> list[str]:
    """Lines with those that end in a backslash joined to the next; empty lines and comments left out."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _console(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Commands behind `$ `, each with the lines shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            assert found, f"a console block begins with {line!r} in place of a command"
            found[-1][1].append(line)
    return [(command, tuple(shown)) for command, shown in found]


def pages() -> list[Path]:
    """All pages of the project, those of its top folder first."""
    return [*sorted(ROOT.glob("*.md")), *(page for folder in FOLDERS for page in sorted((ROOT / folder).rglob("*.md")))]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks() -> list[Block]:
    """Every fenced block of every page."""
    return [block for page in pages() for block in blocks_of(name(page), page.read_text(encoding="utf-8"))]


def blocks_of(page: str, text: str) -> list[Block]:
    """The fenced blocks of one page; AssertionError for a fence that is never closed or a directive without a block."""
    found: list[Block] = []
    waiting: list[tuple[str, str]] = []
    open_block: Block | None = None
    body: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if open_block is not None:
            if line.startswith("```"):
                open_block.text = "\n".join(body) + "\n"
                found.append(open_block)
                open_block, body = None, []
            else:
                body.append(line)
        elif line.startswith("```"):
            open_block = Block(page, number, line[3:].strip(), "", waiting)
            waiting = []
        elif line == "<!-- tree -->":
            continue
        elif comment := re.fullmatch(r"<!-- ([a-z ]+): (.+) -->", line.strip()):
            assert comment[1] in DIRECTIVES, f"{page}:{number}: unknown directive {comment[1]!r}"
            waiting.append((comment[1], comment[2]))
        else:
            assert not waiting, f"{page}:{number}: a directive stands above no block"
    assert open_block is None, f"{page}: the block at line {open_block and open_block.line} is never closed"
    return found


def prose(text: str) -> str:
    """The text of a page without its fenced blocks and comments."""
    without = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->", "", without, flags=re.DOTALL)


def spans(text: str) -> list[str]:
    """The code spans of a page's prose."""
    return [span.replace("\n", " ") for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text))]
