"""Run what a page shows, in the current folder: a command, a Python block, a TOML block as part of a study."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from doc_pages import ROOT, Block, Command

SHORT = """
title = "A short study"

[model]
circuit = "{circuit}"

[cells.LSC]
n = 10
{more_cells}

[donors]
n = 2

[culture]
duration = "7 d"

[arms.mock]

[arms.scrambled]
dose = {{ what = "scrambled", amount = 3000 }}

[arms.mimic]
dose = {{ what = "miR-34c-5p", amount = 3000 }}
"""
MORE_CELLS = {"mir34c-rab27b": "", "mir34c-rab27b-cells": "\n[cells.MSC]\nn = 0\n"}


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def both(self) -> str:
        return self.out + self.err


Typed = Callable[[list[str]], Printed]


def typist(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Typed:
    """A function that runs `senexo ...` or `python -m MODULE ...` in this process, as `python -m` would."""

    def run(words: list[str]) -> Printed:
        if words[0] == "senexo":
            module, behind = "senexo", words[1:]
        elif words[:2] == ["python", "-m"] and words[2].partition(".")[0] == "senexo":
            module, behind = words[2], words[3:]
        else:
            pytest.fail(
                f"found the program {shlex.join(words)!r}, expected senexo or a directive that says why not run"
            )
        monkeypatch.setattr(sys, "argv", [module, *behind])
        capfd.readouterr()
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            status = 0
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        printed = Printed(status, *capfd.readouterr())
        assert "Traceback" not in printed.err
        return printed

    return run


def run_commands(block: Block, typed: Typed) -> None:
    """Every command of a block in its order: its output folder or file is there, its output as shown.

    The exit status is 0, but 2 where the block shows a message that begins with `senexo: `.
    """
    for command in block.commands():
        if command.skipped:
            continue
        words = command.words
        printed = typed(words)
        refused = any(line.startswith("senexo: ") for line in command.shown)
        assert printed.status == (2 if refused else 0), f"{block.place}: {command.typed}\n{printed.both}"
        if "--out" in words:
            assert Path(words[words.index("--out") + 1]).exists(), f"{block.place}: {command.typed} left no --out"
        compare(command, printed.both, block.place)


def compare(command: Command, printed: str, place: str) -> None:
    """What is shown is printed, line by line and in this order; `...` stands for any lines left out.

    Empty lines do not count.
    """
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    start = 0
    for passage in passages(command.shown):
        fits = [at for at in range(start, len(lines) - len(passage) + 1) if lines[at : at + len(passage)] == passage]
        assert fits, f"{place}: {command.typed} does not print\n" + "\n".join(passage) + f"\nbut\n{printed}"
        start = fits[0] + len(passage)


def passages(shown: tuple[str, ...]) -> list[list[str]]:
    """The shown lines cut at `...`, without empty ones."""
    found: list[list[str]] = [[]]
    for line in shown:
        if line.strip() == "...":
            found.append([])
        elif line.strip():
            found[-1].append(line.rstrip())
    return [passage for passage in found if passage]


def run_python(block: Block, capfd: pytest.CaptureFixture[str]) -> None:
    """Execute a Python block; a comment `# prints: TEXT` says how what its line prints begins (up to `...`)."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    capfd.readouterr()
    exec(compile("\n" * block.line + block.text, str(ROOT / block.page), "exec"), namespace)
    printed = capfd.readouterr().out.splitlines()
    for shown in re.findall(r"# prints: (.+)$", block.text, re.MULTILINE):
        beginning = shown.removesuffix("...").rstrip()
        assert any(line.startswith(beginning) for line in printed), f"{block.place}: {shown!r} is not among {printed}"


def study_of(block: Block, folder: Path) -> Path:
    """A study file that holds the block: as it stands, or merged into a short study where it is a part of one."""
    part = tomllib.loads(block.text)
    whole = part
    if not {"model", "cells", "culture", "arms"} <= set(part):
        circuit = next(iter(block.of("part of a study on")), "mir34c-rab27b")
        whole = tomllib.loads(SHORT.format(circuit=circuit, more_cells=MORE_CELLS[circuit]))
        for key, value in part.items():
            whole[key] = {**whole[key], **value} if key in ("model", "donors", "culture") else value
    path = folder / "page.toml"
    path.write_text(toml_of(whole), encoding="utf-8")
    return path


def toml_of(content: dict[str, Any]) -> str:
    """A study as TOML: one line for each key of its tables; inline tables below."""
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            lines += [f"{_key(key)}.{_key(inner)} = {_inline(entry)}" for inner, entry in value.items()]
        else:
            lines.append(f"{_key(key)} = {_inline(value)}")
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name) else f"'{name}'"


def _inline(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{_key(key)} = {_inline(entry)}" for key, entry in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return repr(value)
