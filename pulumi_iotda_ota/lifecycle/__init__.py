"""The life cycle of each resource over plain dicts: check, diff, create, read, update and delete. No Pulumi RPC."""
