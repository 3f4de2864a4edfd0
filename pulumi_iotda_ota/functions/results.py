"""What the functions return: read-only mappings that are Pulumi output types too.

Pulumi exports and stashes a mapping, passes it on as a resource input, and keeps the class of an output type through
``Output.all``: a result must be both. The mapping holds the fields that are set and ``id``; what was passed over is in
attributes only, so that an unrelated upload changes no stack output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import pulumi

from pulumi_iotda_ota.serialization import listed_values, package_values, task_values

if TYPE_CHECKING:
    from pulumi_iotda_ota.lookup.find import FoundMany
    from pulumi_iotda_ota.lookup.tasks import FoundTask

T = TypeVar("T")


class _Field(Generic[T]):
    """An attribute that reads the value of the same name; one that is not set reads as None.

    It becomes a property with a Pulumi getter, by which Pulumi knows what to export of an output type.
    """

    def __init__(self, description: str) -> None:
        self._description = description

    def __set_name__(self, owner: type, name: str) -> None:
        @pulumi.getter(name=name)
        def read(result: _Result) -> Any:
            return result.get(name)

        setattr(owner, name, property(read, doc=self._description))

    if TYPE_CHECKING:

        def __get__(self, result: _Result, owner: type) -> T: ...
        def __set__(self, result: _Result, value: NoReturn) -> None: ...


@pulumi.output_type
class _Result(Mapping[str, Any]):
    """A read-only mapping over the values that are set; the mark of an output type is inherited."""

    # Results compare by value, and may hold lists.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, **values: Any) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain dicts and lists, ready for JSON."""
        return {name: _plain(value) for name, value in self._values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, _Result):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


class SkippedPackage(_Result):
    """A package that was passed over, and by which rule."""

    package_id = _Field[str]("The id of the package.")
    version = _Field[str]("Its version.")
    rule = _Field[str]("The argument whose rule passed it over.")
    reason = _Field[str]("Why, in words.")


class ObsLocationResult(_Result):
    """Where the object of a package lies in OBS, and its checksum."""

    region_name = _Field[str]("The region of the bucket.")
    bucket_name = _Field[str]("The bucket.")
    object_key = _Field[str]("The key of the object.")
    sign_method = _Field["str | None"]("How the checksum was made: SHA256.")
    sign = _Field["str | None"]("The checksum, 64 hexadecimal digits.")


class FileLocationResult(_Result):
    """Where the file of a package lies."""

    obs_location = _Field["ObsLocationResult | None"]("The OBS object.")


class OtaPackageResult(_Result):
    """One package, with the fields of the API."""

    package_id = _Field[str]("The id of the package: what an upgrade task wants.")
    app_id = _Field[str]("The resource space.")
    package_type = _Field[str]("The type: softwarePackage, firmwarePackage or modulePackage.")
    product_id = _Field[str]("The product of the devices it is for.")
    version = _Field[str]("The version.")
    create_time = _Field[str]("When it was uploaded, as the service writes it: by its documents yyyyMMddTHHmmssZ.")
    created_at = _Field[str]("When it was uploaded, as RFC 3339; as it came if it cannot be read.")
    support_source_versions = _Field[list[str]]("The versions it can upgrade; empty: all.")
    product_name = _Field["str | None"]("The name of the product.")
    module_name = _Field["str | None"]("The module, of a modulePackage.")
    description = _Field["str | None"]("What the uploader wrote about it.")
    custom_info = _Field["str | None"]("What is pushed to the devices with it.")
    file_location = _Field["FileLocationResult | None"]("Where its file lies; only when it was asked for.")


