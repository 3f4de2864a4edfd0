"""A local IoTDA: the OTA operations of the service on 127.0.0.1, for tests, examples and trying things out.

```python
from pulumi_iotda_ota.emulator import Emulator

with Emulator() as emulator:
    print(emulator.endpoint)
```

It is written apart from the client: it imports nothing of ``pulumi_iotda_ota.iotda``, so that one can catch the
mistakes of the other. It never reaches a network, and what the vendor's documents leave open is a switch here
(:class:`Switches`), never a fact. Importing this package is light; the names below load what they need when used.
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

_HOMES = {
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
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{home}")
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] != "werkzeug":
            raise
        raise ImportError(_NO_WERKZEUG) from exc
    return getattr(module, name)
