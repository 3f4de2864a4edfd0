"""The recipes of examples/gitops: what is shipped is what runs here."""
