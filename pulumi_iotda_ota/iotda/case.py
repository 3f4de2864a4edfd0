"""Converts names: ``project_id`` in Python is ``projectId`` in the configuration and the plugin."""

from __future__ import annotations

import re


def camel(name: str) -> str:
    """Return a Python name in the spelling of the configuration and the plugin."""
    return re.sub(r"_(.)", lambda match: match.group(1).upper(), name)


def snake(name: str) -> str:
    """Return a name of the configuration or the plugin in Python's spelling."""
    return re.sub(r"[A-Z]", lambda match: f"_{match.group().lower()}", name)
