"""What a constructor finds wrong with the arguments of a program, before anything is registered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import testing
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.pin import Pin

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = [{"product_id": "meter", "version": f"V{number}", "package_id": f"p{number}"} for number in (1, 2)]
HEAD = """
import pulumi
import pulumi_iotda_ota as iotda_ota

none = pulumi.Output.from_input(None)
pin = iotda_ota.OtaPackagePin("meter", package_id="p1")
"""
TASK = 'iotda_ota.UpgradeTask("t", package_ids=["p1"], targets=["d1"], {})'
PACKAGE = (
    'iotda_ota.OtaPackage("p", package_type="firmwarePackage", app_id="energy", product_id="meter", version="V9",'
    ' obs_location=dict(region_name="r", bucket_name="bucket", object_key="k.bin"), {})'
)
DONE = 'iotda_ota.UpgradeTaskCompletion("c", task_id="ab12", {})'
LOOKUP = 'iotda_ota.get_ota_package_output(package_type="firmwarePackage", product_id="meter", {})'


def run(tmp_path: Path, text: str, **options: Any) -> testing.Mocks:
    """Run a program against two packages."""
    (tmp_path / "__main__.py").write_text(HEAD + text)
    return testing.run_program(tmp_path / "__main__.py", mocks=testing.Mocks(PACKAGES), **options)


def refused(tmp_path: Path, text: str, **options: Any) -> str:
    """Return the one message that ends a program."""
    with pytest.raises(InputError) as caught:
        run(tmp_path, text, **options)
    assert isinstance(caught.value, pulumi.RunError)
    return str(caught.value)


OBJECT = {"region_name": "r", "bucket_name": "bucket", "object_key": "k.bin"}
WRONG: dict[str, tuple[Any, dict[str, Any], str]] = {
    "pin": (iotda_ota.OtaPackagePin, {"package_id": "p1", "verify": "no"}, "verify must be True or False"),
    "pin, two together": (
        iotda_ota.OtaPackagePin,
        {"package_id": "p1", "version": "V1"},
        "package_id excludes all",
    ),
    "pin, a range": (
        iotda_ota.OtaPackagePin,
        {"package_type": "firmwarePackage", "version_constraint": ">>1"},
        "version_constraint",
    ),
    "pin, a set": (
        iotda_ota.OtaPackagePin,
        {"package_type": "firmwarePackage", "preferred_versions": {"V1"}},
        "preferred_versions must be a list",
    ),
    "package": (
        iotda_ota.OtaPackage,
        {"package_type": "firmware", "app_id": "a", "product_id": "m", "version": "V1", "obs_location": OBJECT},
        "package_type must be one of",
    ),
    "task": (iotda_ota.UpgradeTask, {"package_ids": ["p1"], "targets": ["d1"], "retry_count": 9}, "retry_count must"),
    "task, two together": (iotda_ota.UpgradeTask, {"package_ids": ["p1"]}, "targets and group_ids: set exactly one"),
    "task, a time": (
        iotda_ota.UpgradeTask,
        {"package_ids": ["p1"], "targets": ["d1"], "schedule_time": "soon"},
        "schedule_time",
    ),
    "completion": (iotda_ota.UpgradeTaskCompletion, {"task_id": "ab12", "timeout": "soon"}, "timeout"),
    "confirmation": (
        iotda_ota.UpgradeTaskConfirmation,
        {"task_id": "ab12", "approved_package_ids": []},
        "approved_package_ids must not be empty",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_plain_argument_ends_the_constructor(case: str) -> None:
    """A constructor refuses a wrong plain argument by the rule of its provider, names the resource, sends nothing."""
    kind, arguments, words = WRONG[case]

    with pytest.raises(InputError) as caught:
        kind("it", **arguments)

    assert isinstance(caught.value, pulumi.RunError)
    assert str(caught.value).startswith(f'{kind.__name__} "it": {words}')


def test_all_that_is_wrong_is_listed(tmp_path: Path) -> None:
    """One run names every wrong argument; what is not known yet is taken to be right."""
    text = refused(tmp_path, TASK.format('retry_count=9, on_destroy="go", app_id=pulumi.Output.secret("a b")'))

    assert text.splitlines()[0] == 'UpgradeTask "t": retry_count must be a whole number from 1 to 5, not 9'
    assert "on_destroy must be one of stop, retain, delete" in text
    assert "app_id" not in text


def test_what_pulumi_cannot_send_is_named(tmp_path: Path) -> None:
    """A value that no provider can receive is refused with its type and place; sets are lists."""
    text = refused(tmp_path, TASK.format("triggers=[dict(at=object())]"))
    assert text.startswith('UpgradeTask "t": triggers[0].at is of type object, which a resource cannot store')
    assert "connection must be an iotda_ota.Connection" in refused(tmp_path, TASK.format("connection=dict()"))
    assert "holds itself" in refused(tmp_path, f"loop = []\nloop.append(loop)\n{TASK.format('triggers=loop')}")

    mocks = run(tmp_path, 'iotda_ota.UpgradeTask("t", package_ids={"p2", "p1"}, targets={"b", "a"}, triggers={"x"})')
    assert [task["targets"] for task in mocks.tasks] == [["a", "b"]]


@pytest.mark.parametrize(
    ("text", "headline", "fix"),
    [
        (
            'iotda_ota.UpgradeTask("t", package_ids=[pin.id], targets=["d1"])',
            'UpgradeTask "t": package_ids[0] is the id of the resource OtaPackagePin "meter", not a package id',
            "pass its output .package_id",
        ),
        (
            'iotda_ota.UpgradeTask("t", package_ids=[pin], targets=["d1"])',
            'UpgradeTask "t": package_ids[0] is the resource OtaPackagePin "meter", not a package id',
            "pass its output .package_id",
        ),
        (
            TASK.format("triggers=dict(after=pin.id)"),
            'UpgradeTask "t": triggers.after is the id of the resource OtaPackagePin "meter", which never changes',
            "pass its output .package_id",
        ),
        (
            f"task = {TASK.format('')}\niotda_ota.UpgradeTaskCompletion('c', task_id=task)",
            'UpgradeTaskCompletion "c": task_id is the resource UpgradeTask "t", not a task id',
            "pass its output .task_id",
        ),
        (
            "iotda_ota.UpgradeTaskCompletion('c', task_id=pin)",
            'UpgradeTaskCompletion "c": task_id is the resource OtaPackagePin "meter", not a task id',
            "pass .task_id of an UpgradeTask",
        ),
        (
            f"""
