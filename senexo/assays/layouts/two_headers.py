"""Two rows of names: groups above (often in merged cells), and below them the same names again for every group."""

from __future__ import annotations

from senexo.assays.layouts.layout import Frame, Layout, Lines
from senexo.base.cells import as_text
from senexo.base.table_file import Grid, framed

GROUP = "group"


def _blocks(upper: list[str], lower: list[str]) -> tuple[list[int], dict[str, list[int]]] | None:
    """Columns of all groups, and the columns of each, where the names below repeat from group to group."""
    groups: dict[str, list[int]] = {}
    common: list[int] = []
    name = ""
    for k, own in enumerate(lower):
        name = upper[k] or name
        if own and lower.count(own) > 1:
            groups.setdefault(name, []).append(k)
        elif own:
            common.append(k)
    below = [[lower[k] for k in columns] for columns in groups.values()]
    if len(groups) < 2 or "" in groups or not common or len(below[0]) < 2 or any(names != below[0] for names in below):
        return None
    return common, groups


def _texts(lines: Lines, row: int) -> list[str]:
    width = max(len(lines[row]), len(lines[row + 1]))
    texts = [as_text(cell) for cell in lines[row]]
    return texts + [""] * (width - len(texts))


def _header(lines: Lines) -> int | None:
    for i in range(min(len(lines) - 1, 10)):
        lower = [as_text(cell) for cell in lines[i + 1]]
        if any(map(as_text, lines[i])) and _blocks(_texts(lines, i), lower):
            return i + 1
    return None


def _read(grid: Grid, header: int) -> Frame:
    import pandas as pd

    lower = [as_text(cell) for cell in grid.lines[header]]
    found = _blocks(_texts(grid.lines, header - 1), lower)
    if found is None:
        raise AssertionError(lower)
    common, groups = found
    unique = [f"{name} {k}" if lower.count(name) > 1 else name for k, name in enumerate(lower)]
    lines = [*grid.lines[:header], unique, *grid.lines[header + 1 :]]
    frame, said = framed(Grid(grid.path, lines, grid.separator, grid.decimal, grid.said), header)
    shared = [unique[k] for k in common]
    pieces = [
        frame[shared + [unique[k] for k in columns]]
        .rename(columns={unique[k]: lower[k] for k in columns})
        .assign(**{GROUP: name})
        for name, columns in groups.items()
    ]
    long = pd.concat(pieces, ignore_index=True)
    return long, [*said, f"column {GROUP} holds {', '.join(groups)}"]


TWO_HEADERS = Layout("groups above repeated names", _header, _read)
