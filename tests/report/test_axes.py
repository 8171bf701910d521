"""Numbers on the axes of figures: text that the house style can draw, never matplotlib's formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from senexo.report.claim import margins
from senexo.report.drawing import Drawn, new_figure, styled


def labels(drawn: Drawn) -> list[str]:
    drawn.figure.canvas.draw()
    return [
        text.get_text()
        for axes in drawn.figure.axes for axis in (axes.xaxis, axes.yaxis)
        for text in [*axis.get_majorticklabels(), *axis.get_minorticklabels()]
    ]  # fmt: skip


@pytest.mark.parametrize("scale", ["log", "symlog"])
def test_powers_of_ten_are_text(scale: str) -> None:
    with styled():
        figure = new_figure(3.0, 3.0)
        axes = figure.add_subplot()
        axes.plot([1e-6, 1.0], [1.0, 1e11])
        axes.set_yscale(scale)
        axes.set_xscale("log")
        found = labels(Drawn("x", "", "", pd.DataFrame(), figure))
    assert not [text for text in found if "$" in text]
    assert any(text in found for text in ("10⁸", "10⁹", "10¹⁰"))
    assert any(text in found for text in ("10⁻⁴", "10⁻⁵"))


@pytest.mark.parametrize("donors", [3, 2000])
def test_numbers_of_donors_are_whole(donors: int) -> None:
    values = np.linspace(-1.0, 1.0, donors) ** 3
    draws = pd.DataFrame({
        "world": "claim", "donor": range(donors), "comparison": "a > b", "margin": values, "claim_is_true": values > 0,
        "kept": True,
    })  # fmt: skip
    row = {"comparison": "a > b", "n_true": 1, "n_donors": donors, "mean": 0.0, "low": -0.1, "high": 0.1}
    claim = pd.DataFrame([{"world": world, **row} for world in ("claim", "null world")])
    draws = pd.concat([draws, draws.assign(world="null world")])
    with styled():
        found = [text for text in labels(margins(claim, draws, "a > b", 1)) if text]
    counts = {text for text in found if text.isdigit()}
    assert "0" in counts
    assert not [text for text in found if "$" in text or "1.05" in text]
