"""Tell what the last refresh found out: `pulumi stack export | python standing.py`.

Exit code 0: everything is there, and no other fits. 7: a package or a task is gone, or another fits; a line for
each. A refresh changes neither a pin nor a campaign, and `--expect-no-changes` does not count what it tells.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

FOUND = 7


def findings(resource: dict[str, Any]) -> Iterator[str]:
    """Return what there is to tell of a resource, in Python's names or the plugin's."""
    kind, name = resource["type"].rpartition(":")[2], resource["urn"].rpartition("::")[2]
    told = resource.get("outputs", {})
    newer = told.get("available_version") or told.get("availableVersion")
    if kind in ("OtaPackagePin", "OtaPackage") and told.get("exists") is False:
        yield f"{name}: package {told['version']} is gone"
    if kind == "OtaPackagePin" and newer:
        yield f"{name}: {newer} fits, {told['version']} is pinned"
    if kind == "UpgradeTask" and told.get("status") == "Gone":
        yield f"{name}: the upgrade task is gone"


def main() -> None:
    """Read a state, tell what is found in it, and exit with what that is for a gate."""
    resources = json.load(sys.stdin)["deployment"].get("resources", [])
    lines = [line for resource in resources for line in findings(resource)]
    print("\n".join(lines) or "everything is there, and nothing newer fits")
    sys.exit(FOUND if lines else 0)


if __name__ == "__main__":
    main()
