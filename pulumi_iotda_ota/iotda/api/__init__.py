"""The operations of the service: requests and responses. Nothing here sends anything."""
