"""Devices: how each answers an upgrade, on which version it is, and which group it belongs to.

A device that nobody described takes part too, with the default behaviour. State only; when things happen is computed
in ``campaign.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Behaviour(BaseModel):
    """How a device answers an upgrade.

    Args:
        product_id: the product of the device.
        version: the version it runs now; an upgrade to the same version succeeds at once.
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
    version: str | None = None
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

    def behaviour(self, device_id: str) -> Behaviour:
        """Return how a device behaves, on the version it has reached."""
        described = self.behaviours.get(device_id) or Behaviour()
        reached = self._reached.get(device_id)
        return described.model_copy(update={"version": reached}) if reached else described

    def describe(self, device_id: str, **changes: object) -> None:
        """Change some of a device's behaviour."""
        known = self.behaviour(device_id).model_dump()
        self.behaviours[device_id] = Behaviour.model_validate({**known, **changes})
        self._reached.pop(device_id, None)

    def reach(self, device_id: str, version: str) -> None:
        """Note the version that an upgrade brought a device to."""
        self._reached[device_id] = version

    def known(self) -> list[str]:
        """Return the devices that were described or have been upgraded."""
        return sorted({*self.behaviours, *self._reached})

    def members(self, group_ids: list[str]) -> list[str]:
        """Return the devices of some groups, each once.

        Raises:
            KeyError: a group does not exist.
        """
        return list(dict.fromkeys(device for group in group_ids for device in self.groups[group]))
