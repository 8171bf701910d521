"""Results of LightCycler 480 (text): `Include`, `Pos`, `Name`, `Cp`; names hold the RNA where no column does."""

from __future__ import annotations

from senexo.assays.layouts.layout import Frame, Layout, line_with, named
from senexo.assays.layouts.samples import parts
from senexo.assays.layouts.wells import tidy
from senexo.base.cells import as_number, as_text
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table_file import Grid

_NAMES = {
    "include": "include", "pos": "well", "name": "name", "cp": "ct", "concentration": "amount", "standard": "standard",
    "target": "target", "gene": "target", "target name": "target",
}  # fmt: skip


def _read(grid: Grid, header: int) -> Frame:
    frame, said = named(grid, header, _NAMES)
    names = frame["name"].map(as_text)
    if "target" not in frame:
        split = parts(names, 3)
        if split is None:
            found = f"names such as '{names.iloc[0]}' and no column of the RNA" if len(names) else "no well"
            expected = "names 'ARM DONOR RNA', or a column Target beside Name"
            raise InvalidInput([Fault(f"{grid.path}: column Name", found, expected)])
        names, frame = split[0].str.cat(split[1], sep=" "), frame.assign(target=split[2])
        said = [*said, f"Name '{frame['name'].iloc[0]}' as sample '{names.iloc[0]}' and RNA {split[2].iloc[0]}"]
    task = names.str.lower().where(names.str.lower() == "ntc", "unknown")
    if "standard" in frame:
        given = frame["standard"].map(as_text).map(as_number)
        task = task.mask(given > 0.0, "standard")
        frame = frame.assign(quantity=frame["standard"])
    include = frame["include"].map(as_text).str.lower()
    frame = frame.assign(sample=names, task=task, omit=include.map(lambda word: str(word in ("false", "0", "no"))))
    wells, notes = tidy(frame, ("", "undetected"))
    return wells, [*said, *notes]


LIGHTCYCLER = Layout("LightCycler 480 results", line_with("Include", "Pos", "Name", "Cp"), _read)
