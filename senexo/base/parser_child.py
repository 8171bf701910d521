"""What runs in the child that parses a foreign file: libraries are loaded, limits are set, then the file is read."""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import os
import sys
import time
from collections.abc import Sequence

from senexo.base.errors import SenexoError, UnsupportedFeature

MEMORY_BYTES = 2 * 2**30

# The child sees the parent's own search path and nothing else of its surroundings: no site hooks, no
# PYTHON* variables, no current folder.
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from senexo.base.parser_child import parse; "
    "parse(sys.argv[2], int(sys.argv[3]), sys.argv[4:])"
)


def parse(task: str, seconds: int, arguments: Sequence[str]) -> None:
    """The child's whole life. Libraries are loaded before the limits close the door to files."""
    module, _, name = task.partition(":")
    function = getattr(importlib.import_module(module), name)
    # Parsers print to standard output; the answer goes through a copy of it that they do not know.
    answer = os.dup(1)
    os.dup2(2, 1)
    _limit(seconds)
    payload = sys.stdin.buffer.read()
    try:
        message = {"kind": "result", "content": function(payload, *arguments)}
    except UnsupportedFeature as error:
        message = {"kind": "unsupported", "content": [error.feature, error.detail]}
    except SenexoError as error:
        message = {"kind": "invalid", "content": str(error)}
    except MemoryError:
        message = {"kind": "invalid", "content": f"needs more than {MEMORY_BYTES // 2**30} GiB of memory"}
    except RecursionError:
        message = {"kind": "invalid", "content": "is nested too deep"}
    except Exception as error:  # the parent turns any way of failing into one message
        message = {"kind": "invalid", "content": f"the parser failed: {type(error).__name__}: {error}"}
    with os.fdopen(answer, "wb") as stream:
        stream.write(json.dumps(message).encode())
    # The libraries' own clean-up can be slow or crash on what they were fed; nothing is left to save.
    os._exit(0)


def has_limits() -> bool:
    return importlib.util.find_spec("resource") is not None  # not on Windows


def _limit(seconds: int) -> None:
    """Close the door: memory, files, processes, and `seconds` of processor time from now on."""
    if not has_limits():  # only the parent's timer holds
        return
    import resource

    wanted = {
        "RLIMIT_AS": MEMORY_BYTES,
        "RLIMIT_CPU": seconds + math.ceil(time.process_time()),  # what loading the libraries took is not the model's
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NOFILE": 0,
        "RLIMIT_NPROC": 0,
    }
    for name, limit in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        ceiling = resource.getrlimit(number)[1]
        if ceiling != resource.RLIM_INFINITY:
            limit = min(limit, ceiling)
        try:
            # a process at its soft limit of time gets SIGXCPU, which says why; at the hard one SIGKILL
            hard = limit + 5 if name == "RLIMIT_CPU" and ceiling == resource.RLIM_INFINITY else limit
            resource.setrlimit(number, (limit, hard))
        except (ValueError, OSError):  # a limit this platform lists but does not let us lower (RLIMIT_AS on macOS)
            continue
