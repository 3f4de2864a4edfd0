"""How names change between Python, configuration and plugin."""

from __future__ import annotations

import pytest

from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.case import camel, snake


@pytest.mark.parametrize(
    ("python", "other"),
    [("region", "region"), ("ca_file", "caFile"), ("allowed_project_ids", "allowedProjectIds"), ("", "")],
)
def test_names_change_and_come_back(python: str, other: str) -> None:
    """A name in snake_case has one form in camelCase, and comes back from it."""
    assert camel(python) == other
    assert snake(other) == python


def test_every_setting_survives_the_change() -> None:
    """No name of a setting is lost on the way."""
    assert [snake(camel(name)) for name in Connection.model_fields] == list(Connection.model_fields)