task = {TASK.format("")}
done = iotda_ota.UpgradeTaskCompletion("c", task_id=task.task_id)
iotda_ota.UpgradeTaskConfirmation("c", task_id=done.id, approved_package_ids=["p"])
""",
            'UpgradeTaskConfirmation "c": task_id is the id of the resource UpgradeTaskCompletion "c", not a task id',
            "pass its output .task_id",
        ),
        (
            'iotda_ota.UpgradeTaskConfirmation("c", task_id="5c8b", approved_package_ids=[pin])',
            (
                'UpgradeTaskConfirmation "c": approved_package_ids[0] is the resource OtaPackagePin "meter", '
                "not a package id"
            ),
            "write the ids of the reviewed packages as strings",
        ),
        (
            TASK.format('triggers=[pulumi.ComponentResource("a", "b")]'),
            'UpgradeTask "t": triggers[0] is the resource ComponentResource "b", not a plain value',
            "pass one of its outputs, or a plain value",
        ),
        (
            "iotda_ota.get_ota_package_output(package_id=pin.id)",
            'package_id is the id of the resource OtaPackagePin "meter", not a package id',
            "pass its output .package_id",
        ),
        (
            "iotda_ota.get_ota_package(package_id=pin)",
            'package_id is the resource OtaPackagePin "meter", not a package id',
            "pass its output .package_id",
        ),
        (
            f"task = {TASK.format('')}\niotda_ota.get_upgrade_task_output(task_id=task)",
            'task_id is the resource UpgradeTask "t", not a task id',
            "pass its output .task_id",
        ),
    ],
)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_a_resource_or_its_constant_id_is_no_value(
    tmp_path: Path, text: str, headline: str, fix: str, preview: bool
) -> None:
    """A resource, or the id of one that owns nothing, is refused at the preview with the output that is meant."""
    assert refused(tmp_path, text, preview=preview).splitlines() == [headline, f"  fix          {fix}"]


def test_an_id_that_is_right_is_taken(tmp_path: Path) -> None:
    """The id of a package or task resource is accepted as its package_id or task_id."""
    text = f"""
