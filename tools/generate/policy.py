"""Generate the policy of a selection: ``selection/policy.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.schema.argument import rendered
from tools.generate.python_code import HEADER, PYTHON, docstring, value

if TYPE_CHECKING:
    from pulumi_iotda_ota.schema.argument import Argument


def text() -> str:
    """Return the module."""
    attributes = [(argument.name, rendered(argument.description, PYTHON)) for argument in schema.POLICY]
    return "\n".join(
        [
            HEADER.format(
                "The rules of one selection, as one immutable value. It does not know how packages are fetched."
            ),
            "from __future__ import annotations\n",
            "from dataclasses import dataclass\n\n",
            "@dataclass(frozen=True)",
            "class Policy:",
            docstring(
                "The rules of one selection. A rule that is not set skips no package.", [("Attributes", attributes)]
            ),
            "",
            *(_field(argument) for argument in schema.POLICY),
            "",
            "    @property",
            "    def may_choose(self) -> bool:",
            '        """Return whether one of several matches may be taken."""',
            "        return self.highest_version or self.most_recent",
            "",
        ]
    )


def _field(argument: Argument) -> str:
    if argument.type == "list of strings":
        return f"    {argument.name}: tuple[str, ...] = ()"
    plain = argument.python if not argument.python.startswith("Literal") else "str"
    if argument.default is None:
        return f"    {argument.name}: {plain} | None = None"
    return f"    {argument.name}: {plain} = {value(argument.default).strip('`')}"
