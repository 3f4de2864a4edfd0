"""What every lane shares: a clean environment, and an emulator whose address is in it."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from tests.support import fuzzing, lanes
from tests.support.prepared import CACHE

if TYPE_CHECKING:
    from collections.abc import Iterator

# The fixtures are tested in separate test runs.
pytest_plugins = ["pytester"]

# Importing it makes every property test as long as requested.
assert fuzzing.FACTOR >= 1

# A job in the background, or below `nohup`, ignores signals, and what it starts ignores them too.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number is signal.SIGINT else signal.SIG_DFL)

# Hundreds of processes import the same modules: without what Python keeps of them each compiles them again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _can_be_written(folder: str) -> bool:
    """Return whether a file can be made in a folder; what its mode says is not true of every file system."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


# npm, Go and pip keep files at home. On some runners the home is missing or cannot be written.
if not os.environ.get("HOME") or not _can_be_written(os.environ["HOME"]):
    (CACHE / "home").mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = str(CACHE / "home")

ENGINE = "tests/engine/"
_OURS = ("HW_", "HUAWEICLOUD_", "PULUMI_", "OS_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def pytest_configure(config: pytest.Config) -> None:
    """Report on the lanes, but from the workers, whose tests the process that started them reports."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(lanes.Lanes(CACHE / "seconds.json"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of the real engine, skip them if there is none, and let workers begin with the longest tests."""
    has_pulumi = shutil.which("pulumi") is not None
    for item in items:
        if item.nodeid.startswith(ENGINE):
            item.add_marker(pytest.mark.engine)
        if not has_pulumi and item.get_closest_marker("engine"):
            item.add_marker(pytest.mark.skip(reason="engine lane not run: no pulumi on PATH"))
    if hasattr(config, "workerinput"):
        lanes.longest_first(items, config.workerinput["seconds"])


def pytest_collection_finish() -> None:
    """Let the garbage collector skip thousands of collected tests, which stay until the end."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of the user who runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(autouse=True)
def _seeded_chance() -> None:
    """Spread retries in the same way in every run: the jitter between attempts is the product's only chance."""
    random.seed(0)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return a running emulator with its default catalogue."""
    with Emulator() as running:
        yield running


def settings_for(emulator: Emulator) -> dict[str, str]:
    """Return the environment variables that lead to an emulator."""
    return emulator.environment


@pytest.fixture
def service(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return a running emulator that the environment leads to."""
    for name, value in settings_for(emulator).items():
        monkeypatch.setenv(name, value)
    return emulator