package = {PACKAGE.format("")}
task = iotda_ota.UpgradeTask("t", package_ids=[package.id], targets=["d1"])
iotda_ota.UpgradeTaskCompletion("c", task_id=task.id)
"""
    assert len(run(tmp_path, text).tasks) == 1


@pytest.mark.parametrize("text", ["package_ids=pulumi.Output.all(pin.id)", "package_ids=[pin.id.apply(str)]"])
def test_a_derived_id_is_told_by_its_value(tmp_path: Path, text: str) -> None:
    """An Output of a constant id is refused by its value, when that is known."""
    with pytest.raises(iotda_ota.IotdaOtaError, match="must be the output package_id of a resource instead of its id"):
        run(tmp_path, f'iotda_ota.UpgradeTask("t", {text}, targets=["d1"])')


def test_the_constant_ids_are_those_of_the_resources() -> None:
    """The table of constant ids holds the id of each resource that owns nothing."""
    ids = [Pin.create(None, {}).id, Completion.id, Confirmation.id]  # type: ignore[arg-type]  # nothing is sent
    assert list(limits.CONSTANT_IDS) == ids


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (LOOKUP.format("version_constraint=none"), "version_constraint"),
        (LOOKUP.format("source_versions=[none]"), "source_versions[0]"),
        ('iotda_ota.get_ota_packages_output(package_type="firmwarePackage", product_id=none)', "product_id"),
        ("iotda_ota.get_upgrade_task_output(task_id=none)", "task_id"),
        (
            'iotda_ota.OtaPackagePin("it", package_type="firmwarePackage", version_constraint=none)',
            "version_constraint",
        ),
        ('iotda_ota.OtaPackagePin("it", package_id="p1", expected_package_id=none)', "expected_package_id"),
        (TASK.format("need_confirm=none"), "need_confirm"),
        (TASK.format("schedule_time=none"), "schedule_time"),
        (TASK.format("task_ext_info=none"), "task_ext_info"),
        ('iotda_ota.UpgradeTask("t", package_ids=["p1", none], targets=["d1"])', "package_ids[1]"),
        (DONE.format("max_failed_percent=none"), "max_failed_percent"),
        ("iotda_ota.UpgradeTaskConfirmation('c', task_id=none, approved_package_ids=['p1'])", "task_id"),
        (PACKAGE.replace('object_key="k.bin"', 'object_key="k.bin", sign=none').format(""), "obs_location.sign"),
        (PACKAGE.format("support_source_versions=none"), "support_source_versions"),
    ],
)
def test_an_output_that_resolves_to_none_is_an_error(tmp_path: Path, text: str, path: str) -> None:
    """If an argument selects or limits, an Output without a value for it is an error that names it."""
    reported = refused(tmp_path, text, preview=True)

    assert f"{path} is an Output that resolved to None" in reported.splitlines()[0]
    assert f"correct what {path} reads" in reported


def test_a_none_inside_an_output_is_named(tmp_path: Path) -> None:
    """A None in the list that an Output resolves to is named by its place."""
    reported = refused(
        tmp_path, 'iotda_ota.UpgradeTask("t", package_ids=["p1"], targets=pulumi.Output.all("d1", none))'
    )

    assert reported.startswith('UpgradeTask "t": targets[1] is None in the value that an Output resolved to')


@pytest.mark.parametrize(
    "text",
    [
        LOOKUP.format("version='V1', version_constraint=None"),
        TASK.format("app_id=None, triggers=[none], task_ext_info=dict(a=none)"),
        TASK.format("triggers=none"),
        PACKAGE.format("description=none, custom_info=pin.custom_info, module_name=pin.module_name"),
    ],
)
def test_what_may_be_absent_may_be_none(tmp_path: Path, text: str) -> None:
    """A plain None means a missing argument. An Output may be None if the argument selects nothing."""
    run(tmp_path, text)


def test_what_is_passed_on_is_what_was_given(tmp_path: Path) -> None:
    """The check of an Output keeps its value, its secrecy, that it is unknown, and what it depends on."""
    mocks = run(
        tmp_path,
        """
