"""The life cycle of `UpgradeTask`."""
