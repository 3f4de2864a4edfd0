"""What tests/cli/test_shell.py and test_shell_completion.py share."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.shell import METER

BIN = str(Path(sys.executable).parent)


SEVERAL = ("package", "list", *METER, "--version-constraint", "^1.4")
