"""Progress of a run: a bar on a terminal, a line for every tenth in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@contextlib.contextmanager
def shown(*, quiet: bool = False) -> Iterator[Progress | None]:
    """A progress display on standard error that suits where standard error goes; None when `quiet`."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as update:
            yield update
    else:
        yield _lines()


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield update


def _lines() -> Progress:
    begun = time.monotonic()
    said: tuple[str, int] = ("", -1)

    def update(what: str, done: int, total: int) -> None:
        nonlocal said
        tenth = 10 * done // total if total else 0
        if (what, tenth) != said:
            said = (what, tenth)
            count = f" {done}/{total}" if total else ""
            print(f"[{time.monotonic() - begun:6.0f} s] {what}{count}", file=sys.stderr, flush=True)  # noqa: T201

    return update
