from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from senexo.base import sandbox
from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.base.sandbox import as_utf8, call, scan_xml

needs_limits = pytest.mark.skipif(sys.platform != "linux", reason="limits on memory and files are those of Linux")


def test_scan_counts_what_is_there() -> None:
    scan = scan_xml(
        b'<?xml version="1.0" encoding="UTF-8"?><a xmlns="urn:x" xmlns:p="urn:p" p:q="1"><b><c/></b><b/></a>'
    )
    assert (scan.root, scan.attributes) == ("urn:x|a", {"urn:p|q": "1"})
    assert (scan.elements, scan.depth, scan.encoding) == (4, 3, "UTF-8")


@pytest.mark.parametrize("depth", [256, 257])
def test_scan_allows_256_levels(depth: int) -> None:
    data = b"<a>" * depth + b"</a>" * depth
    if depth == 256:
        assert scan_xml(data).depth == 256
    else:
        with pytest.raises(InvalidModel, match="more than 256 deep"):
            scan_xml(data)


@pytest.mark.parametrize("elements", [500_000, 500_001])
def test_scan_allows_500_000_elements(elements: int) -> None:
    data = b"<a>" + b"<b/>" * (elements - 1) + b"</a>"
    if elements == 500_000:
        assert scan_xml(data).elements == elements
    else:
        with pytest.raises(InvalidModel, match="more than 500,000 elements"):
            scan_xml(data)


def test_scan_refuses_a_bomb_in_milliseconds() -> None:
    bomb = b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + b"<a>" * 1_000_000
    start = time.perf_counter()
    with pytest.raises(InvalidModel, match="line 1: a DOCTYPE"):
        scan_xml(bomb)
    assert time.perf_counter() - start < 0.05


def test_scan_names_the_line() -> None:
    with pytest.raises(InvalidModel, match="line 3: not well-formed"):
        scan_xml(b"<a>\n<b>\n</c>\n</a>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_transcoding_keeps_the_text(encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?>\n<a b="µ"/>'.encode(encoding)
    assert as_utf8(data, scan_xml(data).encoding).decode() == '<?xml version="1.0" encoding="UTF-8"?>\n<a b="µ"/>'


@pytest.fixture(params=["forked", "new"])
def child(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is forked by a host, or is a new process."""
    if request.param == "new":
        monkeypatch.setattr(sandbox, "start", lambda *_: None)


@pytest.mark.usefixtures("child")
def test_call_gives_the_answer() -> None:
    assert call("sandbox_tasks:echo", "µ".encode() * 1_000_000, "x", "y z") == ["µ" * 1_000_000, "x", "y z"]


def test_what_the_child_prints_is_not_its_answer() -> None:
    assert call("sandbox_tasks:print_noise", b"") == "true"


def test_errors_cross_with_their_kind() -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        call("sandbox_tasks:raise_unsupported", b"")
    assert (caught.value.feature, caught.value.detail) == ("algebraic rule", "line 3")
    with pytest.raises(InvalidModel, match=r"^line 4: no$"):
        call("sandbox_tasks:raise_invalid", b"")


@pytest.mark.usefixtures("child")
@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("segfault", signal.SIGSEGV.name),
        ("kill", signal.SIGKILL.name),
        ("leave", "without an answer"),
        ("recurse", "nested too deep"),
        ("answer_an_object", "without an answer"),
        ("missing", "without an answer"),
    ],
)
def test_the_parent_survives_the_child(task: str, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        call(f"sandbox_tasks:{task}", b"")


def test_a_child_that_never_reads_its_input_is_no_trap() -> None:
    with pytest.raises(InvalidModel, match="without an answer"):
        call("sandbox_tasks:missing", b"x" * 10_000_000)


@needs_limits
def test_the_time_of_the_processor_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    with pytest.raises(InvalidModel, match="it needs more than 1 s of processor time"):
        call("sandbox_tasks:spin", b"")


@needs_limits
def test_waiting_for_a_busy_machine_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that is kept waiting for longer than its time of the processor still answers."""
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    assert call("sandbox_tasks:wait", b"2.5") == "done"


def test_a_child_that_waits_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MOST_WAITING", 1)
    start = time.perf_counter()
    with pytest.raises(InvalidModel, match="SIGKILL"):
        call("sandbox_tasks:wait", b"60")
    assert time.perf_counter() - start < 10


def test_the_answer_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MOST_REPLY_BYTES", 1_000)
    with pytest.raises(InvalidModel, match="too large"):
        call("sandbox_tasks:echo", b"x" * 2_000)


@needs_limits
@pytest.mark.usefixtures("child")
def test_memory_is_limited() -> None:
    with pytest.raises(InvalidModel, match="more than 2 GiB"):
        call("sandbox_tasks:eat_memory", b"")


@needs_limits
@pytest.mark.usefixtures("child")
@pytest.mark.parametrize("task", ["read_file", "write_file", "start_process"])
def test_files_and_processes_are_out_of_reach(task: str, tmp_path: Path) -> None:
    target = tmp_path / "file"
    if task == "read_file":
        target.write_text("secret")
    with pytest.raises(InvalidModel, match="Too many open files"):
        call(f"sandbox_tasks:{task}", str(target).encode())
    assert target.exists() == (task == "read_file")


needs_a_host = pytest.mark.skipif(sys.platform != "linux", reason="the host forks on Linux alone")


@needs_a_host
def test_a_host_serves_many_files_and_a_dead_one_is_replaced() -> None:
    hosts = {call("sandbox_tasks:parent", b"") for _ in range(3)}
    assert len(hosts) == 1
    os.kill(hosts.pop(), signal.SIGKILL)
    answers = {call("sandbox_tasks:parent", b"") for _ in range(3)}
    assert len(answers - {os.getpid()}) == 1


@needs_a_host
def test_files_that_are_read_at_the_same_time_have_a_child_each() -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda k: call("sandbox_tasks:echo", b"", str(k)), range(12))) == [
            ["", str(k)] for k in range(12)
        ]


@needs_a_host
def test_a_child_sees_nothing_of_the_child_before_and_no_socket() -> None:
    assert call("sandbox_tasks:remember", b"secret") == ""
    assert call("sandbox_tasks:remember", b"") == ""
    assert call("sandbox_tasks:sockets", b"") == []


@needs_a_host
def test_a_host_ends_with_its_process() -> None:
    """Also where that is killed."""
    script = (
        "import os, signal, sys; sys.path.append(sys.argv[1]); from senexo.base.sandbox import call; "
        "print(call('sandbox_tasks:parent', b''), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(Path(__file__).parent)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    stat = Path("/proc", done.stdout.decode().strip(), "stat")
    until = time.monotonic() + 10.0
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z" and time.monotonic() < until:
        time.sleep(0.01)
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
