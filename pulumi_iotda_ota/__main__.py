"""Starts the provider plugin; Pulumi does, with ``PulumiPlugin.yaml``."""

from pulumi_iotda_ota.plugin.server import main

if __name__ == "__main__":
    main()
