"""Every assay that a study can request has a virtual instrument, and no other has."""

from __future__ import annotations

from senexo.assays.specs import REQUESTS, SPECS
from senexo.lab.instruments import INSTRUMENTS


def test_instruments_are_those_of_the_requests() -> None:
    assert set(INSTRUMENTS) == set(REQUESTS)


def test_requests_are_whole() -> None:
    """The heading uses settings that the result has; keys are named once and have a meaning."""
    for name, request in REQUESTS.items():
        spec = SPECS[name]
        settings = {option.name: option.name for option in spec.options} | {f.name: f.name for f in spec.settings}
        assert request.title.format(**settings)
        keys = [key.name for key in request.keys]
        assert len(set(keys)) == len(keys)
        assert all(key.says for key in request.keys)
        assert not {old for key in request.keys for old in key.was} & set(keys)
