"""Reading a result folder: everything on the page comes out of it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.base.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

ALL_CELLS = "all cells"  # the cell type of rows that hold for a whole well


@dataclass(frozen=True)
class ResultFolder:
    """The files of a result folder; a missing or unreadable one is a StoreError that names it."""

    path: Path

    @cached_property
    def run(self) -> dict[str, Any]:
        """run.json."""
        return self._json("run.json")

    @cached_property
    def found(self) -> dict[str, Any]:
        """findings.json."""
        return self._json("findings.json")

    @cached_property
    def resolved(self) -> str:
        """study.resolved.toml as text."""
        return self._text("study.resolved.toml")

    @cached_property
    def study(self) -> dict[str, Any]:
        """study.resolved.toml."""
        return tomllib.loads(self.resolved)

    @cached_property
    def arms(self) -> pd.DataFrame:
        """The table `arms` in the study's order."""
        return self.table("arms").sort_values("position").reset_index(drop=True)

    @property
    def duration_h(self) -> float:
        """Hours from plating to the end."""
        return float(self.study["culture"]["duration_h"])

    def has(self, name: str) -> bool:
        """Whether there is a table of this name."""
        return (self.path / "tables" / f"{name}.parquet").is_file()

    def table(self, name: str) -> pd.DataFrame:
        """One table of the folder."""
        import pandas as pd

        path = self.path / "tables" / f"{name}.parquet"
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise StoreError(f"{path}: cannot be read ({error}); run `senexo verify {self.path}`") from error

    def assay_tables(self) -> list[str]:
        """Names of the tables of assay results."""
        return sorted(path.stem for path in (self.path / "tables").glob("assay_*.parquet"))

    def _text(self, name: str) -> str:
        path = self.path / name
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{path}: cannot be read ({error}); run `senexo verify {self.path}`") from error

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self._text(name)))
        except json.JSONDecodeError as error:
            path = self.path / name
            raise StoreError(f"{path}: is not JSON ({error}); run `senexo verify {self.path}`") from error
