"""Lookups of packages and tasks, the memory of a run, and the errors of a lookup."""
