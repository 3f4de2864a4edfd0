"""The command line ``iotda-ota`` (extra ``cli``): look up packages, manage upgrade tasks and lock files.

Its results are those of the functions. Its options are made from the tables of arguments and settings.
"""
