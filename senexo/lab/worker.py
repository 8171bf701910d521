"""A process of its own that simulates units of one study, with one thread.

The parent writes the study, then one unit after the other to the child's input, and reads the arrays of each from its
output. So a script needs no guard around its main part, as it would with `multiprocessing`, and a killed child is the
end of a stream and nothing else.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from senexo.base import threads
from senexo.base.errors import LimitReached, SenexoError, SimulationError
from senexo.base.store import pack, unpack
from senexo.lab.limits import NO_LIMITS, WellLimits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from senexo.lab.experiment import Unit
    from senexo.study.schema import Study

TRIES = 3  # of one unit, each in another process
PARENT_S = 1.0  # between two looks whether the parent is alive
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from senexo.lab.worker import serve; serve()"


class Worker:
    """A child that simulates units of a study; it starts with its first unit, and again after it was killed.

    It is sent pickles, and answers with a line of JSON and the bytes of `senexo.base.store.pack`.
    """

    def __init__(self, study: Study, limits: WellLimits = NO_LIMITS) -> None:
        self._study = pickle.dumps((study, limits))
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._closed = False

    def simulate(self, unit: Unit) -> dict[str, NDArray[Any]]:
        """The arrays of a unit.

        Raises
        ------
        LimitReached
            The unit reached one of the limits.
        SimulationError
            The simulation failed, or `TRIES` processes died over it.
        EOFError
            The worker was closed.
        """
        for _ in range(TRIES):
            try:
                return self._ask(unit)
            except (EOFError, OSError, ValueError):  # a stream that ended, was closed, or ends within a line
                if self._closed:
                    raise EOFError from None
                self._end()
        raise SimulationError(f"{TRIES} processes ended while they simulated {unit.chunk}: {self._last_words()}")

    def close(self) -> None:
        """End the child at once; its unit is dropped."""
        self._closed = True
        self._end()

    def _ask(self, unit: Unit) -> dict[str, NDArray[Any]]:
        process = self._process or self._start()
        if self._closed:  # while it started
            _ended()
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump(unit, process.stdin)
        process.stdin.flush()
        kind, failure, size = json.loads(process.stdout.readline() or "[]") or _ended()
        content = process.stdout.read(size)
        if len(content) < size:
            _ended()
        if failure:
            raise (LimitReached if kind == LimitReached.__name__ else SimulationError)(failure)
        return unpack(content)

    def _start(self) -> subprocess.Popen[bytes]:
        path = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
        process = self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, json.dumps(path), str(os.getpid())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=threads.of_one(),
            start_new_session=True,  # Ctrl-C of a terminal reaches the parent alone, which ends its children
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(self._study)
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    assert stream is not None
                    stream.close()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read()[-2000:].decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "killed, perhaps because memory ran out; fewer --workers need less"


def _ended() -> NoReturn:
    raise EOFError


def serve() -> None:
    """The child: a study, then units, from standard input; arrays or a failure to standard output."""
    from senexo.lab.registry import experiment_of

    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    study, limits = pickle.load(source)  # noqa: S301 - written by the parent
    experiment = experiment_of(study)
    experiment.limit(limits)
    experiment.compile()
    while True:
        try:
            unit = pickle.load(source)  # noqa: S301
        except EOFError:
            return
        content, failure, kind = b"", "", ""
        try:
            content = pack(experiment.simulate_unit(unit, lambda: False))
        except SenexoError as error:
            failure, kind = str(error), type(error).__name__
        except Exception:
            failure = traceback.format_exc()
        answers.write(json.dumps([kind, failure, len(content)]).encode() + b"\n" + content)
        answers.flush()


def _end_with(parent: int) -> None:
    """End this process when its parent has gone: a unit may take long, and its arrays would not be read."""
    while os.getppid() == parent:
        time.sleep(PARENT_S)
    os._exit(1)
