"""Generate code, the schema of the plugin and reference pages from the tables; ``make generate`` writes them.

For contributors: this package is not shipped, and nothing of the product imports it.
"""
