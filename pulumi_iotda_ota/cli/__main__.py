"""Start the command line: ``iotda-ota``, or ``python -m pulumi_iotda_ota.cli``."""

from __future__ import annotations

import sys

_NO_CLICK = (
    "iotda-ota: error: the command line needs click and rich: from the checkout: python -m pip install '.[cli]'; "
    "from a wheel: python -m pip install 'FILE.whl[cli]'"
)


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        from pulumi_iotda_ota.cli import main as entry  # noqa: PLC0415  click may be missing
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print(_NO_CLICK, file=sys.stderr)
        return 1
    return entry.main()


if __name__ == "__main__":
    sys.exit(main())
