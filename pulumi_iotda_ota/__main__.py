"""Starts the provider plugin; Pulumi does, with ``PulumiPlugin.yaml``."""

import os
import sys

# A folder of the consumer's in PYTHONPATH comes before what is installed, and its requests.py before the library.
_THEIRS = {os.path.realpath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
sys.path.sort(key=lambda path: os.path.realpath(path) in _THEIRS)

from pulumi_iotda_ota.plugin.server import main  # noqa: E402

if __name__ == "__main__":
    main()
