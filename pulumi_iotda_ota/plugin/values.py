"""Convert property values between the plugin protocol and plain Python values.

In the protocol, an unknown value is a marker string, a secret is an object with a marker, and every number is a float.
In this package, an unknown value is ``UNKNOWN``, and the names of the secret properties are kept beside the values. The
names stay in camelCase; ``schema.validation`` converts them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct

from pulumi_iotda_ota.lifecycle.base import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from google.protobuf.message import Message
    from google.protobuf.struct_pb2 import Value

# The markers of unknown values, by the type that the value will have.
_UNKNOWNS = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # list
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
    "e48ece36-62e2-4504-bad9-02848725956a",  # archive
}
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the marker of a secret, not one


@dataclass
class Received:
    """Properties from the engine.

    Attributes:
        values: the plain values.
        secrets: the names of the properties that are, or hold, a secret.
        texts: the secret strings, so that no message repeats them.
    """

    values: dict[str, Any] = field(default_factory=dict, repr=False)
    secrets: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list, repr=False)


def received(struct: Struct) -> Received:
    """Return the properties of a message."""
    properties = Received()
    for name, value in struct.fields.items():
        texts: list[str] = []
        properties.values[name] = _read(value, texts, secret=False)
        if texts:
            properties.secrets.add(name)
            properties.texts += filter(None, texts)
    return properties


def secret_texts(request: Message) -> list[str]:
    """Return every secret string in the properties of a request."""
    structs = [value for _, value in request.ListFields() if isinstance(value, Struct)]
    return [text for struct in structs for text in received(struct).texts]


def _read(value: Value, secrets: list[str], *, secret: bool) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET:
            secrets.append("")  # an empty list is a secret too
            return _read(fields["value"], secrets, secret=True)
        return {name: _read(item, secrets, secret=secret) for name, item in fields.items()}
    if kind == "list_value":
        return [_read(item, secrets, secret=secret) for item in value.list_value.values]
    return _read_plain(value, kind, secrets, secret=secret)


def _read_plain(value: Value, kind: str | None, secrets: list[str], *, secret: bool) -> Any:
    plain = None if kind in (None, "null_value") else getattr(value, kind)
    if isinstance(plain, str) and plain in _UNKNOWNS:
        return UNKNOWN
    if secret and isinstance(plain, (str, float)) and not isinstance(plain, bool):
        is_whole = isinstance(plain, float) and plain.is_integer()
        secrets.append(str(int(plain)) if is_whole else f"{plain:g}" if isinstance(plain, float) else plain)
    return plain


def sent(values: Mapping[str, Any], secrets: Collection[str] = ()) -> Struct:
    """Return properties for a message."""
    marked = {
        name: {_SIGNATURE: _SECRET, "value": _written(value)} if name in secrets else _written(value)
        for name, value in values.items()
        if value is not None
    }
    struct = Struct()
    struct.update(marked)
    return struct


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _written(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(item) for item in value]
    return _UNKNOWN_TEXT if value is UNKNOWN else value
