"""Names of the last version still work, with a warning that says the new one; with both names nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from senexo import assays
from senexo.assays.specs import SPECS, example
from senexo.base.errors import InvalidInput, UnsupportedFeature
from senexo.study.read import read_study

VALID = Path(__file__).parents[2] / "spec" / "valid" / "assays-of-coupled-cells.toml"


@pytest.mark.parametrize(
    ("name", "old", "new", "value"),
    [
        ("survival", "least", "min_reads", 5.0),
        ("response", "least", "min_reads", 5.0),
        ("expression", "least", "min_reads", 5.0),
        ("balance", "least", "min_recovery", 0.2),
    ],
)
def test_a_renamed_keyword(name: str, old: str, new: str, value: float) -> None:
    table, options = example(name)
    call = getattr(assays, name)
    with pytest.warns(DeprecationWarning, match=rf"{name}\(\): {old} is called {new} now"):
        former = call(table, **options, **{old: value})
    assert former.to_json() == call(table, **options, **{new: value}).to_json()
    assert former.settings[new] == value
    with pytest.raises(TypeError, match=f"got both {old} and {new}"):
        call(table, **options, **{old: value, new: value})


def test_ties_are_efrons() -> None:
    table, options = example("survival")
    with pytest.warns(DeprecationWarning, match="the keyword ties is gone"):
        former = assays.survival(table, **options, ties="efron")
    assert former.to_json() == assays.survival(table, **options).to_json()
    with pytest.raises(UnsupportedFeature, match="ties = 'breslow' is not supported"):
        assays.survival(table, **options, ties="breslow")


def test_the_pilot_s_names_as_keywords() -> None:
    table, options = example("power")
    asked: dict[str, Any] = {**options, "n": 3, "sets": 20}
    roles = asked.pop("pilot")
    with pytest.warns(DeprecationWarning, match=r'power\(\): arm is called pilot=\{"arm": ...\} now'):
        former = assays.power(table, **asked, **roles)
    assert former.to_json() == assays.power(table, **asked, pilot=roles).to_json()
    with pytest.raises(TypeError, match="got both arm and pilot"):
        assays.power(table, **asked, pilot=roles, arm="mimic")


def test_every_former_name_of_the_command_line_is_a_former_keyword() -> None:
    """What `was` promises, the function keeps."""
    former = [(spec, option, old) for spec in SPECS.values() for option in spec.options for old in option.was]
    assert len(former) == 4
    for spec, option, old in former:
        table, options = example(spec.name)
        with pytest.warns(DeprecationWarning, match=f"{old} is called {option.name} now"):
            spec.function(table, **options, **{old: float(option.default)})


def test_a_renamed_key_of_a_study(tmp_path: Path) -> None:
    text = VALID.read_text(encoding="utf-8")
    former = tmp_path / "former.toml"
    former.write_text(text.replace("min_colony_size", "least"), encoding="utf-8")
    with pytest.warns(FutureWarning, match=r"former.toml: assays\[1\].least: least is called min_colony_size now"):
        study = read_study(former)
    assert len(study.notices) == 1
    assert study.model_copy(update={"notices": ()}) == read_study(VALID)
    former.write_text(text.replace("min_colony_size = 20", "min_colony_size = 20\nleast = 20"), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"assays\[1\].least: found both, expected min_colony_size alone"):
        read_study(former)
