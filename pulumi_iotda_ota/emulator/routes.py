"""Which path and method stand for which operation, and the function that answers it. Answers nothing itself."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from pulumi_iotda_ota.emulator import device_operations as devices
from pulumi_iotda_ota.emulator import package_operations as packages
from pulumi_iotda_ota.emulator import task_operations as tasks
from pulumi_iotda_ota.emulator.account_operations import ACCOUNT_OPERATIONS
from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.messages import Reply, Request
from pulumi_iotda_ota.emulator.service import Call

_ROOT = "/v5/iot/<project_id>"
_PACKAGES = f"{_ROOT}/ota-upgrades/packages"
_MODULES = f"{_ROOT}/ota-upgrades/modules"
_TASKS = f"{_ROOT}/batchtasks"

Handler = Callable[[Call], Reply]

_TABLE: tuple[tuple[str, str, str, Handler], ...] = (
    ("ListOtaPackageInfo", "GET", _PACKAGES, packages.list_packages),
    ("CreateOtaPackage", "POST", _PACKAGES, packages.create_package),
    ("ShowOtaPackage", "GET", f"{_PACKAGES}/<package_id>", packages.show_package),
    ("DeleteOtaPackage", "DELETE", f"{_PACKAGES}/<package_id>", packages.delete_package),
    ("ListOtaModules", "GET", _MODULES, packages.list_modules),
    ("CreateOtaModule", "POST", _MODULES, packages.create_module),
    ("ShowOtaModule", "GET", f"{_MODULES}/<module_id>", packages.show_module),
    ("UpdateOtaModule", "PUT", f"{_MODULES}/<module_id>", packages.update_module),
    ("DeleteOtaModule", "DELETE", f"{_MODULES}/<module_id>", packages.delete_module),
    ("ListDevices", "GET", f"{_ROOT}/devices", devices.list_devices),
    ("SearchDevices", "POST", f"{_ROOT}/search/query-devices", devices.search_devices),
    ("ShowDevicesInGroup", "GET", f"{_ROOT}/device-group/<group_id>/devices", devices.list_group_devices),
    ("ListBatchTasks", "GET", _TASKS, tasks.list_tasks),
    ("CreateBatchTask", "POST", _TASKS, tasks.create_task),
    ("ShowBatchTask", "GET", f"{_TASKS}/<task_id>", tasks.show_task),
    ("DeleteBatchTask", "DELETE", f"{_TASKS}/<task_id>", tasks.delete_task),
    ("StopBatchTask", "POST", f"{_TASKS}/<task_id>/stop", tasks.stop_task),
    ("RetryBatchTask", "POST", f"{_TASKS}/<task_id>/retry", tasks.retry_task),
    ("ConfirmBatchTask", "POST", f"{_TASKS}/<task_id>/confirm", tasks.confirm_task),
)

# IAM and the metadata service are other hosts in the world, and know no project in their paths.
_ACCOUNT_PATHS = (
    ("KeystoneCreateUserTokenByPassword", "POST", "/v3/auth/tokens"),
    ("KeystoneListProjects", "GET", "/v3/projects"),
    ("CreateUnscopedTokenWithIdToken", "POST", "/v3.0/OS-AUTH/id-token/tokens"),
    ("CreateTemporaryAccessKey", "POST", "/v3.0/OS-CREDENTIAL/securitytokens"),
    ("CreateMetadataToken", "PUT", "/meta-data/latest/api/token"),
    ("ShowSecurityKey", "GET", "/openstack/latest/securitykey"),
)

#: The name, the method and the path of every operation of IoTDA.
ROUTES = tuple((name, method, path) for name, method, path, _ in _TABLE)
OPERATIONS: dict[str, Handler] = {name: handler for name, _, _, handler in _TABLE}

#: All operations that there are.
NAMES = frozenset({*OPERATIONS, *ACCOUNT_OPERATIONS})

# A path is taken as it stands: no redirect for a slash too many, as the service has none.
_MAP = Map(
    [Rule(path, methods=[method], endpoint=name) for name, method, path in (*ROUTES, *_ACCOUNT_PATHS)],
    strict_slashes=True,
    merge_slashes=False,
).bind("emulator")


def route(request: Request) -> tuple[str, dict[str, str]]:
    """Return the operation a request stands for and the ids in its path.

    Raises:
        ApiError: the path is unknown, or has no such method.
    """
    try:
        name, values = _MAP.match(request.path, request.method)
    except MethodNotAllowed as exc:
        raise ApiError("method_absent") from exc
    except NotFound as exc:
        raise ApiError("unknown_uri") from exc
    if request.method == "HEAD":  # werkzeug lets it pass where GET does
        raise ApiError("method_absent")
    return str(name), {key: str(value) for key, value in values.items()}
