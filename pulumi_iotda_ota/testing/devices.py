"""Devices of a test, in place of the client's reader of devices. Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.models import Device, DevicePage, PageInfo
from pulumi_iotda_ota.iotda.sanitize import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pulumi_iotda_ota.iotda.api.devices import Condition

_READ = TypeAdapter(Device)
_FIELDS = ("product_id", "fw_version", "sw_version", "modules")


def devices_of(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Device]:
    """Return the devices of a test.

    Args:
        given: by device id the fields of the API: ``product_id``, ``fw_version``, ``sw_version``, ``modules``.

    Raises:
        InputError: a field is misspelt, or has another type.
    """
    return {device_id: _device(device_id, fields) for device_id, fields in given.items()}


def _device(device_id: str, fields: Mapping[str, Any]) -> Device:
    for name in fields:
        if name not in _FIELDS:
            raise InputError(f"devices[{device_id}] has no field {name}{did_you_mean(name, _FIELDS)}")
    try:
        return _READ.validate_python({"device_id": device_id, **fields}, strict=False)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"devices[{device_id}].{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


class DeviceShelf:
    """Has the methods of ``iotda.devices.DeviceReader``.

    Args:
        devices: the devices by id.
        groups: the devices of each group. A group that is not named has one device, which has the group's name.
    """

    def __init__(self, devices: Mapping[str, Device], groups: Mapping[str, Sequence[str]]) -> None:
        self.requests = 0
        self._devices = devices
        self._groups = groups

    def count(self, conditions: Sequence[Condition], _: object) -> int:
        """Return how many devices match."""
        return len(list(self._matching(conditions)))

    def search(self, conditions: Sequence[Condition], *_: object, **__: object) -> Iterator[Device]:
        """Return the devices that match."""
        return self._matching(conditions)

    def of_product(self, product_id: str | None, *_: object) -> Iterator[Device]:
        """Return the devices of a product, or all."""
        self.requests += 1
        return (one for one in self._everyone() if product_id in (None, one.product_id))

    def count_of_product(self, product_id: str | None, *_: object) -> int:
        """Return how many devices a product has."""
        return len(list(self.of_product(product_id)))

    def of_group(self, group_id: str, _: object) -> Iterator[Device]:
        """Return the devices of a group."""
        self.requests += 1
        return (self._device(device_id) for device_id in self._groups.get(group_id, [group_id]))

    def first_of_group(self, group_id: str, deadline: object) -> DevicePage:
        """Return the devices of a group as a page."""
        devices = tuple(self.of_group(group_id, deadline))
        return DevicePage(devices=devices, page=PageInfo(count=len(devices)))

    def _device(self, device_id: str) -> Device:
        return self._devices.get(device_id) or Device(device_id=device_id)

    def _everyone(self) -> Collection[Device]:
        members = (device_id for group in self._groups.values() for device_id in group)
        return [self._device(device_id) for device_id in dict.fromkeys([*self._devices, *members])]

    def _matching(self, conditions: Sequence[Condition]) -> Iterator[Device]:
        self.requests += 1
        wanted = {group for one in conditions if one.name == "group_id" for group in one.values}
        members = (device_id for group in wanted for device_id in self._groups.get(group, [group]))
        devices = [self._device(one) for one in dict.fromkeys(members)] if wanted else self._everyone()
        others = [one for one in conditions if one.name != "group_id"]
        return (device for device in devices if all(one.holds(getattr(device, one.name, None)) for one in others))
