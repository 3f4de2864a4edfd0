"""The lock file: named lookups with the packages that they selected. It is committed and reviewed."""
