"""The errors of a lookup of device versions: what was requested, found, and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.references import argument, setting
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.retry import Deadline

_MOST_NAMED = 5


def missing_groups(groups: Sequence[str], refusal: ServiceError, connection: ResolvedConnection) -> ServiceError:
    """Return the error of groups that do not exist, made from the response of the service."""
    return ServiceError(
        f"there is no device group {_named(groups)}",
        status=refusal.status,
        error_code=refusal.error_code,
        error_msg=refusal.error_msg,
        request_id=refusal.request_id,
        facts=[
            ("endpoint", connection.described),
            ("fix", f"check {argument('group_ids')}, {setting('project_id')} and {setting('instance_id')}"),
        ],
    )


def missing_devices(devices: Sequence[str], unreadable: int, connection: ResolvedConnection) -> IotdaOtaError:
    """Return the error of devices that were not found."""
    facts = [
        *([("not judged", plural(unreadable, "record"))] if unreadable else []),
        ("endpoint", connection.described),
        ("fix", f"check {argument('device_ids')}, {setting('project_id')} and {setting('instance_id')}"),
    ]
    return InputError(f"there is no device {_named(devices)}", argument="device_ids", facts=facts)


def several_products(product_ids: Sequence[str], others: int = 0) -> InputError:
    """Return the error of devices of several products, whose versions cannot be compared.

    Args:
        product_ids: the products that are known.
        others: how many devices are of other products, if that is known instead.
    """
    found = f"products {_named(product_ids)}"
    if others:
        found = f"product {_named(product_ids)}, and {plural(others, 'device')} of other products"
    facts = [("found", found), ("fix", f"name groups or devices of one product, or set {argument('product_id')} alone")]
    return InputError("the devices are of several products", argument="group_ids", facts=facts)


def no_modules(refusal: ServiceError) -> IotdaOtaError:
    """Return the error of module versions on an instance that has no search."""
    facts = [
        ("cause", f"only SearchDevices returns them, and the instance does not serve it: {refusal.message.headline}"),
        ("fix", "use an instance of the standard or enterprise edition"),
    ]
    return IotdaOtaError("the versions of modules cannot be read", facts=facts)


def require_countable(group_id: str, devices: int, most: int) -> None:
    """Refuse a group with too many devices.

    Raises:
        InputError: it has more than allowed.
    """
    if devices > most:
        raise InputError(
            f"the device group {sanitize(group_id)} has {devices:,} devices; at most {most:,} are supported",
            argument="group_ids",
            facts=[("fix", f"set {argument('product_id')}, or a smaller group")],
        )


def require_time(devices: int, seconds: float, deadline: Deadline) -> None:
    """Refuse to begin what the deadline would end.

    Raises:
        DeadlineExceeded: the estimated seconds are more than are left.
    """
    if seconds <= deadline.remaining():
        return
    facts = [
        ("found", f"{plural(devices, 'device')}; to read their versions takes about {seconds:,.0f} s"),
        ("fix", f"raise {deadline.raised_by}, or name fewer devices"),
    ]
    raise DeadlineExceeded(
        f"could not read the versions of devices within the deadline of {deadline.seconds:g} s", facts=facts
    )


def _named(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_NAMED
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"{', '.join(map(sanitize, names[:_MOST_NAMED]))}{more}"
