"""For tests of programs that use this library.

:class:`Mocks` answers from a list of packages that the test gives: Pulumi's own way of unit tests, without a network
and without the emulator. :class:`Monitor` does what a lookup and a resource really do, against whatever the connection
leads to, usually the emulator. :func:`run_program` runs a whole program under either, in the test's own process.

Neither keeps a state: there is no diff, no refresh and no destroy. The fixtures of pytest are in
``pulumi_iotda_ota.pytest_plugin``.
"""

from __future__ import annotations

from pulumi_iotda_ota.testing.mocks import Mocks
from pulumi_iotda_ota.testing.monitor import Monitor, RegisteredResource, run_program

__all__ = ["Mocks", "Monitor", "RegisteredResource", "run_program"]
