"""Devices: how each answers an upgrade, on which version it is, and which group it belongs to.

A device that nobody described takes part too, with the default behaviour. State only; when things happen is computed
in ``campaign.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.paging import RecordIds

#: The kinds of a version that a device reports beside those of its modules.
FIRMWARE = "firmwareUpgrade"
SOFTWARE = "softwareUpgrade"


class Behaviour(BaseModel):
    """How a device answers an upgrade.

    Args:
        product_id: the product of the device.
        app_id: the resource space of the device; the default one if it is not set.
        version: the firmware version that it reports; an upgrade to the same version succeeds at once.
        sw_version: the software version that it reports.
        modules: the version that each OTA module reports.
        status: the state of its connection.
        seconds: how long one attempt takes; the emulator's own pace by default.
        outcome: ``success``; ``fail``; ``offline`` (fails because it never came online); ``hang`` (never ends);
            ``removed`` (the device was deleted meanwhile).
        error_code: the code of a failure.
        error_msg: the text of a failure.
        fails_first: so many attempts fail before one succeeds.
        output: what the device reports back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    product_id: str | None = None
    app_id: str | None = None
    version: str | None = None
    sw_version: str | None = None
    modules: dict[str, str] = {}
    status: Literal["ONLINE", "OFFLINE", "ABNORMAL", "INACTIVE", "FROZEN"] = "ONLINE"
    seconds: Annotated[float, Field(ge=0)] | None = None
    outcome: Literal["success", "fail", "offline", "hang", "removed"] = "success"
    error_code: str | None = None
    error_msg: str | None = None
    fails_first: Annotated[int, Field(ge=0)] = 0
    output: str | None = None


class DeviceStore:
    """The described devices and the groups."""

    def __init__(self) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.groups: dict[str, list[str]] = {}
        self._reached: dict[str, str] = {}
        self._reported: dict[str, dict[str, str]] = {}
        self._records: dict[str, int] = {}

    def behaviour(self, device_id: str) -> Behaviour:
        """Return how a device behaves, on the version it has reached."""
        described = self.behaviours.get(device_id) or Behaviour()
        reached = self._reached.get(device_id)
        return described.model_copy(update={"version": reached}) if reached else described

    def describe(self, device_id: str, **changes: object) -> None:
        """Change some of a device's behaviour."""
        known = self.behaviour(device_id).model_dump()
        reported = self.reported(device_id)
        known |= {"sw_version": reported["sw_version"], "modules": self._modules(device_id)}
        self.behaviours[device_id] = Behaviour.model_validate({**known, **changes})
        self._reached.pop(device_id, None)
        self._reported.pop(device_id, None)

    def reach(self, device_id: str, version: str, kind: str = FIRMWARE) -> None:
        """Note the version that an upgrade brought a device to.

        Args:
            device_id: the device.
            version: the version of the package.
            kind: :data:`FIRMWARE`, :data:`SOFTWARE`, or the name of a module.
        """
        self._reached[device_id] = version
        self._reported.setdefault(device_id, {})[kind] = version

    def reported(self, device_id: str) -> dict[str, Any]:
        """Return what a device reports of itself, with None for what it never reported."""
        described = self.behaviours.get(device_id) or Behaviour()
        reached = self._reported.get(device_id, {})
        return {
            "app_id": described.app_id,
            "product_id": described.product_id,
            "status": described.status,
            "fw_version": reached.get(FIRMWARE, described.version),
            "sw_version": reached.get(SOFTWARE, described.sw_version),
            "modules": [
                {"module_name": name, "module_version": version} for name, version in self._modules(device_id).items()
            ],
        }

    def _modules(self, device_id: str) -> dict[str, str]:
        described = self.behaviours.get(device_id) or Behaviour()
        reached = self._reported.get(device_id, {})
        modules = {name: version for name, version in reached.items() if name not in (FIRMWARE, SOFTWARE)}
        return {**described.modules, **modules}

    def everyone(self) -> list[str]:
        """Return the devices that were described, upgraded, or put into a group."""
        members = (device for group in self.groups.values() for device in group)
        return sorted({*self.known(), *members})

    def record_of(self, device_id: str, ids: RecordIds, now: float) -> int:
        """Return the record id of a device, which it gets when it is first listed."""
        if device_id not in self._records:
            self._records[device_id] = ids.next(now)
        return self._records[device_id]

    def known(self) -> list[str]:
        """Return the devices that were described or have been upgraded."""
        return sorted({*self.behaviours, *self._reached})

    def members(self, group_ids: list[str]) -> list[str]:
        """Return the devices of some groups, each once.

        Raises:
            KeyError: a group does not exist.
        """
        return list(dict.fromkeys(device for group in group_ids for device in self.groups[group]))
