"""Whether figures can be drawn here, asked before anything is computed that ends in one."""

from __future__ import annotations

import os

from senexo.base.errors import Fault, InvalidInput


def require_matplotlib() -> None:
    """InvalidInput where matplotlib cannot be imported because MPLBACKEND names a backend that does not exist here.

    A Jupyter kernel exports the variable to what it starts. Figures of senexo go to files and need no backend.
    """
    try:
        import matplotlib  # noqa: F401
    except ValueError as error:
        found = f"{os.environ.get('MPLBACKEND', '')!r} ({' '.join(str(error).split())[:200]})"
        expected = "a backend that matplotlib has here; unset the variable, or set it to agg"
        raise InvalidInput([Fault("the environment variable MPLBACKEND", found, expected)]) from None
