"""How names are written: ``project_id`` in Python, ``projectId`` in the configuration and the plugin."""

from __future__ import annotations

import re


def camel(name: str) -> str:
    """Return a Python name as the configuration and the plugin write it."""
    return re.sub(r"_(.)", lambda match: match.group(1).upper(), name)


def snake(name: str) -> str:
    """Return a name of the configuration or the plugin as Python writes it."""
    return re.sub(r"[A-Z]", lambda match: f"_{match.group().lower()}", name)
