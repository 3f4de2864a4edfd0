"""The functions in a program under the real engine: unknowns, secrets, dependencies, one walk, a free event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.support.engine_resources import package_of, wait_until
from tests.support.fault_helpers import Meeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

HEAD = """
import pulumi
from pulumi import dynamic
import pulumi_iotda_ota as iotda_ota

METER = dict(package_type="firmwarePackage", product_id="smart-meter")

class _Later(dynamic.ResourceProvider):
    def create(self, props):
        return dynamic.CreateResult("later", {"version": "V1.4.10"})

class Later(dynamic.Resource):
    version: pulumi.Output[str]
    def __init__(self, name, opts=None):
        super().__init__(_Later(), name, {"version": None}, opts)
"""


def lists(emulator: Emulator) -> int:
    """Return how many pages were requested."""
    return sum(1 for request in emulator.requests if request.operation == "ListOtaPackageInfo")


def test_what_is_unknown_is_waited_for(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """What depends on something unknown sends nothing in the preview, and is looked up in the update.

    An argument, a child of a component that `depends_on` names, and a task are to come. Once the task is there it is
    exported whole, its failures too.
    """
    emulator.set_device("meter-0001", outcome="offline", seconds=0, output="device-secret")
    project = make_project(f"""{HEAD}
class Group(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Group", name)
        Later("child", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({{}})

found = iotda_ota.get_ota_package_output(**METER, version=Later("later").version)
grouped = iotda_ota.get_ota_package_output(
    **METER, version="V1.4.9", opts=pulumi.InvokeOutputOptions(depends_on=[Group("group")])
)
canary = iotda_ota.UpgradeTask("canary", package_ids=["{package_of(emulator)}"], targets=["meter-0001"])
task = iotda_ota.get_upgrade_task_output(task_id=canary.task_id)
pulumi.export("versions", [found.version, grouped.version])
pulumi.export("task", task)
pulumi.export("status", task.status)
pulumi.export("why", task.failed_devices.apply(lambda devices: [device.error_msg for device in devices]))
""")

    assert project.preview().code == 0
    assert {request.operation for request in emulator.requests} & {"ListOtaPackageInfo", "ShowBatchTask"} == set()
    up = project.up()
    assert up.code == 0, up.text
    assert lists(emulator) == 2
    assert project.outputs()["versions"] == ["V1.4.10", "V1.4.9"]
    wait_until(lambda: emulator.tasks[0]["status"] == "Fail")
    up = project.up()

    assert up.code == 0, up.text
    assert lists(emulator) == 4
    told = project.outputs()
    assert (told["status"], told["why"]) == ("Fail", ["Waiting for the device online timeout"])
    assert told["task"]["failed_devices"][0]["target"] == "meter-0001"
    assert told["task"]["progress"]["fail"] == 1
    assert "device-secret" not in project.state()


def test_a_secret_argument_is_not_in_the_error(make_project: Callable[..., Project]) -> None:
    """A lookup that fails does not repeat an argument that is secret."""
    project = make_project(f"""{HEAD}
secret, secrets = pulumi.Output.secret("V9.9.9-hush"), pulumi.Output.secret(["7.7.7-hush"])
wanted = dict(METER, version=secret, preferred_versions=secrets)
pulumi.export("found", iotda_ota.get_ota_package_output(**wanted).version)
""")

    done = project.run("preview")

    assert done.code != 0
    assert "no OTA package matches" in done.text
    assert 'product_id="smart-meter"' in done.text
    assert "hush" not in done.text


def test_equal_lookups_are_one_walk(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Twenty equal lookups in one program are one walk, plain and output forms alike."""
    project = make_project(f"""{HEAD}
for number in range(10):
    iotda_ota.get_ota_package(**METER, version="V1.4.10")
    pulumi.export(f"found-{{number}}", iotda_ota.get_ota_package_output(**METER, version="V1.4.10"))
""")

    project.ok("preview")

    assert lists(emulator) == 1


def test_lookups_of_a_program_share_connections(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Twenty different lookups of one program have eight requests in flight at the most, over as many connections."""
    emulator.faults.add(nth=2, times=None, before=Meeting())
    project = make_project(f"""{HEAD}
for number in range(20):
    found = iotda_ota.get_ota_packages_output(**METER, version=f"V1.4.{{number}}")
    pulumi.export(f"found-{{number}}", found.packages.apply(len))
""")

    project.ok("preview")

    assert lists(emulator) == 20
    assert emulator.most_at_once == 8
    assert emulator.connections <= 8


def test_results_are_exported_stashed_and_passed_on_whole(make_project: Callable[..., Project]) -> None:
    """A result can be exported, combined, lifted, and be the input of a resource; a secret argument makes it secret."""
    project = make_project(f"""{HEAD}
found = iotda_ota.get_ota_package(**METER, version="V1.4.10", include_file_location=True)
later = iotda_ota.get_ota_package_output(**METER, version="V1.4.10")
many = iotda_ota.get_ota_packages(**METER, order_by="create_time", max_items=2)
stash = pulumi.Stash("stash", input=found)
pulumi.Stash("stash-of-output", input=later)
pulumi.export("whole", found)
pulumi.export("many", many)
pulumi.export("stashed", stash.output)
pulumi.export("lifted", later.version)
pulumi.export("deep", pulumi.Output.from_input(found).file_location.obs_location.bucket_name)
pulumi.export("both", pulumi.Output.all(found, later).apply(lambda both: [one.version for one in both]))
secret = pulumi.Output.secret("V1.4.10")
pulumi.export("hidden", iotda_ota.get_ota_package_output(**METER, version=secret).version)
""")

    up = project.up()

    assert up.code == 0, up.text
    outputs = project.outputs()
    assert outputs["whole"]["version"] == outputs["stashed"]["version"] == outputs["lifted"] == "V1.4.10"
    assert outputs["whole"]["file_location"]["obs_location"]["bucket_name"] == outputs["deep"] == "ota-packages"
    assert outputs["both"] == ["V1.4.10", "V1.4.10"]
    assert outputs["hidden"] == "[secret]"
    assert [package["version"] for package in outputs["many"]["packages"]] == ["V1.3.5", "V1.5.0-rc1"]
    assert "skipped" not in outputs["whole"]


def test_a_plain_lookup_does_not_hold_up_resources(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A resource that was declared before a plain lookup is registered while the lookup waits for its answer."""
    pin_asked = threading.Event()
    in_time: list[bool] = []
    emulator.faults.add(match=lambda request: request.query.get("version") == "V1.4.9", before=pin_asked.set)
    emulator.faults.add(
        match=lambda request: request.query.get("version") == "V1.4.10",
        before=lambda: in_time.append(pin_asked.wait(timeout=20)),
    )
    project = make_project(f"""{HEAD}
iotda_ota.OtaPackagePin("first", **METER, version="V1.4.9")
iotda_ota.get_ota_package(**METER, version="V1.4.10")
""")

    project.ok("preview")

    assert in_time == [True]


def test_missing_settings_are_one_error(make_project: Callable[..., Project]) -> None:
    """Without region and credentials the program ends with one error that names the ways to give them."""
    project = make_project(f"{HEAD}\niotda_ota.get_ota_package(**METER, version='V1.4.10')\n")
    for name in [name for name in project.environment if name.startswith("HW_")]:
        del project.environment[name]

    done = project.run("preview")

    assert done.code != 0
    assert "Traceback" not in done.text
    for way in ("HW_REGION_NAME", "HW_PROJECT_ID", "HW_ACCESS_KEY", "iotda-ota:region"):
        assert way in done.text
