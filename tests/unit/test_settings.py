"""The table of settings against the connection that reads them."""

from __future__ import annotations

import pytest

from pulumi_iotda_ota.iotda.auth.connection_model import SECRET_FIELDS, Connection
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.auth.sources import SOURCES


def test_every_setting_is_a_field_of_the_connection() -> None:
    """The table has the fields of a connection, in their order, and knows which are secret."""
    assert [setting.name for setting in SETTINGS] == list(Connection.model_fields)
    assert tuple(setting.name for setting in SETTINGS if setting.secret) == SECRET_FIELDS


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_environment_is_what_is_read(setting: object) -> None:
    """The variables of the table are those that are read, in the same order."""
    name, told = setting.name, setting.environment  # type: ignore[attr-defined]
    read = [source.names[name] for source in SOURCES if "environment" in source.title and name in source.names]
    assert told == tuple(read)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_descriptions_are_sentences(setting: object) -> None:
    """What the table says of a setting is a full sentence."""
    description = setting.description  # type: ignore[attr-defined]
    assert description[0].isupper()
    assert description.endswith(".")
