"""The table of the outputs of the functions and resources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

OutputType = Literal[
    "string", "boolean", "integer", "list of strings", "argument", "counts by argument", "object", "list of objects"
]


@dataclass(frozen=True)
class Output:
    """One output.

    Attributes:
        name: in Python's spelling.
        type: its type in the plugin. ``argument`` is a string that names an argument, and ``counts by argument`` has an
            integer for each argument that it names.
        description: what it is, in full sentences. ``{name}`` refers to an argument or output.
        absent: when it is absent, to read after "if". Empty if it is always present.
        unit: the unit of a number, or the format of a string.
        of: the fields of an object.
    """

    name: str
    type: OutputType
    description: str
    absent: str = ""
    unit: str = ""
    of: Object | None = None

    @property
    def optional(self) -> bool:
        """Return whether it may be absent."""
        return bool(self.absent)

    @property
    def full_description(self) -> str:
        """Return what it is, its unit, and when it is absent; references are not rendered yet."""
        unit = f" {'Format' if self.type == 'string' else 'Unit'}: {self.unit}." if self.unit else ""
        return f"{self.description}{unit}{f' Absent if {self.absent}.' if self.absent else ''}"


@dataclass(frozen=True)
class Object:
    """An object inside an output.

    Attributes:
        name: the name of its class in the languages that have one.
        description: a full sentence.
        fields: its fields.
    """

    name: str
    description: str
    fields: tuple[Output, ...]


_API_TIME = "UTC time in the form of the API, yyyyMMddTHHmmssZ"
_RFC_3339 = "UTC time in RFC 3339"
_NOT_RETURNED = "the service does not return it"

OBS_LOCATION = Object(
    "ObsLocation",
    "The OBS object of a package, and its checksum.",
    (
        Output("region_name", "string", "The region of the bucket."),
        Output("bucket_name", "string", "The name of the bucket."),
        Output("object_key", "string", "The key of the object in the bucket."),
        Output(
            "sign_method",
            "string",
            "The algorithm of the checksum. The service knows only SHA256.",
            "there is no checksum",
        ),
        Output("sign", "string", "The SHA-256 checksum.", "there is no checksum", "64 hexadecimal digits"),
    ),
)
FILE_LOCATION = Object(
    "FileLocation",
    "The location of the file of a package.",
    (Output("obs_location", "object", "The OBS object that holds the file.", _NOT_RETURNED, of=OBS_LOCATION),),
)
_PACKAGE_FIELDS = (
    Output("package_id", "string", "The id of the package. Pass it to an upgrade task."),
    Output("app_id", "string", "The resource space of the package."),
    Output("package_type", "string", "The type: softwarePackage, firmwarePackage or modulePackage."),
    Output("product_id", "string", "The product of the devices that the package is for."),
    Output("version", "string", "The version of the package."),
    Output("create_time", "string", "The upload time, as the service returns it.", unit=_API_TIME),
    Output("created_at", "string", "The upload time. If it cannot be read, as the service returns it.", unit=_RFC_3339),
    Output(
        "support_source_versions",
        "list of strings",
        "The versions that the package can upgrade. An empty list means all versions.",
    ),
    Output("product_name", "string", "The name of the product.", _NOT_RETURNED),
    Output("module_name", "string", "The module that the package is for.", "the package is for a whole device"),
    Output("description", "string", "The text about the package.", "the package has none"),
    Output("custom_info", "string", "The text that is pushed to the devices.", "the package has none"),
    Output(
        "file_location",
        "object",
        "The location of the file.",
        "neither {include_file_location} nor {require_checksum} is set",
        of=FILE_LOCATION,
    ),
)
#: A package of a list, which the service returns without the file location.
PACKAGE = Object(
    "OtaPackageFields",
    "One OTA package, with the fields of the API.",
    tuple(
        replace(output, absent=f"the package is of a list, or {output.absent}")
        if output.name == "file_location"
        else output
        for output in _PACKAGE_FIELDS
    ),
)
SKIPPED_PACKAGE = Object(
    "SkippedPackage",
    "A package that was skipped, and the rule that skipped it.",
    (
        Output("package_id", "string", "The id of the package."),
        Output("version", "string", "The version of the package."),
        Output(
            "rule",
            "argument",
            "The argument whose rule skipped the package. It is unreadable_record if no rule can judge the record.",
        ),
        Output("reason", "string", "Why the rule skipped the package."),
    ),
)
_SKIPPED = (
    Output(
        "skipped",
        "list of objects",
        "The first 100 packages that were skipped, each with the reason.",
        "no package was found",
        of=SKIPPED_PACKAGE,
    ),
    Output(
        "skipped_counts",
        "counts by argument",
        "How many packages each rule skipped. Each package is counted once.",
        "no package was found",
        "packages",
    ),
)
_IDENTITY = Output(
    "identity",
    "object",
    'Where the resource was created. Only there does "not found" mean that it no longer exists.',
    of=Object(
        "Identity",
        "A location on the service.",
        (
            Output("region", "string", "The region."),
            Output("endpoint", "string", "The endpoint."),
            Output("project_id", "string", "The id of the project."),
            Output("instance_id", "string", "The id of the instance. Empty if none was set."),
            Output("profile", "string", "The named profile. Empty if none was set."),
        ),
    ),
)


def _devices(name: str, description: str) -> Output:
    return Output(name, "integer", description, _NOT_RETURNED, "devices")


TASK_PROGRESS = Object(
    "TaskProgress",
    "The devices of a task, counted by state. The names are those of the API.",
    (
        _devices("total", "All devices of the task."),
        _devices("processing", "Devices that are being upgraded."),
        _devices("success", "Devices that were upgraded."),
        _devices("fail", "Devices that failed."),
        _devices("waitting", "Devices that wait. The spelling is that of the API."),
        _devices("fail_wait_retry", "Devices that failed and are retried later."),
        _devices("stopped", "Devices whose upgrade was stopped."),
        _devices("removed", "Devices that were removed from the task."),
    ),
)

GET_OTA_PACKAGE: tuple[Output, ...] = (
    # If no package was found, all outputs are absent.
    *(output if output.optional else replace(output, absent="no package was found") for output in _PACKAGE_FIELDS),
    Output(
        "id",
        "string",
        "The id of the query, not of the package. It is the same in each run.",
        "no package was found",
    ),
    *_SKIPPED,
)
GET_OTA_PACKAGES: tuple[Output, ...] = (
    Output("packages", "list of objects", "The packages that match, in the requested order.", of=PACKAGE),
    Output("truncated", "boolean", "Whether more packages match than {max_items} allows."),
    Output("id", "string", "The id of the query. It is the same in each run."),
    *(replace(output, absent="") for output in _SKIPPED),
)
OTA_PACKAGE_PIN: tuple[Output, ...] = (
    *_PACKAGE_FIELDS,
    Output("revision", "integer", "1 at first. It grows by 1 each time the pin moves to another package."),
    Output("exists", "boolean", "Whether the package still existed at the last refresh or update."),
    Output(
        "available_version",
        "string",
        "The version that the selection found at the last refresh. Empty if it found no other package.",
    ),
    _IDENTITY,
)
UPGRADE_TASK: tuple[Output, ...] = (
    Output("task_id", "string", "The id of the task."),
    Output(
        "task_name",
        "string",
        "The name of the task: the prefix and 16 hexadecimal digits. An imported task keeps its own name.",
    ),
    Output("task_type", "string", "The type: softwareUpgrade, firmwareUpgrade or moduleUpgrade."),
    Output(
        "status",
        "string",
        "The status at the last update or refresh. It is Gone if the task was deleted outside Pulumi.",
    ),
    Output("status_desc", "string", "The service's text about the status. Empty if there is none."),
    Output("progress", "object", "The devices by state, at the last update or refresh.", of=TASK_PROGRESS),
    Output(
        "create_time",
        "string",
        "When the task was created. Empty if the service does not return it.",
        unit=_API_TIME,
    ),
    _IDENTITY,
)


FAILING_DEVICE = Object(
    "FailingDevice",
    "A device that was not upgraded. Its texts are those of the service.",
    (
        Output("target", "string", "The id of the device."),
        Output("status", "string", "The state: Fail, FailWaitRetry (retried later), Removed or Stopped."),
        Output("error_code", "string", "The code of the failure.", _NOT_RETURNED),
        Output("error_msg", "string", "The service's text about the failure.", _NOT_RETURNED),
    ),
)
SKIPPED_DEVICE = Object(
    "SkippedDevice",
    "A record of a failed device that cannot be judged.",
    (
        Output("target", "string", "The id of the device.", "the record has none"),
        Output("reason", "string", "The field that is wrong, in words."),
    ),
)
GET_UPGRADE_TASK: tuple[Output, ...] = (
    Output("task_id", "string", "The id of the task."),
    Output("task_name", "string", "The name of the task."),
    Output("task_type", "string", "The type: softwareUpgrade, firmwareUpgrade or moduleUpgrade."),
    Output(
        "status",
        "string",
        "The status: Initializing, Waitting, Processing, Success, Fail, PartialSuccess, Stopping or Stopped.",
    ),
    Output(
        "failed_devices",
        "list of objects",
        "The first 100 devices that were not upgraded, each with the reason. Empty if no device failed.",
        of=FAILING_DEVICE,
    ),
    Output(
        "skipped_devices",
        "list of objects",
        "The records among these devices that cannot be judged, because a required field is missing or has another "
        "type. Empty if all can be judged.",
        of=SKIPPED_DEVICE,
    ),
    Output("id", "string", "The id of the query, not of the task. It is the same in each run."),
    Output("status_desc", "string", "The service's text about the status.", _NOT_RETURNED),
    Output("progress", "object", "The devices by state.", _NOT_RETURNED, of=TASK_PROGRESS),
    Output("create_time", "string", "When the task was created.", _NOT_RETURNED, _API_TIME),
    Output("package_ids", "list of strings", "The ids of the packages that the task installs.", _NOT_RETURNED),
    Output("need_confirm", "boolean", "Whether devices wait until the task is confirmed.", _NOT_RETURNED),
    Output(
        "task_mode",
        "string",
        "The mode of the task. GATEWAY is for devices behind a gateway.",
        "the task has no mode",
    ),
)
UPGRADE_HOP = Object(
    "UpgradeHop",
    "One package that devices install on the way to the target.",
    (
        Output("package_id", "string", "The id of the package."),
        Output("version", "string", "The version that the devices run after it."),
    ),
)
UPGRADE_PATH = Object(
    "UpgradePath",
    "How devices on one version reach the target.",
    (
        Output("source_version", "string", "The version that the devices run."),
        Output("reachable", "boolean", "Whether the devices can reach the target within {max_hops}."),
        Output(
            "hops",
            "list of objects",
            "The packages to install, in order. Empty if the devices run the target version, or cannot reach it.",
            of=UPGRADE_HOP,
        ),
        Output(
            "hops_needed",
            "integer",
            "How many hops the shortest path has.",
            "the target is reachable, or no path exists",
            "hops",
        ),
        Output(
            "needs_downgrade",
            "boolean",
            "Whether the devices run a version above the target, and {allow_downgrade} is not set.",
        ),
        Output(
            "nearest_version",
            "string",
            "The highest version that the devices can reach and that is not above the target. It can be their own.",
            "a path exists, or {needs_downgrade} is set",
        ),
        Output(
            "missing_versions",
            "list of strings",
            "The first 100 versions from which the target can be reached, the lowest first. A package from "
            "{nearest_version} to one of them, or to the target, closes the gap. Empty if {nearest_version} is absent.",
        ),
    ),
)
GET_DEVICE_VERSIONS: tuple[Output, ...] = (
    Output("total", "integer", "How many devices there are.", unit="devices"),
    Output(
        "versions",
        "list of objects",
        "The versions that devices run, the most devices first.",
        of=Object(
            "DeviceVersion",
            "A version, and how many devices run it.",
            (
                Output("version", "string", "The version, as the devices report it."),
                Output("devices", "integer", "How many devices run it.", unit="devices"),
            ),
        ),
    ),
    Output(
        "unknown",
        "integer",
        "How many devices have no known version. They report none or, if {method} is count, one that no package names.",
        unit="devices",
    ),
    Output("product_id", "string", "The product of the devices.", "there is no device"),
    Output(
        "method",
        "string",
        "How the devices were read: search, count (by version), or list (all devices of the product).",
    ),
    Output("requests", "integer", "How many requests were sent to read devices.", unit="requests"),
    Output("unreadable_records", "integer", "How many devices could not be judged.", unit="devices"),
    Output("id", "string", "The id of the query. It is the same in each run."),
)
GET_UPGRADE_PATH: tuple[Output, ...] = (
    Output("package", "object", "The target.", of=PACKAGE),
    Output("paths", "list of objects", "One path for each of {source_versions}, in their order.", of=UPGRADE_PATH),
    Output("unreadable_records", "integer", "How many packages of the list could not be judged.", unit="packages"),
    Output("id", "string", "The id of the query. It is the same in each run."),
)
_CREATED = {"create_time": "When the package was created.", "created_at": "When the package was created."}
OTA_PACKAGE: tuple[Output, ...] = (
    *(
        replace(output, description=_CREATED.get(output.name, output.description))
        for output in _PACKAGE_FIELDS
        if output.name != "file_location"
    ),
    Output("obs_location", "object", "The OBS object that holds the file, as it was declared.", of=OBS_LOCATION),
    Output("exists", "boolean", "Whether the package still existed at the last refresh or update."),
    _IDENTITY,
)
UPGRADE_TASK_COMPLETION: tuple[Output, ...] = (
    Output("task_id", "string", "The id of the task."),
    Output("task_name", "string", "The name of the task."),
    Output("status", "string", "The final status of the task: Success, PartialSuccess or Fail."),
    Output("status_desc", "string", "The service's text about the status. Empty if there is none."),
    Output("progress", "object", "The devices by state, at the end of the task.", of=TASK_PROGRESS),
    Output("failed_count", "integer", "How many devices were not upgraded.", unit="devices"),
)
UPGRADE_TASK_CONFIRMATION: tuple[Output, ...] = (
    Output("task_id", "string", "The id of the task."),
    Output("task_name", "string", "The name of the task."),
    Output("status", "string", "The status before the confirmation. If the task had begun already, its status then."),
)


def _objects_of(outputs: tuple[Output, ...]) -> dict[str, Object]:
    found: dict[str, Object] = {}
    for output in outputs:
        if output.of is not None:
            found |= {output.of.name: output.of, **_objects_of(output.of.fields)}
    return found


#: Every object, by the name of its class.
OBJECTS = _objects_of(
    (
        *GET_OTA_PACKAGE,
        *GET_OTA_PACKAGES,
        *GET_DEVICE_VERSIONS,
        *GET_UPGRADE_PATH,
        *GET_UPGRADE_TASK,
        *OTA_PACKAGE,
        *OTA_PACKAGE_PIN,
        *UPGRADE_TASK,
        *UPGRADE_TASK_COMPLETION,
        *UPGRADE_TASK_CONFIRMATION,
    )
)
