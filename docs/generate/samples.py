"""A message of each error class, from a real error against the local IoTDA.

A fixed value of the same kind replaces each value that differs from run to run: the port, keys, ids of requests.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi

import pulumi_iotda_ota as iotda_ota
from docs.generate.service import METER, Time, running
from pulumi_iotda_ota import testing
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from pulumi_iotda_ota.lock.files import VARIABLE
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.emulator import Emulator

_ROLLOUT = """
import pulumi_iotda_ota as iotda_ota

pinned = iotda_ota.OtaPackagePin(
    "meter", package_type="firmwarePackage", product_id="smart-meter", highest_version=True
)
canary = iotda_ota.UpgradeTask("canary", package_ids=[pinned.package_id], group_ids=["canary"])
iotda_ota.UpgradeTaskCompletion("canary-healthy", task_id=canary.task_id)
"""
# Values that differ from run to run.
_VARIABLE = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:41233",
    r"access key \S+": "access key AK…7Q",
    r"request [0-9a-f]{32}": "request 9f3c0d41e5a24b7c8d6e0f1a2b3c4d5e",
}


def samples() -> Mapping[str, str]:
    """Return a message of each class, by the name of the class."""
    messages = {}
    for kind, cause in _CAUSES.items():
        with running() as emulator:
            try:
                with contextlib.redirect_stderr(io.StringIO()):  # a wait prints its progress
                    cause(emulator)
            except iotda_ota.IotdaOtaError as error:
                if not isinstance(error, getattr(iotda_ota, kind)):
                    raise TypeError(f"expected {kind}, not {error!r}") from error
                messages[kind] = _with_fixed_values(str(error), emulator)
            else:
                raise TypeError(f"no error was raised for {kind}")
    return messages


def _with_fixed_values(text: str, emulator: Emulator) -> str:
    text = text.replace(emulator.endpoint, "http://127.0.0.1:41233")
    for pattern, fixed in _VARIABLE.items():
        text = re.sub(pattern, fixed, text)
    return text


def _wrong_argument(_: Emulator) -> None:
    iotda_ota.get_ota_package(package_type="firmware", product_id="smart-meter")


def _not_locked(_: Emulator) -> None:
    os.environ[VARIABLE] = "/srv/meters/iotda-ota.lock.json"
    iotda_ota.get_ota_package(**METER, version_constraint="^1.4", highest_version=True, lock="meter-firmware")


def _output_as_argument(_: Emulator) -> None:
    version: Any = pulumi.Output.from_input("V1.4.10")  # Any: a program without types passes it
    iotda_ota.get_ota_package(**METER, version=version)


def _no_endpoint(_: Emulator) -> None:
    for name in ("HW_IOTDA_ENDPOINT", "HW_REGION_NAME", "HW_PROJECT_ID"):
        del os.environ[name]
    iotda_ota.get_ota_package(**METER)


def _wrong_key(_: Emulator) -> None:
    os.environ["HW_SECRET_KEY"] += "x"
    iotda_ota.get_ota_package(**METER)


def _wrong_space(_: Emulator) -> None:
    iotda_ota.get_ota_package(**METER, app_id="no-such-space")


def _no_server(_: Emulator) -> None:
    os.environ["HW_IOTDA_ENDPOINT"] = "http://127.0.0.1:9"
    iotda_ota.get_ota_package(**METER, connection=iotda_ota.Connection(max_attempts=1))


def _wrong_type(emulator: Emulator) -> None:
    emulator.faults.add(operation="ListOtaPackageInfo", merge={"packages": "none"})
    iotda_ota.get_ota_package(**METER)


def _too_slow(emulator: Emulator) -> None:
    emulator.faults.add(operation="ListOtaPackageInfo", delay=1, times=None)
    iotda_ota.get_ota_package(**METER, connection=iotda_ota.Connection(deadline=0.2))


def _no_match(_: Emulator) -> None:
    iotda_ota.get_ota_package(**METER, version_constraint="^2", source_versions=["V1.3.2"], highest_version=True)


def _several_matches(_: Emulator) -> None:
    iotda_ota.get_ota_package(**METER, version_constraint=">=1.4.9 <1.5")


def _failed_devices(emulator: Emulator) -> None:
    emulator.set_device("meter-0002", outcome="offline")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "__main__.py")
        program.write_text(_ROLLOUT, encoding="utf-8")
        testing.run_program(program, config={"meters:x": ""})


def _lost_response(emulator: Emulator) -> None:
    emulator.faults.add(operation="CreateBatchTask", wire="drop")
    run = Run(memo=False, clock=Time().clock)
    context = ResourceContext(run=run, config={}, environ=os.environ, warn=lambda _: None, report=lambda _: None)
    package = next(found for found in emulator.packages if found["version"] == "V1.4.10")
    scope = {"organization": "acme", "project": "meters", "stack": "prod", "name": "canary"}
    inputs = {"package_ids": [package["package_id"]], "group_ids": ["canary"], "scope": scope}
    UpgradeTask.create(context, UpgradeTask.check(context, {}, inputs).inputs)


_CAUSES: Mapping[str, Callable[[Emulator], None]] = {
    "InputError": _wrong_argument,
    "LockError": _not_locked,
    "OutputGiven": _output_as_argument,
    "ConfigurationError": _no_endpoint,
    "CredentialsError": _wrong_key,
    "ServiceError": _wrong_space,
    "TransportError": _no_server,
    "ProtocolError": _wrong_type,
    "DeadlineExceeded": _too_slow,
    "PackageNotFound": _no_match,
    "MultiplePackages": _several_matches,
    "UpgradeTaskFailed": _failed_devices,
    "OutcomeUnknown": _lost_response,
}
