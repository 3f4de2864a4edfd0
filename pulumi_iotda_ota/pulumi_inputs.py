"""Read the arguments of a Pulumi program: plain values, Outputs and resources, at any depth."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi._types import is_input_type  # private, and the only way to recognize an object that Pulumi can send
from pulumi.runtime import rpc

from pulumi_iotda_ota import pulumi_compat
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator

_SENDABLE = (str, bool, int, float)
# The output of each resource of this library that arguments take, such as ``package_id``.
_results: weakref.WeakKeyDictionary[pulumi.Resource, str] = weakref.WeakKeyDictionary()
# The resources whose id is a constant, by ``id()`` of the Output that holds it. The resource keeps that Output alive.
_by_constant_id: weakref.WeakValueDictionary[int, pulumi.CustomResource] = weakref.WeakValueDictionary()


class SecretNames:
    """An Input that resolves to the names of the values that are, or hold, a secret, or to None if none does.

    Pulumi does not send a dynamic provider which inputs are secret, so the program does.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __await__(self) -> Generator[Any, None, list[str] | None]:
        return self._names().__await__()

    async def _names(self) -> list[str] | None:
        awaited = {name: value for name, value in self._values.items() if holds_output(value)}
        outputs = {name: pulumi.Output.from_input(value) for name, value in awaited.items()}
        return [name for name, output in outputs.items() if await output.is_secret()] or None


def register(resource: pulumi.CustomResource, result: str, *, constant_id: bool) -> None:
    """Record which output of a resource arguments take.

    Args:
        resource: a resource of this library, after its constructor has registered it.
        result: the name of the output, such as ``package_id``.
        constant_id: whether ``resource.id`` is a constant, so that it is never the value of ``result``.
    """
    _results[resource] = result
    if constant_id:
        _by_constant_id[id(resource.id)] = resource


def holds_output(value: object) -> bool:
    """Return whether a value is, or holds, an Output or another awaitable."""
    return any(_is_later(leaf) for _, leaf in _leaves(value, ""))


def holds_unknown(value: object) -> bool:
    """Return whether a property value of the protocol is, or holds, an unknown value."""
    return any(leaf == rpc.UNKNOWN for _, leaf in _leaves(value, ""))


def known_values(values: Mapping[str, Any], unknown: object) -> dict[str, Any]:
    """Return values as a provider would receive them now, with ``unknown`` in place of every Output."""

    def known(_: str, leaf: Any) -> Any:
        return unknown if _is_later(leaf) else _plain(leaf)

    return {name: value if _is_plain_set(value) else _mapped(value, name, known) for name, value in values.items()}


def requiring_values(
    values: Mapping[str, Any], label: str = "", *, optional: Collection[str] = (), free: Collection[str] = ()
) -> dict[str, Any]:
    """Return the values with an error in place of each Output that resolves to None.

    The engine drops a None. The lookup would then run without that filter, and find another package.
    Unknown and secret values, and the dependencies of the Outputs, stay as they are.

    Args:
        values: the arguments by name.
        label: the start of the error, such as ``UpgradeTask "canary": ``.
        optional: the arguments whose Outputs may resolve to None.
        free: the arguments whose objects have any content. Inside them, None is allowed.
    """

    def required(argument: str) -> Callable[[str, Any], Any]:
        def leaf_of(path: str, leaf: Any) -> Any:
            output = _output(leaf)
            if not _is_later(leaf) or (argument in free and path != argument):
                return output
            inside = argument not in free
            return output.apply(lambda value: _present(value, path, label, inside=inside), run_with_unknowns=True)

        return leaf_of

    def unchanged(_: str, leaf: Any) -> Any:
        return _output(leaf)

    return {
        name: _mapped(value, name, unchanged if name in optional else required(name)) for name, value in values.items()
    }


