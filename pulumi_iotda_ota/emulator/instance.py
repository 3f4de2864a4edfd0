"""The class ``Emulator``: start and stop it, read its state, and change its behaviour."""

from __future__ import annotations

import functools
import secrets
import time
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.emulator.admin import admin_reply
from pulumi_iotda_ota.emulator.application import Application
from pulumi_iotda_ota.emulator.auth import Authenticator, KeyPair
from pulumi_iotda_ota.emulator.behavior import Clock, Pace, Switches, api_time
from pulumi_iotda_ota.emulator.faults import Faults
from pulumi_iotda_ota.emulator.iam import Accounts
from pulumi_iotda_ota.emulator.operations import task_fields
from pulumi_iotda_ota.emulator.seed import (
    Seed,
    SeedPackage,
    SeedTask,
    checked,
    default_seed,
    load_seed,
    plant,
    plant_package,
    plant_task,
    stored_file,
)
from pulumi_iotda_ota.emulator.server import Server
from pulumi_iotda_ota.emulator.service import Service
from pulumi_iotda_ota.emulator.signatures import DERIVED, STANDARD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

    from pulumi_iotda_ota.emulator.messages import Request

_TOKEN_SECONDS = 24 * 3600


class Emulator:
    """A local IoTDA; use it as a context manager, or call :meth:`start` and :meth:`stop`.

    Args:
        seed: the packages and devices at the start, as a mapping or the path of a JSON file; default: a catalogue.
        latency: seconds that every response is delayed.
        derived_only: whether only the derived signature is accepted, as by the endpoints of instances.
        standard_only: whether only the standard signature is accepted.
        access_key: the access key that is accepted; default: a random one.
        secret_key: its secret; default: a random one.
        security_token: makes the key a temporary one, which needs this ``X-Security-Token``.
        project_id: the project of all paths; default: a random one.
        region: the region in the scope of a derived signature.
        clock: the time of devices, tasks and uploads, as seconds since 1970.
        auth_clock: the time that dates of signatures and tokens are compared with. It is separate from ``clock``, so
            that days can pass for devices while a client signs with the time of day.
        switches: the undocumented behaviour.
        device_seconds: how long the upgrade of one device takes.
        initializing_seconds: how long a task is Initializing.
        stopping_seconds: how long a task is Stopping.
        minute_seconds: how long a minute of ``retry_interval`` lasts.
        port: the port to listen on; 0 takes a free one.
        verbose: whether each request is printed on stderr.
    """

    def __init__(
        self,
        seed: Mapping[str, Any] | str | Path | None = None,
        *,
        latency: float = 0.0,
        derived_only: bool = False,
        standard_only: bool = False,
        access_key: str | None = None,
        secret_key: str | None = None,
        security_token: str | None = None,
        project_id: str | None = None,
        region: str = "cn-north-4",
        clock: Clock | None = None,
        auth_clock: Clock | None = None,
        switches: Switches | None = None,
        device_seconds: float = Pace.device,
        initializing_seconds: float = Pace.initializing,
        stopping_seconds: float = Pace.stopping,
        minute_seconds: float = Pace.minute,
        port: int = 0,
        verbose: bool = False,
    ) -> None:
        self.access_key = access_key or secrets.token_hex(10).upper()
        self.secret_key = secret_key or secrets.token_hex(20)
        self.project_id = project_id or secrets.token_hex(16)
        self.region = region
        self._security_token = security_token
        self.faults = Faults()
        self._seed = _catalogue() if seed is None else load_seed(seed)
        self._clock = clock or time.time
        self._pace = Pace(initializing_seconds, device_seconds, stopping_seconds, minute_seconds)
        keys = KeyPair(self.access_key, self.secret_key, security_token)
        self._authenticator = Authenticator(
            keys, region, _algorithms(derived_only=derived_only, standard_only=standard_only), auth_clock or time.time
        )
        #: The identities of IAM: a user, an agency, an identity provider, and the project of the region.
        self.accounts = Accounts([{"id": self.project_id, "name": region, "enabled": True, "is_domain": False}])
        self._application = Application(
            self._planted(switches or Switches()),
            self._authenticator,
            self.accounts,
            self.faults,
            project_id=self.project_id,
            latency=latency,
            admin=lambda request: admin_reply(self, request),
        )
        self._listening = (port, verbose)
        self._server: Server | None = None
        self._added = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator {self.endpoint if self._server else 'not started'}>"

    def start(self) -> None:
        """Listen and serve in the background."""
        port, verbose = self._listening
        self._server = Server(self._application, port=port, verbose=verbose)
        self._server.start()

    def stop(self) -> None:
        """Close every connection and free the port."""
        if self._server:
            self._server.stop()

    @property
    def endpoint(self) -> str:
        """Return the address, such as ``http://127.0.0.1:40123``.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._server is None:
            raise RuntimeError("the emulator is not started: use it as a context manager, or call start()")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables with the endpoint and the credentials of this emulator.

        Raises:
            RuntimeError: it has not been started.
        """
        settings = {
            "HW_IOTDA_ENDPOINT": self.endpoint,
            "HW_REGION_NAME": self.region,
            "HW_PROJECT_ID": self.project_id,
            "HW_ACCESS_KEY": self.access_key,
            "HW_SECRET_KEY": self.secret_key,
        }
        return settings | ({"HW_SECURITY_TOKEN": self._security_token} if self._security_token else {})

    @property
    def switches(self) -> Switches:
        """Return the undocumented behaviour; assign other switches to change it."""
        return self._service.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._service.switches = switches

    @property
    def latency(self) -> float:
        """Return the seconds that every response is delayed; assign a number to change it."""
        return self._application.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._application.latency = seconds

    @property
    def requests(self) -> list[Request]:
        """Return the requests so far, in order."""
        return self._application.requests

    @property
    def connections(self) -> int:
        """Return how many connections were accepted since the start."""
        return self._server.connections if self._server else 0

    @property
    def most_at_once(self) -> int:
        """Return the highest number of requests at the same time, of those in ``requests``."""
        return self._application.most_at_once

    def forget_requests(self) -> None:
        """Begin a new record of requests."""
        self._application.forget_requests()

    def reset(self) -> None:
        """Go back to the seed: no faults, no recorded requests, no failed sign-ins. Tokens stay valid."""
        with self._application.mutex:
            self._application.service = self._planted(self.switches)
        self.faults.clear()
        self.forget_requests()
        self._authenticator.forgive()

    @property
    def tokens(self) -> dict[str, float]:
        """Return the issued tokens and when each expires, as seconds since 1970."""
        return self._authenticator.tokens

    def issue_token(self, lifetime: float = _TOKEN_SECONDS) -> str:
        """Return a new token for ``X-Auth-Token``."""
        return self._authenticator.issue_token(lifetime)

    def expire_keys(self) -> None:
        """Expire all temporary keys of IAM now."""
        self._authenticator.expire_keys()

    def expire_token(self, token: str) -> None:
        """Expire a token now."""
        self._authenticator.expire_token(token)

    @property
    def packages(self) -> list[dict[str, Any]]:
        """Return all packages as ShowOtaPackage returns them, newest record first."""
        with self._application.mutex:
            return [package.detail() for package in self._service.packages.find({})]

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """Return all tasks as ShowBatchTask returns them, newest record first."""
        with self._application.mutex:
            found = self._service.tasks.find(None, None, None, self._clock())
            return [task_fields(self._service, task) for task in found]

    @property
    def device_versions(self) -> dict[str, str | None]:
        """Return the version that each described device runs now."""
        with self._application.mutex:
            devices = self._service.devices
            self._service.tasks.settle(self._clock())
            return {name: devices.behaviour(name).version for name in devices.known()}

    @property
    def groups(self) -> dict[str, list[str]]:
        """Return the devices of each group."""
        with self._application.mutex:
            return {group: list(members) for group, members in self._service.devices.groups.items()}

    def add_package(self, **fields: Any) -> str:
        """Upload a package, as the newest record; return its id.

        Args:
            fields: the API's fields; each has a default. ``record_id`` sets its place in lists.

        Raises:
            ValueError: a field breaks its documented limit.
        """
        with self._application.mutex:
            self._added += 1
            return plant_package(self._package_of(fields), self._service)

    def delete_package(self, package_id: str) -> bool:
        """Delete a package; return whether it was there."""
        with self._application.mutex:
            return self._service.packages.delete(package_id)

    def add_task(self, **fields: Any) -> str:
        """Create a task without a request; return its id.

        Args:
            fields: the body of CreateBatchTask, and optionally ``task_id``, ``create_time`` and ``stopped``.

        Raises:
            ValueError: a field breaks its documented limit, or names an unknown package, space or group.
        """
        with self._application.mutex:
            return plant_task(checked(SeedTask, fields, "task"), self._service, "task")

    def set_device(self, device_id: str, **changes: Any) -> None:
        """Change how a device reacts to upgrades from now on, also in running tasks; see ``devices.Behaviour``."""
        with self._application.mutex:
            self._service.tasks.describe(device_id, self._clock(), **changes)

    def set_group(self, group_id: str, device_ids: list[str]) -> None:
        """Create a group, or change its members."""
        with self._application.mutex:
            self._service.devices.groups[group_id] = list(device_ids)

    def _package_of(self, fields: Mapping[str, Any]) -> SeedPackage:
        product_id, version = fields.get("product_id", "smart-meter"), fields.get("version", f"V9.0.{self._added}")
        defaults = {
            "package_id": secrets.token_hex(16),
            "app_id": self._service.packages.space_of_product(str(product_id)) or self._service.default_app_id,
            "package_type": "firmwarePackage",
            "product_id": product_id,
            "version": version,
            "create_time": api_time(self._clock()),
            "file_location": stored_file(str(product_id), str(version), signed=True),
        }
        return checked(SeedPackage, {**defaults, **fields}, "package")

    @property
    def _service(self) -> Service:
        return self._application.service

    def _planted(self, switches: Switches) -> Service:
        service = Service(switches, self._pace, self._clock, self._seed.default_app_id)
        plant(self._seed, service)
        return service


@functools.cache
def _catalogue() -> Seed:
    # Read only: every emulator copies it.
    return load_seed(default_seed())


def _algorithms(*, derived_only: bool, standard_only: bool) -> frozenset[str]:
    if derived_only and standard_only:
        raise ValueError("derived_only and standard_only exclude each other")
    return frozenset({DERIVED} if derived_only else {STANDARD} if standard_only else {DERIVED, STANDARD})
