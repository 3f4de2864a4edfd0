"""Door 4, the command line ``iotda-ota``: ask, see why, and look after a campaign from a shell (extra ``cli``).

What it asks and answers is what the functions ask and answer; its options are made from ``arguments/`` and
``iotda/auth/settings.py``. Modules that declare commands are light, so that ``--help`` and completion are: what a
command needs to work is loaded when it runs.
"""
