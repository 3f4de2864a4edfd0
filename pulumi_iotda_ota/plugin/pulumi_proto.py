"""Pulumi's messages and stubs, loaded without the rest of its SDK.

A plugin needs the generated modules below ``pulumi.runtime.proto`` and nothing else of the SDK. But Python runs the
``__init__`` of each package above a module, and those of ``pulumi`` and ``pulumi.runtime`` load all of it: more than
half of the time that this process takes to start, and a quarter of its memory. So the packages are put in place unrun.
Whatever else of ``pulumi`` is imported in this process would be missing what they define; nothing is.
"""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["engine_pb2", "engine_pb2_grpc", "messages", "plugin_pb2", "services", "status_pb2"]


def _put_in_place(*packages: str) -> None:
    for name in packages:
        if name not in sys.modules:
            # Finds a package below one that is in place already without running it.
            spec = importlib.util.find_spec(name)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            sys.modules[name] = importlib.util.module_from_spec(spec)


_put_in_place("pulumi", "pulumi.runtime", "pulumi.runtime.proto")

from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, status_pb2  # noqa: E402  see above
from pulumi.runtime.proto import provider_pb2 as messages  # noqa: E402
from pulumi.runtime.proto import provider_pb2_grpc as services  # noqa: E402
