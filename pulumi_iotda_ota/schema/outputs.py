"""The one table of what functions and resources answer: its name, type and meaning.

The result classes and the resource classes are written by hand and compared with this table by a test; the schema of
the plugin is made from it. This module imports nothing of Pulumi.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Output:
    """One field of an answer.

    Attributes:
        name: as Python spells it.
        type: ``text``, ``flag``, ``number``, ``texts`` (a list), ``argument`` (the name of an argument), ``counts`` (a
            number for each argument), ``object`` or ``objects`` (a list).
        description: a full sentence.
        optional: whether it may be absent.
        of: the fields of an object.
    """

    name: str
    type: str
    description: str
    optional: bool = False
    of: Object | None = None


@dataclass(frozen=True)
class Object:
    """An object inside an answer.

    Attributes:
        name: of its class in the languages that have one.
        description: a full sentence.
        fields: what it holds.
    """

    name: str
    description: str
    fields: tuple[Output, ...]


def _optional(*outputs: Output) -> tuple[Output, ...]:
    return tuple(replace(output, optional=True) for output in outputs)


OBS_LOCATION = Object(
    "ObsLocation",
    "Where the object of a package lies in OBS, and its checksum.",
    (
        Output("region_name", "text", "The region of the bucket."),
        Output("bucket_name", "text", "The bucket."),
        Output("object_key", "text", "The key of the object."),
        *_optional(
            Output("sign_method", "text", "How the checksum was made: SHA256."),
            Output("sign", "text", "The checksum, 64 hexadecimal digits."),
        ),
    ),
)
FILE_LOCATION = Object(
    "FileLocation",
    "Where the file of a package lies.",
    _optional(Output("obs_location", "object", "The OBS object.", of=OBS_LOCATION)),
)
_PACKAGE_FIELDS = (
    Output("package_id", "text", "The id of the package: what an upgrade task wants."),
    Output("app_id", "text", "The resource space."),
    Output("package_type", "text", "The type: softwarePackage, firmwarePackage or modulePackage."),
    Output("product_id", "text", "The product of the devices it is for."),
    Output("version", "text", "The version."),
    Output("create_time", "text", "When it was uploaded, as the service writes it: by its documents yyyyMMddTHHmmssZ."),
    Output("created_at", "text", "When it was uploaded, as RFC 3339; as it came if it cannot be read."),
    Output("support_source_versions", "texts", "The versions it can upgrade; an empty list means all."),
    *_optional(
        Output("product_name", "text", "The name of the product."),
        Output("module_name", "text", "The module, of a modulePackage."),
        Output("description", "text", "What the uploader wrote about it."),
        Output("custom_info", "text", "What is pushed to the devices with it."),
        Output("file_location", "object", "Where its file lies; only when it was asked for.", of=FILE_LOCATION),
    ),
)
PACKAGE = Object("OtaPackageFields", "One OTA package, with the fields of the API.", _PACKAGE_FIELDS)
SKIPPED_PACKAGE = Object(
    "SkippedPackage",
    "A package that was passed over, and by which rule.",
    (
        Output("package_id", "text", "The id of the package."),
        Output("version", "text", "Its version."),
        Output(
            "rule",
            "argument",
            "The argument whose rule passed it over; `unreadable_record` if no rule can judge the record.",
        ),
        Output("reason", "text", "Why, in words."),
    ),
)
_PASSED_OVER = (
    Output(
        "skipped",
        "objects",
        "The first 100 packages that were passed over, and why.",
        optional=True,
        of=SKIPPED_PACKAGE,
    ),
    Output("skipped_counts", "counts", "How many packages each rule passed over.", optional=True),
)
_IDENTITY = Output(
    "identity",
    "object",
    'Where the resource was made; "not found" means that it is gone only there.',
    of=Object(
        "Identity",
        "A place on the service.",
        (
            Output("region", "text", "The region."),
            Output("endpoint", "text", "The endpoint."),
            Output("project_id", "text", "The project."),
            Output("instance_id", "text", "The instance; empty where none was given."),
            Output("profile", "text", "The named profile; empty where none was given."),
        ),
    ),
)
TASK_PROGRESS = Object(
    "TaskProgress",
    "How many devices of a task are where, in the API's words.",
    _optional(
        Output("total", "number", "All devices of the task."),
        Output("processing", "number", "Devices that are being upgraded."),
        Output("success", "number", "Devices that were upgraded."),
        Output("fail", "number", "Devices that failed."),
        Output("waitting", "number", "Devices that wait; the spelling is the API's."),
        Output("fail_wait_retry", "number", "Devices that failed and will be tried again."),
        Output("stopped", "number", "Devices whose upgrade was stopped."),
        Output("removed", "number", "Devices that were removed from the task."),
    ),
)

GET_OTA_PACKAGE: tuple[Output, ...] = (
    # Where nothing was found there is nothing else.
    *(output if output.optional else replace(output, optional=True) for output in _PACKAGE_FIELDS),
    Output("id", "text", "The id of the query, not of the package: the same at every run.", optional=True),
    *_PASSED_OVER,
)
GET_OTA_PACKAGES: tuple[Output, ...] = (
    Output("packages", "objects", "Those that fit, in the order that was asked for.", of=PACKAGE),
    Output("truncated", "flag", "Whether max_items left some out."),
    Output("id", "text", "The id of the query: the same at every run."),
    *_PASSED_OVER,
)
OTA_PACKAGE_PIN: tuple[Output, ...] = (
    *_PACKAGE_FIELDS,
    Output("revision", "number", "1 at first; it grows each time the pin moves to another package."),
    Output("exists", "flag", "Whether the package is still there, as of the last refresh or update."),
    Output(
        "available_version",
        "text",
        "The version that the selection would give now, as of the last refresh; empty where it is the pinned package.",
    ),
    _IDENTITY,
)
UPGRADE_TASK: tuple[Output, ...] = (
    Output("task_id", "text", "The id of the task."),
    Output(
        "task_name",
        "text",
        "Its name: the prefix, and 16 digits that stand for the campaign. An imported task keeps its own name.",
    ),
    Output("task_type", "text", "The type: softwareUpgrade, firmwareUpgrade or moduleUpgrade."),
    Output("status", "text", "Its status as of the last update or refresh; Gone when the task was deleted elsewhere."),
    Output("status_desc", "text", "What the service says about the status."),
    Output("progress", "object", "How many devices are where, as of the last update or refresh.", of=TASK_PROGRESS),
    Output("create_time", "text", "When it was created, as the API writes it; empty where it does not tell."),
    _IDENTITY,
)


FAILING_DEVICE = Object(
    "FailingDevice",
    "A device that has not got the package; its texts are the service's, as they came.",
    (
        Output("target", "text", "The device."),
        Output("status", "text", "Its state: Fail; FailWaitRetry, which is tried again; Removed or Stopped."),
        *_optional(
            Output("error_code", "text", "The code of the failure."),
            Output("error_msg", "text", "Why, in the service's words."),
        ),
    ),
)
GET_UPGRADE_TASK: tuple[Output, ...] = (
    Output("task_id", "text", "The id of the task."),
    Output("task_name", "text", "Its name."),
    Output("task_type", "text", "The type: softwareUpgrade, firmwareUpgrade or moduleUpgrade."),
    Output(
        "status",
        "text",
        "Its state: Initializing, Waitting, Processing, Success, Fail, PartialSuccess, Stopping or Stopped.",
    ),
    Output(
        "failed_devices",
        "objects",
        "The first 100 devices that have not got the package, and why.",
        optional=True,
        of=FAILING_DEVICE,
    ),
    Output("id", "text", "The id of the query, not of the task: the same at every run."),
    *_optional(
        Output("status_desc", "text", "What the service says about the status."),
        Output("progress", "object", "How many devices are where.", of=TASK_PROGRESS),
        Output("create_time", "text", "When it was created, as the API writes it: yyyyMMddTHHmmssZ."),
        Output("package_ids", "texts", "The packages that it installs."),
        Output("need_confirm", "flag", "Whether devices wait until it is confirmed."),
        Output("task_mode", "text", "The mode: GATEWAY, for devices behind a gateway."),
    ),
)
OTA_PACKAGE: tuple[Output, ...] = (
    Output("package_id", "text", "The id of the package: what an upgrade task wants."),
    Output("package_type", "text", "The type: softwarePackage, firmwarePackage or modulePackage."),
    Output("app_id", "text", "The resource space."),
    Output("product_id", "text", "The product of the devices it is for."),
    Output("version", "text", "The version."),
    Output("obs_location", "object", "Where the file lies, as it was given.", of=OBS_LOCATION),
    Output("support_source_versions", "texts", "The versions it can upgrade; an empty list means all."),
    *_optional(
        Output("product_name", "text", "The name of the product."),
        Output("module_name", "text", "The module, of a modulePackage."),
        Output("description", "text", "What is written about it."),
        Output("custom_info", "text", "What is pushed to the devices with it."),
    ),
    Output("create_time", "text", "When it was created, as the API writes it."),
    Output("created_at", "text", "When it was created, as RFC 3339."),
    Output("exists", "flag", "Whether it is still there, as of the last refresh or update."),
    _IDENTITY,
)
UPGRADE_TASK_COMPLETION: tuple[Output, ...] = (
    Output("task_id", "text", "The task that was waited for."),
    Output("task_name", "text", "Its name."),
    Output("status", "text", "How it ended, within the limits: Success, PartialSuccess or Fail."),
    Output("status_desc", "text", "What the service says about the status."),
    Output("progress", "object", "How many devices were where at the end.", of=TASK_PROGRESS),
    Output("failed_count", "number", "How many devices were not upgraded."),
)
UPGRADE_TASK_CONFIRMATION: tuple[Output, ...] = (
    Output("task_id", "text", "The task that was confirmed."),
    Output("task_name", "text", "Its name."),
    Output("status", "text", "Its status before it was confirmed, or as it was found where it had begun already."),
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
        *GET_UPGRADE_TASK,
        *OTA_PACKAGE,
        *OTA_PACKAGE_PIN,
        *UPGRADE_TASK,
        *UPGRADE_TASK_COMPLETION,
        *UPGRADE_TASK_CONFIRMATION,
    )
)
