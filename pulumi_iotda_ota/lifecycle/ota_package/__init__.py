"""The life cycle of `OtaPackage`."""
