"""Actions of a compromised parser; `test_sandbox` runs them in the limited child."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

from senexo.base.errors import InvalidModel, UnsupportedFeature


def echo(payload: bytes, *arguments: str) -> list[object]:
    return [payload.decode(), *arguments]


def segfault(payload: bytes) -> None:
    ctypes.string_at(0)


def kill(payload: bytes) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(payload: bytes) -> None:
    os._exit(0)


def wait(payload: bytes) -> str:
    time.sleep(float(payload))
    return "done"


def spin(payload: bytes) -> None:
    while True:
        pass


def eat_memory(payload: bytes) -> int:
    return len(bytearray(3 * 2**30))


def recurse(payload: bytes) -> None:
    recurse(payload)


def print_noise(payload: bytes) -> str:
    os.write(1, b'{"kind": "result", "content": "forged"}')
    return "true"


def read_file(payload: bytes) -> str:
    return Path(payload.decode()).read_text()


def write_file(payload: bytes) -> None:
    Path(payload.decode()).write_text("owned")


def start_process(payload: bytes) -> None:
    subprocess.run(["true"], check=True)


def raise_unsupported(payload: bytes) -> None:
    raise UnsupportedFeature("algebraic rule", "line 3")


def raise_invalid(payload: bytes) -> None:
    raise InvalidModel("line 4: no")


def answer_an_object(payload: bytes) -> object:
    return object()


def parent(payload: bytes) -> int:
    """The host where a host forked this child."""
    return os.getppid()


_SEEN: list[bytes] = []


def remember(payload: bytes) -> str:
    _SEEN.append(payload)
    return b"".join(_SEEN[:-1]).decode()


def sockets(payload: bytes) -> list[int]:
    """Descriptors of this process that are sockets."""
    found = []
    for number in range(256):
        try:
            found += [number] if stat.S_ISSOCK(os.fstat(number).st_mode) else []
        except OSError:
            continue
    return found