def _present(value: Any, path: str, label: str, *, inside: bool) -> Any:
    """Return the value of an Output. Refuse None, and a list or object with a None in it."""
    absent = path if value is None else next(_absent_in(value, path), None) if inside else None
    if absent is None:
        return value
    argument = path.partition(".")[0].partition("[")[0]
    which = (
        "is an Output that resolved to None" if absent == path else "is None in the value that an Output resolved to"
    )
    facts = [
        ("cause", "the stack output or field that it reads does not exist or is empty"),
        ("fix", f"correct what {path} reads, or pass the value itself"),
    ]
    raise pulumi_compat.as_run_error(InputError(f"{label}{absent} {which}", argument=argument, facts=facts))


def _absent_in(value: object, path: str) -> Iterator[str]:
    if isinstance(value, (list, tuple, Mapping)):
        yield from (place for place, item in _items(value, path) if item is None)


def refuse_resources(values: Mapping[str, Any], label: str = "") -> None:
    """Refuse a resource, or its constant id, as the value of an argument.

    Raises:
        InputError: it names the argument, the resource and the output to pass.
    """
    for argument, value in values.items():
        for path, leaf in _leaves(value, argument):
            resource = leaf if isinstance(leaf, pulumi.Resource) else _by_constant_id.get(id(leaf))
            if resource is None or (resource is not leaf and getattr(resource, "id", None) is not leaf):
                continue
            kind = "the resource" if resource is leaf else "the id of the resource"
            name = f'{type(resource).__name__} "{resource.pulumi_resource_name}"'
            headline = f"{label}{path} is {kind} {name}, {_wrong(argument, resource is not leaf)}"
            error = InputError(headline, argument=argument, facts=[("fix", _instead(argument, resource))])
            raise pulumi_compat.as_run_error(error)


def _wrong(argument: str, constant: bool) -> str:  # noqa: FBT001  the constant id, or the resource itself
    kinds = {"package_id": "not a package id", "task_id": "not a task id"}
    other = "which never changes" if constant else "not a plain value"
    return next((kind for name, kind in kinds.items() if name in argument), other)


def _instead(argument: str, resource: pulumi.Resource) -> str:
    if argument == "approved_package_ids":
        return "write the ids of the reviewed packages as strings"
    result = _results.get(resource)
    if result is not None and (result in argument or argument == "triggers"):
        return f"pass its output .{result}"
    if "package_id" in argument:
        return "pass .package_id of an OtaPackage or OtaPackagePin"
    return "pass .task_id of an UpgradeTask" if argument == "task_id" else "pass one of its outputs, or a plain value"


def refuse_unsendable(values: Mapping[str, Any], label: str = "") -> None:
    """Refuse a value that Pulumi cannot send to a provider, or cannot store.

    Raises:
        InputError: it names the argument and the type.
    """

    def refuse(path: str, leaf: Any) -> Any:
        leaf = _plain(leaf)
        if leaf is None or _is_later(leaf) or isinstance(leaf, _SENDABLE) or is_input_type(type(leaf)):
            return leaf
        advice = "pass strings, numbers or booleans, alone or in a list or dict"
        if isinstance(leaf, (pulumi.Asset, pulumi.Archive)):
            advice = "pass its text, or a checksum of its file"
        elif isinstance(leaf, Iterable) and not isinstance(leaf, (bytes, bytearray)):
            advice = "pass a list: list(...) makes one of it"
        argument = path.partition(".")[0].partition("[")[0]
        headline = f"{label}{path} is of type {type(leaf).__name__}, which a resource cannot store"
        raise pulumi_compat.as_run_error(InputError(headline, argument=argument, facts=[("fix", advice)]))

    for name, value in values.items():
        _mapped(value, name, refuse)
        for path, key in _odd_keys(value, name):
            headline = f"{label}{path} has a key of type {type(key).__name__}, and Pulumi stores only string keys"
            facts = [("fix", "make each key a string: str(key)")]
            raise pulumi_compat.as_run_error(InputError(headline, argument=name, facts=facts))


