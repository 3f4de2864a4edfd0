"""The search for garbage while modules are loaded."""

from __future__ import annotations

import gc

import pytest

from pulumi_iotda_ota.lazy_imports import quickly


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_it_is_left_as_it_was(*, on: bool) -> None:
    """The collector is off while modules load, and afterwards, also after an error, what the program had made it."""
    if not on:
        gc.disable()
    try:
        with quickly():
            assert not gc.isenabled()
            with quickly():
                assert not gc.isenabled()
        assert gc.isenabled() == on
        with pytest.raises(ImportError), quickly():
            raise ImportError
        assert gc.isenabled() == on
    finally:
        gc.enable()
