"""The lock file: named lookups, what they were resolved to, when and why; committed, and so reviewed.

``text`` is how it is written and read, ``files`` where it lies and how it is replaced; ``answer`` answers a program
from it; ``resolving`` makes its entries, ``keeping`` brings them up to date and ``telling`` says what that changed.
Nothing here knows of Pulumi.
"""
