"""A process that has loaded the parsers and forks a child for each file: a start of some milliseconds, on Linux.

The host never sees what is parsed. It gets the task and the two ends of pipes over a socket, forks, and says the
number of the child and how it ended. It ends with the process that started it.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from senexo.base.parser_child import parse

MOST_MESSAGE = 65_536
BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from senexo.base.parser_host import serve; serve()"


class HostedChild:
    """A forked child, as `subprocess.Popen` shows one: its input, its output, how it ended."""

    def __init__(self, host: Host, pid: int, input_end: int, output_end: int) -> None:
        self._host, self.pid = host, pid
        self.stdin, self.stdout = os.fdopen(input_end, "wb"), os.fdopen(output_end, "rb")
        self.returncode: int | None = None

    def kill(self) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = self._host.ended()
        return self.returncode


class Host:
    """The parser host of this process and this search path; one child at a time."""

    def __init__(self, path: list[str]) -> None:
        self.owner, self.path, self._busy = os.getpid(), path, threading.Lock()
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BOOT, json.dumps(path), str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self.close)

    def start(self, task: str, seconds: int, arguments: tuple[str, ...]) -> HostedChild | None:
        """A child for a task; None where the host has one already, or has ended."""
        message = json.dumps([task, seconds, arguments]).encode()
        if len(message) >= MOST_MESSAGE or not self._busy.acquire(blocking=False):
            return None
        theirs, ours = [0, 0], [0, 0]
        theirs[0], ours[0] = os.pipe()
        ours[1], theirs[1] = os.pipe()
        try:
            socket.send_fds(self._door, [message], theirs)
            pid = self._door.recv(MOST_MESSAGE)
        except OSError:
            pid = b""
        finally:
            for end in theirs:
                os.close(end)
        if pid:
            return HostedChild(self, int(pid), *ours)
        for end in ours:
            os.close(end)
        return None  # and stays busy: it answers no more

    def ended(self) -> int:
        """Waits for the child; its exit status, negative for a signal."""
        try:
            status = self._door.recv(MOST_MESSAGE)
        except OSError:
            status = b""
        if not status:
            return 1
        self._busy.release()
        return int(status)

    @property
    def usable(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def close(self) -> None:
        if self.owner == os.getpid():
            self._door.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
            self._process.kill()
            self._process.wait()


_host: Host | None = None
_choosing = threading.Lock()


def start(path: list[str], task: str, seconds: int, arguments: tuple[str, ...]) -> HostedChild | None:
    """A forked child of this process' host; None where there is none, or it is busy: then a new process is started."""
    global _host
    if sys.platform != "linux":
        return None
    with _choosing:
        if _host is None or not _host.usable or _host.path != path:
            if _host is not None:
                _host.close()
            _host = Host(path)
        host = _host
    return host.start(task, seconds, arguments)


def serve() -> None:
    """The host's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the user's word to the process that asks
    with socket.socket(fileno=int(sys.argv[2])) as door:
        while True:
            message, ends, *_ = socket.recv_fds(door, MOST_MESSAGE, 2)
            if not message:
                return
            task, seconds, arguments = json.loads(message)
            with suppress(Exception):  # the child meets it again, and says so
                importlib.import_module(task.partition(":")[0])
            pid = os.fork()
            if pid == 0:
                _child(door, ends, lambda: parse(task, seconds, arguments))  # noqa: B023
            for end in ends:
                os.close(end)
            door.send(str(pid).encode())
            door.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _child(door: socket.socket, ends: list[int], work: Callable[[], None]) -> None:
    """What the forked child does; it never comes back."""
    try:
        door.close()
        for number, end in enumerate(ends):
            os.dup2(end, number)
            os.close(end)
        work()
    finally:
        os._exit(1)
