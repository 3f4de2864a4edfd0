"""What each resource does, over plain dicts: check, diff, create, read, update, delete. Knows no Pulumi RPC."""
