"""Written quantities: their values, refused texts, and that no hostile text reaches the units library."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.base import units
from senexo.base.errors import InvalidInput
from senexo.base.units import AMOUNT, COPIES, NUMBER_KIND, PERCENT, SHARE, SPAN, TIME, Kind, parse


@pytest.mark.parametrize(
    ("text", "kind", "worth"),
    [
        ("7 d", TIME, 168.0), ("168h", TIME, 168.0), ("90 min", TIME, 1.5), ("1 week", TIME, 168.0),
        ("36 s", TIME, 0.01),
        ("2 days", TIME, 48.0), ("0 h", TIME, 0.0), ("1.5 d", TIME, 36.0), ("1e2 h", TIME, 100.0), (" 3 h ", TIME, 3.0),
        ("90 %", SHARE, 0.9), ("57 %", SHARE, 0.57), ("29%", SHARE, 0.29), ("0.9", SHARE, 0.9), (0.9, SHARE, 0.9),
        (1, SHARE, 1.0), ("20 %", PERCENT, 20.0), ("0.5 %", PERCENT, 0.5), (30, COPIES, 30.0),
        ("300 copies", COPIES, 300.0),
        ("300 molecules", COPIES, 300.0), ("1 copy", COPIES, 1.0), (30.0, COPIES, 30.0), (-3.5, NUMBER_KIND, -3.5),
        (2, AMOUNT, 2.0),
    ],
)  # fmt: skip
def test_worth(text: object, kind: Kind, worth: float) -> None:
    assert parse(text, kind) == worth


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("-1 d", TIME), ("7", TIME), (7, TIME), ("7 m", TIME), ("7 %", TIME), ("7 copies", TIME), ("seven days", TIME),
        ("d", TIME), ("", TIME), ("1e999 h", TIME), ("nan h", TIME), ("inf h", TIME), ("0 h", SPAN), ("1 d 2 h", TIME),
        ("7 d; 3", TIME), ("1/2 d", TIME), ("7 d**2", TIME), ("2*3 h", TIME), ("0x10 h", TIME), ("1_0 h", TIME),
        ("٣ h", TIME),
        ("101 %", SHARE), ("-1 %", SHARE), (90, SHARE), (True, SHARE), ("20", PERCENT), (20, PERCENT), ("1 h", SHARE),
        (0.5, COPIES), ("1.5 copies", COPIES), (-1, COPIES), (True, COPIES), (math.inf, COPIES), (math.nan, AMOUNT),
        (10**400, COPIES), (None, AMOUNT), ([1], AMOUNT), ({}, AMOUNT), ("300 cells", COPIES), (-1, AMOUNT),
    ],
)  # fmt: skip
def test_refused_with_place_and_example(value: object, kind: Kind) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(value, kind, where="here")
    assert len(caught.value.faults) == 1
    assert str(caught.value).startswith("here: found ")
    assert str(caught.value).endswith(kind.expected)


HOSTILE = [
    "__import__('os').system('id') h", "1 __class__", "(lambda: 1)() h", "1 h if 1 else 2", "1 d\n2 d", "1 d # x",
    "1 {h}",
    "1 " + "h" * 100_000, "9" * 100_000 + " h", "1 h*1e9999", "1 **9**9**9", "exec('1')", "1 h\x00", "1 meter/second",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_refused_before_the_library_sees_them(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(unit: str, wanted: str) -> None:
        raise AssertionError(f"{unit!r} reached the units library")

    monkeypatch.setattr(units, "_ratio", never)
    with pytest.raises(InvalidInput) as caught:
        parse(text, TIME)
    assert len(str(caught.value)) < 300


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_a_fault(text: str) -> None:
    for kind in (TIME, SHARE, COPIES):
        with contextlib.suppress(InvalidInput):
            assert kind.low <= parse(text, kind) <= kind.high


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 10**5), st.integers(0, 10**4))
def test_conversions_are_exact_where_numbers_are(n: int, percent: int) -> None:
    assert parse(f"{n} h", TIME) == n
    assert parse(f"{n // 24} d", TIME) == n // 24 * 24
    assert parse(f"{percent / 100:.2f} %", PERCENT) == float(f"{percent / 100:.2f}")


def test_importing_units_does_not_import_the_library() -> None:
    code = "import sys, senexo.base.units as u; u.parse(30, u.COPIES); sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