class _Explained(_Result):
    """A result that also tells, in attributes, what was passed over."""

    def __init__(
        self,
        *,
        skipped: list[SkippedPackage] | None = None,
        skipped_counts: dict[str, int] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(**values)
        self._skipped = list(skipped or [])
        self._skipped_counts = dict(skipped_counts or {})

    @property
    def skipped(self) -> list[SkippedPackage]:
        """The first 100 packages that were passed over, and why."""
        return self._skipped

    @property
    def skipped_counts(self) -> dict[str, int]:
        """How many packages each rule passed over."""
        return self._skipped_counts


class GetOtaPackageResult(_Explained, OtaPackageResult):
    """The package that was looked up. ``id`` is made from the query and the same at every run."""

    id = _Field[str]("The id of the query, not of the package.")


class GetOtaPackagesResult(_Explained):
    """The packages that fit. ``id`` is made from the query and the same at every run."""

    packages = _Field[list[OtaPackageResult]]("Those that fit, in the order that was asked for.")
    truncated = _Field[bool]("Whether max_items left some out.")
    id = _Field[str]("The id of the query.")


class TaskProgressResult(_Result):
    """How many devices of a task are where, in the API's words."""

    total = _Field[int]("All devices.")
    processing = _Field[int]("Those that are being upgraded.")
    success = _Field[int]("Those that have the package.")
    fail = _Field[int]("Those that failed.")
    waitting = _Field[int]("Those that wait for their turn, or for a confirmation; the API's spelling.")
    fail_wait_retry = _Field[int]("Those that failed and will be tried again.")
    stopped = _Field[int]("Those that were stopped.")
    removed = _Field[int]("Those that were taken out of the task.")


class FailingDeviceResult(_Result):
    """A device that has not got the package; its texts are the service's, as they came."""

    target = _Field[str]("The device.")
    status = _Field[str]("Fail; FailWaitRetry, which is tried again; Removed or Stopped.")
    error_code = _Field["str | None"]("The code of the failure.")
    error_msg = _Field["str | None"]("Why, in the service's words.")


class GetUpgradeTaskResult(_Result):
    """An upgrade task as it was when it was asked for. ``id`` is made from the query and the same at every run."""

    task_id = _Field[str]("The id of the task.")
    task_name = _Field[str]("Its name.")
    task_type = _Field[str]("softwareUpgrade, firmwareUpgrade or moduleUpgrade.")
    status = _Field[str]("Initializing, Waitting, Processing, Success, Fail, PartialSuccess, Stopping or Stopped.")
    failed_devices = _Field[list[FailingDeviceResult]]("The first 100 devices that have not got the package, and why.")
    id = _Field[str]("The id of the query, not of the task.")
    status_desc = _Field["str | None"]("What the service says about the status.")
    progress = _Field["TaskProgressResult | None"]("How many devices are where.")
    create_time = _Field["str | None"]("When it was created, as the API writes it: yyyyMMddTHHmmssZ.")
    package_ids = _Field["list[str] | None"]("The packages that it installs.")
    need_confirm = _Field["bool | None"]("Whether devices wait until it is confirmed.")
    task_mode = _Field["str | None"]("GATEWAY, for devices behind a gateway.")


def answered(result: _Result) -> dict[str, Any]:
    """Return all that a result tells, what was passed over too, as plain dicts and lists."""
    if not isinstance(result, _Explained):
        return result.to_dict()
    skipped = [item.to_dict() for item in result.skipped]
    return {**result.to_dict(), "skipped": skipped, "skipped_counts": result.skipped_counts}


def packages_result(found: FoundMany) -> GetOtaPackagesResult:
    """Return the result of a list."""
    # One at a time: a list may have 100,000, and they are in the memory of the run already.
    packages = (package_values(package) for package in found.packages)
    return packages_from_mapping({**listed_values(replace(found, packages=())), "packages": packages})


def task_result(found: FoundTask) -> GetUpgradeTaskResult:
    """Return the result of the lookup of a task."""
    return task_from_mapping(task_values(found))


def task_from_mapping(values: dict[str, Any]) -> GetUpgradeTaskResult:
    """Return the result that a mapping of its fields stands for; see :func:`package_from_mapping`."""
    fields = dict(values)
    progress = fields.pop("progress", None)
    failed_devices = [_failing(item) for item in fields.pop("failed_devices", None) or []]
    return GetUpgradeTaskResult(
        **fields, progress=TaskProgressResult(**progress) if progress else None, failed_devices=failed_devices
    )


def _failing(device: Mapping[str, Any]) -> FailingDeviceResult:
    return FailingDeviceResult(**{name: value or None for name, value in device.items()})


def package_from_mapping(values: dict[str, Any]) -> GetOtaPackageResult:
    """Return the result that a mapping of its fields stands for: of a lookup, or what a user's mocks answer."""
    fields = {name: value for name, value in values.items() if name != "found"}
    skipped = [SkippedPackage(**item) for item in fields.pop("skipped", None) or []]
    obs = (fields.pop("file_location", None) or {}).get("obs_location")
    location = FileLocationResult(obs_location=ObsLocationResult(**obs)) if obs else None
    return GetOtaPackageResult(**fields, file_location=location, skipped=skipped)


def packages_from_mapping(values: dict[str, Any]) -> GetOtaPackagesResult:
    """Return the result of a list that a mapping of its fields stands for; see :func:`package_from_mapping`."""
    fields = dict(values)
    packages = [OtaPackageResult(**item) for item in fields.pop("packages", None) or []]
    skipped = [SkippedPackage(**item) for item in fields.pop("skipped", None) or []]
    return GetOtaPackagesResult(**fields, packages=packages, skipped=skipped)
