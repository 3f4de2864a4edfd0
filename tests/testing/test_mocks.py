"""The mocks for users' unit tests: a stack against a list of packages, without a network."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import pulumi_compat, testing
from pulumi_iotda_ota.lock.files import LOCK_FILE, change
from tests.support.locks import entry

if TYPE_CHECKING:
    from collections.abc import Callable

STAGED = Path(__file__).parents[2] / "examples" / "python-staged-rollout"
ROLLOUT = STAGED.with_name("python-rollout")
SETTINGS = {"python-rollout:product": "smart-meter", "python-rollout:range": "^1.4", "python-rollout:runs": "V1.3.2"}
CONFIG = {**SETTINGS, "python-rollout:canary": "canary", "python-rollout:fleet": "fleet"}
PACKAGES = [{"product_id": "smart-meter", "version": version} for version in ("V1.4.9", "V1.4.10", "V1.5.0-rc1")]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any connection fail the test: there is neither a service nor an emulator."""

    def refuse(*arguments: object) -> None:
        raise AssertionError(f"something was sent: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def program(tmp_path: Path, text: str) -> Path:
    """Write a program that imports what all of them need, and return its file."""
    file = tmp_path / "__main__.py"
    file.write_text(f"import pulumi\nimport pulumi_iotda_ota as iotda_ota\n{text}\n")
    return file


def test_a_whole_program_runs_on_a_list_of_packages() -> None:
    """Lookup, pin, canary, its good end and the fleet: all of them, from three packages and without credentials."""
    mocks = testing.run_program(ROLLOUT, config=CONFIG, mocks=testing.Mocks(PACKAGES))

    assert mocks.outputs["firmware"]["version"] == "V1.4.10"
    assert mocks.resource("meter").outputs["package_id"] == mocks.outputs["package_id"]
    assert [task["targets_filter"]["group_ids"] for task in mocks.tasks] == [["canary"], ["fleet"]]
    assert mocks.resource("canary-healthy").outputs["status"] == "Success"


def test_a_preview_creates_nothing() -> None:
    """At a preview the pin is known, as under the engine, and no task is created."""
    mocks = testing.run_program(ROLLOUT, config=CONFIG, preview=True, mocks=testing.Mocks(PACKAGES))

    assert mocks.tasks == []
    assert mocks.resource("meter").outputs["version"] == "V1.4.10"
    assert "task_id" not in mocks.resource("canary").outputs
    assert "task_id" not in mocks.resource("canary-healthy").outputs
    assert set(mocks.outputs) == {"firmware", "package_id"}


def test_a_failed_canary_fails_the_program() -> None:
    """A device that fails makes the completion fail with the error of a real one, and the fleet is not started."""
    mocks = testing.Mocks(PACKAGES, groups={"canary": ["m1", "m2"]}, failed_devices={"m2": "battery low"})

    with pytest.raises(iotda_ota.UpgradeTaskFailed, match="failed: 1 of 2 devices") as caught:
        testing.run_program(ROLLOUT, config=CONFIG, mocks=mocks)

    assert "m2           battery low" in str(caught.value)
    assert [task["targets_filter"]["group_ids"] for task in mocks.tasks] == [["canary"]]


def test_an_approval_releases_the_devices_that_wait() -> None:
    """A task that is to be confirmed waits, and goes on once the packages that it installs are approved."""
    settings = {"product": "smart-meter", "range": "^1.4", "canary": "canary", "fleet": '["fleet"]'}
    config = {f"python-staged-rollout:{name}": value for name, value in settings.items()}
    waiting = testing.run_program(STAGED, config=config, mocks=testing.Mocks(PACKAGES))
    approved = {**config, "python-staged-rollout:approved": f'["{waiting.outputs["package"]["package_id"]}"]'}

    done = testing.run_program(STAGED, config=approved, mocks=testing.Mocks(PACKAGES))

    with pytest.raises(LookupError, match="it registered meter, canary, canary-healthy, fleet"):
        waiting.resource("fleet-done")
    assert done.resource("fleet-done").outputs["progress"]["success"] == 1
    with pytest.raises(iotda_ota.IotdaOtaError, match="approved_package_ids"):
        testing.run_program(
            STAGED, config={**config, "python-staged-rollout:approved": '["other"]'}, mocks=testing.Mocks(PACKAGES)
        )


def test_nothing_waits(tmp_path: Path) -> None:
    """A task that is not confirmed ends the wait of an hour at once, with the real error."""
    text = """
task = iotda_ota.UpgradeTask("t", package_ids=["p1"], group_ids=["g"], need_confirm=True)
iotda_ota.UpgradeTaskCompletion("end", task_id=task.task_id, timeout="1h")
"""
    packages = [{"product_id": "meter", "version": "V1", "package_id": "p1"}]

    with pytest.raises(iotda_ota.DeadlineExceeded, match="confirm"):
        testing.run_program(program(tmp_path, text), mocks=testing.Mocks(packages))


def test_failed_devices_are_tried_again_and_fail_again(tmp_path: Path) -> None:
    """A completion can retry the failed devices, and reports it."""
    text = """
task = iotda_ota.UpgradeTask("t", package_ids=["p1"], targets=["d1", "d2"])
iotda_ota.UpgradeTaskCompletion("end", task_id=task.task_id, retry_failed=True)
"""
    packages = [{"product_id": "meter", "version": "V1", "package_id": "p1"}]

    with pytest.raises(iotda_ota.UpgradeTaskFailed, match="retried"):
        testing.run_program(program(tmp_path, text), mocks=testing.Mocks(packages, failed_devices={"d1": "offline"}))


def test_the_same_mocks_for_a_second_run(tmp_path: Path) -> None:
    """A second run with the same mocks adopts what the first run created, without a duplicate error."""
    text = """
task = iotda_ota.UpgradeTask("t", package_ids=["p1"], targets=["d1"])
pulumi.export("task", task.task_id)
"""
    mocks = testing.Mocks([{"product_id": "meter", "version": "V1", "package_id": "p1"}])

    first = testing.run_program(program(tmp_path, text), mocks=mocks).outputs["task"]

    assert testing.run_program(program(tmp_path, text), mocks=mocks).outputs["task"] == first
    assert len(mocks.tasks) == 1


def test_how_a_task_stands(tmp_path: Path) -> None:
    """A program that reads its task gets the failed devices, and an error for a task that does not exist."""
    text = """
task = iotda_ota.UpgradeTask("t", package_ids=["p1"], targets=["d1", "d2"])
pulumi.export("stands", iotda_ota.get_upgrade_task_output(task_id=task.task_id))
try:
    iotda_ota.get_upgrade_task(task_id="ab12")
except iotda_ota.ServiceError as error:
    pulumi.export("missing", error.status)
"""
    packages = [{"product_id": "meter", "version": "V1", "package_id": "p1"}]

    reported = testing.run_program(
        program(tmp_path, text), mocks=testing.Mocks(packages, failed_devices={"d1": "offline"})
    )

    assert [device["target"] for device in reported.outputs["stands"]["failed_devices"]] == ["d1"]
    assert reported.outputs["stands"]["status"] == "PartialSuccess"
    assert reported.outputs["missing"] == 404


def test_a_package_that_the_program_makes_is_found(tmp_path: Path) -> None:
    """What an OtaPackage creates is among the packages from then on."""
    text = """
made = iotda_ota.OtaPackage("made", package_type="firmwarePackage", app_id="energy", product_id="meter", version="V2",
    obs_location={"region_name": "cn-north-4", "bucket_name": "files", "object_key": "V2.bin"})
found = iotda_ota.get_ota_package_output(package_id=made.package_id)
pulumi.export("found", found.version)
"""
    assert testing.run_program(program(tmp_path, text), mocks=testing.Mocks()).outputs == {"found": "V2"}


def test_nothing_fits_is_the_error_of_a_real_lookup() -> None:
    """A lookup that finds nothing reports the requested and the nearest packages."""
    with pytest.raises(iotda_ota.PackageNotFound, match=r"V1\.4\.10 \(outside \^2\)"):
        testing.run_program(ROLLOUT, config={**CONFIG, "python-rollout:range": "^2"}, mocks=testing.Mocks(PACKAGES))


class Buckets(pulumi.runtime.Mocks):
    """A user's own mocks, for another provider."""

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Return the result of a function."""
        return {"region": "cn-north-4"}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Set the name of a bucket."""
        return f"{args.name}-7", {**args.inputs, "bucket": f"{args.name}-7"}


OTHERS = """
class Bucket(pulumi.CustomResource):
    bucket: pulumi.Output[str]
    def __init__(self, name):
        super().__init__("obs:index:Bucket", name, {"bucket": None})

bucket = Bucket("files")
region = pulumi.runtime.invoke("obs:index:getRegion", {}).value["region"]
made = iotda_ota.OtaPackage("made", package_type="firmwarePackage", app_id="energy", product_id="meter", version="V2",
    obs_location={"region_name": region, "bucket_name": bucket.bucket, "object_key": "V2.bin"})
pulumi.export("location", made.obs_location)
"""


class Derived(testing.Mocks):
    """A user's own mocks, derived from ours."""

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Return the result of a function of another provider, and call the base class for all others."""
        return {"region": "cn-north-4"} if args.token == "obs:index:getRegion" else super().call(args)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> Any:
        """Set the name of a bucket, and call the base class for all other resources."""
        if args.typ == "obs:index:Bucket":
            return Buckets().new_resource(args)
        return super().new_resource(args)


@pytest.mark.parametrize("make", [lambda: testing.Mocks(others=Buckets()), Derived], ids=["given", "derived"])
def test_other_providers_are_answered_by_the_user_s_own_mocks(
    make: Callable[[], testing.Mocks], tmp_path: Path
) -> None:
    """Mocks of other providers are an argument or a subclass. Each part gets only its own calls."""
    reported = testing.run_program(program(tmp_path, OTHERS), mocks=make()).outputs

    assert reported["location"] == {"region_name": "cn-north-4", "bucket_name": "files-7", "object_key": "V2.bin"}


def test_without_mocks_of_their_own_other_resources_are_as_they_were_declared(tmp_path: Path) -> None:
    """A resource of another provider without mocks has its inputs, and a function has no result."""
    text = """
bucket = pulumi.CustomResource("obs:index:Bucket", "files", {"acl": "private"})
pulumi.export("reported", [bucket.id, pulumi.runtime.invoke("obs:index:getRegion", {}).value])
"""
    assert testing.run_program(program(tmp_path, text), mocks=testing.Mocks()).outputs["reported"] == ["files-id", {}]


def test_pulumi_s_own_way_of_unit_tests() -> None:
    """They are mocks like any other: `set_mocks` and `pulumi.runtime.test` work with them."""
    pulumi.runtime.set_mocks(testing.Mocks(PACKAGES), preview=False)
    seen: list[str] = []

    def declared() -> pulumi.Output[None]:
        pin = iotda_ota.OtaPackagePin(
            "p", package_type="firmwarePackage", product_id="smart-meter", highest_version=True
        )
        return pin.version.apply(seen.append)

    run_to_the_end: Callable[..., Callable[[], None]] = pulumi.runtime.test
    try:
        run_to_the_end(declared)()
    finally:
        pulumi_compat.leave_program()

    assert seen == ["V1.4.10"]


@pytest.mark.parametrize(
    ("package", "reported"),
    [
        ({"product_id": "meter"}, r"packages\[0\]\.version: Field required"),
        ({"product_id": "meter", "version": "V1", "support_versions": []}, "did you mean support_source_versions"),
        ({"product_id": "meter", "version": 1}, r"packages\[0\]\.version: .*string"),
    ],
)
def test_a_package_that_is_not_one_is_told(package: dict[str, Any], reported: str) -> None:
    """A field that is missing, misspelt or of another type is an error that names its place."""
    with pytest.raises(iotda_ota.InputError, match=reported):
        testing.Mocks([package])


def test_two_runs_in_one_process_remember_nothing_of_each_other(tmp_path: Path) -> None:
    """The results and the outputs of one run of a program are not those of the next."""
    text = 'pulumi.export(pulumi.Config().require("as"), iotda_ota.get_ota_package(package_id="p1").version)'
    file = program(tmp_path, text)

    for name, version in (("first", "V1"), ("second", "V2")):
        packages = [{"product_id": "meter", "version": version, "package_id": "p1"}]
        reported = testing.run_program(file, config={"x:as": name}, mocks=testing.Mocks(packages))
        assert reported.outputs == {name: version}


def test_a_program_with_a_lock_file(tmp_path: Path) -> None:
    """A locked package of the program exists without being listed, in any folder in which the tests run."""
    (tmp_path / "Pulumi.yaml").touch()
    change(tmp_path / LOCK_FILE, lambda _: {"meter": entry("meter", "V14")})
    file = program(
        tmp_path,
        """
found = iotda_ota.get_ota_package(lock="meter")
pin = iotda_ota.OtaPackagePin("pin", lock="meter", verify=True)
iotda_ota.UpgradeTask("canary", package_ids=[pin.package_id], group_ids=["canary"])
pulumi.export("version", found.version)
""",
    )

    mocks = testing.run_program(file, mocks=testing.Mocks(PACKAGES))

    assert mocks.outputs == {"version": "V14"}
    assert [task["document"] for task in mocks.tasks] == [{"package_ids": ["meter-V14"]}]


def test_a_program_runs_in_its_folder(tmp_path: Path) -> None:
    """A program finds the files beside it, as under the engine. Afterwards the working directory is restored."""
    here = Path.cwd()
    (tmp_path / "note.txt").write_text("here")
    file = program(tmp_path, 'from pathlib import Path\npulumi.export("note", Path("note.txt").read_text())')

    assert testing.run_program(file, mocks=testing.Mocks()).outputs == {"note": "here"}
    assert Path.cwd() == here
