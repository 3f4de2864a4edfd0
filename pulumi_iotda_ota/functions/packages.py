"""What the functions of packages do, over plain values. Their signatures are in ``_generated/functions.py``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.functions import tasks
from pulumi_iotda_ota.functions.invoke import camel_keys, snake_keys, work
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.lookup import find, query
from pulumi_iotda_ota.operations import package_answer
from pulumi_iotda_ota.schema.validation import normal
from pulumi_iotda_ota.serialization import listed_values, package_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.lookup.session import Run


def list_packages(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the packages that match."""
    asked = query.PackagesLookup.from_arguments(values)
    found = find.find_packages(run, context.resolved(), asked)
    # One at a time: a list may have 100,000, and the run holds them already.
    packages = (package_values(package) for package in found.packages)
    return {**listed_values(replace(found, packages=())), "packages": packages}


def find_package(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the package that matches, or ``found: False`` if none does and that is allowed."""
    found = package_answer(run, context, values)
    return {"found": False} if found is None else {"found": True, **found}


#: What each function does, by its name in the plugin.
FUNCTIONS: dict[str, Callable[[Run, Context, Mapping[str, Any]], dict[str, Any]]] = {
    "getOtaPackage": find_package,
    "getOtaPackages": list_packages,
    "getUpgradeTask": tasks.show_task,
}


def answer(token: str, arguments: Mapping[str, Any], *, asked: tuple[Run, Context] | None = None) -> dict[str, Any]:
    """Answer a function by its token, in the plugin's names, as a stand-in for the engine needs it.

    Args:
        token: such as ``iotda-ota:index:getOtaPackage``.
        arguments: in camelCase.
        asked: the run and the context to use; by default those of the program.

    Raises:
        KeyError: there is no such function.
        IotdaOtaError: the lookup failed.
    """
    function = FUNCTIONS[token.rpartition(":")[2]]
    values = normal(snake_keys(dict(arguments)))
    answered = work(function, values, None)() if asked is None else function(*asked, values)
    if "packages" in answered:
        answered["packages"] = list(answered["packages"])
    for skipped in answered.get("skipped", ()):
        skipped["rule"] = camel(skipped["rule"])
    named: dict[str, Any] = camel_keys(answered)
    return named
