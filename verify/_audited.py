"""What runs in the limited child when models are read there under watch; `verify._audit` calls it."""

from __future__ import annotations

import base64
import json
import sys

from senexo.base.errors import SenexoError
from senexo.model import antimony_read, sbml_read
from senexo.model.plain import from_plain

WATCHED = ("exec", "compile", "open", "import", "subprocess.", "os.", "socket.", "ctypes.", "pickle.", "shutil.")
READERS = {"sbml": sbml_read.read_plain, "antimony": antimony_read.read_plain}


def read_all(payload: bytes) -> dict[str, object]:
    """Read models one after the other; every watched event, allowed or not, and how many models were refused.

    payload: JSON list of [reader, model in base64]. The first model is read before the watch begins: what Python itself
    loads at the first use of a library is not what is looked for.
    """
    models = [(READERS[name], base64.b64decode(data)) for name, data in json.loads(payload)]
    seen: list[str] = []
    watching = refused = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event.startswith(WATCHED):
            seen.append(f"{event} {arguments!r}"[:200])

    sys.addaudithook(hook)
    for read, data in [models[0], *models]:
        try:
            from_plain(read(data))
        except SenexoError:
            refused += watching
        watching = 1
    return {"seen": list(seen), "refused": refused}  # a copy: the answer itself is written through a new file object


def compiles(payload: bytes) -> None:
    """A reader that the watch must see: it compiles its input."""
    compile(payload, "model", "exec")


READERS["compiles"] = compiles  # type: ignore[assignment]