task = iotda_ota.UpgradeTask("t", package_ids=[pin.package_id], targets=pulumi.Output.secret(["d1"]))
iotda_ota.UpgradeTaskCompletion("c", task_id=task.task_id)
from pulumi_iotda_ota import pulumi_inputs as sdk_inputs
secret = sdk_inputs.requiring_values({"a": pulumi.Output.secret("x")})["a"]
pulumi.export("secret", pulumi.Output.from_input(secret.is_secret()))
depends = sdk_inputs.requiring_values({"a": [pin.package_id]})["a"][0]
async def same():
    return await depends.resources() == await pin.package_id.resources() == {pin}
pulumi.export("depends", pulumi.Output.from_input(same()))
""",
        preview=True,
    )

    assert "task_id" not in mocks.resource("c").outputs
    assert (mocks.outputs["secret"], mocks.outputs["depends"]) == (True, True)


class _Plugin:
    package = "iotda-ota"


def test_a_provider_of_the_plugin_is_refused() -> None:
    """An explicit provider of the plugin is refused, because Pulumi would ignore its account."""
    opts = pulumi.ResourceOptions()
    opts.provider = _Plugin()  # type: ignore[assignment]  # as much of a provider as is read

    with pytest.raises(InputError, match=r'UpgradeTask "t": opts.provider has no effect[\s\S]*connection='):
        iotda_ota.UpgradeTask("t", package_ids=["p1"], targets=["d1"], opts=opts)


HANDED = """
import collections, enum

class Mode(enum.Enum):
    RETAIN = "retain"
    THREE = 3

async def later(value):
    return value

"""
ACCEPTED = {
    "an enum": "on_destroy=Mode.RETAIN, retry_count=Mode.THREE, retry_interval=1, triggers=[Mode.RETAIN]",
    "coroutines": "on_destroy=later('retain'), triggers=later('x'), task_ext_info={'a': later('b')}",
}
TOLD = {
    "triggers=(letter for letter in 'ab')": "triggers is of type generator.*list\\(\\.\\.\\.\\)",
    "triggers={'a': {}.keys()}": "triggers.a is of type dict_keys.*list\\(\\.\\.\\.\\)",
    "triggers=[{1: 'a'}]": "triggers\\[0\\] has a key of type int.*str\\(key\\)",
    "task_ext_info={('a', 1): 'a'}": "task_ext_info has a key of type tuple.*str\\(key\\)",
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_values_that_become_plain(tmp_path: Path, case: str) -> None:
    """A member of an enum is its value at any depth. A coroutine is awaited once at any depth."""
    mocks = run(tmp_path, HANDED + TASK.format(ACCEPTED[case]))

    inputs = mocks.resource("t").outputs
    if case == "an enum":
        assert (inputs["on_destroy"], inputs["retry_count"], inputs["triggers"]) == ("retain", 3, ["retain"])
    else:
        assert (inputs["on_destroy"], inputs["triggers"], inputs["task_ext_info"]) == ("retain", "x", {"a": "b"})


@pytest.mark.parametrize("given", TOLD)
def test_values_that_pulumi_cannot_send(tmp_path: Path, given: str) -> None:
    """A generator, another collection or a key that is no text ends the program in one message with what to write."""
    reported = refused(tmp_path, HANDED + TASK.format(given))

    assert re.search(TOLD[given], reported, re.DOTALL)
