"""How many files of the library an argument passes, from the function to the request and back."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi_iotda_ota as iotda_ota

if TYPE_CHECKING:
    from types import FrameType

    from pulumi_iotda_ota.emulator import Emulator

LIBRARY = f"{Path(iotda_ota.__file__).parent}/"
EMULATOR = f"{LIBRARY}emulator/"
VERSION = "V7.77.777"
MOST_FILES = 20


class Tracer:
    """The files of the library in which a local name holds a text with the version."""

    def __init__(self) -> None:
        self.files: set[str] = set()

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Trace a frame if its code is the library's."""
        file = frame.f_code.co_filename
        return self.note if file.startswith(LIBRARY) and not file.startswith(EMULATOR) else None

    def note(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Note the file of a frame that holds the version."""
        file = frame.f_code.co_filename.removeprefix(LIBRARY)
        if file not in self.files and any(map(holds_version, (*frame.f_locals.values(), arg))):
            self.files.add(file)
        return self.note


def holds_version(value: object) -> bool:
    """Return whether a value is a text with the version."""
    return VERSION in value if isinstance(value, str) else isinstance(value, bytes) and VERSION.encode() in value


def test_a_version_passes_few_files(service: Emulator) -> None:
    """The version of a lookup passes at most 20 files between ``get_ota_package`` and the request, and back."""
    service.add_package(package_type="firmwarePackage", app_id="energy", product_id="lamp", version=VERSION)
    query: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "lamp", "version": VERSION}
    tracer, before = Tracer(), sys.gettrace()
    threading.settrace(tracer)
    sys.settrace(tracer)
    try:
        found = iotda_ota.get_ota_package(**query)
    finally:
        sys.settrace(before)
        threading.settrace(before)

    assert found.version == VERSION
    # Where it is sent and where it is read: the tracer sees the worker threads too.
    assert {"iotda/auth/signing.py", "iotda/http/parsing.py"} <= tracer.files
    assert len(tracer.files) <= MOST_FILES, sorted(tracer.files)
