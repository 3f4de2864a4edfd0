"""The lock file: named lookups, the packages that they resolved to, when and why. It is committed, and so reviewed.

``format`` reads and writes its text, ``files`` finds and replaces the file, ``validation`` checks it, ``update``
changes its entries, and ``report`` describes what changed. ``operations.py`` uses it for programs. Nothing here
knows of Pulumi.
"""
