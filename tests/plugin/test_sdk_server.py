"""Why the plugin speaks the protocol itself: faults of the SDK's experimental server for Python providers.

Each test fails when a fault is mended. When all are, that server could take the place of ``plugin/server.py``.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pulumi.provider.experimental import provider
from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2

from tests.support.plugin_process import UNKNOWN, struct


class Failing(provider.Provider):
    """A provider whose function fails as one of ours would, and whose settings differ."""

    async def invoke(self, request: provider.InvokeRequest) -> provider.InvokeResponse:
        """Fail."""
        raise ValueError("no OTA package matches")

    async def diff_config(self, request: provider.DiffRequest) -> provider.DiffResponse:
        """Return one property that differs."""
        change = provider.PropertyDiff(kind=provider.PropertyDiffKind.UPDATE, input_diff=True)
        return provider.DiffResponse(detailed_diff={"region": change})


def served(method: str, request: Any) -> Any:
    """Return the response of the server."""
    server: Any = ProviderServicer([], "0.1.0", Failing(), "")
    # asyncio.run would leave the thread without an event loop, and Pulumi's test monitor needs one.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(getattr(server, method)(request, None))
    finally:
        loop.close()


def test_an_error_is_a_traceback() -> None:
    """An error reaches the user with the files and lines of the code that raised it."""
    with pytest.raises(Exception, match=r'no OTA package matches:\n  File ".*server\.py"'):
        served("Invoke", provider_pb2.InvokeRequest(tok="t"))


def test_what_is_not_known_is_a_text() -> None:
    """An unknown value arrives as the text that represents it."""
    assert PropertyValue.unmarshal_map(struct({"version": UNKNOWN}))["version"].value == UNKNOWN


def test_what_is_not_known_can_not_be_answered() -> None:
    """There is a type for an unknown value, but it cannot be sent."""
    with pytest.raises(ValueError, match="Unsupported value type"):
        PropertyValue.marshal_map({"version": PropertyValue(Computed())})


def test_a_detailed_difference_of_settings_fails() -> None:
    """A difference of settings fails on a name that is misspelt."""
    with pytest.raises(Exception, match="'PropertyDiff' object has no attribute 'inputDiff'"):
        served("DiffConfig", provider_pb2.DiffRequest())


@pytest.mark.parametrize("method", ["Handshake", "Attach"])
def test_no_handshake_and_no_debugger(method: str) -> None:
    """The first call of the engine, and the calls of a debugger, are missing."""
    assert method not in vars(ProviderServicer)
