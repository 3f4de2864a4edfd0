"""States that releases have written, and that every later version must read, keep and destroy.

``states/`` has them: they are never changed, because stacks out there are not either. A release adds its own, with
``python -m tests.upgrading``.
"""
