"""A local IoTDA: the OTA operations of the service on 127.0.0.1, for tests, examples and first steps.

```python
from pulumi_iotda_ota.emulator import Emulator

with Emulator() as emulator:
    print(emulator.endpoint)
```

It shares no code with the client and imports nothing of ``pulumi_iotda_ota.iotda``, so that one finds the mistakes of
the other. It sends no request. What the vendor's documents leave open is a switch (:class:`Switches`). The names below
load the libraries that they need on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.behavior import ManualClock, Switches
    from pulumi_iotda_ota.emulator.faults import Fault
    from pulumi_iotda_ota.emulator.instance import Emulator
    from pulumi_iotda_ota.emulator.seed import SeedError

__all__ = ["Emulator", "Fault", "ManualClock", "SeedError", "Switches"]

_MODULES = {
    "Emulator": "instance",
    "Fault": "faults",
    "ManualClock": "behavior",
    "SeedError": "seed",
    "Switches": "behavior",
}
_NO_WERKZEUG = (
    "the emulator needs werkzeug: from the checkout: python -m pip install '.[emulator]'; "
    "from a wheel: python -m pip install 'FILE.whl[emulator]'"
)


def __getattr__(name: str) -> Any:
    name_of_module = _MODULES.get(name)
    if name_of_module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{name_of_module}")
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] != "werkzeug":
            raise
        raise ImportError(_NO_WERKZEUG) from exc
    return getattr(module, name)
