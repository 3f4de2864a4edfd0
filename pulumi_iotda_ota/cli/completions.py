"""Completes what no table of arguments has: regions, and names in files. Loads little until a shell asks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import IotdaOtaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click


def regions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  click's form
    """Return the regions that are known."""
    from pulumi_iotda_ota.iotda.auth.endpoint import REGIONS  # noqa: PLC0415  only for completion

    return _beginning(REGIONS, incomplete)


def lock_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  as above
    """Return the names in the lock file, or none if it cannot be read."""
    from pulumi_iotda_ota.lock.files import load, lock_path  # noqa: PLC0415  only for completion

    try:
        return _beginning(load(lock_path(ctx.find_root().obj.environ, Path())) or (), incomplete)
    except IotdaOtaError:
        return []


def stack_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  as above
    """Return the stacks of the Pulumi project around this folder, or none if it cannot be read."""
    from pulumi_iotda_ota.cli import stack  # noqa: PLC0415  loads yaml

    try:
        project = stack.find_project(stack.this_folder())
        return _beginning([name for name, _ in project.files()] if project else [], incomplete)
    except IotdaOtaError:
        return []


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
