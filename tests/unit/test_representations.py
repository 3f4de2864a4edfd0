"""No representation contains a secret: each field that can hold one is left out or redacted."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

import pulumi_iotda_ota
from pulumi_iotda_ota.connection import Connection as PublicConnection
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.auth.sources import Inputs, read_sources
from pulumi_iotda_ota.iotda.http.network import proxy_of
from tests.support.fault_helpers import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Fields that can hold a secret, whatever class has them.
NAMES = {
    "access_key", "auth_token", "body", "config", "content", "environ", "headers", "inputs", "outputs", "password",
    "secret_key", "security_token", "state", "texts", "token", "url", "values",
}  # fmt: skip
# What holds none: arguments of the command line, of which none is a secret, tables, addresses that were checked, when a
# token ends, and what users' tests register.
ALLOWED = {
    ("CommandInput", "values"),
    ("Endpoint", "url"),
    ("Function", "outputs"),
    ("Mocks", "outputs"),
    ("Monitor", "outputs"),
    ("RegisteredResource", "outputs"),
    ("Resource", "outputs"),
    ("Token", "token"),
    ("_Task", "body"),
}


def fields() -> Iterator[tuple[str, str, str, bool]]:
    """Yield the class, name and type of every field of the library, and whether a representation contains it."""
    for found in pkgutil.walk_packages(pulumi_iotda_ota.__path__, "pulumi_iotda_ota."):
        if "__main__" in found.name or ".emulator" in found.name:
            continue
        for name, held in vars(importlib.import_module(found.name)).items():
            if not isinstance(held, type) or held.__module__ != found.name:
                continue
            if dataclasses.is_dataclass(held):
                yield from ((name, one.name, str(one.type), one.repr) for one in dataclasses.fields(held))
            elif issubclass(held, BaseModel):
                yield from (
                    (name, one, str(field.annotation), bool(field.repr)) for one, field in held.model_fields.items()
                )


FIELDS = sorted({one for one in fields() if one[1] in NAMES})


@pytest.mark.parametrize(("owner", "name", "kind", "shown"), FIELDS, ids=lambda value: str(value)[:30])
def test_a_field_that_can_hold_a_secret_is_not_shown(owner: str, name: str, kind: str, shown: bool) -> None:
    """A field with such a name is left out of the representation, or its type redacts it."""
    assert not shown or "SecretStr" in kind or (owner, name) in ALLOWED


def test_the_fields_are_found() -> None:
    """The list above is that of the library, and not empty by mistake."""
    assert {"Context", "Request", "Response", "Connection", "Received", "Proxy"} <= {one[0] for one in FIELDS}


@pytest.mark.parametrize("model", [Connection, PublicConnection])
@pytest.mark.parametrize("name", ["proxy", "endpoint", "iam_endpoint"])
@pytest.mark.parametrize("password", ["hunter22", "hun/ter22", "hun#ter22", "hun@ter22"])
def test_a_password_in_an_address_is_not_shown(model: type[Connection], name: str, password: str) -> None:
    """If a connection has an address with a password, its representation has only the host."""
    connection = model(**{name: f"http://user:{password}@host.example:3128"})  # type: ignore[arg-type]

    for shown in (
        repr(connection),
        str(connection),
        repr(Inputs(connection, {}, {})),
        repr(Context({}, {}, connection)),
    ):
        assert "****@host.example:3128" in shown
        assert "ter22" not in shown
    assert "ter22" not in repr(read_sources(Inputs(connection, {}, {})))


def test_a_proxy_shows_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment shows neither user nor password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter22@host.example:3128")
    monkeypatch.delenv("https_proxy", raising=False)
    connection = dataclasses.replace(CONNECTION, endpoint="https://iotda.example.test")

    assert "hunter22" not in repr(proxy_of(connection))
    assert "host.example:3128" in repr(proxy_of(connection))
