"""Property values on the way between the engine and the life cycles."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.plugin.values import received, sent
from pulumi_iotda_ota.schema.registry import RESOURCES
from pulumi_iotda_ota.schema.validation import normal, to_python, to_wire

NAMES = st.text("abcdefXYZ_", min_size=1, max_size=8)
LEAVES = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=8), st.just(UNKNOWN))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
PROPERTIES = st.dictionaries(NAMES, VALUES, max_size=5)


@given(PROPERTIES, st.sets(NAMES))
def test_what_is_sent_comes_back(values: dict[str, Any], secrets: set[str]) -> None:
    """Values, what is not known among them, and which are secret come back as they went."""
    back = received(Struct.FromString(sent(values, secrets).SerializeToString()))

    assert normal(back.values) == values
    assert back.secrets == secrets & values.keys()


def test_secrets_inside_a_value() -> None:
    """A secret inside a list or an object makes the property secret, and its texts are known."""
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": ["s1", {"a": "s2"}]}
    struct = json_format.ParseDict({"list": ["plain", {"deep": secret}], "other": "x"}, Struct())

    found = received(struct)

    assert found.values == {"list": ["plain", {"deep": ["s1", {"a": "s2"}]}], "other": "x"}
    assert (found.secrets, found.texts) == ({"list"}, ["s1", "s2"])


def test_nothing_is_left_out_of_an_update_but_none() -> None:
    """What is None is not sent; what is empty is."""
    assert set(sent({"a": None, "b": "", "c": [], "d": {}, "e": False}).fields) == {"b", "c", "d", "e"}


def test_names_change_where_the_table_has_them() -> None:
    """Names inside an object of the table change, the keys of the user do not."""
    fields = RESOURCES["UpgradeTask"].fields
    python = {"task_ext_info": {"my_key": 1}, "triggers": [{"a_b": 1}], "progress": {"fail_wait_retry": 1}}
    wire = {"taskExtInfo": {"my_key": 1}, "triggers": [{"a_b": 1}], "progress": {"failWaitRetry": 1}}

    assert to_wire(fields, python) == wire
    assert to_python(fields, wire) == python
