"""The search for garbage while modules are loaded."""

from __future__ import annotations

import gc

import pytest

from pulumi_iotda_ota.lazy_imports import gc_paused


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_it_is_left_as_it_was(*, on: bool) -> None:
    """The collector is off while modules load. Afterwards, also after an error, it is as the program had set it."""
    if not on:
        gc.disable()
    try:
        with gc_paused():
            assert not gc.isenabled()
            with gc_paused():
                assert not gc.isenabled()
        assert gc.isenabled() == on
        with pytest.raises(ImportError), gc_paused():
            raise ImportError
        assert gc.isenabled() == on
    finally:
        gc.enable()
