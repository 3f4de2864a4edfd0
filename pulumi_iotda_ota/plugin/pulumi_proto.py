"""Pulumi's messages and stubs, loaded without the rest of its SDK.

A plugin needs only the generated modules below ``pulumi.runtime.proto``. But Python runs the ``__init__`` of each
package above a module, and those of ``pulumi`` and ``pulumi.runtime`` load the whole SDK. That is more than half of the
time to start this process, and a quarter of its memory. So the packages are registered without running them. No other
module of ``pulumi`` works in this process, and none is imported.
"""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["engine_pb2", "engine_pb2_grpc", "messages", "plugin_pb2", "services", "status_pb2"]


def _register_without_running(*packages: str) -> None:
    for name in packages:
        if name not in sys.modules:
            # A package below one that is registered already is found without running either.
            spec = importlib.util.find_spec(name)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            sys.modules[name] = importlib.util.module_from_spec(spec)


_register_without_running("pulumi", "pulumi.runtime", "pulumi.runtime.proto")

from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, status_pb2  # noqa: E402  see above
from pulumi.runtime.proto import provider_pb2 as messages  # noqa: E402
from pulumi.runtime.proto import provider_pb2_grpc as services  # noqa: E402
