"""The screen: a miRNA is its set of targets; the null is random sets of the same size."""

from __future__ import annotations

from pathlib import Path

import pytest

from senexo.base.errors import InvalidInput
from senexo.lab.screen import Screen, screen
from senexo.targets.network import senescence_network

NETWORK = {
    "switch": frozenset({"CCND1", "CDK6", "E2F3"}),
    "same switch": frozenset({"CCND1", "CDK6", "E2F3"}),
    "brakes": frozenset({"CDKN1A", "TP53"}),
    "exosome": frozenset({"RAB27B"}),
}


@pytest.fixture(scope="module")
def found() -> Screen:
    return screen(NETWORK, copies=10_000, draws=24, seed=3, watch=("switch", "nobody"))


def test_what_acts_on_the_switch_arrests_and_what_takes_the_brakes_away_does_not(found: Screen) -> None:
    rows = found.mirnas.set_index("mirna")
    assert rows.loc["switch", "arrested"] > 0.2 > rows.loc["exosome", "arrested"]
    assert rows.loc["brakes", "senescent"] <= rows.loc["exosome", "senescent"]
    assert rows.loc["switch", "p_random"] < rows.loc["brakes", "p_random"]


def test_equal_targets_are_equal_whatever_their_name(found: Screen) -> None:
    rows = found.mirnas.set_index("mirna").drop(columns=["targets"])
    assert rows.loc["switch"].equals(rows.loc["same switch"])
    assert rows.loc["switch", "rank"] == 1.5


def test_ranks_lie_in_their_intervals_and_probabilities_are_such(found: Screen) -> None:
    rows = found.mirnas
    assert (rows["rank_low"] <= rows["rank"]).all()
    assert (rows["rank"] <= rows["rank_high"]).all()
    assert rows[["senescent", "arrested", "p_random"]].apply(lambda column: column.between(0, 1)).all(axis=None)
    assert (rows["p_random"] > 0).all()  # a set is among the sets of its size, where all of them are drawn
    assert "nobody is not in this network." in found.sentences


def test_threads_and_order_change_no_number(found: Screen) -> None:
    turned = screen(dict(reversed(NETWORK.items())), copies=10_000, draws=24, seed=3, workers=1)
    assert turned.mirnas.equals(found.mirnas)
    assert turned.sets.equals(found.sets)


def test_without_copies_nothing_happens() -> None:
    none = screen({"switch": NETWORK["switch"]}, copies=0, draws=4, seed=3)
    assert none.mirnas.loc[0, "arrested"] == 0.0
    assert none.sets["senescent"].nunique() == 1


def test_targets_that_the_circuit_has_not_are_named() -> None:
    with pytest.raises(InvalidInput, match=r"GAPDH.*targets among CCND1"):
        screen({"x": frozenset({"GAPDH"})}, draws=2)


def test_the_shipped_network_is_sourced_and_inside_the_circuit() -> None:
    network = senescence_network()
    assert len(network) > 100
    assert "RAB27B" in network["hsa-miR-34c-5p"]
    text = (Path(__file__).resolve().parents[2] / "senexo" / "targets" / "senescence_network.csv").read_text()
    for line in text.splitlines()[1:]:
        cells = line.split(",")
        assert len(cells) == 6
        assert cells[4] or cells[5].startswith("10.")  # PubMed ids, or the DOI of the founding paper


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: found nothing"),
        ("mirna,target\na,b\n", "the columns gene"),
        ("mirna,gene\n", "no row"),
        ("mirna,gene\nhsa-miR-1,\n", "line 2: found hsa-miR-1, nothing"),
        ("mirna,gene\na,SIRT1\nb\n", "line 3"),
    ],
)
def test_wrong_networks_are_told(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "network.csv"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=message):
        senescence_network(path)


def test_copies_that_no_cell_can_hold_are_refused_before_anything_is_simulated() -> None:
    for copies in (1e10, -1.0, float("nan")):
        with pytest.raises(InvalidInput, match=r"copies: found .*expected at most 300,000,000 copies per cell"):
            screen(NETWORK, copies=copies, draws=4, seed=3)
