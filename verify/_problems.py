"""Classic stiff problems as Antimony text, with the published end values (tests and comparisons use them too).

End values: Mazzia & Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008), and Hairer &
Wanner, Solving ODEs II, section IV.10; both computed there with tolerances near 1e-14.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.model.loading import Model, load


@dataclass(frozen=True)
class Problem:
    """`atol` is the absolute tolerance that goes with rtol = 1: multiply by rtol."""

    name: str
    text: str
    end: float
    values: dict[str, float]
    atol: float

    def model(self) -> Model:
        return model(self.text)

    def lowered(self) -> Lowered:
        return lowered(self.text)


def model(text: str) -> Model:
    """The model of an Antimony text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.ant"
        path.write_text(text, encoding="utf-8")
        return load(path)


def lowered(text: str) -> Lowered:
    """The network of an Antimony text."""
    return lower(model(text).network)


ROBERTSON = Problem(
    "Robertson",
    """model robertson()
  a = 1; b = 0; c = 0; k1 = 0.04; k2 = 3e7; k3 = 1e4
  a' = -k1*a + k3*b*c
  b' = k1*a - k3*b*c - k2*b^2
  c' = k2*b^2
end
""",
    1e11,
    {"a": 0.2083340149701255e-07, "b": 0.8333360770334713e-13, "c": 0.9999999791665050},
    1e-10,
)
VAN_DER_POL = Problem(
    "Van der Pol, mu = 1000",
    """model vanderpol()
  x = 2; y = 0; mu = 1000
  x' = y
  y' = mu*(1 - x^2)*y - x
end
""",
    2000.0,
    {"x": 0.1706167732170483e1, "y": -0.8928097010247975e-3},
    1e-3,
)
HIRES = Problem(
    "HIRES",
    """model hires()
  y1 = 1; y2 = 0; y3 = 0; y4 = 0; y5 = 0; y6 = 0; y7 = 0; y8 = 0.0057; k = 280
  y1' = -1.71*y1 + 0.43*y2 + 8.32*y3 + 0.0007
  y2' = 1.71*y1 - 8.75*y2
  y3' = -10.03*y3 + 0.43*y4 + 0.035*y5
  y4' = 8.32*y2 + 1.71*y3 - 1.12*y4
  y5' = -1.745*y5 + 0.43*y6 + 0.43*y7
  y6' = -k*y6*y8 + 0.69*y4 + 1.71*y5 - 0.43*y6 + 0.69*y7
  y7' = k*y6*y8 - 1.81*y7
  y8' = -k*y6*y8 + 1.81*y7
end
""",
    321.8122,
    {
        "y1": 0.7371312573325668e-3, "y2": 0.1442485726316185e-3, "y3": 0.5888729740967575e-4,
        "y4": 0.1175651343283149e-2, "y5": 0.2386356198831331e-2, "y6": 0.6238968252742796e-2,
        "y7": 0.2849998395185769e-2, "y8": 0.2850001604814231e-2,
    },
    1e-4,
)  # fmt: skip
OREGONATOR = Problem(
    "Oregonator",
    """model oregonator()
  x = 1; y = 2; z = 3
  x' = 77.27*(y + x*(1 - 8.375e-6*x - y))
  y' = (z - (1 + x)*y)/77.27
  z' = 0.161*(x - z)
end
""",
    360.0,
    {"x": 0.1000814870318523e1, "y": 0.1228178521549917e4, "z": 0.1320554942846706e3},
    1e-3,
)
STIFF = (ROBERTSON, VAN_DER_POL, HIRES, OREGONATOR)
