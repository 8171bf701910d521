"""Watch Python's audit events while hostile models are read: `python -m verify._audit FOLDER COUNT`.

First through the door (`load`: a scan here, parsing in the limited child), watched in this process; then COUNT models
in the limited child, watched there. Prints as JSON every event that was not allowed.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from senexo.base.errors import SenexoError
from senexo.base.parser_child import BOOT
from senexo.base.parser_host import BOOT as HOST
from senexo.base.sandbox import call
from senexo.model.loading import load
from verify._audited import WATCHED
from verify._hostile import Case, cases, parameter, parameters, sbml

BATCH = 500  # models for one child, whose processor time is limited


def main(folder: Path, count: int) -> None:
    chosen = [c for c in cases() if not c.slow and any(word in c.name for word in ("the id", "Antimony", "the value"))]
    for i, case in enumerate(chosen):
        (folder / str(i)).mkdir()
        (folder / str(i) / case.file).write_bytes(case.data)
    # What Python itself loads on first use is not what is looked for.
    for name, text in (("warm.xml", sbml(parameters(parameter()))), ("warm.ant", "k = 1"), ("bad.xml", "<sbml/>")):
        (folder / name).write_text(text)
        attempt(folder / name)

    seen: list[tuple[str, str]] = []
    watching = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event.startswith(WATCHED) and not allowed(event, arguments, folder):
            seen.append((event, repr(arguments)[:200]))

    sys.addaudithook(hook)
    wrong = [case.name for i, case in enumerate(chosen) if attempt(folder / str(i) / case.file) != case.outcome]
    watching = False
    named = [case for case in chosen if "the id" in case.name and b"&#0;" not in case.data]
    named += [case for case in chosen if case.name in ("Antimony: import", "Antimony: nonsense", "Antimony: no end")]
    models = list(islice(cycle(named), count))
    refused = 0
    for first in range(0, count, BATCH):
        found = in_the_child(models[first : first + BATCH])
        seen += [("in the child", event) for event in found["seen"]]
        refused += found["refused"]
    wrong += [f"{count - refused} models accepted in the child"] * (refused != count)
    sys.stdout.write(json.dumps({"seen": seen, "wrong": wrong, "tried": len(chosen) + count}))


def in_the_child(models: list[Case]) -> dict[str, Any]:
    """What `verify._audited.read_all` saw in one child."""
    listed = [
        ("sbml" if case.file.endswith(".xml") else "antimony", base64.b64encode(case.data).decode()) for case in models
    ]
    found: dict[str, Any] = call("verify._audited:read_all", json.dumps(listed).encode())
    return found


def attempt(path: Path) -> str:
    try:
        load(path)
    except SenexoError:
        return "refused"
    return "accepted"


def allowed(event: str, arguments: tuple[object, ...], folder: Path) -> bool:
    """The child's own start, its pipes and socket, and reading the model's file."""
    match event, arguments:
        case "open", (int(), _, _):
            return True
        case "open", (path, _, int(flags)):
            writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return path == os.devnull or (str(path).startswith(str(folder)) and not writing)
        case "subprocess.Popen", (_, [*command], _, _):
            return command[:4] == [sys.executable, "-I", "-S", "-c"] and command[4] in (BOOT, HOST)
        case "socket.sendmsg", (socket.socket() as door, _):  # to the host that forks the children
            return door.family == socket.AF_UNIX
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
