"""What the tests of the lock file share: entries of any kind, and a lookup that is locked against a running service."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK
from pulumi_iotda_ota.lock.entry import Entry
from pulumi_iotda_ota.lock.files import LOCK_FILE, change
from pulumi_iotda_ota.lock.update import _resolve
from pulumi_iotda_ota.lookup.session import Run
from tests.conftest import settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.iotda.retry import Clock

METER: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "smart-meter"}
ON: dict[str, Any] = {"source_versions": ["V1.3.2"]}
NEWEST: dict[str, Any] = {**METER, **ON, "version_constraint": "^1.4", "highest_version": True}


def entry(name: str, version: str = "V1", **changes: Any) -> Entry:
    """Return an entry with a package of that version."""
    fields: dict[str, Any] = {
        "name": name,
        "selection": {"package_type": "firmwarePackage", "product_id": "meter", "highest_version": True},
        "place": {"region": "cn-north-4", "endpoint": "https://iotda.example.com", "project_id": "p1"},
        "package": {
            "package_id": f"{name}-{version}",
            "app_id": "energy",
            "package_type": "firmwarePackage",
            "product_id": "meter",
            "version": version,
            "create_time": "20260101T000000Z",
            "created_at": "2026-01-01T00:00:00Z",
            "support_source_versions": ["V0"],
        },
        "locked_at": "2026-11-22T12:00:00Z",
        "reason": "highest there is",
    }
    return Entry(**{**fields, **changes})


def lock(emulator: Emulator, folder: Path, name: str, *, clock: Clock = SYSTEM_CLOCK, **asked: Any) -> Entry:
    """Lock a lookup under a name, in the lock file of a folder; return what is locked."""
    with closing(Run(memo=False, clock=clock)) as run:
        _, locked = _resolve(run, Context({}, settings_for(emulator)).resolved(), name, asked)
    change(folder / LOCK_FILE, lambda entries: {**entries, name: locked})
    return locked


def entries() -> SearchStrategy[Entry]:
    """Return entries with any texts that the service can give."""
    text = st.text(max_size=12) | st.sampled_from(["\u202eevil", "\ud800", "<<<<<<< x", "a\nb", '"},', "=======", ""])
    location = st.fixed_dictionaries(
        {"region_name": text, "bucket_name": text, "object_key": text}, optional={"sign": text, "sign_method": text}
    )
    package = st.fixed_dictionaries(
        {
            **dict.fromkeys(("package_id", "app_id", "package_type", "product_id", "version"), text),
            **dict.fromkeys(("create_time", "created_at"), text),
            "support_source_versions": st.lists(text, max_size=3),
        },
        optional={
            **dict.fromkeys(("product_name", "module_name", "description", "custom_info"), text),
            "file_location": st.fixed_dictionaries({}, optional={"obs_location": location}),
        },
    )
    asked = st.fixed_dictionaries(
        {"package_type": st.just("firmwarePackage")},
        optional={
            "version_constraint": text,
            "highest_version": st.booleans(),
            "source_versions": st.lists(st.sampled_from(["V1", "V2"]), min_size=1, unique=True),
        },
    )
    place = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("region", "endpoint", "project_id", "instance_id"), text.filter(bool))
    )
    names = st.from_regex(r"(?!format\Z)[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
    return st.builds(
        Entry,
        names,
        selection=asked,
        place=place,
        package=package,
        locked_at=st.just("2026-11-22T12:00:00Z"),
        reason=text,
    )
