"""A population's whole state in one file, and back without loss.

An .npz of `base.store.pack` (no pickle, the same state the same bytes) that carries the state's SHA-256: a file that
is damaged, cut short or of another population is refused. Written beside its place and renamed into it, so a kill or
a full disk leaves the old file or the new one.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.atomic import write_file
from senexo.base.errors import StoreError
from senexo.base.store import pack, unpack

if TYPE_CHECKING:
    from senexo.engine.population.model import Cells, Population

_ABOUT = "about"
_SCALARS = {"seed": "seed", "replicate": "replicate", "time": "time", "windows": "n_windows"}  # key: field of `Cells`


def arrays(cells: Cells, population: Population) -> dict[str, NDArray[Any]]:
    """The state as plain arrays, for a chunk of the store (`Store.put`) or a file."""
    about = {key: getattr(cells, field) for key, field in _SCALARS.items()}
    text = json.dumps({**about, "digest": cells.digest(), "population": _names(population)})
    return {**cells.arrays(), _ABOUT: np.frombuffer(text.encode(), dtype=np.uint8)}


def cells_of(found: dict[str, NDArray[Any]], population: Population, *, where: str = "checkpoint") -> Cells:
    """The state that `arrays` gave; StoreError when it is not what was kept, or of another population."""
    from senexo.engine.population.model import Cells

    try:
        about = json.loads(found[_ABOUT].tobytes())
        columns: dict[str, Any] = {name: array.copy() for name, array in found.items() if name != _ABOUT}
        cells = Cells(**{field: about[key] for key, field in _SCALARS.items()}, **columns)
        whole, names = cells.digest() == about["digest"], about["population"]
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{where} holds no state of a population ({error}); run again from the start") from error
    if not whole:
        raise StoreError(f"{where} is damaged: its state does not have the SHA-256 it was kept with")
    if names != _names(population):
        raise StoreError(f"{where} is the state of another population: its types, slots or pools differ")
    return cells


def save(path: Path, cells: Cells, population: Population) -> None:
    """Keep a state at `path`; StoreError when the folder refuses."""
    write_file(path, pack(arrays(cells, population)))


def load(path: Path, population: Population) -> Cells:
    """The state kept at `path`; its digest is that of the state saved. StoreError for a missing or damaged file."""
    try:
        found = unpack(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path}: there is no such checkpoint") from None
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} is damaged and cannot be read ({error}); run again from the start") from error
    return cells_of(found, population, where=str(path))


def _names(population: Population) -> list[Any]:
    """What the rows and columns of a state mean."""
    return [
        [[type.name, [slot.id for slot in type.network.slots]] for type in population.types],
        list(population.pooled),
    ]
