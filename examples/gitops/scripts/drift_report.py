"""Print what the last refresh found: `pulumi stack export | python drift_report.py`.

Exit code 0: nothing is gone, and no other version matches. 7: a package or a task is gone, or another version matches,
with a line for each. A refresh changes neither a pin nor a task, and `--expect-no-changes` does not count its findings.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

FOUND = 7


def findings(resource: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each finding about a resource, whose outputs have the names of Python or of the plugin."""
    kind, name = resource["type"].rpartition(":")[2], resource["urn"].rpartition("::")[2]
    outputs = resource.get("outputs", {})
    available = outputs.get("available_version") or outputs.get("availableVersion")
    if kind in ("OtaPackagePin", "OtaPackage") and outputs.get("exists") is False:
        yield f"{name}: package {outputs['version']} is gone"
    if kind == "OtaPackagePin" and available:
        yield f"{name}: {available} matches, {outputs['version']} is pinned"
    if kind == "UpgradeTask" and outputs.get("status") == "Gone":
        yield f"{name}: the upgrade task is gone"


def main() -> None:
    """Read a state, print the findings, and exit with the code for a gate."""
    resources = json.load(sys.stdin)["deployment"].get("resources", [])
    lines = [line for resource in resources for line in findings(resource)]
    print("\n".join(lines) or "nothing is gone, and no other version matches")
    sys.exit(FOUND if lines else 0)


if __name__ == "__main__":
    main()
