"""Creates the bench's upgrade task in a separate process, which a test can kill; the service is in the environment."""

import os
import sys

from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from pulumi_iotda_ota.lookup.session import Run
from tests.support.resource_bench import SCOPE

context = ResourceContext(run=Run(memo=False), config={}, environ=os.environ, warn=print, report=print)
given = {"package_ids": ["p1"], "targets": ["d1", "d2"], "scope": SCOPE}
sys.stdout.write(UpgradeTask.create(context, UpgradeTask.check(context, {}, given).inputs).id)
