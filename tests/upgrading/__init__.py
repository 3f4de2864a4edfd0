"""States of all releases, which every later version must preview, keep and destroy.

``states/`` has them. They never change, because the stacks of users do not change either. A release adds its state with
``python -m tests.upgrading``.
"""