def _odd_keys(value: Any, path: str) -> Iterator[tuple[str, object]]:
    """Yield each key that is no string, with the path of its object. The value must not hold itself."""
    if isinstance(value, Mapping):
        yield from ((path, key) for key in value if not isinstance(key, str))
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        for place, item in _items(value, path):
            yield from _odd_keys(item, place)


def refuse_provider(label: str, opts: pulumi.ResourceOptions | None) -> None:
    """Refuse an explicit provider of this package's plugin. Pulumi would ignore its account without a warning.

    A provider of another package is allowed, because Pulumi passes it to the children of a component.

    Raises:
        InputError: ``opts`` has one.
    """
    if opts is None:
        return
    several = opts.providers.values() if isinstance(opts.providers, Mapping) else opts.providers or ()
    providers = [opts.provider, *several] if opts.provider else several
    if any(provider.package == pulumi_compat.CONFIG_NAMESPACE for provider in providers):
        facts = [
            ("cause", "resources of pulumi_iotda_ota run in Pulumi's own dynamic provider"),
            ("fix", "remove it; for another account or endpoint, pass connection=iotda_ota.Connection(...)"),
        ]
        raise pulumi_compat.as_run_error(
            InputError(f"{label}opts.provider has no effect", argument="opts", facts=facts)
        )


def require_connection(connection: object) -> None:
    """Refuse a value that is neither None nor a Connection, such as an Output.

    Raises:
        InputError: the value is refused.
    """
    if connection is None:
        return
    from pulumi_iotda_ota.iotda.auth.connection_model import Connection  # noqa: PLC0415  pydantic only when needed

    if not isinstance(connection, Connection):
        raise InputError(
            f"connection must be an iotda_ota.Connection of plain values, not of type {type(connection).__name__}",
            argument="connection",
        )


def _is_later(leaf: object) -> bool:
    # Before Python 3.12, asyncio takes every generator for a coroutine, but Pulumi awaits no generator.
    return isinstance(leaf, (pulumi.Output, asyncio.Future)) or inspect.iscoroutine(leaf)


def _output(leaf: Any) -> Any:
    """Return a leaf that Pulumi can send. A coroutine becomes an Output, because it can be awaited only once."""
    if not _is_later(leaf):
        return _plain(leaf)
    return leaf if isinstance(leaf, pulumi.Output) else pulumi.Output.from_input(leaf)


def _plain(leaf: Any) -> Any:
    """Return the value of a member of an enum. Pulumi sends a member only if it is a string or a number too."""
    return leaf.value if isinstance(leaf, Enum) else leaf


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield each leaf of a value with its path, at any depth, even if the value holds itself."""
    pending, seen = [(path, value)], set()
    while pending:
        at, item = pending.pop()
        if not isinstance(item, (Mapping, list, tuple, set, frozenset)):
            yield at, item
        elif id(item) not in seen:
            seen.add(id(item))
            pending += reversed([*_items(item, at)])


def _items(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"{path}.{sanitize(str(name), limit=40)}", item) for name, item in value.items())
    else:
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))


def _mapped(value: Any, argument: str, change: Callable[[str, Any], Any]) -> Any:
    """Return a value with each leaf changed. A set becomes a list, which is sorted if it holds only strings.

    Raises:
        InputError: the value holds itself.
    """

    def inside(value: Any, path: str) -> Any:
        if not isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return change(path, value)
        if isinstance(value, Mapping):
            return {name: inside(item, at) for name, (at, item) in zip(value, _items(value, path), strict=True)}
        return [inside(item, at) for at, item in _items(sorted(value) if _is_plain_set(value) else value, path)]

    try:
        return inside(value, argument)
    except RecursionError:
        headline = f"{argument} holds itself, or is nested too deeply"
        raise pulumi_compat.as_run_error(InputError(headline, argument=argument)) from None


def _is_plain_set(value: object) -> bool:
    return isinstance(value, (set, frozenset)) and all(isinstance(item, str) for item in value)
