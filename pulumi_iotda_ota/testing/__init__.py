"""Run and test programs that use this library, without the engine.

- :class:`Mocks` returns packages from a list, as Pulumi's unit tests do, without a network and without the emulator.
- :class:`Monitor` sends real requests to wherever the connection leads, usually the emulator.
- :func:`run_program` runs a whole program under either of them, in the process of the test.

Neither keeps a state: there is no diff, no refresh and no destroy. ``pulumi_iotda_ota.pytest_plugin`` has the fixtures
for pytest.
"""

from __future__ import annotations

from pulumi_iotda_ota.testing.mocks import Mocks
from pulumi_iotda_ota.testing.monitor import Monitor, RegisteredResource, run_program

__all__ = ["Mocks", "Monitor", "RegisteredResource", "run_program"]
