"""Words of commands that several tests run."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.shell import METER

BIN = str(Path(sys.executable).parent)


SEVERAL = ("package", "list", *METER, "--version-constraint", "^1.4")
